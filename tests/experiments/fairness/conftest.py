"""A small model with a proxy in it, and what is protected about its members."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.experiments.fairness.scored_members import ScoredMembers
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import BoosterOptions, CreditScoreModel

CATEGORIES = {"credit_history": ["late_count", "oldest"], "behaviour": ["utilisation", "swing"], "ability": ["income"]}


def make_members(count: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Features, outcomes, and protected attributes: sex goes along with utilisation, age with nothing."""
    rng = np.random.default_rng(seed)
    names = [name for group in CATEGORIES.values() for name in group]
    features = pd.DataFrame(rng.normal(size=(count, len(names))), columns=names)
    risk = 0.9 * features["late_count"] + 0.7 * features["utilisation"] - 0.6 * features["income"] - 1
    bad = (rng.random(count) < 1 / (1 + np.exp(-risk))).astype(np.float64)
    male = features["utilisation"] + rng.normal(0, 0.7, count) > 0
    subjects = [f"{seed:02d}{number:030d}" for number in range(count)]
    protected = pd.DataFrame(
        {"sex": np.where(male, "male", "female"), "age": rng.integers(18, 80, count)},
        index=pd.Index(subjects, name="subject_id"),
    )
    moments = [pd.Timestamp("2025-07-01", tz="UTC")] * count
    index = pd.MultiIndex.from_arrays([subjects, moments], names=["subject_id", "as_of"])
    masked = features.assign(**dict.fromkeys(MASK_COLUMNS.values(), True))
    return masked.set_axis(index, axis=0), np.asarray(bad), protected


def new_model(**parameters) -> CreditScoreModel:
    quick = BoosterOptions(max_trees=40, learning_rate=0.2, patience=10, folds=3, threads=1)
    return CreditScoreModel(
        **{"categories": CATEGORIES, "booster": quick, "own_booster_gap": None, "unconstrained_price": False}
        | parameters
    )


@pytest.fixture(scope="session")
def members():
    return make_members(900, seed=1)


@pytest.fixture(scope="session")
def model() -> CreditScoreModel:
    features, bad, _ = make_members(900, seed=0)
    return new_model().fit(features, bad.astype(int))


@pytest.fixture(scope="session")
def fresh():
    """A model to fit, with other columns in some categories."""
    return lambda **categories: new_model(categories=CATEGORIES | categories)


@pytest.fixture
def scored():
    """Hand-made scores: who passes 600 is told by the score, the outcome and the group."""

    def make(groups: dict[str, dict[str, int]], members: np.ndarray | None = None) -> ScoredMembers:
        rows = [
            (name, score, bad)
            for name, cells in groups.items()
            for kind, count in cells.items()
            for score, bad in [(700.0 if kind.startswith("pass") else 500.0, float(kind.endswith("bad")))] * count
        ]
        frame = pd.DataFrame(rows, columns=["sex", "score", "bad"])
        return ScoredMembers(
            score=frame["score"].to_numpy(), log_odds=np.where(frame["score"] > 600, -3.0, -1.0),
            bad=frame["bad"].to_numpy(), members=np.arange(len(frame)) if members is None else members,
            protected=frame[["sex"]], kept=np.arange(len(frame)), left_out={},
        )  # fmt: skip

    return make
