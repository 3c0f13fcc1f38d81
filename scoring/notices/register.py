"""The register of what was sent: nothing in it is changed; what was said lies in the member's vault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, Select, and_, func, insert, or_, select

from benne.errors import Erased, NoticeUnknown, RightsError
from benne.explain.texts import texts_of
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.jurisdictions import profile_of
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.notices.kinds import FIELDS, TO_RECIPIENTS
from benne.scoring.notices.notice import Channel, Delivery, DeliveryState, Notice, NoticeDraft
from benne.scoring.notices.paragraphs import paragraphs, template_hash, template_version, title
from benne.scoring.rights.retention import retained_until
from benne.scoring.rights.words import decoded, encoded
from benne.scoring.store.rights_tables import notice_deliveries, notice_members, notices
from benne.scoring.store.vault import NewPayload

__all__ = ["NoticeQuery", "Register"]

_N: Final = notices.c
_M: Final = notice_members.c
_D: Final = notice_deliveries.c


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeQuery:
    """Which notices are wanted.

    Parameters
    ----------
    subject_id : str, optional
        Those to this member, and shown by now.
    recipient : str, optional
        Those to this recipient.
    kind, delivery, decision_id : str, optional
    now_us : int
    after : str, optional
        Id of the notice that a page begins after.
    limit : int, default=50
    """

    now_us: int
    subject_id: str | None = None
    recipient: str | None = None
    kind: str | None = None
    delivery: str | None = None
    decision_id: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Register:
    """Issues notices, and finds them again; everything within the caller's transaction.

    Parameters
    ----------
    recorder : MemberRecorder
    provider : str
        Who makes the scores, as notices name it.
    routes : dict of str to str or None
        ``dispute_route``, ``review_route`` and ``complaint_route``, as members are told them.
    """

    recorder: MemberRecorder
    provider: str
    routes: dict[str, str | None]

    def issue(
        self, connection: Connection, now_us: int, draft: NoticeDraft, doing: Doing
    ) -> tuple[list[AuditEntry], Notice]:
        """Put a notice together, keep it, queue it, and say what goes on record.

        Raises
        ------
        RightsError
            If a field that its kind must have is missing.
        Erased
            If the member was erased.
        """
        vault = self.recorder.vault
        key = vault.keys_of(connection, [draft.subject_id], create=True, now_us=now_us).get(draft.subject_id)
        if key is None:
            raise Erased("Whom a notice is about must not be erased, got a member who was. Nothing of them is left.")
        to_recipient = draft.kind in TO_RECIPIENTS
        entry = self.recorder.entry(
            connection, now_us, draft.subject_id, "recipient_told" if to_recipient else "notice_issued", doing,
            about_event=draft.case_id or draft.decision_id, outcome=draft.kind,
        )  # fmt: skip
        content = self._content(entry.event_id, draft, now_us)
        sent = encoded(content)
        until_us = retained_until(profile_of(draft.jurisdiction), now_us)
        vault.put(connection, NewPayload(entry.event_id, draft.subject_id, "notice", sent, until_us), now_us)
        texts = texts_of(draft.language)
        row = {
            "notice_id": entry.event_id,
            "kind": draft.kind,
            "audience": "recipient" if to_recipient else "member",
            "recipient": draft.recipient,
            "jurisdiction": draft.jurisdiction,
            "template_version": template_version(texts),
            "template_hash": template_hash(draft.kind, texts),
            "language": draft.language,
            "content_digest": key.digest("notice", sent),
            "case_id": draft.case_id,
            "basis": draft.basis,
            "due_at_us": draft.due_at_us,
            "issued_at_us": now_us,
            "issued_by_role": doing.actor.role,
            "issued_by": None if doing.actor.role == "member" else doing.actor.id,
            "shown_from_us": max(now_us, draft.shown_from_us or 0),
        }
        connection.execute(insert(notices), row)
        whose = {"notice_id": entry.event_id, "subject_id": draft.subject_id, "decision_id": draft.decision_id}
        connection.execute(insert(notice_members), whose)
        queued = Delivery("queued", "in_app", now_us, "system", None)
        self._deliver(connection, entry.event_id, 1, queued)
        return [entry], _notice({**row, "decision_id": draft.decision_id}, queued, content)

    def find(self, connection: Connection, query: NoticeQuery) -> list[Notice]:
        """Notices, the newest first, without what they say; of the erased there are none."""
        rows = connection.execute(_narrowed(query)).mappings().all()
        return [_notice(row, _delivery(row), None) for row in rows]

    def read(self, connection: Connection, notice_id: str, query: NoticeQuery) -> tuple[str, Notice]:
        """One notice with what it says, for whom the query lets see it; and whose it is.

        Raises
        ------
        NoticeUnknown
            If there is none of that id for them.
        """
        row = connection.execute(_narrowed(query).where(_N.notice_id == notice_id)).mappings().one_or_none()
        if row is None:
            raise NoticeUnknown("A notice must be on record for whoever asks, got no such one. See: GET /v1/notices")
        payload = self.recorder.vault.get(connection, notice_id)
        return payload.subject_id, _notice(row, _delivery(row), decoded(payload.content))

    def deliver(self, connection: Connection, notice: Notice, delivery: Delivery) -> Notice:
        """Write down that a notice was delivered, or could not be."""
        last = select(func.max(_D.number)).where(_D.notice_id == notice.notice_id)
        self._deliver(connection, notice.notice_id, int(connection.execute(last).scalar_one()) + 1, delivery)
        row = {name: getattr(notice, name) for name in type(notice).__dataclass_fields__}
        return Notice(**row | {"delivery": delivery})

    def _deliver(self, connection: Connection, notice_id: str, number: int, delivery: Delivery) -> None:
        row = {name: getattr(delivery, name) for name in type(delivery).__dataclass_fields__}
        connection.execute(insert(notice_deliveries), {"notice_id": notice_id, "number": number, **row})

    def _content(self, notice_id: str, draft: NoticeDraft, now_us: int) -> dict[str, Any]:
        texts, due_at_us = texts_of(draft.language), None if draft.kind in TO_RECIPIENTS else draft.due_at_us
        known: dict[str, Any] = {
            "notice_id": notice_id,
            "kind": draft.kind,
            "jurisdiction": draft.jurisdiction,
            "template_version": template_version(texts),
            "language": draft.language,
            "issued_at": from_microseconds(now_us).isoformat(),
            "due_at": None if due_at_us is None else from_microseconds(due_at_us).isoformat(),
            "provider": self.provider,
            **self.routes,
            **draft.fields,
        }
        wanted = FIELDS[draft.kind][draft.jurisdiction]
        missing = sorted(wanted - known.keys())
        if missing:
            raise RightsError(
                f"A notice {draft.kind} must say {', '.join(missing)} under {draft.jurisdiction}, got none. Give it."
            )
        told = {name: value for name, value in known.items() if name in wanted or name in draft.fields}
        return told | {"title": title(draft.kind, texts), "paragraphs": paragraphs(draft.kind, known, texts)}


def _narrowed(query: NoticeQuery) -> Select[Any]:
    earlier, before = notice_deliveries.alias("earlier"), notices.alias("before")
    newest = select(func.max(earlier.c.number)).where(earlier.c.notice_id == _N.notice_id).scalar_subquery()
    asked = (
        select(*notices.columns, _M.decision_id, _D.state, _D.channel, _D.at_us, _D.by_role, _D.by_id)
        .join(notice_members, _M.notice_id == _N.notice_id)
        .join(notice_deliveries, and_(_D.notice_id == _N.notice_id, _D.number == newest))
    )
    if query.subject_id is not None:
        asked = asked.where(
            _M.subject_id == query.subject_id, _N.audience == "member", _N.shown_from_us <= query.now_us
        )
    if query.recipient is not None:
        asked = asked.where(_N.recipient == query.recipient, _N.audience == "recipient")
    for column, value in ((_N.kind, query.kind), (_D.state, query.delivery), (_M.decision_id, query.decision_id)):
        if value is not None:
            asked = asked.where(column == value)
    if query.after is not None:
        whose = notice_members.alias("whose")
        known = select(before.c.issued_at_us).where(before.c.notice_id == query.after)
        if query.subject_id is not None:  # of another's notice nobody learns anything, not even that there is one
            known = known.join(whose, whose.c.notice_id == before.c.notice_id).where(
                whose.c.subject_id == query.subject_id, before.c.shown_from_us <= query.now_us
            )
        if query.recipient is not None:
            known = known.where(before.c.recipient == query.recipient, before.c.audience == "recipient")
        last = known.scalar_subquery()
        asked = asked.where(or_(_N.issued_at_us < last, and_(_N.issued_at_us == last, _N.notice_id > query.after)))
    return asked.order_by(_N.issued_at_us.desc(), _N.notice_id).limit(query.limit)


def _delivery(row: RowMapping) -> Delivery:
    state: DeliveryState = row["state"]
    channel: Channel = row["channel"]
    return Delivery(state, channel, row["at_us"], row["by_role"], row["by_id"])


def _notice(row: Any, delivery: Delivery, content: dict[str, Any] | None) -> Notice:
    audience: Literal["member", "recipient"] = row["audience"]
    own = ("notice_id", "kind", "jurisdiction", "template_version", "template_hash", "language", "content_digest",
           "issued_at_us", "due_at_us", "recipient", "case_id", "decision_id")  # fmt: skip
    return Notice(**{name: row[name] for name in own}, audience=audience, delivery=delivery, content=content)
