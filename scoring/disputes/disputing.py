"""Disputes: flagged at once, looked into, answered in writing, each step by whoever saw the newest version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from benne.errors import DeadlineNotExtendable, DisputeUnknown, RightsError, StateChanged
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.deadlines import Deadlines
from benne.scoring.disputes.correcting import Corrections
from benne.scoring.disputes.dispute import OPEN, Answer, Dispute, Disputed
from benne.scoring.jurisdictions import Limit, profile_of
from benne.scoring.members.recording import Doing
from benne.scoring.notices.notice import NoticeDraft
from benne.scoring.notices.register import Register
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.casework import Casework, Opening
from benne.scoring.rights.rows import CaseQuery, find_case, queue, timeline
from benne.scoring.rights.words import decoded, free_text

__all__ = ["MOST_OPEN", "Disputes"]

MOST_OPEN: Final = 50
"""Disputes that a member may have open at once; staff open more on their behalf where there is cause."""

_KIND: Final = "dispute"
_Done = tuple[list[AuditEntry], RightsCase]


@dataclass(frozen=True, slots=True)
class Disputes:
    """Disputes as members and staff act on them; every act is one unit of work with its audit record.

    Parameters
    ----------
    casework : Casework
    register : Register
    corrections : Corrections
    deadlines : Deadlines
    """

    casework: Casework
    register: Register
    corrections: Corrections
    deadlines: Deadlines

    def open(self, subject_id: str, disputed: Disputed, doing: Doing) -> RightsCase:
        """Dispute something; from the next answer on recipients see that something is disputed.

        Raises
        ------
        DecisionUnknown
            If the decision is none about this member.
        CaseUnknown
            If staff name a member of whom nothing is on record.
        RightsError
            If a member has :data:`MOST_OPEN` of them open already.
        """

        def work(connection: Connection, now_us: int) -> _Done:
            if doing.actor.role == "member":
                _require_few(connection, subject_id)
            decision_id = disputed.decision_id
            about = None if decision_id is None else self.casework.about(connection, subject_id, decision_id)
            opening = Opening(
                kind=_KIND, topic=disputed.topic, state="opened", event="dispute_opened",
                limit=lambda profile: profile.dispute, about=about, said=disputed.as_said(),
                columns={"mark": "disputed"},
            )  # fmt: skip
            return self.casework.open(connection, now_us, subject_id, opening, doing)

        return self.casework.group.submit(work).result

    def look_into(self, case_id: str, version: int, doing: Doing) -> RightsCase:
        """Take a dispute: from now on whoever does is its handler."""

        def act(connection: Connection, now_us: int, case: RightsCase) -> _Done:
            _require(case, OPEN)
            changes = {"state": "looked_into", "handler": doing.actor.id}
            return self.casework.change(connection, now_us, case, "looked_into", "dispute_changed", doing, **changes)

        return self._changed(case_id, version, None, act)

    def answer(self, case_id: str, version: int, answer: Answer, doing: Doing) -> RightsCase:
        """Answer in writing. What is corrected is made good at once, and gone on with by itself if that is interrupted.

        Raises
        ------
        StateChanged
            If somebody else was first, or it is answered already.
        RightsError
            If rows are given and features are not computed from events, they are about somebody else, or the door of
            the event store would refuse them; then nothing is answered.
        """
        if answer.rows is not None:
            self._check_rows(case_id, answer.rows)

        def act(connection: Connection, now_us: int, case: RightsCase) -> _Done:
            _require(case, OPEN)
            return self._answered(connection, now_us, case, answer, doing)

        case = self._changed(case_id, version, None, act)
        if answer.outcome == "corrected":
            self.corrections.run(of_case=case_id)
        return case

    def extend(self, case_id: str, version: int, why: str, doing: Doing) -> RightsCase:
        """Take more time where the place gives it, once, before the deadline, and tell the member why.

        Raises
        ------
        DeadlineNotExtendable
            If it gives none, it was taken already, or the deadline has passed.
        """
        text = free_text(why, "A reason for more time")

        def act(connection: Connection, now_us: int, case: RightsCase) -> _Done:
            _require(case, OPEN)
            due_at_us = _extended(case, now_us)
            changes = {"due_at_us": due_at_us, "extended_at_us": now_us}
            entries, after = self.casework.change(
                connection, now_us, case, "extended", "dispute_changed", doing, **changes
            )
            fields = {"case_id": case_id, "due_before": _iso(case.due_at_us), "text": text}
            told, _ = self._tell(connection, now_us, after, "dispute_extension", fields, doing)
            return [*entries, *told], after

        return self._changed(case_id, version, None, act)

    def withdraw(self, case_id: str, version: int, subject_id: str | None, doing: Doing) -> RightsCase:
        """End a dispute that its member no longer keeps up; the flag goes with it."""

        def act(connection: Connection, now_us: int, case: RightsCase) -> _Done:
            _require(case, OPEN)
            changes = {"state": "withdrawn", "ended_at_us": now_us, "mark": None}
            return self.casework.change(connection, now_us, case, "withdrawn", "dispute_changed", doing, **changes)

        return self._changed(case_id, version, subject_id, act)

    def close(self, case_id: str, version: int, doing: Doing) -> RightsCase:
        """Put away a dispute that was answered; a statement goes on travelling."""

        def act(connection: Connection, now_us: int, case: RightsCase) -> _Done:
            _require(case, ("corrected", "not_corrected"))
            changes = {"state": "closed"}
            return self.casework.change(connection, now_us, case, "closed", "dispute_changed", doing, **changes)

        return self._changed(case_id, version, None, act)

    def state(
        self, case_id: str, version: int, text: str, *, travels: bool, subject_id: str | None, doing: Doing
    ) -> RightsCase:
        """Add the member's own statement to a dispute, in place of an earlier one.

        Parameters
        ----------
        case_id : str
        version : int
        text : str
        travels : bool
            Whether it goes to recipients with exact scores. Only what the member chose to have travel does.
        subject_id : str or None
            The member who asks; None for staff on their behalf.
        doing : Doing
        """
        said = free_text(text, "A statement")

        def act(connection: Connection, now_us: int, case: RightsCase) -> _Done:
            _require(case, (*OPEN, "not_corrected", "closed"))
            mark = "statement" if travels else "disputed" if case.state in OPEN else None
            ref = self.casework.recorder.ids()
            entries, after = self.casework.change(
                connection, now_us, case, "statement_added", "statement_added", doing, mark=mark, statement_ref=ref
            )
            self.casework.keep(connection, now_us, after, "statement", ref, {"text": said, "travels": travels})
            return entries, after

        return self._changed(case_id, version, subject_id, act)

    def find(self, query: CaseQuery, doing: Doing) -> list[RightsCase]:
        """Disputes by deadline; the look is on record, and what is overdue has been escalated before."""
        self.deadlines.escalate()

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], list[RightsCase]]:
            entry = self.casework.look_up(connection, now_us, query.subject_id, doing)
            return [entry], queue(connection, CaseQuery(**_plain(query) | {"kinds": (_KIND,)}))

        return self.casework.group.submit(work).result

    def read(self, case_id: str, doing: Doing, subject_id: str | None = None) -> Dispute:
        """One dispute with what was said, and what was done with it.

        Raises
        ------
        DisputeUnknown
            If there is none of that id for whoever asks.
        """
        self.deadlines.escalate()

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Dispute]:
            case = self.casework.of(connection, case_id, _KIND, DisputeUnknown, subject_id)
            entry = self.casework.look_up(connection, now_us, case.subject_id, doing)
            return [entry], Dispute(case, self._said(connection, case), tuple(timeline(connection, case_id)))

        return self.casework.group.submit(work).result

    def _changed(
        self,
        case_id: str,
        version: int,
        subject_id: str | None,
        act: Callable[[Connection, int, RightsCase], _Done],
    ) -> RightsCase:
        def work(connection: Connection, now_us: int) -> _Done:
            case = self.casework.seen(connection, case_id, _KIND, version, DisputeUnknown, subject_id)
            return act(connection, now_us, case)

        return self.casework.group.submit(work).result

    def _answered(self, connection: Connection, now_us: int, case: RightsCase, answer: Answer, doing: Doing) -> _Done:
        corrected = answer.outcome == "corrected"
        mark = case.mark if corrected or case.mark == "statement" else None  # what is being corrected stays flagged
        changes = {"state": answer.outcome, "ended_at_us": now_us, "handler": doing.actor.id, "mark": mark}
        entries, after = self.casework.change(
            connection, now_us, case, answer.outcome, "dispute_answered", doing, **changes
        )
        fields: dict[str, Any] = {"case_id": case.case_id, "outcome": answer.outcome, "text": answer.text}
        if corrected:
            begun, correction = self.corrections.begin(connection, now_us, after, answer.rows, doing)
            entries += begun
            fields["corrected_by"] = _iso(correction.due_at_us)
        told, _ = self._tell(connection, now_us, after, "dispute_answer", fields, doing)
        return [*entries, *told], after

    def _tell(
        self, connection: Connection, now_us: int, case: RightsCase, kind: Any, fields: dict[str, Any], doing: Doing
    ) -> tuple[list[AuditEntry], object]:
        draft = NoticeDraft(
            kind=kind, subject_id=str(case.subject_id), jurisdiction=_code(case),
            language=self._said(connection, case)["language"], fields=fields, decision_id=case.decision_id,
            case_id=case.case_id, due_at_us=case.due_at_us,
        )  # fmt: skip
        return self.register.issue(connection, now_us, draft, doing)

    def _said(self, connection: Connection, case: RightsCase) -> dict[str, Any]:
        refs = [case.case_id, *([] if case.statement_ref is None else [case.statement_ref])]
        found = self.casework.recorder.vault.get_many(connection, refs)
        said: dict[str, Any] = {"language": "en"}
        if case.case_id in found:
            said = decoded(found[case.case_id].content)
        if case.statement_ref is not None and case.statement_ref in found:
            said["statement"] = decoded(found[case.statement_ref].content)
        return said

    def _check_rows(self, case_id: str, rows: dict[str, list[dict[str, Any]]]) -> None:
        with self.casework.store.read() as connection:
            case = find_case(connection, case_id, _KIND)
        if case is None or case.subject_id is None:
            raise DisputeUnknown("A dispute must be on record, got no such one. See the list.")
        self.corrections.check_rows(case.subject_id, rows)


def _require_few(connection: Connection, subject_id: str) -> None:
    """One member alone must not fill everybody's queue, nor every answer with statements."""
    query = CaseQuery(kinds=(_KIND,), subject_id=subject_id, only_open=True, limit=MOST_OPEN)
    if len(queue(connection, query)) == MOST_OPEN:
        raise RightsError(
            f"A member must have at most {MOST_OPEN} disputes open at once, got more. Await an answer, or withdraw one."
        )


def _require(case: RightsCase, states: tuple[str, ...]) -> None:
    if case.state not in states:
        raise StateChanged(f"A dispute must be {' or '.join(states)} for this, got {case.state}. Read it again.")


def _extended(case: RightsCase, now_us: int) -> int:
    extension = profile_of(_code(case)).dispute_extension
    if extension == Limit():
        raise DeadlineNotExtendable(
            f"A deadline must be one that may be extended, got one of {case.jurisdiction}, which gives no more time."
        )
    if case.extended_at_us is not None or now_us > case.due_at_us:
        raise DeadlineNotExtendable(
            "A deadline must be extended once and before it has passed, got one that was or has. Answer now."
        )
    return to_microseconds(extension.after(from_microseconds(case.due_at_us)), "A deadline")


def _code(case: RightsCase) -> Any:
    return case.jurisdiction


def _plain(query: CaseQuery) -> dict[str, Any]:
    return {name: getattr(query, name) for name in type(query).__dataclass_fields__}


def _iso(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat()
