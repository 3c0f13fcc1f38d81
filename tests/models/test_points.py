"""The points kernel against three oracles that share no code with it: brute force, LightGBM's own, shap's C code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pytest
import shap

from benne.errors import ModelDirectoryError, ModelError
from benne.models.points import AdditiveTrees, forest

Floats = npt.NDArray[np.float64]
COLUMNS, CATEGORIES = 6, 3
OWNER = np.arange(COLUMNS) % CATEGORIES
ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, -1e-36, 1e300, -1e300, 2.0**31, -1.0, -0.5)
KINDS: dict[str, dict[str, Any]] = {
    "numbers with nulls": {}, "without nulls": {"nulls": 0.0},
    "zero as missing": {"zero_as_missing": True}, "missing not used": {"use_missing": False},
    "categories": {"of": [1, 4]},
}  # fmt: skip


def _trained(seed: int, kind: str, depth: int, trees: int) -> tuple[lgb.Booster, Floats]:
    """A random booster whose trees each use one category, and rows to try it on, strange ones among them."""
    options = dict(KINDS[kind])
    nulls, categorical, rng = options.pop("nulls", 0.15), options.pop("of", []), np.random.default_rng(seed)
    X = np.round(rng.normal(size=(400, COLUMNS)) * rng.choice([0.5, 2.0, 50.0]), int(rng.integers(0, 3)))
    for column in categorical:
        X[:, column] = rng.integers(0, 70, size=len(X))
    X[rng.random(X.shape) < nulls] = np.nan
    y = (np.nan_to_num(X) @ rng.normal(size=COLUMNS) + rng.logistic(size=len(X)) > 0).astype(int)
    parameters = {
        "objective": "binary", "max_depth": depth, "num_leaves": 2**depth, "min_data_in_leaf": int(rng.integers(1, 20)),
        "interaction_constraints": [np.flatnonzero(c == OWNER).tolist() for c in range(CATEGORIES)],
        "learning_rate": 0.3, "seed": seed, "deterministic": True, "num_threads": 1, "verbosity": -1, **options,
    }  # fmt: skip
    tried = np.concatenate([X[:6], rng.choice(ODD, size=(4, COLUMNS)), rng.normal(size=(3, COLUMNS)) * 100])
    return lgb.train(parameters, lgb.Dataset(X, y, categorical_feature=categorical), trees), tried


def _kernel(booster: lgb.Booster) -> AdditiveTrees:
    return AdditiveTrees(booster.model_to_string(), OWNER, CATEGORIES, threads=1)


# ------------------------------------------------------------------ brute force


def _goes_left(node: Mapping[str, Any], value: float) -> bool:
    """LightGBM's decisions as its documentation describes them."""
    if node["decision_type"] == "==":
        return (
            not np.isnan(value) and -1 < value < 2**31 and int(value) in {int(c) for c in node["threshold"].split("||")}
        )
    if np.isnan(value) and node["missing_type"] != "NaN":
        value = 0.0
    missing = np.isnan(value) or (node["missing_type"] == "Zero" and abs(value) <= 1e-35)
    return bool(node["default_left"]) if missing else value <= node["threshold"]


def _worth(node: Mapping[str, Any], x: Floats, known: frozenset[int]) -> float:
    """What a tree says when only some columns are known: the rest is averaged over the training rows."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return _worth(left if _goes_left(node, x[node["split_feature"]]) else right, x, known)
    n_left, n_right = (c.get("internal_count", c.get("leaf_count")) for c in (left, right))
    return (n_left * _worth(left, x, known) + n_right * _worth(right, x, known)) / (n_left + n_right)


def _brute_force(trees: list[Mapping[str, Any]], x: Floats) -> Floats:
    everything = range(COLUMNS)
    sets = [frozenset(s) for size in range(COLUMNS + 1) for s in combinations(everything, size)]
    worth = {s: sum(_worth(tree["tree_structure"], x, s) for tree in trees) for s in sets}
    chance = [factorial(q) * factorial(COLUMNS - 1 - q) / factorial(COLUMNS) for q in range(COLUMNS)]
    return np.array([
        sum(chance[len(s)] * (worth[s | {j}] - worth[s]) for s in sets if j not in s) for j in everything
    ])  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_shapley_values_are_those_of_brute_force(seed: int, kind: str) -> None:
    booster, tried = _trained(seed, kind, depth=1 + seed % 5, trees=4)
    _, phi = _kernel(booster).contributions(tried)
    wanted = np.stack([_brute_force(booster.dump_model()["tree_info"], x) for x in tried])
    np.testing.assert_allclose(phi, wanted, rtol=0, atol=1e-9)


# ------------------------------------------------------------------ LightGBM


def _many(run: Callable[[int, str, int, int], None], seeds: range) -> None:
    kinds = list(KINDS)
    for seed in seeds:
        run(seed, kinds[seed % len(kinds)], 1 + seed % 8, int(np.random.default_rng(seed).integers(1, 60)))


def _equals_lightgbm(seed: int, kind: str, depth: int, trees: int) -> None:
    booster, tried = _trained(seed, kind, depth, trees)
    if kind != "categories":  # of a category beyond int32 LightGBM's own cast is undefined
        tried = np.concatenate([tried, np.full((1, COLUMNS), 2.0**40)])
    kernel = _kernel(booster)
    g, phi = kernel.contributions(tried)
    theirs = np.asarray(booster.predict(tried, pred_contrib=True, num_threads=1))
    what = f"seed {seed}, {kind}, depth {depth}, {trees} trees"
    np.testing.assert_allclose(phi, theirs[:, :-1], rtol=0, atol=1e-9, err_msg=what)
    np.testing.assert_allclose(
        g.sum(axis=1) + theirs[:, -1], booster.predict(tried, raw_score=True), rtol=0, atol=1e-9, err_msg=what
    )
    by_category = np.stack([phi[:, c == OWNER].sum(axis=1) for c in range(CATEGORIES)], axis=1)
    np.testing.assert_allclose(g, by_category, rtol=0, atol=1e-9, err_msg=what)


def test_values_are_lightgbms_for_models_of_every_shape() -> None:
    _many(_equals_lightgbm, range(80))


@pytest.mark.slow
def test_values_are_lightgbms_for_hundreds_of_models() -> None:
    _many(_equals_lightgbm, range(80, 600))


# ------------------------------------------------------------------ shap's C code


def _as_shap_tree(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A tree in the plain form that shap's own code takes."""
    nodes: list[dict[str, Any]] = []

    def add(node: Mapping[str, Any]) -> int:
        at = len(nodes)
        nodes.append({})
        inner = "leaf_value" not in node
        left, right = (add(node["left_child"]), add(node["right_child"])) if inner else (-1, -1)
        goes = inner and _goes_left(node, np.nan)
        nodes[at] = {
            "children_left": left, "children_right": right, "children_default": left if goes else right,
            "features": node.get("split_feature", -2), "thresholds": node.get("threshold", -2.0),
            "values": node.get("leaf_value", node.get("internal_value")),
            "node_sample_weight": node.get("internal_count", node.get("leaf_count")),
        }  # fmt: skip
        return at

    add(tree["tree_structure"])
    found = {name: np.array([node[name] for node in nodes]) for name in nodes[0]}
    whole = ("children_left", "children_right", "children_default", "features")
    arrays = {name: v.astype(np.int32 if name in whole else np.float64) for name, v in found.items()}
    return {**arrays, "values": arrays["values"].reshape(-1, 1)}


def _equals_shap(seed: int, depth: int) -> None:
    booster, tried = _trained(seed, "numbers with nulls", depth, trees=12)
    trees = [_as_shap_tree(tree) for tree in booster.dump_model()["tree_info"] if tree["num_leaves"] > 1]
    model = {"trees": trees, "internal_dtype": np.float64, "input_dtype": np.float64}
    tried = tried[np.isfinite(tried).all(axis=1) | np.isnan(tried).any(axis=1)]
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    theirs = explainer.shap_values(tried, check_additivity=False)
    np.testing.assert_allclose(_kernel(booster).contributions(tried)[1], theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_values_are_those_of_shaps_own_code(seed: int) -> None:
    _equals_shap(seed, depth=1 + seed % 6)


# ------------------------------------------------------------------ bits


@pytest.mark.parametrize("depth", [3, 5, 7])
def test_a_row_alone_equals_the_row_in_a_batch_bit_for_bit(depth: int) -> None:
    booster, tried = _trained(7, "numbers with nulls", depth, trees=30)
    rows = np.tile(tried, (700, 1))
    alone = [_kernel(booster).contributions(tried[i : i + 1]) for i in range(len(tried))]
    g, phi = AdditiveTrees(booster.model_to_string(), OWNER, CATEGORIES, threads=2).contributions(rows)
    assert g.tobytes() == np.tile(np.concatenate([one[0] for one in alone]), (700, 1)).tobytes()
    assert phi.tobytes() == np.tile(np.concatenate([one[1] for one in alone]), (700, 1)).tobytes()
    assert _kernel(booster).category_functions(rows).tobytes() == g.tobytes(), "wanting features changes no score"


def test_the_shape_of_memory_changes_nothing_and_no_rows_are_no_trouble() -> None:
    booster, tried = _trained(3, "numbers with nulls", 3, trees=10)
    kernel = _kernel(booster)
    _, phi = kernel.contributions(tried)
    assert kernel.contributions(np.asfortranarray(tried))[1].tobytes() == phi.tobytes()
    assert kernel.contributions(np.repeat(tried, 2, axis=0)[::2])[1].tobytes() == phi.tobytes()
    assert kernel.contributions(tried[:0])[1].shape == (0, COLUMNS)


def test_a_booster_without_a_split_gives_everybody_nothing() -> None:
    booster = lgb.train(
        {"objective": "binary", "verbosity": -1}, lgb.Dataset(np.zeros((50, COLUMNS)), np.arange(50) % 2), 3
    )
    g, phi = _kernel(booster).contributions(np.ones((4, COLUMNS)))
    assert not g.any()
    assert not phi.any()


def test_a_node_without_training_rows_is_refused() -> None:
    booster, _ = _trained(1, "numbers with nulls", 2, trees=1)
    text = booster.model_to_string()
    (line,) = [line for line in text.splitlines() if line.startswith("leaf_count=")]
    forged = text.replace(line, "leaf_count=0 " + line.split(" ", 1)[1])
    with pytest.raises(ModelDirectoryError, match="Every node of a score model must have training rows, got one with"):
        AdditiveTrees(forged, OWNER, CATEGORIES)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_without_tables_the_values_are_the_same(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    booster, tried = _trained(11, "numbers with nulls", depth, trees=20)
    tabled = _kernel(booster).contributions(tried)
    monkeypatch.setattr(forest, "_SMALL_TREE", -1)
    monkeypatch.setattr(forest, "_LARGEST_LEAF_TABLES", -1)
    plain = _kernel(booster)
    assert (plain._forest.leaf_cell == -1).all()
    for found, wanted in zip(plain.contributions(tried), tabled, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


def test_trees_laid_out_for_category_functions_alone_give_the_same_and_explain_nothing() -> None:
    booster, tried = _trained(11, "numbers with nulls", 5, trees=20)
    plain = AdditiveTrees(booster.model_to_string(), OWNER, CATEGORIES, threads=1, explains=False)
    np.testing.assert_allclose(plain.category_functions(tried), _kernel(booster).category_functions(tried), atol=1e-12)
    with pytest.raises(ModelError, match="must have been laid out to explain"):
        plain.contributions(tried)
