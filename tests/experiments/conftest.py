"""Made-up members with known signal, and one training run on them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import mlflow
import numpy as np
import pandas as pd
import pytest

from benne.experiments.labelling import LabelledRows
from benne.experiments.tracking import Tracking, default_store, log_run
from benne.experiments.training import TrainingRun, train_model
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import BoosterOptions, CreditScoreModel

CATEGORIES = {
    "credit_history": ["late_count", "oldest"],
    "behaviour": ["utilisation", "swing"],
    "ability": ["income", "savings"],
    "social": ["friends"],
}
AS_OF = pd.Timestamp("2025-07-01", tz="UTC")


def make_rows(members: int, seed: int) -> LabelledRows:
    """One row per member; every tenth withholds social relationships."""
    rng = np.random.default_rng(seed)
    columns = [column for group in CATEGORIES.values() for column in group]
    values = pd.DataFrame(rng.normal(size=(members, len(columns))), columns=columns)
    risk = (
        0.9 * values["late_count"] + 0.6 * values["utilisation"] - 0.6 * values["income"] - 0.5 * values["friends"] - 1
    )
    bad = (rng.random(members) < 1.0 / (1.0 + np.exp(-risk))).astype(np.float64).to_numpy()
    withholds = np.arange(members) % 10 == 0
    values.loc[withholds, "friends"] = np.nan
    for category, column in MASK_COLUMNS.items():
        values[column] = ~withholds if category == "social" else True
    subjects = [f"{seed:02d}{number:030d}" for number in range(members)]
    index = pd.MultiIndex.from_arrays([subjects, [AS_OF] * members], names=["subject_id", "as_of"])
    return LabelledRows(values.set_axis(index, axis=0), bad, {})


@pytest.fixture(scope="session")
def rows() -> LabelledRows:
    return make_rows(1200, 0)


@pytest.fixture(scope="session")
def new_model():
    quick = BoosterOptions(max_trees=60, learning_rate=0.2, patience=10, folds=3)
    return lambda: CreditScoreModel(categories=CATEGORIES, booster=quick)


@pytest.fixture(scope="session")
def training_run(rows: LabelledRows, new_model) -> TrainingRun:
    return train_model(rows, new_model())


@dataclass(frozen=True)
class Logged:
    """A run in a store of its own, and the caller's MLflow settings before and after it was logged."""

    tracking: Tracking
    run_id: str
    before: tuple[str, int]
    after: tuple[str, int]


def mlflow_settings() -> tuple[str, int]:
    return mlflow.get_tracking_uri(), logging.getLogger("mlflow").level


@pytest.fixture(scope="session")
def logged_run(training_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    tracking, before = default_store(tmp_path_factory.mktemp("mlflow")), mlflow_settings()
    run_id = log_run(training_run, tracking, name="a run", tags={"events_fingerprint": "f" * 64}, extra={"extra": 0.5})
    return Logged(tracking, run_id, before, mlflow_settings())
