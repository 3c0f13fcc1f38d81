"""Verdicts on record: what a validation found, by whom, and whether it lets a model serve."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from sqlalchemy import Connection, Row, func, insert, select

from benne.errors import GovernanceError, NotIndependent, NotValidated
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.canonical import canonical_json, is_deep
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.answering import require_answers
from benne.scoring.governance.declaring import gates_before
from benne.scoring.governance.earlier import binding, require_as_on_record
from benne.scoring.governance.on_chain import events_on_chain, is_on_chain, text_hash
from benne.scoring.governance.people import named, require_gates_of_another, require_independent, same_person
from benne.scoring.store.governance_tables import model_validations

__all__ = [
    "Verdict",
    "every_verdict",
    "keep_verdict",
    "record_verdict",
    "require_validated",
    "validation_refused",
    "verdict_from",
    "verdicts_of",
]

_C = model_validations.c
_PASSED: Final = {True: "passed", False: "failed"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a validation found about one model's files.

    Attributes
    ----------
    validation_id : str
        Also of its audit record.
    model_id, config_hash : str
    run_id : str or None
        MLflow's; None where the training was not tracked.
    gates_version, gates_hash : str
        What was asked of it.
    author, validator : str
    passed : bool
    verdict_hash : str
        SHA-256 of the content's one spelling.
    content : dict
        Everything that was measured: see :mod:`benne.experiments.validation`.
    validated_at_us : int
        Microseconds since 1970-01-01 UTC.
    """

    validation_id: str
    model_id: str
    config_hash: str
    run_id: str | None
    gates_version: str
    gates_hash: str
    author: str
    validator: str
    passed: bool
    verdict_hash: str
    content: dict[str, Any] = field(repr=False)
    validated_at_us: int

    @property
    def training_began_us(self) -> int:
        """When the training began, as far as can be told, in microseconds since 1970-01-01 UTC."""
        return int(self.content["training_began_us"])

    @property
    def trained_on(self) -> str | None:
        """SHA-256 of the training rows; None where nobody knew, or an older Benne did not say."""
        told = self.content.get("training", {}).get("fingerprint")
        return None if told is None else str(told)

    @property
    def rests_on_record(self) -> bool:
        """Whether author and beginning are out of a record of the training; an older Benne did not tell them apart."""
        return bool(self.content.get("training", {}).get("recorded", True))


_KEPT: Final = tuple(name for name in Verdict.__dataclass_fields__ if name != "content")


def verdict_from(content: Mapping[str, Any], validation_id: str, now_us: int) -> Verdict:
    """A verdict out of its document.

    Parameters
    ----------
    content : mapping
        ``kind`` "verdict", ``model`` (``model_id``, ``config_hash``), ``run_id``, ``training_began_us``,
        ``gates`` (``version``, ``hash``), ``author``, ``validator``, ``passed``, ``results``; perhaps ``training``
        (``recorded``, whether a record says who trained, on whom and since when, and ``fingerprint`` of its rows).
    validation_id : str
    now_us : int

    Raises
    ------
    GovernanceError
        If the document lacks any of it, or says that it passed where a required gate did not, or no record tells of
        the training.
    """
    try:
        model, gates, results = content["model"], content["gates"], content["results"]
        required = [one["state"] for one in results if one["required"]]
        held = bool(required) and all(state == "passed" for state in required)
        author, validator = named(content["author"], "The author"), named(content["validator"], "The validator")
        facts = (model["model_id"], model["config_hash"], content["run_id"], gates["version"], gates["hash"])
        whole = (
            not is_deep(content)
            and content["kind"] == "verdict"
            and content["passed"] is held
            and int(content["training_began_us"]) > 0
            and (not held or content.get("training", {}).get("recorded", True) is True)
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, GovernanceError):
            raise
        raise GovernanceError(
            f"A verdict must be a document of a validation, got one without {error}. Make it: benne validate"
        ) from None
    if not whole:
        raise GovernanceError("A verdict must say what its gates say, got otherwise. Make it: benne validate")
    text = canonical_json(content).decode()
    return Verdict(
        validation_id, *facts, author, validator, held, text_hash(text), json.loads(text), now_us
    )  # fmt: skip


def record_verdict(content: Mapping[str, Any], *, actor: Actor, event_id: str, policy_version: str) -> Work[Verdict]:
    """A unit of work that puts a verdict on record, whether it passed or failed.

    Parameters
    ----------
    content : mapping
        See :func:`verdict_from`.
    actor : Actor
        Who validated.
    event_id : str
        Of the validation and of its audit record.
    policy_version : str

    Raises
    ------
    GovernanceError
        If it is no verdict.
    NotIndependent
        If author and validator are one person, or whoever records it is not the validator; by the work, if earlier
        verdicts on these files name another author.
    GatesChanged, NotValidated
        By the work: if the gates are not those that stand for the training, which began no later than earlier verdicts
        say, or the verdict leaves one of them out.
    """
    checked = verdict_from(content, event_id, 0)
    require_independent(checked.author, checked.validator)
    if not same_person(actor.id, checked.validator):
        raise NotIndependent("A verdict must be recorded by its validator, got somebody else. Let them record it.")

    def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Verdict]:
        verdict = verdict_from(content, event_id, now_us)
        if verdict.training_began_us > now_us:
            raise GovernanceError(
                "A training must have begun before it is validated, got one of later. Check the clocks."
            )
        require_as_on_record(verdict, verdicts_of(connection, verdict.config_hash))
        _require_its_gates(connection, verdict)
        return [keep_verdict(connection, verdict, actor, policy_version)], verdict

    return work


def keep_verdict(connection: Connection, verdict: Verdict, actor: Actor, policy_version: str) -> AuditEntry:
    """Write a verdict into its table; gives what must go on record with it."""
    place = connection.execute(select(func.coalesce(func.max(_C.seq), 0))).scalar_one() + 1
    row = {name: getattr(verdict, name) for name in _KEPT}
    text = canonical_json(verdict.content).decode()
    connection.execute(insert(model_validations), {"seq": place, **row, "verdict": text})
    return AuditEntry(
        event_id=verdict.validation_id, type="model_validated", actor_id=actor.id, actor_role=actor.role,
        service="governance", policy_version=policy_version, model_id=verdict.model_id,
        config_hash=verdict.config_hash, input_digest=verdict.gates_hash, output_digest=verdict.verdict_hash,
        reviewer=verdict.validator, outcome=_PASSED[verdict.passed],
    )  # fmt: skip


def validation_refused(
    model_id: str, config_hash: str, actor: Actor, why: str, *, event_id: str, policy_version: str
) -> Work[None]:
    """A unit of work that puts on record that a model was not validated, and why in a word."""

    def work(_: Connection, __: int) -> tuple[list[AuditEntry], None]:
        entry = AuditEntry(
            event_id=event_id, type="model_validated", actor_id=actor.id, actor_role=actor.role, service="governance",
            policy_version=policy_version, model_id=model_id, config_hash=config_hash,
            decision="denied", deny_reason=why,
        )  # fmt: skip
        return [entry], None

    return work


def verdicts_of(connection: Connection, config_hash: str) -> list[Verdict]:
    """Verdicts on a model's files, the newest first, each held against the audit chain, which says their order too.

    Raises
    ------
    NotValidated
        If a verdict is not the one that was recorded, or one that was is not there.
    """
    rows = connection.execute(select(model_validations).where(_C.config_hash == config_hash)).all()
    found = {row.validation_id: _read(connection, row) for row in rows}
    on_record = events_on_chain(connection, "model_validated", config_hash)
    if found.keys() != set(on_record):
        _refuse_changed()
    return [found[event_id] for event_id in on_record]


def every_verdict(connection: Connection) -> list[Verdict]:
    """Verdicts on all models, each held against the audit chain.

    Raises
    ------
    NotValidated
        If a verdict is not the one that was recorded.
    """
    return [_read(connection, row) for row in connection.execute(select(model_validations).order_by(_C.seq)).all()]


def require_validated(connection: Connection, config_hash: str, resting_on: str | None = None) -> Verdict:
    """The verdict that lets a model serve: the newest on exactly these files that binds, and it passed.

    Verdicts on a copy without a record of its training bind nobody: see
    :func:`benne.scoring.governance.earlier.binding`.

    Parameters
    ----------
    connection : Connection
    config_hash : str
        SHA-256 of the model's manifest: of other files there is no verdict.
    resting_on : str, optional
        Id of the validation that a promotion rests on. A later one that failed lets nobody promote the model again,
        but does not take away what serves: that is for whoever answers for it to roll back.

    Raises
    ------
    NotValidated
        If there is none, none rests on a record of the training, it failed, or it is not what was recorded.
    NotIndependent
        If its validator made the model, or whoever approved the gates did.
    GatesChanged
        If it rests on other gates than those that stand for the training.
    """
    verdicts = [one for one in verdicts_of(connection, config_hash) if resting_on in (None, one.validation_id)]
    if not verdicts:
        raise NotValidated(
            "A model must be validated before it serves, got no verdict on these files. Have somebody other than its "
            "author validate it: benne validate"
        )
    newest = next(iter(binding(verdicts)), None)
    if newest is None:
        raise NotValidated(
            "A model must have passed its validation before it serves, got verdicts on files without a record of the "
            "training, which let nothing pass. Validate its run, or its folder with training.json: benne validate"
        )
    if not newest.passed:
        missed = [one["metric"] for one in newest.content["results"] if one["required"] and one["state"] != "passed"]
        raise NotValidated(
            f"A model must have passed its validation before it serves, got a verdict that failed: {', '.join(missed)}."
            " Train another."
        )
    require_independent(newest.author, newest.validator)
    _require_its_gates(connection, newest)
    return newest


def _require_its_gates(connection: Connection, verdict: Verdict) -> None:
    standing = gates_before(connection, verdict.training_began_us)
    if (standing.version, standing.gates_hash) != (verdict.gates_version, verdict.gates_hash):
        raise NotValidated(
            f"A verdict must rest on the gates that stand for its training, {standing.version}, got "
            f"{verdict.gates_version}. Validate it anew: benne validate"
        )
    require_gates_of_another(verdict.author, standing.approver)
    require_answers(standing.gates, verdict.content["results"])


def _read(connection: Connection, row: Row[Any]) -> Verdict:
    if text_hash(row.verdict) != row.verdict_hash:
        _refuse_changed()
    try:
        verdict = verdict_from(json.loads(row.verdict), row.validation_id, row.validated_at_us)
    except (GovernanceError, ValueError, RecursionError):
        _refuse_changed()
    if any(getattr(verdict, name) != row._mapping[name] for name in _KEPT):
        _refuse_changed()
    said = {
        "config_hash": verdict.config_hash, "input_digest": verdict.gates_hash, "output_digest": verdict.verdict_hash,
        "reviewer": verdict.validator, "outcome": _PASSED[verdict.passed],
    }  # fmt: skip
    if not is_on_chain(connection, verdict.validation_id, "model_validated", **said):
        _refuse_changed()
    return verdict


def _refuse_changed() -> NoReturn:
    raise NotValidated(
        "A verdict must be the one that the audit chain says was recorded, got another. "
        "See what was changed: benne audit verify"
    ) from None
