"""Notices that are issued when somebody asks for them, and what becomes of every notice afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from benne.errors import CaseUnknown, DecisionUnknown, RightsError, StateChanged
from benne.explain.texts import Language, texts_of
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.consent.reading import load_record
from benne.scoring.deadlines import Deadlines
from benne.scoring.jurisdictions import profile_of
from benne.scoring.members.recording import Doing
from benne.scoring.notices.asked_notices import PriorItem, Withheld, require_language
from benne.scoring.notices.fields_of import about_decision, about_score, where_extra
from benne.scoring.notices.notice import CHANNELS, Channel, Delivery, DeliveryState, Notice, NoticeDraft
from benne.scoring.notices.register import NoticeQuery, Register
from benne.scoring.notices.sources import DecisionFacts, NoticeSources
from benne.scoring.rights.casework import Casework

__all__ = ["Notices"]


@dataclass(frozen=True, slots=True)
class Notices:
    """Notices as members, recipients and staff act on them.

    Parameters
    ----------
    casework : Casework
    register : Register
    sources : NoticeSources
    deadlines : Deadlines
    """

    casework: Casework
    register: Register
    sources: NoticeSources
    deadlines: Deadlines

    def disclose_score(self, subject_id: str, decision_id: str, language: Language, doing: Doing) -> Notice:
        """Tell a member their score of a decision, with its range, date, provider and key factors.

        Raises
        ------
        DecisionUnknown
            If it is none about this member, or what was kept of it is gone.
        """
        facts = self._facts(subject_id, decision_id, language)

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Notice]:
            where = self._where(connection, now_us, facts.recipient)
            fields = about_decision(facts) | about_score(facts)
            draft = NoticeDraft(
                kind="score_disclosure", subject_id=subject_id, jurisdiction=where, language=language, fields=fields,
                decision_id=decision_id, recipient=facts.recipient,
            )  # fmt: skip
            return self.register.issue(connection, now_us, draft, doing)

        return self.casework.group.submit(work).result

    def announce_item(self, subject_id: str, item: PriorItem, doing: Doing) -> tuple[Notice, dict[str, Any]]:
        """Tell a member of an adverse item before it is listed.

        Returns
        -------
        Notice, dict
            And the row of ``adverse_items`` that says so to the event store, but for ``member_id``, which only the
            caller knows.

        Raises
        ------
        RightsError
            If it would be listed in the past.
        CaseUnknown
            If nothing is on record of the member.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Notice]:
            self.casework.require_known(connection, subject_id, doing)
            if to_microseconds(item.listed_from, "listed_from") <= now_us:
                raise RightsError("listed_from must be later than the notice, got a moment before. Give a later one.")
            where = self._where(connection, now_us, None)
            kind = texts_of(item.language).say(f"notices.kind.{item.kind}")
            fields = {"item": kind, "source": item.source, "listed_from": item.listed_from.isoformat()}
            draft = NoticeDraft(
                kind="prior_notice", subject_id=subject_id, jurisdiction=where, language=item.language,
                fields=fields | {"item_id": item.item_id},
                due_at_us=to_microseconds(item.listed_from, "listed_from"),
            )  # fmt: skip
            return self.register.issue(connection, now_us, draft, doing)

        notice = self.casework.group.submit(work).result
        row = {
            "record_id": f"notice-{notice.notice_id}", "item_id": item.item_id, "kind": item.kind, "event": "notified",
            "event_time": from_microseconds(notice.issued_at_us).isoformat(),
        }  # fmt: skip
        return notice, row

    def announce_scoring(self, subject_id: str, record_id: str, language: Language, doing: Doing) -> Notice:
        """Tell a member that they are scored automatically, for what they consented to in a record.

        Raises
        ------
        ConsentRecordError
            If there is no such record.
        CaseUnknown
            If it is another member's.
        """
        require_language(language)

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Notice]:
            record = load_record(connection, record_id)
            terms = record.request.terms
            if record.request.subject_id != subject_id:
                raise CaseUnknown("A consent must be this member's, got another's. See their consents.")
            where = self._where(connection, now_us, terms.recipient)
            fields = {
                "decision_maker": terms.recipient, "purpose": terms.purpose, "reliance": terms.reliance,
                "consent_id": record_id, "automated_processing": True, "logic_summary": "additive_points",
                **where_extra(profile_of(where)),
            }  # fmt: skip
            draft = NoticeDraft(
                kind="automated_processing", subject_id=subject_id, jurisdiction=where, language=language,
                fields=fields, recipient=terms.recipient,
            )  # fmt: skip
            return self.register.issue(connection, now_us, draft, doing)

        return self.casework.group.submit(work).result

    def withhold(self, subject_id: str, withheld: Withheld, doing: Doing) -> Notice:
        """Put on record that part of an explanation is not shown, and why, and tell the member so.

        Raises
        ------
        DecisionUnknown
            If the decision is none about this member.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Notice]:
            about = self.casework.about(connection, subject_id, withheld.decision_id)
            part = texts_of(withheld.language).say(f"notices.part.{withheld.part}")
            draft = NoticeDraft(
                kind="explanation_withheld", subject_id=subject_id,
                jurisdiction=self._where(connection, now_us, about.recipient), language=withheld.language,
                fields={"decision_id": withheld.decision_id, "part": part, "text": withheld.text},
                decision_id=withheld.decision_id, basis=withheld.part,
            )  # fmt: skip
            return self.register.issue(connection, now_us, draft, doing)

        return self.casework.group.submit(work).result

    def find(self, doing: Doing, **wanted: Any) -> list[Notice]:
        """Notices, the newest first; the look is on record. Keywords as of :class:`NoticeQuery`, without ``now_us``."""
        self.deadlines.escalate()

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], list[Notice]]:
            entry = self.casework.look_up(connection, now_us, wanted.get("subject_id"), doing)
            return [entry], self.register.find(connection, NoticeQuery(now_us=now_us, **wanted))

        return self.casework.group.submit(work).result

    def read(
        self, notice_id: str, doing: Doing, *, subject_id: str | None = None, recipient: str | None = None
    ) -> Notice:
        """One notice with what it says. Read by whom it is to, it is delivered.

        Raises
        ------
        NoticeUnknown
            If there is none of that id for whoever asks.
        """
        addressee = subject_id is not None or recipient is not None

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Notice]:
            query = NoticeQuery(now_us=now_us, subject_id=subject_id, recipient=recipient)
            whose, notice = self.register.read(connection, notice_id, query)
            entry = self.casework.recorder.entry(
                connection, now_us, whose, "member_looked_up", doing, about_event=notice_id, outcome="notice"
            )
            if addressee and notice.delivery.state != "delivered":
                by = None if subject_id is not None else doing.actor.id
                notice = self.register.deliver(
                    connection, notice, Delivery("delivered", "in_app", now_us, doing.actor.role, by)
                )
            return [entry], notice

        return self.casework.group.submit(work).result

    def deliver(self, notice_id: str, state: DeliveryState, channel: Channel, doing: Doing) -> Notice:
        """Write down, as staff, that a notice was delivered in some other way, or could not be.

        Raises
        ------
        NoticeUnknown
            If there is none of that id.
        StateChanged
            If it was delivered already.
        """
        if state not in ("delivered", "failed") or channel not in CHANNELS:
            raise RightsError("A delivery must be delivered or failed by a known channel, got another. Name them.")

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Notice]:
            whose, notice = self.register.read(connection, notice_id, NoticeQuery(now_us=now_us))
            if notice.delivery.state == "delivered":
                raise StateChanged("A notice must be undelivered to be delivered, got one that was. Read it again.")
            entry = self.casework.recorder.entry(
                connection, now_us, whose, "notice_issued", doing, about_event=notice_id, outcome=state
            )
            delivery = Delivery(state, channel, now_us, doing.actor.role, doing.actor.id)
            return [entry], self.register.deliver(connection, notice, delivery)

        return self.casework.group.submit(work).result

    def _facts(self, subject_id: str, decision_id: str, language: Language) -> DecisionFacts:
        require_language(language)
        with self.casework.store.read() as connection:
            facts = self.sources.reasons.facts(connection, decision_id, language)
        if facts.subject_id != subject_id:
            raise DecisionUnknown("A decision must be about this member, got no such one. See the history.")
        return facts

    def _where(self, connection: Connection, now_us: int, recipient: str | None) -> Any:
        return self.casework.deadline(connection, now_us, recipient, lambda profile: profile.adverse_action)[0]
