"""What is due, what is overdue, and that nothing passes its deadline without somebody being told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.decisions.request import Actor
from benne.scoring.jurisdictions import Limit, Profile, profile_of
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.rights.case import CASE_KINDS, RightsCase, is_over
from benne.scoring.rights.rows import CaseQuery, find_case, mark_escalated, queue
from benne.scoring.store.database import Store
from benne.scoring.store.rights_tables import rights_cases

__all__ = ["Deadlines", "earliest", "escalated"]

_BY: Final = Doing(Actor("deadlines", "system"))
_AT_ONCE: Final = 200
_C: Final = rights_cases.c


def earliest(
    jurisdictions: tuple[Jurisdiction, ...], moment_us: int, limit: Callable[[Profile], Limit]
) -> tuple[Jurisdiction, int]:
    """The soonest of the deadlines of some jurisdictions, and which of them it is of.

    Parameters
    ----------
    jurisdictions : tuple of str
        Where the deployment is, and where the recipient is; of two that are as soon, the first.
    moment_us : int
        From which it runs, in microseconds since 1970-01-01 UTC.
    limit : callable
        Which limit of a profile is meant.

    Examples
    --------
    >>> earliest(("us", "cn"), 0, lambda profile: profile.dispute)
    ('cn', 1728000000000)
    >>> earliest(("moon",), 0, lambda profile: profile.dispute)
    Traceback (most recent call last):
    ...
    benne.errors.ConsentRecordError: A jurisdiction must be one of cn, eu, us, default, got another. ...
    """
    begun = from_microseconds(moment_us)
    ends = {each: to_microseconds(limit(profile_of(each)).after(begun), "A deadline") for each in jurisdictions}
    soonest = min(jurisdictions, key=lambda each: ends[each])
    return soonest, ends[soonest]


def escalated(
    connection: Connection, now_us: int, case: RightsCase, recorder: MemberRecorder
) -> tuple[list[AuditEntry], RightsCase]:
    """Mark a case that is overdue as such, once; whatever else is done with it then comes after that."""
    if not is_over(case, now_us) or case.escalated_at_us is not None or case.subject_id is None:
        return [], case
    after = mark_escalated(connection, case, now_us)
    entry = recorder.entry(
        connection, now_us, case.subject_id, "deadline_escalated", _BY, about_event=case.case_id, outcome=case.kind
    )
    return [entry], after


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Everything with a deadline, whatever it is.

    Parameters
    ----------
    store : Store
    group : GroupCommit
    recorder : MemberRecorder
    clock : callable returning datetime
    """

    store: Store
    group: GroupCommit
    recorder: MemberRecorder
    clock: Callable[[], datetime]

    def escalate(self) -> int:
        """Mark what is overdue and was not marked yet, each once and on record; gives how many.

        Housekeeping does it, and every reading of a queue.
        """
        found, after = 0, None
        while page := self._overdue(after):
            found += sum(self._escalate(case) for case in page)
            after = page[-1].case_id
        return found

    def duties(self, query: CaseQuery = CaseQuery(only_open=True)) -> list[RightsCase]:  # noqa: B008 - frozen
        """What has to be done, by deadline, the soonest first; what is overdue has been escalated before."""
        self.escalate()
        with self.store.read() as connection:
            return queue(connection, query)

    def looked_up(self, query: CaseQuery, doing: Doing) -> list[RightsCase]:
        """The same for staff: the look is on record, as every look into what is about members."""

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], list[RightsCase]]:
            entry = AuditEntry(
                event_id=self.recorder.ids(), type="member_looked_up", actor_id=doing.actor.id,
                actor_role=doing.actor.role, service="members", policy_version=self.recorder.policy_version,
                context=doing.purpose, outcome="queue",
            )  # fmt: skip
            return [entry], queue(connection, query)

        self.escalate()
        return self.group.submit(work).result

    def counts(self) -> dict[str, tuple[int, int]]:
        """How many of each kind have something left to do, and how many of those are overdue; nothing is escalated."""
        overdue = func.count().filter(_C.due_at_us < self.now_us())
        asked = select(_C.kind, func.count(), overdue).where(_C.ended_at_us.is_(None)).group_by(_C.kind)
        with self.store.read() as connection:
            found = {kind: (open_ones, late) for kind, open_ones, late in connection.execute(asked)}
        return {kind: found.get(kind, (0, 0)) for kind in CASE_KINDS}

    def _overdue(self, after: str | None) -> list[RightsCase]:
        query = CaseQuery(only_open=True, escalated=False, due_before_us=self.now_us(), after=after, limit=_AT_ONCE)
        with self.store.read() as connection:
            return queue(connection, query)

    def now_us(self) -> int:
        """Now, in microseconds since 1970-01-01 UTC."""
        return to_microseconds(self.clock(), "The clock")

    def _escalate(self, seen: RightsCase) -> bool:
        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            case = find_case(connection, seen.case_id, seen.kind)
            entries = [] if case is None else escalated(connection, now_us, case, self.recorder)[0]
            if not entries:
                raise _DoneAlready
            return entries, None

        try:
            self.group.submit(work)
        except _DoneAlready:
            return False
        return True


class _DoneAlready(Exception):
    """By somebody else, between looking and doing."""
