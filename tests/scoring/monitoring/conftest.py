"""A model with two features whose reference one can count by hand, and passes of decisions about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.errors import ReferenceUnknown
from benne.features.quality.drift import Bins
from benne.models import Explanation
from benne.scoring import Store, open_store
from benne.scoring.decisions.case import Case, Scored
from benne.scoring.decisions.request import Actor, Asked, ScoreRequest
from benne.scoring.decisions.served_model import ModelSlot, ServedModel
from benne.scoring.monitoring.live import LiveMonitoring, LiveParts
from tests.scoring.monitoring.months import World, made_up_world

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("late_share", "income")


@dataclass
class Histograms:
    """As much of a model's reference as is asked for."""

    rows: int = 1000
    features: dict[str, Bins] = field(
        default_factory=lambda: {
            "late_share": Bins((0.0, 0.5), (500, 300, 200), 0),
            "income": Bins((1000.0,), (400, 400), 200),
        }
    )
    score: Bins = field(default_factory=lambda: Bins((600.0,), (500, 500), 0))
    bands: dict[str, int | None] = field(default_factory=lambda: {"poor": 100, "good": 900})
    thin: int | None = 100


class Model:
    """A model that knows what it was made for; or, saved by an older Benne, does not."""

    def __init__(self, histograms: Histograms | None = None) -> None:
        self._histograms = histograms

    @property
    def histograms_(self) -> Histograms:
        if self._histograms is None:
            raise ReferenceUnknown("A model must have histograms, and this one has none.")
        return self._histograms


def served_model(histograms: Histograms | None, model_id: str = "benne/0000000000000001") -> ServedModel:
    columns = {"credit_history": np.array([0]), "ability": np.array([1])}
    return ServedModel(model_id, "ab" * 32, NAMES, columns, Model(histograms))  # type: ignore[arg-type]


def scored_pass(
    served: ServedModel,
    rows: Sequence[Sequence[float]],
    *,
    score: float = 650.0,
    band: str = "good",
    withheld: Sequence[str] = (),
    benefit: str | None = None,
    role: str = "recipient",
    thin: bool = False,
    rare: bool | None = None,
) -> list[Case]:
    """Cases that were answered, all of one pass."""
    n, without = len(rows), frozenset(withheld)
    nothing = pd.DataFrame(index=range(n))
    explanation = Explanation(
        base=np.full(n, 600.0), points=nothing, category_points=nothing, clipped=np.zeros(n), score=np.full(n, score),
        band=np.full(n, band), pd=np.full(n, 0.1), pd_low=np.zeros(n), pd_high=np.ones(n), percentile=np.zeros(n),
        thin=np.full(n, thin), withheld=(without,) * n, rare=None if rare is None else np.full(n, rare),
    )  # fmt: skip
    return [
        Case(
            asked_by(role, benefit), f"d-{k}", withheld=without,
            scored=Scored(explanation, k, np.array(values, dtype=np.float64), served),
        )
        for k, values in enumerate(rows)
    ]  # fmt: skip


def refused(reason: str, benefit: str | None = None) -> Case:
    case = Case(asked_by("recipient", benefit), "d-refused")
    case.refuse(reason)
    return case


def asked_by(role: str, benefit: str | None) -> ScoreRequest:
    asked = Asked(
        recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact",
        benefit=benefit,
    )  # fmt: skip
    return ScoreRequest(subject_id="0" * 32, asked=asked, actor=Actor("shop", role), registered_for=frozenset())  # type: ignore[arg-type]


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


class Pager:
    """Whoever is told of alerts."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def send(self, alerts: Sequence[Any], model_id: str) -> bool:
        self.told += [(model_id, alert.name) for alert in alerts]
        return True


@dataclass
class Watched:
    """A store, a clock and instances of a service that watch."""

    store: Store
    clock: Clock = field(default_factory=Clock)
    pager: Pager = field(default_factory=Pager)
    served: ServedModel = field(default_factory=lambda: served_model(Histograms()))
    numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.live = self.instance()

    def instance(self) -> LiveMonitoring:
        parts = LiveParts(
            store=self.store, models=ModelSlot(self.served), clock=self.clock,
            ids=lambda: f"a-{next(self.numbers)}", sinks=(self.pager,),
        )  # fmt: skip
        return LiveMonitoring(parts)

    def rows(self, table: str = "live_counts") -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()]

    def counted(self) -> dict[tuple[str, int], int]:
        self.live.gather()
        return {(row["name"], row["cell"]): row["n"] for row in self.rows()}


@pytest.fixture
def watched(database: Callable[[], Path | str]) -> Iterator[Watched]:
    opened = open_store(database())
    yield Watched(opened)
    opened.close()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Watched]:
    opened = open_store(tmp_path / "benne.db")
    yield Watched(opened)
    opened.close()


@pytest.fixture(scope="session")
def world() -> World:
    return made_up_world()


__all__ = ["Histograms", "Watched", "refused", "scored_pass", "served_model"]
