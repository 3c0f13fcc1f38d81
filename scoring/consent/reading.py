"""Reading the ledger's tables: the only queries over consent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, TextClause, select, text

from benne.errors import ConsentRecordError
from benne.scoring.canonical import canonical_json
from benne.scoring.consent.receipts import Given, receipt_claims, rejoined
from benne.scoring.consent.record import ConsentEvent, ConsentRecord, ConsentRequest, NoticeRef
from benne.scoring.consent.rows import event_from_row, notice_from_row, record_from_row
from benne.scoring.consent.timeline import Event
from benne.scoring.store.schema import (
    consent_events,
    consent_notices,
    consent_record_categories,
    consent_records,
    decisions,
)

__all__ = [
    "RecordedDenial",
    "find_notice_text",
    "find_request",
    "load_asked",
    "load_denials",
    "load_events",
    "load_history",
    "load_last_records",
    "load_receipt",
    "load_record",
    "load_time",
]

_BY_ID_UP_TO = 500
"""Above this many members the whole purpose and recipient is read: one scan beats many lookups."""

_EVENT_COLUMNS = (
    "r.subject_id",
    "e.category",
    "r.consent_type",
    "e.state",
    "e.time_us",
    "e.valid_until_us",
    "r.reliance",
    "r.granularity",
    "e.record_id",
    "r.jurisdiction",
    "r.purpose_class",
    "e.seq",
)
"""In the order of :class:`~benne.scoring.consent.timeline.Event`."""

_IN_ORDER = attrgetter("time_us", "seq")

_LATEST = text(
    "SELECT (SELECT recorded_at_us FROM consent_records ORDER BY seq DESC LIMIT 1), "
    "(SELECT recorded_at_us FROM consent_events ORDER BY seq DESC LIMIT 1), "
    "(SELECT time_us FROM decisions ORDER BY seq DESC LIMIT 1)"
)

_AUTOMATED = consent_records.c.consent_type == "automated_decision"


class RecordedDenial(NamedTuple):
    """A row of the decisions table that refused."""

    decision_id: str
    purpose: str | None
    recipient: str
    actor: str
    time_us: int
    reason: str


def load_events(
    connection: Connection,
    purpose: str,
    recipient: str,
    *,
    subject_ids: Sequence[str] | None = None,
    known_by_us: int | None = None,
) -> list[Event]:
    """Events for one purpose and recipient, in order of time, then of recording.

    Parameters
    ----------
    connection : Connection
    purpose, recipient : str
    subject_ids : sequence of str, optional
        Only these members' events; others may come too when there are many.
    known_by_us : int, optional
        Only what had been recorded by then.
    """
    by_member = subject_ids is not None and len(subject_ids) <= _BY_ID_UP_TO
    dialect = connection.dialect.name
    values: dict[str, Any] = {"purpose": purpose, "recipient": recipient, "known_by_us": known_by_us}
    if by_member and subject_ids is not None:
        values["members"] = json.dumps(list(subject_ids)) if dialect == "sqlite" else list(subject_ids)
    statement = _events_statement(dialect, by_member, known_by_us is not None)
    events = list(map(Event._make, connection.execute(statement, values).all()))
    events.sort(key=_IN_ORDER)
    return events


@cache
def _events_statement(dialect: str, by_member: bool, known_by: bool) -> TextClause:
    """Compiled once: building the query anew costs as much as running it, and every score runs it.

    By member, the concatenations keep a planner that has no statistics yet from reading everybody's records of the
    purpose and recipient; a member has few.
    """
    if by_member:
        members = "IN (SELECT value FROM json_each(:members))" if dialect == "sqlite" else "= ANY(:members)"
        whose = f"r.subject_id {members} AND r.purpose || '' = :purpose AND r.recipient || '' = :recipient"
    else:
        whose = "r.purpose = :purpose AND r.recipient = :recipient"
    return text(
        f"SELECT {', '.join(_EVENT_COLUMNS)} "  # noqa: S608 - names of our own
        f"FROM consent_records r JOIN consent_events e ON e.record_id = r.record_id WHERE {whose}"
        + (" AND e.recorded_at_us <= :known_by_us" if known_by else "")
    )


def load_last_records(
    connection: Connection, purpose: str, recipient: str, subject_ids: Sequence[str]
) -> dict[tuple[str, bool], str]:
    """Id of each member's last record, by (subject id, automated decision?)."""
    r = consent_records.c
    query = select(r.subject_id, _AUTOMATED, r.record_id).order_by(r.seq)
    if len(subject_ids) <= _BY_ID_UP_TO:  # concatenated for the reason that _events_statement gives
        query = query.where(r.subject_id.in_(subject_ids))
        query = query.where(r.purpose.concat("") == purpose, r.recipient.concat("") == recipient)
    else:
        query = query.where(r.purpose == purpose, r.recipient == recipient)
    rows = connection.execute(query)
    return {(subject_id, bool(automated)): record_id for subject_id, automated, record_id in rows}


def load_time(connection: Connection) -> int:
    """Latest moment at which anything was recorded, in microseconds; 0 for an empty ledger."""
    return max(moment or 0 for moment in connection.execute(_LATEST).one())


def find_notice_text(connection: Connection, notice: NoticeRef) -> str | None:
    """Text registered under the notice's id, version and language; None if there is none."""
    n = consent_notices.c
    query = select(n.text).where(
        n.notice_id == notice.notice_id, n.version == notice.version, n.language == notice.language
    )
    return connection.execute(query).scalar_one_or_none()


def load_record(connection: Connection, record_id: str) -> ConsentRecord:
    """One record as kept.

    Raises
    ------
    ConsentRecordError
        If there is none.
    """
    query = select(consent_records).where(consent_records.c.record_id == record_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise ConsentRecordError("A record must be one that is kept, got another. See the member's history.")
    return _with_events(connection, row)[0]


def load_receipt(connection: Connection, record_id: str, subject_id: str | None = None) -> str:
    """The receipt of a record, put together again from the record's rows and the signature that was kept.

    Raises
    ------
    ConsentRecordError
        If there is no such record (of this member), or no receipt was issued for it.
    """
    r, e = consent_records.c, consent_events.c
    found = connection.execute(select(consent_records).where(r.record_id == record_id)).mappings().one_or_none()
    if found is None or (subject_id is not None and found["subject_id"] != subject_id):
        raise ConsentRecordError("A receipt must be of a record that is there, got another. See the member's history.")
    row = dict(found)
    if row["signature"] is None:
        raise ConsentRecordError("A receipt must have been issued with the record, got none. Give the ledger a signer.")
    necessity = dict(_categories(connection, record_id))
    states: dict[str, str] = {}
    for category, state in connection.execute(
        select(e.category, e.state).where(e.record_id == record_id).order_by(e.seq)
    ):
        states.setdefault(category, state)
    given = [Given(category, necessity[category], state) for category, state in states.items()]
    text_shown = find_notice_text(connection, notice_from_row(row)) or ""
    return rejoined(row["signature"], canonical_json(receipt_claims(row, given, text_shown)))


def load_history(connection: Connection, subject_id: str) -> list[tuple[ConsentRecord, tuple[ConsentEvent, ...]]]:
    """Every record of one member with its events, oldest first."""
    query = select(consent_records).where(consent_records.c.subject_id == subject_id).order_by(consent_records.c.seq)
    return [_with_events(connection, row) for row in connection.execute(query).mappings().all()]


def load_asked(connection: Connection, subject_id: str) -> list[tuple[str, str]]:
    """Every purpose and recipient a member has a record for, in order."""
    r = consent_records.c
    query = select(r.purpose, r.recipient).where(r.subject_id == subject_id).distinct()
    return [(purpose, recipient) for purpose, recipient in connection.execute(query.order_by(r.purpose, r.recipient))]


def find_request(connection: Connection, subject_id: str, record_id: str) -> ConsentRequest | None:
    """What one record of a member's was asked for with; None if there is no such record of theirs."""
    r = consent_records.c
    query = select(consent_records).where(r.record_id == record_id, r.subject_id == subject_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _with_events(connection, row)[0].request


def load_denials(connection: Connection, subject_id: str) -> list[RecordedDenial]:
    """Every recorded refusal about one member, oldest first."""
    d = decisions.c
    query = (
        select(d.decision_id, d.purpose, d.recipient, d.actor, d.time_us, d.deny_reason)
        .where(d.subject_id == subject_id, d.decision == "denied")
        .order_by(d.seq)
    )
    return [RecordedDenial(*row) for row in connection.execute(query)]


def _with_events(connection: Connection, row: RowMapping) -> tuple[ConsentRecord, tuple[ConsentEvent, ...]]:
    e = consent_events.c
    events = connection.execute(select(consent_events).where(e.record_id == row["record_id"]).order_by(e.seq))
    record = record_from_row(dict(row), _categories(connection, row["record_id"]))
    return record, tuple(event_from_row(dict(event)) for event in events.mappings())


def _categories(connection: Connection, record_id: str) -> list[tuple[str, str]]:
    """Categories of a record with their necessity."""
    c = consent_record_categories.c
    query = select(c.category, c.necessity).where(c.record_id == record_id).order_by(c.category)
    return [(category, necessity) for category, necessity in connection.execute(query)]
