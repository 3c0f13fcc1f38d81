"""Which rows a model cannot score: what it says itself is what halving finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benne.errors import FeatureColumnsError
from benne.features.categories import CATEGORIES
from benne.scoring.batch.unscorable import told_by, unscorable

VALUES = st.sampled_from([0.5, -1.0, float("nan"), float("inf"), -float("inf"), 0.0])
WITHHELD = st.frozensets(st.sampled_from(CATEGORIES))


class Silent:
    """The same model, which does not say which rows it refuses."""

    def __init__(self, model):
        self.predict_score = model.predict_score


def by_halving(model, frame, withheld):
    return unscorable(Silent(model), frame, withheld).tolist()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(VALUES, min_size=5, max_size=5), WITHHELD), min_size=1, max_size=12))
def test_what_a_model_says_is_what_halving_finds(real_model, rows):
    frame = pd.DataFrame([values for values, _ in rows], columns=[f"x_{c}" for c in CATEGORIES])
    withheld = [one for _, one in rows]
    model = real_model.model
    assert told_by(model, frame, withheld).tolist() == by_halving(model, frame, withheld)
    assert unscorable(model, frame, withheld).tolist() == by_halving(model, frame, withheld)


def test_a_model_whose_category_may_be_empty_says_so_too():
    """Of two categories one is enough; a model of one or two looks for values, not for evidence."""
    from benne.models import BoosterOptions, CreditScoreModel

    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    X = X.mask(rng.random(X.shape) < 0.1)
    y = (rng.random(400) < 1 / (1 + np.exp(-X.fillna(0.0).sum(axis=1)))).astype(int)
    quick = BoosterOptions(max_trees=10, learning_rate=0.3, patience=5, folds=2, threads=1)
    model = CreditScoreModel(
        categories={"paid": ["a"], "means": ["b"]}, weights={"paid": 0.6, "means": 0.4}, booster=quick
    ).fit(X, y)
    frame = pd.DataFrame({"a": [1.0, np.nan, np.nan, np.inf], "b": [np.nan, 1.0, np.nan, 1.0]})
    found = told_by(model, frame, [frozenset()] * 4).tolist()
    assert found == ["", "", "insufficient-evidence", "value-not-scorable"]
    assert found == by_halving(model, frame, [frozenset()] * 4)


def test_numbers_that_no_float_holds_are_found_by_halving(real_model):
    frame = pd.DataFrame({f"x_{c}": np.array([1, 2**53 + 1, 3]) for c in CATEGORIES})
    assert told_by(real_model.model, frame, [frozenset()] * 3).tolist() == [""] * 3
    assert unscorable(real_model.model, frame, [frozenset()] * 3).tolist() == ["", "value-not-scorable", ""]


def test_a_column_that_is_missing_is_nobodys_row(real_model):
    frame = pd.DataFrame({"x_social": [1.0]})
    with pytest.raises(FeatureColumnsError, match="missing"):
        told_by(real_model.model, frame, [frozenset()])
