"""Raw tables for the features' tests: hand-made rows, and random worlds with everything awkward in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.features import ConsentMask, Events, SubjectKey, load_events
from benne.features.events.tables import TABLES

DAY = 86_400_000_000
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
CLOCK = datetime(2027, 1, 1, tzinfo=UTC)
KEY = SubjectKey(b"a test secret of thirty-two bytes" + b"!" * 8)

Row = dict[str, Any]
World = dict[str, list[Row]]


def _frame(table: str, rows: list[Row]) -> pd.DataFrame:
    """Rows with times in microseconds become the DataFrame a platform would send."""
    schema = TABLES[table]
    frame = pd.DataFrame(rows, columns=[c.name for c in schema.all_columns])
    for column in schema.all_columns:
        cells = frame[column.name]
        if column.kind == "time":
            frame[column.name] = pd.to_datetime(cells, unit="us", utc=True)
        elif column.kind in ("money", "integer"):
            frame[column.name] = cells.astype("Int64")
        elif column.kind == "flag":
            frame[column.name] = cells.astype("boolean")
        else:
            frame[column.name] = cells.astype(object)
    return frame


@pytest.fixture(scope="session")
def key() -> SubjectKey:
    """The key all raw ids are keyed with."""
    return KEY


@pytest.fixture(scope="session")
def clock() -> datetime:
    """The ingest clock, after everything."""
    return CLOCK


@pytest.fixture(scope="session")
def frames() -> Callable[[Mapping[str, list[Row]]], dict[str, pd.DataFrame]]:
    """From rows to the DataFrames a platform would send."""
    return lambda world: {name: _frame(name, rows) for name, rows in world.items()}


@pytest.fixture(scope="session")
def load(frames: Any) -> Callable[[Mapping[str, list[Row]]], Events]:
    """From rows through the door."""
    return lambda world: load_events(frames(world), key=KEY, ingested_at=CLOCK)


@pytest.fixture(scope="session")
def observe() -> Callable[[list[tuple[str, int]]], pd.DataFrame]:
    """From (raw member id, as_of in microseconds) to observations."""

    def made(pairs: list[tuple[str, int]]) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "subject_id": pd.Series(KEY.subject_ids([m for m, _ in pairs]), dtype=object),
                "as_of": pd.to_datetime([t for _, t in pairs], unit="us", utc=True),
            }
        )

    return made


@pytest.fixture(scope="session")
def everything() -> ConsentMask:
    """A mask that grants everything."""
    return ConsentMask.all_granted(reason="test data without people in it")


@pytest.fixture(scope="session")
def days() -> Callable[[float], int]:
    """The moment some days after the world's start, in microseconds."""
    return lambda n: START + round(n * DAY)


@pytest.fixture(scope="session")
def row(days: Any) -> Callable[..., Row]:
    """One row that happened, and was known, on a day; a fresh record id unless given."""
    numbers = iter(range(10**9))

    def made(member: str, day: float, known: float | None = None, **columns: Any) -> Row:
        common = {"record_id": f"r{next(numbers)}", "supersedes": None, "member_id": member, "source": None}
        return {**common, "event_time": days(day), "known_at": days(day if known is None else known), **columns}

    return made


@pytest.fixture(scope="session")
def random_world() -> Callable[..., World]:
    """A seeded random world over all event tables."""
    return lambda seed, members=12: _RandomWorld(seed, members).tables


class _RandomWorld:
    """Members with late, corrected, tied and missing facts on a grid of half-days."""

    def __init__(self, seed: int, members: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._members = [f"person-{seed}-{i}" for i in range(members)]
        self._records = 0
        self.tables: World = {name: [] for name in TABLES}
        for member in self._members:
            self._add("members", member, self._day(0, 60), adult=True, fixable={})
            self._live(member)

    def _live(self, member: str) -> None:
        self._contracts(member)
        for _ in range(self._rng.integers(0, 26)):
            self._movement(member)
        for _ in range(self._rng.integers(0, 10)):
            self._fact(member)
            self._dealing(member)
        for item in range(self._rng.integers(0, 3)):
            self._listing(member, f"{member}-item-{item}")

    def _listing(self, member: str, item: str) -> None:
        """An item whose notice comes first, or that is public; what happens to it comes in any order."""
        reported, public, kind = self._day(), self._chance(0.3), self._pick("default", "collection")
        moments = [("reported", reported)] if public else [("reported", reported), ("notified", reported - 20)]
        later = [event for event in ("disputed", "upheld", "removed", "ended") if self._chance(0.3)]
        moments += [(event, self._day() - 1826 * self._chance(0.5)) for event in later]
        if self._chance(0.2):
            moments.append(("reported", self._day(int(reported) + 1, 722)))
        for event, day in moments:
            ends = START + round((day + self._pick(5, 200, 900)) * DAY) if self._chance(0.2) else None
            self._add("adverse_items", member, day, item_id=item, kind=kind, event=event,
                      lawfully_public=public or None, expires_at=ends if event == "reported" else None)  # fmt: skip

    def _contracts(self, member: str) -> None:
        for number in range(self._rng.integers(0, 4)):
            contract = f"{member}-contract-{number}"
            for event in ("opened", "closed", "written_off", "limit_changed"):
                if event == "opened" or self._chance(0.4):
                    self._add("obligation_events", member, self._day(), obligation_id=contract, event=event,
                              kind=self._perhaps(self._pick("loan", "card", "rent", "utility")), currency="EUR",
                              principal=self._perhaps(self._amount()), limit=self._perhaps(self._amount()))  # fmt: skip
            self._instalments(member, contract)
            self._months(member, contract)

    def _instalments(self, member: str, contract: str) -> None:
        for number in range(self._rng.integers(0, 8)):
            day, owed, due = self._day(20, 760), int(self._rng.integers(1, 2000)), f"{contract}-due-{number}"
            known = max(day - float(self._rng.integers(0, 300)), 0) if self._chance(0.8) else day + self._lag()
            self._add("dues", member, day, known, due_id=due, obligation_id=contract, amount_due=owed, currency=None,
                      fixable={"amount_due": owed // 2 + 1})  # fmt: skip
            for _ in range(self._rng.integers(0, 4)):
                delay = float(self._pick(-30, -3, 0, 0.5, 1, 1.5, 29.5, 30, 30.5, 60, 90, 100))
                paid = int(self._pick(owed, owed, owed // 2 + 1, owed // 3 + 1, 2 * owed))
                self._add("repayments", member, max(day + delay, 0), due_id=due, currency=None,
                          obligation_id=self._perhaps(contract), amount=paid, fixable={"amount": paid + 7})  # fmt: skip

    def _months(self, member: str, contract: str) -> None:
        statuses = TABLES["account_status"].column("status").values
        for number in range(self._rng.integers(0, 10)):
            day = 30.0 * number + float(self._pick(30, 45, 60, 200))
            self._add("account_status", member, day, obligation_id=contract, period_start=None, currency=None,
                      months_past_due=int(self._pick(0, 0, 0, 1, 2, 4)), status=self._pick(*statuses),
                      balance=self._perhaps(self._amount() - 5000), limit=self._perhaps(self._pick(0, 500, 90_000)),
                      statement_amount=self._perhaps(self._pick(-40, 0, 1, 800, 70_000)),
                      amount_paid=self._perhaps(self._pick(0, 0, 400, 9_000)), fixable={"balance": 12_345})  # fmt: skip

    def _movement(self, member: str) -> None:
        kinds, amount = TABLES["payments"].column("kind").values, self._amount()
        status = self._perhaps(self._pick("settled", "failed", "reversed"))
        self._add("payments", member, self._day(), direction=self._pick("in", "out"), amount=amount, currency="EUR",
                  kind=self._perhaps(self._pick(*kinds)), status=status,
                  counterparty_id=self._perhaps(self._pick("shop-1", "shop-2", "shop-3", "shop-4")),
                  fixable={"amount": amount + 11})  # fmt: skip
        if self._chance(0.4):
            self._add("balances", member, self._day(), kind=self._pick("account", "account", "savings"),
                      amount=self._amount() - 3000, currency=None, fixable={"amount": -777})  # fmt: skip
        if self._chance(0.4):
            self._add("incomes", member, self._day(), amount=self._amount(), currency=None,
                      kind=self._perhaps(self._pick("salary", "pension", "other")),
                      regular=self._perhaps(self._chance(0.5)), fixable={"amount": 555_555})  # fmt: skip

    def _fact(self, member: str) -> None:
        fields, methods = (TABLES["verifications"].column(c).values for c in ("field", "method"))
        day = self._day()
        ends = START + round((day + self._pick(0, 30, 365)) * DAY) if self._chance(0.4) else None
        self._add("verifications", member, day, field=self._pick(*fields), expires_at=ends,
                  event=self._pick("verified", "verified", "lapsed", "changed"),
                  method=self._perhaps(self._pick(*methods)), strength=self._perhaps(self._pick(1, 2, 3)))  # fmt: skip

    def _dealing(self, member: str) -> None:
        others = [m for m in self._members if m != member] + ["a stranger"]
        self._add("interactions", member, self._day(), other_id=self._pick(*others[:5], others[-1]),
                  direction=self._pick("given", "received"),
                  kind=self._pick("transfer", "rating", "rating", "endorsement", "report", "settlement"),
                  value=self._perhaps(self._pick(0, 1, 3, 4, 5)))  # fmt: skip

    def _add(
        self,
        table: str,
        member: str,
        day: float,
        known: float | None = None,
        *,
        fixable: Row | None = None,
        **columns: Any,
    ) -> None:
        known = day + self._lag() if known is None else known
        first = self._row(member, day, known, columns)
        self.tables[table].append(first)
        last, knew = first, known
        while fixable is not None and self._chance(0.12):
            knew += float(self._pick(0, 0.5, 3, 45))
            moved = min(day + float(self._pick(-10, -0.5, 0, 0, 0.5, 10)), knew) if table != "dues" else day + 15.0
            last = self._row(member, max(moved, 0.0), knew, {**columns, **fixable}, last["record_id"])
            self.tables[table].append(last)

    def _row(self, member: str, day: float, known: float, columns: Row, supersedes: str | None = None) -> Row:
        self._records += 1
        common = {"record_id": f"record-{self._records}", "supersedes": supersedes, "member_id": member, "source": None}
        return {**common, "event_time": START + round(day * DAY), "known_at": START + round(known * DAY), **columns}

    def _day(self, low: int = 0, high: int = 720) -> float:
        return float(self._rng.integers(2 * low, 2 * high)) / 2

    def _lag(self) -> float:
        return 0.0 if self._chance(0.75) else float(self._rng.integers(1, 80)) / 2

    def _amount(self) -> int:
        return int(self._rng.integers(0, 10_000)) if self._chance(0.95) else 2**40 - 100

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _perhaps(self, value: Any) -> Any:
        return value if self._chance(0.75) else None

    def _pick(self, *values: Any) -> Any:
        return values[int(self._rng.integers(len(values)))]
