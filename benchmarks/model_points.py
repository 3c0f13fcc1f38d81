"""The points kernel: how fast, how right, how soon and how large, beside LightGBM's predict and pred_contrib."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from model_world import categories_of, named, rows_of

from benne.features.categories import CATEGORIES
from benne.models import BoosterOptions, CreditScoreModel
from benne.models.points import AdditiveTrees

__all__ = ["agreement", "explain", "first_call", "grow", "speed"]

Floats = npt.NDArray[np.float64]

COLUMNS: Final = 60
_SEED_OF_ROWS: Final = 1
_REPEATS: Final = 5
_WARM: Final = 200
_ORACLES: Final = Path(__file__).parent.parent / "tests" / "models"


def grow(out: str, depth: int, trees: int, rows: int) -> dict[str, Any]:
    """Train a booster whose trees each use one of five categories, and write its text."""
    X, bad = rows_of(rows, COLUMNS)
    owner = categories_of(COLUMNS)
    parameters = {
        "objective": "binary", "max_depth": depth, "num_leaves": 2**depth, "learning_rate": 0.05, "num_threads": 1,
        "interaction_constraints": [np.flatnonzero(owner == c).tolist() for c in range(len(CATEGORIES))],
        "verbosity": -1, "seed": 0,
    }  # fmt: skip
    booster = lgb.train(parameters, lgb.Dataset(X, bad), trees)
    Path(out).write_text(booster.model_to_string(), encoding="utf-8")
    return {"trees": booster.num_trees()}


def _kernel(text: str) -> AdditiveTrees:
    return AdditiveTrees(Path(text).read_text(encoding="utf-8"), categories_of(COLUMNS), len(CATEGORIES), threads=1)


# ------------------------------------------------------------------- how fast


def speed(text: str, rows: int, rows_of_theirs: int, single: int) -> dict[str, Any]:
    """Rows a second of one thread, and what one row takes; all in turns, the best of several counts."""
    begin = time.perf_counter()
    kernel = _kernel(text)
    X, _ = rows_of(rows, COLUMNS, _SEED_OF_ROWS)
    kernel.contributions(X[:_WARM])
    made = time.perf_counter() - begin
    booster, few = kernel.booster, X[:rows_of_theirs]
    times = _best({
        "points": lambda: kernel.contributions(X),
        "categories": lambda: kernel.category_functions(X),
        "predict": lambda: booster.predict(X, raw_score=True, num_threads=1),
        "pred_contrib": lambda: booster.predict(few, pred_contrib=True, num_threads=1),
    })  # fmt: skip
    counts = {"pred_contrib": len(few)}
    found: dict[str, Any] = {name: counts.get(name, rows) / seconds for name, seconds in times.items()}
    if single:
        asked = [X[k : k + 1] for k in range(single)]
        found["one_row"] = _latencies(kernel.contributions, asked)
        found["one_row_contrib"] = _latencies(
            lambda row: booster.predict(row, pred_contrib=True, num_threads=1), asked[: single // 3]
        )
    return found | {"table_mb": _megabytes(kernel), "made": made}


def _best(works: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds of each, the best of several; in turns, so that a busy machine is busy for all."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(_REPEATS):
        for name, work in works.items():
            begin = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - begin)
    return {name: min(every) for name, every in taken.items()}


def _latencies(work: Callable[[Any], Any], rows: Sequence[Any]) -> dict[str, float]:
    """p50 and p99 in microseconds over rows that differ, one at a time; the first ones only warm up."""
    taken = np.empty(len(rows))
    for k, row in enumerate(rows):
        begin = time.perf_counter()
        work(row)
        taken[k] = time.perf_counter() - begin
    p50, p99 = np.percentile(taken[len(rows) // 10 :] * 1e6, [50, 99])
    return {"p50": float(p50), "p99": float(p99)}


def _megabytes(kernel: AdditiveTrees) -> float:
    return sum(array.nbytes for array in kernel._forest) / 1e6


def first_call(text: str) -> dict[str, Any]:
    """What a fresh process takes until its first points, importing counted apart."""
    row = rows_of(1, COLUMNS, _SEED_OF_ROWS)[0]
    begin = time.perf_counter()
    kernel = _kernel(text)
    made = time.perf_counter()
    kernel.contributions(row)
    return {"made": made - begin, "first": time.perf_counter() - made}


def explain(rows: int, trees: int, single: int) -> dict[str, Any]:
    """The whole estimator on one row, checks and frames included, in microseconds."""
    X, bad = rows_of(rows, COLUMNS)
    frame, categories = named(X)
    # So slowly that the folds want all the trees.
    options = BoosterOptions(max_trees=trees, patience=trees, learning_rate=0.025)
    model = CreditScoreModel(categories=categories, booster=options, own_booster_gap=None).fit(frame, bad)
    asked = [frame.iloc[[k]] for k in range(single)]
    found: dict[str, Any] = {
        name: _latencies(work, asked) for name, work in (("explain", model.explain), ("score", model.predict_score))
    }
    return found | {"trees": model.booster_.num_trees(), "largest_gap": model.explain(frame).largest_gap}


# ------------------------------------------------------------------- how right


def agreement(text: str, rows: int, few: int) -> dict[str, float]:
    """Largest difference of any feature's value from three that share no code with ours.

    ``pred_contrib``, and shap's own code by its plain form of a model, on all rows; brute force over all sets
    of a tree's columns on a few.
    """
    import shap

    oracles: Any = _oracles()
    kernel = _kernel(text)
    X, _ = rows_of(rows, COLUMNS, _SEED_OF_ROWS)
    g, phi = kernel.contributions(X)
    theirs = np.asarray(kernel.booster.predict(X, pred_contrib=True, num_threads=1))
    trees = [tree for tree in kernel.booster.dump_model()["tree_info"] if tree["num_leaves"] > 1]
    plain: dict[str, Any] = {"trees": [oracles._as_shap_tree(tree) for tree in trees]}
    plain |= {"internal_dtype": np.float64, "input_dtype": np.float64}
    explainer = shap.TreeExplainer(plain, feature_perturbation="tree_path_dependent")
    by_shap = explainer.shap_values(X, check_additivity=False)
    forced = np.stack([sum(_brute_force(tree["tree_structure"], x, oracles._worth) for tree in trees) for x in X[:few]])
    margin = kernel.booster.predict(X, raw_score=True, num_threads=1)
    return {
        "pred_contrib": float(np.abs(phi - theirs[:, :-1]).max()),
        "shap": float(np.abs(phi - by_shap).max()),
        "brute force": float(np.abs(phi[:few] - forced).max()),
        "margin": float(np.abs(g.sum(axis=1) + theirs[:, -1] - margin).max()),
    }


def _oracles() -> Any:
    """The tests' readers of LightGBM's dumped trees, written from its documentation, not from our kernel."""
    sys.path.append(str(_ORACLES))
    return import_module("test_points")


def _brute_force(tree: Any, x: Floats, worth: Callable[[Any, Floats, frozenset[int]], float]) -> Floats:
    """Shapley values of one tree by their definition, over all sets of the columns that it uses."""
    used, values = sorted(_columns(tree)), np.zeros(COLUMNS)
    known = {s: worth(tree, x, s) for size in range(len(used) + 1) for s in map(frozenset, combinations(used, size))}
    chance = [factorial(q) * factorial(len(used) - 1 - q) / factorial(len(used)) for q in range(len(used))]
    for column in used:
        values[column] = sum(chance[len(s)] * (known[s | {column}] - v) for s, v in known.items() if column not in s)
    return values


def _columns(node: Any) -> set[int]:
    if "leaf_value" in node:
        return set()
    below: Sequence[set[int]] = [_columns(node["left_child"]), _columns(node["right_child"])]
    return {int(node["split_feature"])}.union(*below)
