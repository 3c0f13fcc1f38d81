"""A weak category gets trees, because its weight is contracted whatever its strength."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pandas as pd

from benne.models import CreditScoreModel
from benne.models.starved_categories import FEWEST_TREES, feed_starved, trees_by_group

GROUPS = [[0], [1, 2]]
PARAMETERS = {"objective": "binary", "verbosity": -1, "max_depth": 2, "deterministic": True, "num_threads": 1}


def table(rows=800, weak=0.15):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(rows, 3))
    bad = (rng.random(rows) < 1 / (1 + np.exp(1.5 - 2.0 * X[:, 0] - weak * X[:, 1]))).astype(float)
    return X, bad


def strong_only(X, bad, trees=5):
    parameters = PARAMETERS | {"interaction_constraints": [[0]]}
    return lgb.train(parameters, lgb.Dataset(X, bad), trees).model_to_string()


def test_trees_are_counted_by_the_group_of_their_first_split():
    assert trees_by_group(strong_only(*table()), GROUPS) == [5, 0]


def test_every_starved_category_gets_the_fewest_trees():
    X, bad = table()
    fed = feed_starved(strong_only(X, bad), GROUPS, PARAMETERS, X, bad, None)
    assert trees_by_group(fed, GROUPS) == [FEWEST_TREES, FEWEST_TREES]


def test_trees_that_were_there_stay_as_they_were():
    X, bad = table()
    text = strong_only(X, bad, trees=FEWEST_TREES)
    fed = feed_starved(text, GROUPS, PARAMETERS, X, bad, None)
    before, after = lgb.Booster(model_str=text), lgb.Booster(model_str=fed)
    assert np.array_equal(
        before.predict(X, raw_score=True), after.predict(X, raw_score=True, num_iteration=FEWEST_TREES)
    )


def test_a_category_that_is_fed_enough_is_left_alone():
    X, bad = table()
    text = strong_only(X, bad, trees=FEWEST_TREES)
    assert feed_starved(text, [[0]], PARAMETERS, X, bad, None) == text


def test_a_category_without_a_possible_split_stays_without_trees():
    X, bad = table()
    X[:, 1:] = 1.0
    fed = feed_starved(strong_only(X, bad), GROUPS, PARAMETERS, X, bad, None)
    assert trees_by_group(fed, GROUPS)[1] == 0


def test_a_weak_category_holds_its_weight_where_boosting_alone_left_it_out():
    X, bad = table(rows=3000, weak=0.25)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = CreditScoreModel(categories={"strong": ["a"], "weak": ["b", "c"]}, weights={"strong": 0.9, "weak": 0.1})
    shares = model.fit(frame, bad.astype(int)).contract_report_.shares["reference"]
    assert np.allclose(shares, [0.9, 0.1], atol=1e-6)
