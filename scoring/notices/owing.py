"""Notices that somebody is owed: opened with a deadline, issued at once where that can be, and never twice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from benne.errors import BenneError, DeadlinePassed, DecisionUnknown, NoticeUnknown, RightsError, StateChanged
from benne.explain.texts import Language
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.jurisdictions import profile_of
from benne.scoring.members.recording import Doing
from benne.scoring.notices.asked_notices import AdverseAction, require_language, specific
from benne.scoring.notices.fields_of import about_action, about_decision, about_score, reasons_in, where_extra
from benne.scoring.notices.notice import Notice, NoticeDraft
from benne.scoring.notices.register import Register
from benne.scoring.notices.sources import NoticeSources
from benne.scoring.rights.case import RightsCase, case_from
from benne.scoring.rights.casework import Casework, Opening
from benne.scoring.rights.rows import CaseEvent, find_case, timeline
from benne.scoring.rights.words import decoded
from benne.scoring.store.rights_tables import notice_members, notices, rights_cases
from benne.scoring.store.schema import decisions

__all__ = ["OwedNotice", "OwedNotices"]

_log = logging.getLogger(__name__)
_KIND: Final = "notice"
_C: Final = rights_cases.c
_Done = tuple[list[AuditEntry], tuple[RightsCase, Notice]]


@dataclass(frozen=True, slots=True)
class OwedNotice:
    """A notice that is owed: the case with its deadline, and the notice once it is issued."""

    case: RightsCase
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class OwedNotices:
    """Notices with a deadline, as recipients, members and staff bring them about.

    Parameters
    ----------
    casework : Casework
    register : Register
    sources : NoticeSources
    """

    casework: Casework
    register: Register
    sources: NoticeSources

    def report_action(self, recipient: str | None, action: AdverseAction, doing: Doing) -> OwedNotice:
        """Take from a recipient that it did not give what was asked for; the member is told at once where that can be.

        Staff, who name no recipient, report it for whichever had the answer.

        While another offer is open the notice waits; reported again as ``declined`` it is issued, as ``accepted`` it
        is no longer owed.

        Raises
        ------
        DecisionUnknown
            If the recipient had no answer of that id.
        StateChanged
            If the member was told already.
        """
        with self.casework.store.read() as connection:
            subject_id = _asker(connection, recipient, action.decision_id)
        waiting = action.counter_offer == "made"

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], RightsCase]:
            case = _owed(connection, "adverse_action", action.decision_id)
            if case is None:
                return self._open_action(connection, now_us, subject_id, action, doing)
            if case.state != "due" or waiting:
                raise StateChanged("An action must be reported once, got one that was. See: GET /v1/notices")
            act = "accepted" if action.counter_offer == "accepted" else "declined"
            ended = {"state": "not_needed", "ended_at_us": now_us} if act == "accepted" else {}
            return self.casework.change(connection, now_us, case, act, "notice_owed", doing, **ended)

        case = self.casework.group.submit(work).result
        if waiting or not case.is_open:
            return OwedNotice(case, None)
        return self._at_once(case, doing)

    def ask_reasons(self, subject_id: str, decision_id: str, language: Language, doing: Doing) -> OwedNotice:
        """Give the reasons of a decision that a member asks for, at once where that can be.

        Raises
        ------
        DecisionUnknown
            If it is none about this member.
        DeadlinePassed
            If the time to ask is over; an explanation can be had at any time.
        """
        require_language(language)

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], RightsCase]:
            about = self.casework.about(connection, subject_id, decision_id)
            told_at_us = _told_at(connection, decision_id)
            where, _ = self.casework.deadline(connection, now_us, about.recipient, lambda p: p.reasons_answered)
            until = profile_of(where).reasons_asked_within.after(from_microseconds(told_at_us))
            if now_us > to_microseconds(until, "A deadline"):
                raise DeadlinePassed(
                    "Reasons must be asked for in time, got a request after that. Ask for the explanation instead."
                )
            opening = Opening(
                kind=_KIND, topic="reasons_given", state="due", event="notice_owed",
                limit=lambda profile: profile.reasons_answered, about=about,
                said={"said": "reasons_asked", "language": language}, columns={},
            )  # fmt: skip
            return self.casework.open(connection, now_us, subject_id, opening, doing)

        return self._at_once(self.casework.group.submit(work).result, doing)

    def fulfil(self, case_id: str, version: int, own_reasons: tuple[str, ...], doing: Doing) -> OwedNotice:
        """Issue a notice that is owed, as staff.

        Parameters
        ----------
        case_id : str
        version : int
        own_reasons : tuple of str
            The decision maker's, up to four; they stand in place of the score's, and must be given where it has none.
        doing : Doing

        Raises
        ------
        NoticeUnknown
            If no notice of that id is owed.
        StateChanged
            If it was issued already.
        RightsError
            If there is no reason at all.
        """
        with self.casework.store.read() as connection:
            case = self.casework.seen(connection, case_id, _KIND, version, NoticeUnknown)
        return self._fulfilled(case, own_reasons, doing)

    def read(self, case_id: str, doing: Doing) -> tuple[RightsCase, tuple[CaseEvent, ...]]:
        """A notice that is owed, for staff, with what was done about it; the look is on record.

        Raises
        ------
        NoticeUnknown
            If no notice of that id is owed.
        """

        def work(
            connection: Connection, now_us: int
        ) -> tuple[list[AuditEntry], tuple[RightsCase, tuple[CaseEvent, ...]]]:
            case = find_case(connection, case_id, _KIND)
            if case is None:
                raise NoticeUnknown("A notice must be owed to be looked at, got no such one. See the queue.")
            entry = self.casework.look_up(connection, now_us, case.subject_id, doing)
            return [entry], (case, tuple(timeline(connection, case_id)))

        return self.casework.group.submit(work).result

    def _open_action(
        self, connection: Connection, now_us: int, subject_id: str, action: AdverseAction, doing: Doing
    ) -> tuple[list[AuditEntry], RightsCase]:
        waiting = action.counter_offer == "made"
        opening = Opening(
            kind=_KIND, topic="adverse_action", state="due", event="notice_owed",
            limit=lambda p: p.adverse_action_after_counter_offer if waiting else p.adverse_action,
            about=self.casework.about(connection, subject_id, action.decision_id),
            said={"said": "adverse_action", "action_taken": action.action_taken, "language": action.language,
                  "own_reasons": list(action.own_reasons)}, columns={},
        )  # fmt: skip
        return self.casework.open(connection, now_us, subject_id, opening, doing)

    def _at_once(self, case: RightsCase, doing: Doing) -> OwedNotice:
        """Issue what is owed; what cannot be said by itself stays owed, and staff see it in their queue."""
        try:
            return self._fulfilled(case, (), doing)
        except BenneError as error:
            _log.warning("a notice that is owed could not be issued by itself (%s)", type(error).__name__)
            return OwedNotice(case, None)

    def _fulfilled(self, case: RightsCase, own_reasons: tuple[str, ...], doing: Doing) -> OwedNotice:
        with self.casework.store.read() as connection:
            said = decoded(self.casework.recorder.vault.get(connection, case.case_id).content)
            facts = self.sources.reasons.facts(connection, str(case.decision_id), said["language"])
            against = self.sources.counterfactuals
            ways = () if against is None else against.counterfactuals(connection, facts.decision_id, said["language"])
        own = specific(own_reasons, said["language"]) or tuple(said.get("own_reasons", ()))
        if not (own or facts.reasons or facts.reference_hash):  # nobody knows whether there is one
            raise RightsError("A notice must have a reason, got none from the score. Give the decision maker's own.")
        fields = about_decision(facts) | reasons_in(facts, own, ways) | where_extra(profile_of(_code(case)))
        if case.topic == "adverse_action":
            fields |= about_score(facts) | about_action(said["action_taken"], case.opened_at_us)

        def work(connection: Connection, now_us: int) -> _Done:
            seen = self.casework.seen(connection, case.case_id, _KIND, case.version, NoticeUnknown)
            if not seen.is_open:
                raise StateChanged("A notice must be owed to be issued, got one that was. Read it again.")
            draft = NoticeDraft(
                kind=_topic(case), subject_id=str(case.subject_id), jurisdiction=_code(case),
                language=said["language"], fields=fields, decision_id=case.decision_id, recipient=case.recipient,
                case_id=case.case_id, due_at_us=case.due_at_us,
            )  # fmt: skip
            issued, notice = self.register.issue(connection, now_us, draft, doing)
            entries, after = self.casework.change(
                connection, now_us, seen, "issued", "notice_owed", doing,
                state="issued", ended_at_us=now_us, result=notice.notice_id,
            )  # fmt: skip
            return [*issued, *entries], (after, notice)

        return OwedNotice(*self.casework.group.submit(work).result)


def _asker(connection: Connection, recipient: str | None, decision_id: str) -> str:
    """Whom an answer that a recipient had was about."""
    d = decisions.c
    asked = select(d.subject_id).where(d.decision_id == decision_id, d.decision == "granted")
    if recipient is not None:
        asked = asked.where(d.recipient == recipient)
    found: str | None = connection.execute(asked).scalar_one_or_none()
    if found is None:
        raise DecisionUnknown("A decision must be one this recipient had an answer of, got another. Take its id.")
    return found


def _owed(connection: Connection, topic: str, decision_id: str) -> RightsCase | None:
    asked = select(rights_cases).where(_C.kind == _KIND, _C.topic == topic, _C.decision_id == decision_id)
    row = connection.execute(asked).mappings().first()
    return None if row is None else case_from(row)


def _told_at(connection: Connection, decision_id: str) -> int:
    """When the member was told of what was done, or else when it was decided."""
    n, m, d = notices.c, notice_members.c, decisions.c
    told = select(n.issued_at_us).join(notice_members, m.notice_id == n.notice_id).where(
        m.decision_id == decision_id, n.kind == "adverse_action"
    )  # fmt: skip
    found = connection.execute(told.order_by(n.issued_at_us.desc())).scalars().first()
    if found is None:
        found = connection.execute(select(d.time_us).where(d.decision_id == decision_id)).scalars().first()
    return int(found or 0)


def _code(case: RightsCase) -> Any:
    return case.jurisdiction


def _topic(case: RightsCase) -> Any:
    return case.topic
