"""A verdict taken over into another store, with the gates that it rests on: as where a service is laid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from benne.errors import GatesChanged
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.declaring import DeclaredGates, every_declared, gates_before, keep_gates
from benne.scoring.governance.verdicts import Verdict, keep_verdict, require_validated, verdicts_of

__all__ = ["take_over", "verdict_to_take_over"]


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
        By the work: if gates of that version are there with other content.
    """

    def work(connection: Connection, _: int) -> tuple[list[AuditEntry], Verdict]:
        entries = []
        here_already = {one.version: one.gates_hash for one in every_declared(connection)}
        if here_already.get(declared.version, declared.gates_hash) != declared.gates_hash:
            raise GatesChanged(
                f"Gates {declared.version} must say the same in both stores, got two that differ. Validate it here."
            )
        if declared.version not in here_already:
            here = replace(declared, event_id=ids())
            entries.append(keep_gates(connection, here, actor, policy_version, "taken_over"))
        known = {one.validation_id for one in verdicts_of(connection, verdict.config_hash)}
        if verdict.validation_id not in known:
            entries.append(keep_verdict(connection, verdict, actor, policy_version))
        return entries, verdict

    return work
