"""Small tables whose categories carry known, unequal signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from benne.features.consent_mask import MASK_COLUMNS
from benne.models import BoosterOptions, CreditScoreModel

CATEGORIES = {
    "credit_history": ["late days (max)", "late_count"],
    "behaviour": ["utilisation", "spend_swing"],
    "ability": ["income", "savings"],
    "social": ["friends"],
}
QUICK = BoosterOptions(max_trees=60, learning_rate=0.2, patience=10, folds=3, threads=1)


@dataclass(frozen=True)
class Members:
    """Features, labels and the categories of the columns."""

    X: pd.DataFrame
    y: npt.NDArray[np.int64]


def make_members(rows: int, seed: int) -> Members:
    rng = np.random.default_rng(seed)
    columns = [column for group in CATEGORIES.values() for column in group]
    X = pd.DataFrame(rng.normal(size=(rows, len(columns))), columns=columns)
    m = -1.0 + 0.9 * X["late days (max)"] + 0.5 * X["utilisation"] - 0.6 * X["income"] - 0.4 * X["friends"]
    y = (rng.random(rows) < 1.0 / (1.0 + np.exp(-m))).astype(np.int64)
    X.loc[rng.random(rows) < 0.1, ["savings", "late_count"]] = np.nan
    return Members(X, y)


def with_mask(X: pd.DataFrame, refused: dict[str, npt.NDArray[np.bool_]]) -> pd.DataFrame:
    """The same rows with consent columns, and nothing in what is refused."""
    masked = X.copy()
    for category, column in MASK_COLUMNS.items():
        no = refused.get(category, np.zeros(len(X), dtype=bool))
        masked.loc[no, CATEGORIES.get(category, [])] = np.nan
        masked[column] = ~no
    return masked


@pytest.fixture(scope="session")
def members() -> Members:
    return make_members(1500, 0)


@pytest.fixture(scope="session")
def newcomers() -> Members:
    return make_members(200, 1)


@pytest.fixture(scope="session")
def model(members: Members) -> CreditScoreModel:
    return CreditScoreModel(categories=CATEGORIES, booster=QUICK).fit(members.X, members.y)


@pytest.fixture(scope="session")
def categories() -> dict[str, list[str]]:
    return CATEGORIES


@pytest.fixture(scope="session")
def quick() -> BoosterOptions:
    return QUICK


@pytest.fixture(scope="session")
def masked_frame() -> Callable[..., pd.DataFrame]:
    return with_mask
