"""Small stores and frames made by hand: four hundred members, one clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benne.features import MASK_COLUMNS, Events
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema

DAY = 86_400_000_000
CLOCK = datetime(2025, 7, 1, tzinfo=UTC)
NOW = int(CLOCK.timestamp()) * 1_000_000
MEMBERS = 400

Columns = dict[str, Any]


def _stored(name: str, columns: Columns) -> pa.Table:
    rows = len(columns["subject_id"])
    given = {
        "record_id": [f"{name}-{i}" for i in range(rows)],
        "source": ["platform"] * rows,
        "known_at": columns["event_time"],
    } | columns
    schema = stored_schema(TABLES[name])
    return pa.table({f.name: pa.array(given.get(f.name, [None] * rows), f.type) for f in schema}, schema=schema)


def _events(**tables: Columns) -> Events:
    sources = {name: _stored(name, columns) for name, columns in tables.items()}
    filled = {(n, c): 0 for n, t in sources.items() for c in t.column_names if t.column(c).null_count < t.num_rows}
    return Events(sources, filled, "a key", "a fingerprint")


def _spread(count: int = MEMBERS) -> Any:
    """The quantiles of an exponential distribution with mean 100,000: heavy to the right."""
    return np.round(-100_000 * np.log(1 - (np.arange(count) + 0.5) / count))


def _frame(count: int = MEMBERS, as_of: datetime = CLOCK, **columns: Any) -> pd.DataFrame:
    given = {
        "late_count_30d": np.arange(count) % 4 % 3,
        "bill_share_180d": np.arange(count) % 10 / 10,
        "income_monthly_180d": _spread(count),
        "verified_fields": np.arange(count) % 7 + 1,
        "counterparties_365d": np.arange(count) % 30,
    } | columns
    kept = {name: np.asarray(values, dtype=float) for name, values in given.items() if values is not None}
    frame = pd.DataFrame(kept)
    for column in MASK_COLUMNS.values():
        frame[column] = True
    index = [[f"m{i}" for i in range(count)], pd.DatetimeIndex([pd.Timestamp(as_of)] * count)]
    return frame.set_axis(pd.MultiIndex.from_arrays(index, names=["subject_id", "as_of"]))


@pytest.fixture(scope="session")
def clock() -> datetime:
    return CLOCK


@pytest.fixture(scope="session")
def now() -> int:
    """The clock in microseconds."""
    return NOW


@pytest.fixture(scope="session")
def events() -> Callable[..., Events]:
    """A store of tables given as columns; ids of rows, the source and known_at are made up."""
    return _events


@pytest.fixture(scope="session")
def frame() -> Callable[..., pd.DataFrame]:
    """A frame of five features, one a category, that differ from member to member."""
    return _frame


@pytest.fixture(scope="session")
def platform() -> Callable[..., Events]:
    """Members who joined a year ago and pay and earn daily, up to the day before the clock.

    Arguments named after a table change its columns; None leaves the table out.
    """

    def made(**changes: Columns | None) -> Events:
        members = [f"m{i}" for i in range(MEMBERS)]
        twice = members * 2
        recent = [NOW - DAY - i for i in range(2 * MEMBERS)]
        joined: Columns = {"subject_id": members, "event_time": [NOW - 60 * DAY] * MEMBERS, "adult": [True] * MEMBERS}
        paid: Columns = {
            "subject_id": twice, "event_time": recent, "direction": ["out"] * len(twice),
            "kind": ["bill", "purchase"] * MEMBERS, "amount": list(range(len(twice))),
        }  # fmt: skip
        earned: Columns = {
            "subject_id": twice, "event_time": recent, "amount": list(range(len(twice))),
            "kind": ["salary"] * len(twice),
        }  # fmt: skip
        tables: dict[str, Columns] = {"members": joined, "payments": paid, "incomes": earned}
        for name, change in changes.items():
            if change is None:
                del tables[name]
            else:
                tables[name] = tables[name] | change
        return _events(**tables)

    return made
