"""A platform with a vault, an audit chain and members who are remembered, until they are not."""

from __future__ import annotations

import multiprocessing
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benne.features import SubjectKey, load_events
from benne.features.engines.event_store import EventStore
from benne.features.events.tables import TABLES
from benne.scoring.audit.chain import AuditReport, verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.erasure.acts import Actor
from benne.scoring.erasure.erasing import Erasure
from benne.scoring.erasure.holds import Hold, LegalHolds
from benne.scoring.store.file_keyring import FileKeyRing
from benne.scoring.store.vault import MemberVault, NewPayload
from benne.scoring.wiring import random_id

ANNA, BERT, CARL = f"{1:032x}", f"{2:032x}", f"{3:032x}"
COUNSEL = Actor("compliance", "counsel-1")
KEY = SubjectKey(b"a test secret of thirty-two bytes" + b"!" * 8)
CLOCK = datetime(2027, 1, 1, tzinfo=UTC)
CANARY_AMOUNT = 2**40 - 987_654_321


@dataclass
class Desk:
    """Whoever erases, with everything they need."""

    platform: Any
    ring: FileKeyRing
    vault: MemberVault
    audit: GroupCommit
    parts: list[Any] = field(default_factory=list)

    @property
    def store(self) -> Any:
        return self.platform.store

    @property
    def erasure(self) -> Erasure:
        return Erasure(self.store, self.vault, consents=self.platform.ledger, audit=self.audit, ids=random_id,
                       parts=self.parts)  # fmt: skip

    @property
    def holds(self) -> LegalHolds:
        return LegalHolds(self.vault, ids=random_id)

    def keep(self, subject_id: str, content: bytes = b"612", kind: Any = "decision") -> str:
        """Something about a member, with a consent and an audit record; gives its reference."""
        ref = secrets.token_hex(8)
        with self.store.write() as connection:
            self.vault.put(connection, NewPayload(ref, subject_id, kind, content), 7)
        return ref

    def place(self, subject_id: str, reference: str = "case-1") -> Hold:
        return self.audit.submit(
            lambda c, now_us: self.holds.place(c, now_us, subject_id, "court_order", reference, by=COUNSEL)
        ).result

    def lift(self, hold_id: str) -> Hold:
        return self.audit.submit(lambda c, now_us: self.holds.lift(c, now_us, hold_id, by=COUNSEL)).result

    def records(self) -> list[dict[str, Any]]:
        return sorted(self.platform.rows("audit_records"), key=lambda row: row["seq"])

    def verified(self) -> AuditReport:
        with self.store.read() as connection:
            return verify(connection)

    def steps(self, erasure_id: str) -> set[str]:
        return {row["step"] for row in self.platform.rows("erasure_steps") if row["erasure_id"] == erasure_id}


@pytest.fixture
def desk(platform: Any, tmp_path: Path) -> Iterator[Desk]:
    ring = FileKeyRing.create(tmp_path / "ring.json", random_bytes=secrets.token_bytes, now_us=0)
    vault = MemberVault(ring, random_bytes=secrets.token_bytes)
    with GroupCommit(platform.store, clock=platform.clock) as audit:
        yield Desk(platform, ring, vault, audit)


def raw_events(members: Iterable[str], canary: str | None = None) -> dict[str, pd.DataFrame]:
    """Members who each paid once and are rated by one another."""
    everybody = [*members, *([] if canary is None else [canary])]
    happened = pd.Timestamp("2026-01-05", tz="UTC")

    def row(member: str, number: int, **columns: Any) -> dict[str, Any]:
        return {"record_id": f"{member}-{number}", "member_id": member, "event_time": happened, "known_at": happened,
                **columns}  # fmt: skip

    rows: dict[str, list[dict[str, Any]]] = {
        "members": [row(m, 0, adult=True) for m in everybody],
        "payments": [row(m, 1, direction="out", amount=CANARY_AMOUNT if m == canary else 4_711) for m in everybody],
        "interactions": [
            row(m, 2, other_id=o, direction="given", kind="rating", value=5)
            for m, o in zip(everybody, [*everybody[1:], everybody[0]], strict=True)
        ],
    }
    return {name: _frame(name, some) for name, some in rows.items()}


def _frame(table: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    kinds = {"money": "Int64", "integer": "Int64", "flag": "boolean", "time": "datetime64[us, UTC]"}
    columns = TABLES[table].all_columns
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    return frame.astype({column.name: kinds.get(column.kind, object) for column in columns})


@pytest.fixture(scope="session")
def subject_key() -> SubjectKey:
    return KEY


@pytest.fixture
def make_event_store() -> Callable[..., None]:
    """Writes an event store of some members to an address."""

    def make(url: Path | str, members: Iterable[str], canary: str | None = None) -> None:
        events = load_events(raw_events(members, canary), key=KEY, ingested_at=CLOCK)
        EventStore.create(url, events, watermark=CLOCK).close()

    return make


@pytest.fixture(scope="session")
def processes() -> Any:
    """Makes processes that have what they need imported already."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["benne.scoring.erasure.erasing", "benne.scoring.audit.group_commit"])
    return forking
