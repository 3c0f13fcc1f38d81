"""The real model behind the scorer: one path, and the same numbers as without a ledger."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.features.categories import CATEGORIES
from benne.models import BoosterOptions, CreditScoreModel, withheld_of
from benne.scoring import Scorer

TWO = ("credit_history", "ability")


@pytest.fixture(scope="module")
def model() -> CreditScoreModel:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(800, 5)), columns=[f"x_{c}" for c in CATEGORIES])
    log_odds = X.to_numpy() @ np.array([0.9, 0.7, 0.6, 0.5, 0.4]) - 1.0
    y = (rng.random(800) < 1.0 / (1.0 + np.exp(-log_odds))).astype(np.int64)
    quick = BoosterOptions(max_trees=30, learning_rate=0.3, patience=10, folds=2, threads=1)
    return CreditScoreModel(categories={c: [f"x_{c}"] for c in CATEGORIES}, booster=quick).fit(X, y)


def test_scores_through_the_ledger_are_the_models_and_add_up(platform, model):
    platform.grant(1)
    platform.grant(2, TWO)
    features = platform.features({1: CATEGORIES, 2: TWO, 3: ()})
    result = Scorer(model, platform.ledger).score(features, platform.decide(1, 2, 3))
    permitted = features.iloc[:2]
    alone = model.predict_score(permitted, withheld=withheld_of(permitted))
    scores = result.scores
    assert scores["score"].tolist() == alone.tolist()
    sums = scores["base"] + scores.filter(like="points_").sum(axis=1) + scores["clipped"]
    assert np.abs(sums - scores["score"]).max() <= 1e-9
    assert scores["points_social"].iloc[1] == 0.0
    assert scores["band"].tolist() == model.predict_band(permitted, withheld_of(permitted)).tolist()
    assert scores["pd"].tolist() == model.predict_proba(permitted, withheld_of(permitted))[:, 1].tolist()
    assert ((scores["pd_low"] < scores["pd"]) & (scores["pd"] < scores["pd_high"])).all()
    assert scores["percentile"].between(0, 100).all()
    assert not scores["thin_file"].any()
    assert result.refused["reason"].tolist() == ["consent-required"]
