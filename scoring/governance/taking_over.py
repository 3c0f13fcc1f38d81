"""A verdict taken over into another store, with the gates that it rests on and the documents about the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from benne.errors import GatesChanged, NotValidated
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.declaring import DeclaredGates, every_declared, gates_before, keep_gates
from benne.scoring.governance.documents import FiledDocument, documents_of
from benne.scoring.governance.earlier import binding, require_as_on_record
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.governance.on_chain import is_on_chain
from benne.scoring.governance.refusals import Refused, word_for
from benne.scoring.governance.verdicts import (
    Verdict,
    every_verdict,
    keep_verdict,
    require_validated,
    validation_refused,
    verdicts_of,
)

__all__ = ["Brought", "bring_over", "take_over", "to_bring_over", "verdict_to_take_over"]


def verdict_to_take_over(connection: Connection, config_hash: str) -> tuple[Verdict, DeclaredGates]:
    """The verdict that lets a model serve, and its gates, out of the store they were recorded in.

    Raises
    ------
    NotValidated, NotIndependent, GatesChanged
        As :func:`benne.scoring.governance.verdicts.require_validated`.
    """
    verdict = require_validated(connection, config_hash)
    return verdict, gates_before(connection, verdict.training_began_us)


def take_over(
    verdict: Verdict, declared: DeclaredGates, *, actor: Actor, ids: Callable[[], str], policy_version: str
) -> Work[Verdict]:
    """A unit of work that records a verdict and its gates as they were recorded elsewhere, if they are not there.

    Where gates were declared in this store itself, they are the ones that count, and none are taken over: else
    whoever has a database of their own could bring laxer ones, dated back.

    Parameters
    ----------
    verdict, declared
        Of :func:`verdict_to_take_over`.
    actor : Actor
        Who takes them over; validator and approver stay who they were.
    ids : callable returning str
    policy_version : str

    Raises
    ------
    GatesChanged
        By the work: if gates of that version are there with other content, the store has gates of its own, or those
        taken over would stand for what was validated under others, or the training is said to have begun later than
        verdicts here say.
    NotIndependent
        By the work: if verdicts here name another author.
    NotValidated
        By the work: if a newer verdict on these files is there.
    """

    def work(connection: Connection, _: int) -> tuple[list[AuditEntry], Verdict]:
        entries, verdicts = [], verdicts_of(connection, verdict.config_hash)
        if _are_new(connection, declared):
            here = replace(declared, event_id=ids())
            entries.append(keep_gates(connection, here, actor, policy_version, "taken_over"))
        if verdict.validation_id not in {one.validation_id for one in verdicts}:
            _require_newest(verdict, binding(verdicts))
            require_as_on_record(verdict, verdicts)
            entries.append(keep_verdict(connection, verdict, actor, policy_version))
        return entries, verdict

    return work


def _are_new(connection: Connection, declared: DeclaredGates) -> bool:
    """Whether gates are not here yet; refuses those that may not come."""
    here = {one.version: one for one in every_declared(connection)}
    if declared.version in here:
        if here[declared.version].gates_hash != declared.gates_hash:
            raise GatesChanged(
                f"Gates {declared.version} must say the same in both stores, got two that differ. Validate it here."
            )
        return False
    if any(is_on_chain(connection, one.event_id, "gates_declared", outcome="declared") for one in here.values()):
        raise GatesChanged(
            f"Gates must be declared where the model is to serve, which has its own, got {declared.version} of another "
            "store. Validate it here: benne validate --store"
        )
    # Of the gates here, none may be older that something was validated under which began after these. What was typed
    # about a bare folder passed nothing under any.
    displaced = [
        one for one in binding(every_verdict(connection))
        if here[one.gates_version].declared_at_us < declared.declared_at_us <= one.training_began_us
    ]  # fmt: skip
    if displaced:
        raise GatesChanged(
            f"Gates {declared.version} must not stand for what was validated under others here, got them dated before "
            "the beginning of a training. Validate it here: benne validate --store"
        )
    return True


def _require_newest(verdict: Verdict, here: list[Verdict]) -> None:
    if here and here[0].validated_at_us > verdict.validated_at_us:
        raise NotValidated(
            "A verdict that is taken over must be newer than those that are here, got one from before them. "
            "The newest counts: validate it anew."
        )


@dataclass(frozen=True, slots=True)
class Brought:
    """What lets a model serve, and what is known of it, out of the store it was recorded in.

    Attributes
    ----------
    verdict : Verdict
    gates : DeclaredGates
        That the verdict rests on.
    documents : list of FiledDocument
        About the model, the newest of each kind.
    """

    verdict: Verdict
    gates: DeclaredGates
    documents: list[FiledDocument]


def to_bring_over(connection: Connection, config_hash: str) -> Brought:
    """Everything to be brought over about a model's files.

    Raises
    ------
    NotValidated, NotIndependent, GatesChanged
        As :func:`verdict_to_take_over`.
    GovernanceError
        If a document is not the one that the audit chain says was filed.
    """
    verdict, gates = verdict_to_take_over(connection, config_hash)
    newest = {one.kind: one for one in reversed(documents_of(connection, config_hash))}
    return Brought(verdict, gates, sorted(newest.values(), key=lambda one: one.filed_at_us))


def bring_over(brought: Brought, governance: GovernanceStore, actor: Actor, *, ids: Callable[[], str]) -> None:
    """Put on record what is not there yet: the verdict with its gates, then each document.

    Validator and approver stay who they were, and whoever made a document stays named in it.

    Raises
    ------
    GatesChanged, NotIndependent, NotValidated
        As :func:`take_over`; the refusal is on record.
    """
    config_hash, version = brought.verdict.config_hash, governance.policy_version
    with governance.store.read() as connection:
        known = {one.validation_id for one in verdicts_of(connection, config_hash)}
        here = {(one.kind, one.content_hash) for one in documents_of(connection, config_hash)}
    if brought.verdict.validation_id not in known:
        work = take_over(brought.verdict, brought.gates, actor=actor, ids=ids, policy_version=version)
        _taken_over(work, brought.verdict, governance, actor, ids)
    for one in brought.documents:
        if (one.kind, one.content_hash) not in here:
            governance.file(one.content, actor, event_id=ids())


def _taken_over(
    work: Work[Verdict], verdict: Verdict, governance: GovernanceStore, actor: Actor, ids: Callable[[], str]
) -> None:
    """On record in either case: that the verdict is here, or that it was refused."""
    try:
        governance.group.submit(work)
    except Refused as error:
        refused = validation_refused(
            verdict.model_id, verdict.config_hash, actor, word_for(error), event_id=ids(),
            policy_version=governance.policy_version,
        )  # fmt: skip
        governance.group.submit(refused)
        raise
