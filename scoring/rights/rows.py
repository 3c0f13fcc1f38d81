"""Cases in the store: opened, changed by whoever saw the newest version, read as a queue by deadline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, insert, or_, select, update

from benne.errors import StateChanged
from benne.scoring.decisions.request import Actor
from benne.scoring.rights.case import RightsCase, case_from
from benne.scoring.store.rights_tables import rights_case_events, rights_cases

__all__ = ["CaseEvent", "CaseQuery", "change_case", "find_case", "insert_case", "mark_escalated", "queue", "timeline"]

_C: Final = rights_cases.c
_OWN: Final = tuple(column.name for column in rights_cases.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """Which cases are wanted.

    Parameters
    ----------
    kinds, states : collection of str
        Empty for all.
    subject_id, recipient, handler : str, optional
    only_open : bool, default=False
        Those with something left to do.
    escalated : bool, optional
        Only those that were overdue when somebody looked, or only others.
    due_before_us : int, optional
    after : str, optional
        Id of the case that a page begins after.
    limit : int, default=50
    """

    kinds: Collection[str] = ()
    states: Collection[str] = ()
    subject_id: str | None = None
    recipient: str | None = None
    handler: str | None = None
    only_open: bool = False
    escalated: bool | None = None
    due_before_us: int | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One thing that was done with a case."""

    version: int
    state: str
    act: str
    at_us: int
    actor_role: str
    actor_id: str | None


def insert_case(connection: Connection, case: RightsCase, act: str, actor: Actor) -> None:
    """Open a case; the caller's transaction holds the writers' lock."""
    connection.execute(insert(rights_cases), {name: getattr(case, name) for name in _OWN})
    _add_event(connection, case, act, actor, case.opened_at_us)


def change_case(
    connection: Connection, case: RightsCase, act: str, actor: Actor, now_us: int, **changes: Any
) -> RightsCase:
    """Change a case, which the caller holds in the version they saw.

    Raises
    ------
    StateChanged
        If it has another version by now.
    """
    after = replace(case, version=case.version + 1, **changes)
    same = (_C.case_id == case.case_id) & (_C.version == case.version)
    if not connection.execute(update(rights_cases).where(same).values(version=after.version, **changes)).rowcount:
        raise StateChanged("A case must be changed as it stands, got an older version. Read it again.")
    _add_event(connection, after, act, actor, now_us)
    return after


def mark_escalated(connection: Connection, case: RightsCase, now_us: int) -> RightsCase:
    """Write down that a case is overdue; its version stays, for nobody need have seen that."""
    connection.execute(update(rights_cases).where(_C.case_id == case.case_id).values(escalated_at_us=now_us))
    return replace(case, escalated_at_us=now_us)


def find_case(connection: Connection, case_id: str, kind: str) -> RightsCase | None:
    """A case of a kind; None if there is none of that id."""
    asked = select(rights_cases).where(_C.case_id == case_id, _C.kind == kind)
    row = connection.execute(asked).mappings().one_or_none()
    return None if row is None else case_from(row)


def queue(connection: Connection, query: CaseQuery) -> list[RightsCase]:
    """Cases by deadline, the soonest first."""
    asked = _narrowed(select(rights_cases), query).order_by(_C.due_at_us, _C.case_id).limit(query.limit)
    return [case_from(row) for row in connection.execute(asked).mappings()]


def timeline(connection: Connection, case_id: str) -> list[CaseEvent]:
    """Everything that was done with a case, oldest first."""
    e = rights_case_events.c
    columns = (e.version, e.state, e.act, e.at_us, e.actor_role, e.actor_id)
    asked = select(*columns).where(e.case_id == case_id).order_by(e.version)
    return [CaseEvent(*row) for row in connection.execute(asked)]


def _narrowed(asked: Select[Any], query: CaseQuery) -> Select[Any]:
    for column, value in (
        (_C.subject_id, query.subject_id), (_C.recipient, query.recipient), (_C.handler, query.handler),
    ):  # fmt: skip
        if value is not None:
            asked = asked.where(column == value)
    if query.kinds:
        asked = asked.where(_C.kind.in_(list(query.kinds)))
    if query.states:
        asked = asked.where(_C.state.in_(list(query.states)))
    if query.only_open:
        asked = asked.where(_C.ended_at_us.is_(None))
    if query.escalated is not None:
        asked = asked.where(_C.escalated_at_us.is_not(None) if query.escalated else _C.escalated_at_us.is_(None))
    if query.due_before_us is not None:
        asked = asked.where(_C.due_at_us < query.due_before_us)
    if query.after is not None:
        before = rights_cases.alias("before")
        known = select(before.c.due_at_us).where(before.c.case_id == query.after)
        if query.subject_id is not None:  # of another's case a member learns nothing, not even that there is one
            known = known.where(before.c.subject_id == query.subject_id)
        last = known.scalar_subquery()
        asked = asked.where(or_(_C.due_at_us > last, and_(_C.due_at_us == last, _C.case_id > query.after)))
    return asked


def _add_event(connection: Connection, case: RightsCase, act: str, actor: Actor, at_us: int) -> None:
    row = {
        "case_id": case.case_id,
        "version": case.version,
        "state": case.state,
        "act": act,
        "at_us": at_us,
        "actor_role": actor.role,
        "actor_id": None if actor.role == "member" else actor.id,
    }
    connection.execute(insert(rights_case_events), row)
