"""Scores with a group of features not known, against trees walked by plain recursion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import FeatureColumnsError, ModelError
from benne.models import CreditScoreModel
from benne.models.points import AdditiveTrees
from tests.models.test_points import CATEGORIES, COLUMNS, KINDS, OWNER, _trained
from tests.models.walked_trees import columns_of, says, score_without

GROUPS = ((0,), (1, 4), (0, 3), (2, 3, 5), tuple(range(COLUMNS)), ())


def _equals_recursion(seed: int, kind: str, depth: int, trees: int = 5) -> None:
    booster, tried = _trained(seed, kind, depth, trees)
    tried = np.where(np.isinf(tried), 7.0, tried)  # dump_model() prints an infinite threshold as a finite one
    without = AdditiveTrees(booster.model_to_string(), OWNER, CATEGORIES, threads=1).without(GROUPS)
    found = without.changes(tried)
    wanted = np.zeros_like(found)
    for tree in (one["tree_structure"] for one in booster.dump_model()["tree_info"]):
        columns = columns_of(tree)
        for part, (group, category) in enumerate(zip(without.group, without.category, strict=True)):
            if columns and OWNER[min(columns)] == category and columns & set(GROUPS[group]):
                wanted[:, part] += [says(tree, x, set(GROUPS[group])) - says(tree, x, ()) for x in tried]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9, err_msg=f"seed {seed}, {kind}, depth {depth}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_not_knowing_is_what_recursion_over_the_trees_says(seed: int, kind: str) -> None:
    _equals_recursion(seed, kind, depth=1 + (seed * 2) % 6)


@pytest.mark.slow
def test_not_knowing_is_what_recursion_says_for_hundreds_of_models() -> None:
    kinds = list(KINDS)
    for seed in range(10, 410):
        _equals_recursion(seed, kinds[seed % len(kinds)], 1 + seed % 7)


@pytest.mark.parametrize("depth", [3, 6])
def test_a_row_alone_equals_the_row_in_a_batch_bit_for_bit(depth: int) -> None:
    booster, tried = _trained(7, "numbers with nulls", depth, trees=20)
    text = booster.model_to_string()
    one_by_one = AdditiveTrees(text, OWNER, CATEGORIES, threads=1).without(GROUPS)
    alone = np.concatenate([one_by_one.changes(tried[i : i + 1]) for i in range(len(tried))])
    many = AdditiveTrees(text, OWNER, CATEGORIES, threads=2).without(GROUPS).changes(np.tile(tried, (700, 1)))
    assert many.tobytes() == np.tile(alone, (700, 1)).tobytes()


def test_trees_that_do_not_explain_do_not_neutralise() -> None:
    booster, _ = _trained(1, "without nulls", 3, trees=2)
    with pytest.raises(ModelError, match="laid out to explain"):
        AdditiveTrees(booster.model_to_string(), OWNER, CATEGORIES, explains=False).without(GROUPS)


# ------------------------------------------------------------------ a model


@pytest.mark.parametrize("withheld", [frozenset(), frozenset({"social"}), frozenset({"behaviour"})])
def test_scores_are_those_of_the_walked_trees(model: CreditScoreModel, newcomers, withheld) -> None:
    X = newcomers.X.head(12)
    names = list(X.columns)
    groups = [[names[0]], [names[1], names[2]], ["friends"], names]
    found = model.neutralised(X, groups, withheld)
    used = frozenset(model.patterns[0]) - withheld
    wanted = [[score_without(model, row, group, used) for group in groups] for row in X.to_numpy()]
    before = np.array([score_without(model, row, (), used) for row in X.to_numpy()])
    np.testing.assert_allclose(found.unclipped, wanted, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.effect, np.array(wanted) - before[:, None], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.score, np.clip(found.unclipped, 350.0, 950.0))
    np.testing.assert_allclose(model.predict_score(X, withheld), np.clip(before, 350.0, 950.0), rtol=0, atol=1e-9)


def test_of_everything_nothing_known_is_the_base(model, newcomers) -> None:
    explained = model.explain(newcomers.X)
    found = model.neutralised(newcomers.X, [list(newcomers.X.columns), []])
    np.testing.assert_allclose(found.unclipped[:, 0], explained.base, rtol=0, atol=1e-9)
    assert not found.effect[:, 1].any(), "nothing neutralised is no change"


def test_what_is_withheld_has_no_effect_and_is_not_used(model, newcomers) -> None:
    found = model.neutralised(newcomers.X, [["friends"], ["income"]], {"social"})
    assert not found.effect[:, 0].any()
    assert found.effect[:, 1].any()
    names = list(newcomers.X.columns)
    assert not found.used[:, names.index("friends")].any()
    assert not found.known[:, names.index("friends")].any()
    assert found.used[:, names.index("income")].all()


def test_a_pattern_with_a_booster_of_its_own_is_neutralised_with_that_one(quick) -> None:
    """Behaviour is a noisy copy of income but for its sign: without it income must count for more."""
    rng = np.random.default_rng(0)
    late, income = rng.normal(size=1500), rng.normal(size=1500)
    X = pd.DataFrame({"late": late, "income": income, "swing": income + 0.3 * rng.normal(size=1500)})
    log_odds = -1.0 + 0.6 * late + 1.2 * np.abs(income) - 0.8 * X["swing"]
    y = (rng.random(1500) < 1 / (1 + np.exp(-log_odds))).astype(int)
    columns = {"credit_history": ["late"], "ability": ["income"], "behaviour": ["swing"]}
    model = CreditScoreModel(columns, booster=quick, own_booster_gap=0.0, unconstrained_price=False).fit(X, y)
    assert {p.booster for p in model._state.learned.patterns} == {0, 1}
    withheld = [frozenset({"behaviour"} if row % 2 else ()) for row in range(6)]
    found = model.neutralised(X.head(6), [["income"], ["late", "swing"]], withheld)
    wanted = [
        [score_without(model, x, group, frozenset(columns) - out) for group in (["income"], ["late", "swing"])]
        for x, out in zip(X.head(6).to_numpy(), withheld, strict=True)
    ]
    np.testing.assert_allclose(found.unclipped, wanted, rtol=0, atol=1e-9)


def test_groups_of_other_features_are_refused(model, newcomers) -> None:
    with pytest.raises(FeatureColumnsError, match="got 1 others"):
        model.neutralised(newcomers.X, [["income"], ["shoe_size"]])
    with pytest.raises(FeatureColumnsError, match="got a single name"):
        model.neutralised(newcomers.X, ["income"])
