"""Appending to the ledger's tables: rows, links of the chains, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Table, select

from benne.errors import ConsentRecordError
from benne.scoring.consent.chain import GENESIS, event_digest, record_digest
from benne.scoring.consent.reading import find_notice_text
from benne.scoring.consent.receipts import Given, detached, receipt_claims
from benne.scoring.consent.record import ConsentRequest, Notice, NoticeRef
from benne.scoring.consent.rows import shared_columns
from benne.scoring.consent.vocabulary import GIVING_STATES
from benne.scoring.store.bulk import insert_rows
from benne.scoring.store.schema import (
    consent_events,
    consent_notices,
    consent_record_categories,
    consent_records,
)

if TYPE_CHECKING:
    from benne.scoring.signing import Signer

_MICROSECOND = timedelta(microseconds=1)
_STRETCH = 1_000  # records

__all__ = ["Head", "NewEvent", "NewRecord", "append_events", "append_records", "chain_head", "register_notice"]


class Head(NamedTuple):
    """The last link of a chain."""

    seq: int
    hash: str
    recorded_at_us: int


class NewRecord(NamedTuple):
    """A record to append, with the first state of each of its categories."""

    request: ConsentRequest
    record_id: str
    given_at_us: int
    supersedes: str | None
    states: Mapping[str, str]
    receipt_id: str | None = None


class NewEvent(NamedTuple):
    """An event to append to a record that is there."""

    record_id: str
    category: str
    time_us: int
    valid_until_us: int | None
    entity: str
    type: str
    state: str


def chain_head(connection: Connection, table: Table) -> Head:
    """Last link of the chain in ``table``; the caller holds the writers' lock."""
    digest = table.c.record_hash if table is consent_records else table.c.event_hash
    query = select(table.c.seq, digest, table.c.recorded_at_us).order_by(table.c.seq.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Head(0, GENESIS, 0) if row is None else Head(*row)


def append_notice(connection: Connection, notice: Notice, registered_at_us: int) -> None:
    """Keep a notice's text under the hash of its content."""
    ref = notice.ref
    row = {
        "notice_id": ref.notice_id,
        "version": ref.version,
        "language": ref.language,
        "hash": ref.hash,
        "text": notice.text,
        "jurisdiction": notice.jurisdiction,
        "registered_at_us": registered_at_us,
    }
    insert_rows(connection, consent_notices, [row])


def register_notice(connection: Connection, notice: Notice, now_us: int) -> None:
    """Keep a text once; refuse another under the same id, version and language."""
    known = find_notice_text(connection, notice.ref)
    if known is None:
        append_notice(connection, notice, now_us)
    elif known != notice.text:
        raise ConsentRecordError(
            "A notice's text must not change under one id, version and language. Register a new version."
        )


def append_records(
    connection: Connection, new: Sequence[NewRecord], recorded_at_us: int, signer: Signer | None = None
) -> None:
    """Append records with their categories and first events, a stretch at a time.

    Stretches keep few rows alive at once: memory stays bounded and the collector has little to walk. A record with a
    receipt id is signed.
    """
    for start in range(0, len(new), _STRETCH):
        _append_stretch(connection, new[start : start + _STRETCH], recorded_at_us, signer)


def _append_stretch(
    connection: Connection, new: Sequence[NewRecord], recorded_at_us: int, signer: Signer | None
) -> None:
    notices: dict[NoticeRef, str] = {}
    head = chain_head(connection, consent_records)
    shared: dict[tuple[int, int], dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    previous = head.hash
    for seq, record in enumerate(new, start=head.seq + 1):
        key = (id(record.request.terms), id(record.request.capture))
        if key not in shared:
            shared[key] = shared_columns(record.request.terms, record.request.capture)
        row = {**shared[key], **_own_columns(record), "seq": seq, "recorded_at_us": recorded_at_us}
        row["prev_hash"] = previous
        previous = row["record_hash"] = record_digest(row, _necessity(record))
        if signer is not None and record.receipt_id is not None:
            row["signature"] = _signature(connection, record, row, notices, signer)
        rows.append(row)
    insert_rows(connection, consent_records, rows)
    insert_rows(connection, consent_record_categories, [c for r in new for c in _category_rows(r)])
    append_events(connection, [event for record in new for event in _first_events(record)], recorded_at_us)


def append_events(connection: Connection, new: Sequence[NewEvent], recorded_at_us: int) -> None:
    """Append events to records that are there."""
    if not new:
        return
    head = chain_head(connection, consent_events)
    previous, rows = head.hash, []
    for seq, event in enumerate(new, start=head.seq + 1):
        row = {**event._asdict(), "seq": seq, "recorded_at_us": recorded_at_us, "prev_hash": previous}
        previous = row["event_hash"] = event_digest(row)
        rows.append(row)
    insert_rows(connection, consent_events, rows)


def _own_columns(record: NewRecord) -> dict[str, Any]:
    return {
        "record_id": record.record_id,
        "subject_id": record.request.subject_id,
        "given_at_us": record.given_at_us,
        "valid_until_us": _valid_until_us(record),
        "supersedes": record.supersedes,
        "receipt_id": record.receipt_id,
        "signature": None,
    }


def _signature(
    connection: Connection,
    record: NewRecord,
    row: Mapping[str, Any],
    notices: dict[NoticeRef, str],
    signer: Signer,
) -> str:
    """Over what the receipt says, which the hash of the record is part of."""
    notice, necessity = record.request.terms.notice, _necessity(record)
    if notice not in notices:
        notices[notice] = find_notice_text(connection, notice) or ""
    given = [Given(category, necessity[category], state) for category, state in record.states.items()]
    return detached(receipt_claims(row, given, notices[notice]), signer)


def _category_rows(record: NewRecord) -> list[dict[str, str]]:
    return [
        {"record_id": record.record_id, "category": category, "necessity": necessity}
        for category, necessity in _necessity(record).items()
    ]


def _first_events(record: NewRecord) -> list[NewEvent]:
    consent_type = record.request.terms.consent_type
    return [
        NewEvent(
            record_id=record.record_id,
            category=category,
            time_us=record.given_at_us,
            valid_until_us=_valid_until_us(record) if state in GIVING_STATES else None,
            entity="member",
            type=consent_type,
            state=state,
        )
        for category, state in record.states.items()
    ]


def _necessity(record: NewRecord) -> dict[str, str]:
    return {category: record.request.terms.necessity_of(category) for category in record.request.categories}


def _valid_until_us(record: NewRecord) -> int:
    return record.given_at_us + record.request.terms.validity // _MICROSECOND
