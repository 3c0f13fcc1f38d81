"""A small platform with a clock one can turn, a ledger in a file, and a model one can check by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS
from benne.scoring import (
    Capture,
    ConsentLedger,
    ConsentRequest,
    ConsentTerms,
    Notice,
    Scorer,
    Store,
    open_store,
)

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTICE = Notice(notice_id="score", version="1", language="en", text="May we compute your score? Each switch is off.")


class TurnableClock:
    """Stands still until it is turned."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


class HandMadeModel:
    """600 points and 10 times the one feature of each category that is not withheld."""

    def __init__(self) -> None:
        self.rows_seen = 0
        self.before_answering: Callable[[], object] = lambda: None
        self.error = 0.0

    def explain(self, X: pd.DataFrame, withheld: Any = ()) -> Any:
        self.rows_seen += len(X)
        points = pd.DataFrame(
            {c: [0.0 if c in w else 10.0 * x for x, w in zip(X[f"x_{c}"], withheld, strict=True)] for c in CATEGORIES}
        )
        base = np.full(len(X), 600.0)
        total = base + points.to_numpy().sum(axis=1)
        score = np.clip(total, 350.0, 950.0)
        self.before_answering()
        return SimpleNamespace(
            base=base, points=points, category_points=points, clipped=score - total, score=score + self.error,
            band=np.array(["good"] * len(X)), pd=np.full(len(X), 0.05), pd_low=np.full(len(X), 0.02),
            pd_high=np.full(len(X), 0.1), percentile=np.full(len(X), 50.0), thin=np.zeros(len(X), dtype=bool),
        )  # fmt: skip

    def predict_score(self, X: pd.DataFrame, withheld: Any = ()) -> Any:
        return self.explain(X, withheld).score


@dataclass
class Platform:
    """A ledger and the words to use it with."""

    store: Store
    clock: TurnableClock
    ledger: ConsentLedger
    terms: ConsentTerms
    model: HandMadeModel = field(default_factory=HandMadeModel)
    capture: Capture = field(
        default_factory=lambda: Capture(channel="app", method="toggle_switched_on", steps=2, session_hash="ab" * 32)
    )

    @property
    def scorer(self) -> Scorer:
        return Scorer(self.model, self.ledger)

    def member(self, number: int) -> str:
        return f"{number:032x}"

    def request(self, number: int, categories: tuple[str, ...] = CATEGORIES, **changes: Any) -> ConsentRequest:
        terms = replace(self.terms, **changes)
        return ConsentRequest(subject_id=self.member(number), terms=terms, capture=self.capture, categories=categories)

    def grant(self, number: int, categories: tuple[str, ...] = CATEGORIES, **changes: Any) -> str:
        self.ledger.grant(self.request(number, categories, **changes))
        return self.member(number)

    def decide(self, *numbers: int, **changes: Any) -> Any:
        question: dict[str, Any] = {"purpose": "lending", "recipient": "shop", "actor": "checkout", **changes}
        return self.ledger.decide([self.member(n) for n in numbers], **question)

    def features(self, rows: dict[int, tuple[str, ...]], value: float = 1.0) -> pd.DataFrame:
        index = pd.MultiIndex.from_tuples(
            [(self.member(n), pd.Timestamp(self.clock())) for n in rows], names=["subject_id", "as_of"]
        )
        columns: dict[str, Any] = {
            f"x_{c}": [value if c in consented else np.nan for consented in rows.values()] for c in CATEGORIES
        }
        mask = {MASK_COLUMNS[c]: [c in consented for consented in rows.values()] for c in CATEGORIES}
        return pd.DataFrame({**columns, **mask}, index=index)

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [dict(r) for r in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()]


def open_platform(path: Path) -> Platform:
    """A platform whose only notice is registered."""
    clock = TurnableClock()
    store = open_store(path)
    numbers = itertools.count(1)
    ledger = ConsentLedger(store, clock=clock, ids=lambda: f"id-{next(numbers):08d}")
    terms = ConsentTerms(
        notice=ledger.register_notice(NOTICE),
        purpose="lending",
        recipient="shop",
        controller="The platform",
        validity=365 * DAY,
        retention_days=730,
        storage_location="eu-central",
        withdrawal_method="the same switch",
    )
    return Platform(store, clock, ledger, terms)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    opened = open_platform(tmp_path / "benne.db")
    yield opened
    opened.store.close()


@pytest.fixture
def open_a_platform() -> Callable[[Path], Platform]:
    return open_platform
