"""A model that can be gamed, on members made up; and a small simulated platform with its events."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from benne.experiments.gaming import CostTable, GamingOptions, GamingReport, guarded_against_spending, stress_test
from benne.experiments.labelling import label_rows
from benne.experiments.simulator import simulate
from benne.features import ConsentMask, Events, SubjectKey, build_features, ingest, registry
from benne.features.consent_mask import MASK_COLUMNS
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel

QUICK = BoosterOptions(max_trees=60, learning_rate=0.2, patience=10, folds=2, threads=1)
CATEGORIES = {"credit_history": ["late"], "ability": ["income"], "social": ["friends", "fans"]}
WEIGHTS = {"credit_history": 0.6, "ability": 0.2, "social": 0.2}
KEY = SubjectKey(b"k" * 32)
AS_OF = datetime(2025, 7, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """Members made up."""

    X: pd.DataFrame
    bad: npt.NDArray[np.float64]
    pd: npt.NDArray[np.float64]


def made(rows: int, seed: int) -> Made:
    """Late payments are the whole truth; friends and fans are told by it, and so seem to tell of it."""
    rng = np.random.default_rng(seed)
    late = rng.normal(size=rows)
    columns = {"late": late, "income": rng.normal(size=rows) - 0.5 * late}
    columns |= {name: np.round(3 - late + rng.normal(size=rows)) for name in ("friends", "fans")}
    known = 1 / (1 + np.exp(1.5 - 1.2 * late))
    frame = pd.DataFrame(columns)
    for column in MASK_COLUMNS.values():
        frame[column] = True
    no = np.arange(rows) % 10 == 0
    frame.loc[no, ["friends", "fans"]] = np.nan
    frame[MASK_COLUMNS["social"]] = ~no
    return Made(frame, (rng.random(rows) < known).astype(np.float64), known)


@pytest.fixture(scope="session")
def costs() -> CostTable:
    """Friends and fans are cheap, each a move of its own; income is not easy; late payments are not easily undone."""
    said = {
        "friends": {"ease": "high", "direction": -1, "cost": 1.0, "days": 7, "why": "A click."},
        "fans": {"ease": "high", "direction": -1, "cost": 2.0, "days": 30, "why": "Two clicks."},
        "income": {"ease": "medium", "direction": -1, "cost": 4.0, "days": 60, "why": "Money sent round."},
        "late": {"ease": "low", "direction": 1, "cost": 16.0, "days": 180, "why": "Paying."},
    }
    return dataclasses.replace(CostTable.default(), features=said, together=())


@pytest.fixture(scope="session")
def options(costs: CostTable) -> GamingOptions:
    return GamingOptions(costs=costs, members=300)


@pytest.fixture(scope="session")
def members() -> Made:
    return made(400, 1)


@pytest.fixture(scope="session")
def model() -> CreditScoreModel:
    train = made(1200, 0)
    booster = dataclasses.replace(QUICK, monotone={"late": 1, "income": -1, "friends": -1, "fans": -1})
    model = CreditScoreModel(CATEGORIES, WEIGHTS, booster=booster, own_booster_gap=None, unconstrained_price=False)
    return model.fit(train.X, train.bad)


@pytest.fixture(scope="session")
def report(model: CreditScoreModel, members: Made, options: GamingOptions) -> GamingReport:
    return stress_test(model, members.X, members.bad, known_pd=members.pd, options=options)


@dataclass(frozen=True)
class World:
    """A simulated platform: events, features, outcomes."""

    events: Events
    features: pd.DataFrame
    bad: npt.NDArray[np.float64]

    def fitted(self, *, guarded: bool) -> CreditScoreModel:
        columns = [name for name in self.features.columns if name not in MASK_COLUMNS.values()]
        booster = guarded_against_spending(QUICK, columns, registry) if guarded else QUICK
        model = CreditScoreModel(booster=booster, own_booster_gap=None, unconstrained_price=False)
        return model.fit(self.features, self.bad)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp("gaming")
    simulation = simulate(folder / "world", members=900, seed=3)
    events = ingest(simulation.raw, folder / "events", key=KEY, ingested_at=simulation.extracted_at.to_pydatetime())
    observed: Any = key_member_ids(simulation.observations(), KEY)
    mask = ConsentMask.all_granted(reason="simulated members")
    rows = label_rows(
        build_features(events, observed, consents=mask, workers=1), key_member_ids(simulation.outcomes(), KEY)
    )
    return World(events, rows.features, rows.bad)
