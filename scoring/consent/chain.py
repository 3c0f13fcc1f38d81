"""Hash chains over consent records and their events.

Each row's hash covers its content, its place in the sequence and the hash before it, so editing,
deleting in the middle, inserting and reordering all show. Cutting off the end does not: that takes
an anchor outside the store, which the audit chain adds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from benne.scoring.store.schema import consent_events, consent_record_categories, consent_records

__all__ = ["GENESIS", "ChainReport", "event_digest", "record_digest", "verify"]

GENESIS: Final = "0" * 64
"""What the first row of a chain follows."""

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_UNHASHED = frozenset({"record_hash", "event_hash", "signature"})
_RECORD_COLUMNS = tuple(c.name for c in consent_records.columns if c.name not in _UNHASHED)
_EVENT_COLUMNS = tuple(c.name for c in consent_events.columns if c.name not in _UNHASHED)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verification found.

    Attributes
    ----------
    records, events : int
        Rows that verified, in order, before any break.
    broken_at : str or None
        Table and sequence number of the first row that does not verify; None if all do.
    """

    records: int
    events: int
    broken_at: str | None

    @property
    def intact(self) -> bool:
        """Whether every row verifies."""
        return self.broken_at is None


def record_digest(row: Mapping[str, Any], categories: Mapping[str, str]) -> str:
    """SHA-256 of a record's row with its categories and their necessity."""
    return _digest([*(row[name] for name in _RECORD_COLUMNS), sorted(categories.items())])


def event_digest(row: Mapping[str, Any]) -> str:
    """SHA-256 of an event's row."""
    return _digest([row[name] for name in _EVENT_COLUMNS])


def verify(connection: Connection) -> ChainReport:
    """Walk both chains from their beginnings and say where the first break is."""
    categories: dict[str, dict[str, str]] = {}
    for record_id, category, necessity in connection.execute(select(consent_record_categories)):
        categories.setdefault(record_id, {})[category] = necessity
    records, broken_record = _walk(
        consent_records,
        "record_hash",
        ((row, record_digest(row, categories.pop(row["record_id"], {}))) for row in _rows(connection, consent_records)),
    )
    events, broken_event = _walk(
        consent_events,
        "event_hash",
        ((row, event_digest(row)) for row in _rows(connection, consent_events)),
    )
    orphan = f"{consent_record_categories.name} without a record" if categories else None
    return ChainReport(records, events, broken_record or broken_event or orphan)


def _walk(table: Table, hash_column: str, rows: Iterable[tuple[Mapping[str, Any], str]]) -> tuple[int, str | None]:
    previous, verified = GENESIS, 0
    for row, digest in rows:
        expected = (verified + 1, previous, digest)
        if (row["seq"], row["prev_hash"], row[hash_column]) != expected:
            return verified, f"{table.name} {row['seq']}"
        previous, verified = digest, verified + 1
    return verified, None


def _rows(connection: Connection, table: Table) -> Iterator[Mapping[str, Any]]:
    with connection.execution_options(yield_per=10_000).execute(select(table).order_by(table.c.seq)) as result:
        for row in result.mappings():
            yield dict(row)


def _digest(content: list[Any]) -> str:
    return hashlib.sha256(_ENCODE(content).encode()).hexdigest()
