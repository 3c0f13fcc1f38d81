"""Gates on record: declared once under a version, unchanged ever after, and which of them stand for a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from benne.errors import GatesChanged, GatesError, NotValidated
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.gates import Gates
from benne.scoring.governance.gates_file import parse_gates
from benne.scoring.governance.on_chain import events_on_chain, hash_of, is_on_chain, text_hash
from benne.scoring.governance.people import named, same_person
from benne.scoring.store.governance_tables import declared_gates

__all__ = ["DeclaredGates", "declare_gates", "every_declared", "gates_before", "keep_gates"]

_C = declared_gates.c
_SERVICE: Final = "governance"


@dataclass(frozen=True, slots=True)
class DeclaredGates:
    """A file of gates as it was declared.

    Attributes
    ----------
    version : str
    event_id : str
        Of its audit record.
    gates_hash : str
        SHA-256 of the file.
    content : str
        The file.
    approver : str
    declared_at_us : int
        Microseconds since 1970-01-01 UTC.
    """

    version: str
    event_id: str
    gates_hash: str
    content: str = field(repr=False)
    approver: str
    declared_at_us: int

    @property
    def gates(self) -> Gates:
        """What the file says."""
        return parse_gates(self.content, f"gates {self.version}")

    def facts(self) -> dict[str, Any]:
        """What the audit record holds a digest of, besides the file itself."""
        return {"version": self.version, "approver": self.approver, "declared_at_us": self.declared_at_us}


def declare_gates(
    text: str, *, approver: str | None, actor: Actor, event_id: str, policy_version: str
) -> Work[DeclaredGates]:
    """A unit of work that declares a file of gates, before results are known.

    Parameters
    ----------
    text : str
        The file.
    approver : str or None
        Who approves them; None where the file names them.
    actor : Actor
        Who declares them.
    event_id : str
    policy_version : str

    Raises
    ------
    GatesError
        If the file is not as it must be, nobody approves, or the file names somebody else.
    GatesChanged
        By the work: a version is declared once, and stays what it was.
    """
    gates = parse_gates(text, "The file of gates")
    who = _approver(gates, approver)

    def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], DeclaredGates]:
        _require_new(connection, gates.version)
        declared = DeclaredGates(gates.version, event_id, text_hash(text), text, who, now_us)
        return [keep_gates(connection, declared, actor, policy_version, "declared")], declared

    return work


def keep_gates(
    connection: Connection, declared: DeclaredGates, actor: Actor, policy_version: str, outcome: str
) -> AuditEntry:
    """Write gates into their table; gives what must go on record with them."""
    place = connection.execute(select(func.coalesce(func.max(_C.seq), 0))).scalar_one() + 1
    row = {name: getattr(declared, name) for name in _C.keys() if name != "seq"}  # noqa: SIM118 - columns, no mapping
    connection.execute(insert(declared_gates), {"seq": place, **row})
    return AuditEntry(
        event_id=declared.event_id, type="gates_declared", actor_id=actor.id, actor_role=actor.role, service=_SERVICE,
        policy_version=policy_version, input_digest=hash_of(declared.facts()), output_digest=declared.gates_hash,
        reviewer=declared.approver, outcome=outcome,
    )  # fmt: skip


def every_declared(connection: Connection) -> list[DeclaredGates]:
    """All gates that were declared, the newest first, each held against the audit chain.

    Raises
    ------
    GatesChanged
        If gates are not those that were declared, or some that were are not there.
    """
    rows = connection.execute(select(declared_gates).order_by(_C.seq.desc())).all()
    found = [_read(connection, row) for row in rows]
    if {one.event_id for one in found} != set(events_on_chain(connection, "gates_declared")):
        raise GatesChanged(
            "Gates must be all that the audit chain says were declared, got fewer. "
            "See what was changed: benne audit verify"
        )
    return found


def gates_before(connection: Connection, began_us: int) -> DeclaredGates:
    """The gates that stand for a training: the newest that were declared before it began.

    Parameters
    ----------
    connection : Connection
    began_us : int
        Microseconds since 1970-01-01 UTC.

    Raises
    ------
    GatesChanged
        If all gates were declared later, when results could be known, or they are not those that were declared.
    NotValidated
        If no gates were ever declared.
    """
    declared = every_declared(connection)
    before = [one for one in declared if one.declared_at_us <= began_us]
    if before:
        return max(before, key=lambda one: one.declared_at_us)
    if declared:
        raise GatesChanged(
            "Gates must be declared before the training begins, got some of later only: the first at "
            f"{from_microseconds(declared[-1].declared_at_us):%Y-%m-%d %H:%M:%S} UTC, the training at "
            f"{from_microseconds(began_us):%Y-%m-%d %H:%M:%S} UTC. Train anew under them."
        )
    raise NotValidated(
        "Gates must be declared before the training begins, got none. Declare them, then train: benne gates declare"
    )


def _read(connection: Connection, row: Row[Any]) -> DeclaredGates:
    kept = {name: value for name, value in row._mapping.items() if name != "seq"}
    declared = DeclaredGates(**kept)
    said = {"input_digest": hash_of(declared.facts()), "output_digest": declared.gates_hash}
    whole = text_hash(declared.content) == declared.gates_hash
    if not whole or not is_on_chain(connection, declared.event_id, "gates_declared", **said):
        raise GatesChanged(
            f"Gates {declared.version} must be those that the audit chain says were declared, got others. "
            "See what was changed: benne audit verify"
        )
    return declared


def _require_new(connection: Connection, version: str) -> None:
    if connection.execute(select(_C.seq).where(_C.version == version)).first() is not None:
        raise GatesChanged(
            f"A version of gates must be declared once, got {version} again. Name another version: earlier verdicts "
            "rest on this one."
        )


def _approver(gates: Gates, approver: str | None) -> str:
    if approver is None and gates.approver is None:
        raise GatesError("An approver must be named, got none. Say who approves these gates: --approver")
    who = named(approver or gates.approver, "The approver")
    if gates.approver is not None and not same_person(who, gates.approver):
        raise GatesError(f"The approver must be the one that the file names, {gates.approver}, got {who}.")
    return who
