"""Reading the ledger's tables: the only queries over consent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, select

from benne.scoring.consent.record import ConsentEvent, ConsentRecord, NoticeRef
from benne.scoring.consent.rows import event_from_row, record_from_row
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
    "load_denials",
    "load_events",
    "load_history",
    "load_last_records",
    "load_record",
    "load_time",
]

_BY_ID_UP_TO = 500
"""Above this many members the whole purpose and recipient is read: one scan beats many lookups."""

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
    e, r = consent_events.c, consent_records.c
    query = (
        select(
            r.subject_id,
            e.category,
            r.consent_type,
            e.state,
            e.time_us,
            e.valid_until_us,
            r.reliance,
            r.granularity,
            e.record_id,
        )
        .join_from(consent_events, consent_records, e.record_id == r.record_id)
        .where(r.purpose == purpose, r.recipient == recipient)
        .order_by(e.time_us, e.seq)
    )
    if known_by_us is not None:
        query = query.where(e.recorded_at_us <= known_by_us)
    return [Event(*row) for row in connection.execute(_only(query, subject_ids))]


def load_last_records(
    connection: Connection, purpose: str, recipient: str, subject_ids: Sequence[str]
) -> dict[tuple[str, bool], str]:
    """Id of each member's last record, by (subject id, automated decision?)."""
    r = consent_records.c
    query = (
        select(r.subject_id, _AUTOMATED, r.record_id)
        .where(r.purpose == purpose, r.recipient == recipient)
        .order_by(r.seq)
    )
    rows = connection.execute(_only(query, subject_ids))
    return {(subject_id, bool(automated)): record_id for subject_id, automated, record_id in rows}


def load_time(connection: Connection) -> int:
    """Latest moment at which anything was recorded, in microseconds; 0 for an empty ledger."""
    latest = [
        connection.execute(select(column).order_by(seq.desc()).limit(1)).scalar() or 0
        for column, seq in (
            (consent_records.c.recorded_at_us, consent_records.c.seq),
            (consent_events.c.recorded_at_us, consent_events.c.seq),
            (decisions.c.time_us, decisions.c.seq),
        )
    ]
    return max(latest)


def find_notice_text(connection: Connection, notice: NoticeRef) -> str | None:
    """Text registered under the notice's id, version and language; None if there is none."""
    n = consent_notices.c
    query = select(n.text).where(
        n.notice_id == notice.notice_id, n.version == notice.version, n.language == notice.language
    )
    return connection.execute(query).scalar_one_or_none()


def load_record(connection: Connection, record_id: str) -> ConsentRecord:
    """One record as kept."""
    query = select(consent_records).where(consent_records.c.record_id == record_id)
    return _with_events(connection, connection.execute(query).mappings().one())[0]


def load_history(connection: Connection, subject_id: str) -> list[tuple[ConsentRecord, tuple[ConsentEvent, ...]]]:
    """Every record of one member with its events, oldest first."""
    query = select(consent_records).where(consent_records.c.subject_id == subject_id).order_by(consent_records.c.seq)
    return [_with_events(connection, row) for row in connection.execute(query).mappings().all()]


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
    c, e = consent_record_categories.c, consent_events.c
    categories = connection.execute(
        select(c.category, c.necessity).where(c.record_id == row["record_id"]).order_by(c.category)
    )
    events = connection.execute(select(consent_events).where(e.record_id == row["record_id"]).order_by(e.seq))
    record = record_from_row(dict(row), [(category, necessity) for category, necessity in categories])
    return record, tuple(event_from_row(dict(event)) for event in events.mappings())


def _only(query: Select[Any], subject_ids: Sequence[str] | None) -> Select[Any]:
    if subject_ids is None or len(subject_ids) > _BY_ID_UP_TO:
        return query
    return query.where(consent_records.c.subject_id.in_(subject_ids))
