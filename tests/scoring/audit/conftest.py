"""A chain in a database of either kind, entries to put on it, keys, and somebody who rewrites it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import URL, Engine, create_engine, insert

from benne.scoring.audit.chain import AuditReport, append, verify
from benne.scoring.audit.links import digest
from benne.scoring.audit.record import AuditEntry, AuditRecord
from benne.scoring.store.audit_tables import audit_records

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_US = 1_772_366_400_000_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

Row = dict[str, Any]


@dataclass
class Chain:
    """A chain of audit records and what one does with it, rightly and wrongly."""

    platform: Any
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def store(self) -> Any:
        return self.platform.store

    def entry(self, **changes: Any) -> AuditEntry:
        told: Row = {
            "event_id": f"event-{next(self.numbers)}",
            "type": "score_decided",
            "actor_id": "shop",
            "actor_role": "recipient",
            "service": "scores",
            "policy_version": "2026-03",
            "subject_hmac": "ab" * 32,
            "key_domain": "shop",
            "purpose": "lending",
            "purpose_class": "credit",
            "decision": "granted",
            "output_digest": "cd" * 32,
        }
        return AuditEntry(**{**told, **changes})

    def append(self, count: int = 1, now_us: int = NOON_US) -> tuple[AuditRecord, ...]:
        entries = [self.entry() for _ in range(count)]
        with self.store.write() as connection:
            return append(connection, entries, now_us=now_us)

    def verify(self, anchors: Any = (), **options: Any) -> AuditReport:
        with self.store.read() as connection:
            return verify(connection, anchors, **options)

    def rows(self) -> list[Row]:
        return sorted(self.platform.rows("audit_records"), key=lambda row: row["seq"])

    def execute(self, statement: str) -> None:
        """A statement by somebody else, on a connection without any rule of ours."""
        with closing_engine(self.store.engine.url) as engine, engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def replace_by(self, rows: list[Row]) -> None:
        """What the owner of the database does: take every record out and put others in."""
        self.platform.tamper("DELETE FROM audit_records")
        with closing_engine(self.store.engine.url) as engine, engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("ALTER TABLE audit_records DROP CONSTRAINT ck_audit_records_seq")
            else:
                connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            if rows:
                connection.execute(insert(audit_records), rows)


@contextmanager
def closing_engine(url: URL) -> Iterator[Engine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def rehash(rows: list[Row]) -> list[Row]:
    """Number records and make all hashes fit, as somebody can who has read how it is done."""
    last, made = "0" * 64, []
    for seq, row in enumerate(rows, start=1):
        changed = {**row, "seq": seq, "prev_hash": last}
        last = changed["hash"] = digest([value for name, value in changed.items() if name != "hash"])
        made.append(changed)
    return made


@pytest.fixture
def chain(platform: Any) -> Chain:
    return Chain(platform)


@pytest.fixture(scope="session")
def rehashed() -> Callable[[list[Row]], list[Row]]:
    return rehash


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return KEY


@pytest.fixture(scope="session")
def minutes() -> Callable[[int], int]:
    """Microseconds at so many minutes past noon."""
    return lambda count: NOON_US + count * (timedelta(minutes=1) // timedelta(microseconds=1))
