"""An oracle that shares no code with the kernels: trees of ``dump_model()``, walked by plain recursion."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from benne.models import CreditScoreModel

Floats = npt.NDArray[np.float64]


def says(node: Mapping[str, Any], x: Floats, unknown: Collection[int]) -> float:
    """What a tree says of a row, both ways taken by training rows where a column is not known."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in unknown:
        rows = [child["leaf_count"] if "leaf_value" in child else child["internal_count"] for child in (left, right)]
        parts = (rows[0] * says(left, x, unknown), rows[1] * says(right, x, unknown))
        return sum(parts) / sum(rows)
    return says(left if _left(node, float(x[node["split_feature"]])) else right, x, unknown)


def _left(node: Mapping[str, Any], value: float) -> bool:
    if node["decision_type"] == "==":
        among = {int(category) for category in node["threshold"].split("||")}
        return not math.isnan(value) and -1 < value < 2**31 and int(value) in among
    if math.isnan(value) and node["missing_type"] != "NaN":
        value = 0.0
    if math.isnan(value) or (node["missing_type"] == "Zero" and abs(value) <= 1e-35):
        return bool(node["default_left"])
    return bool(value <= node["threshold"])


def columns_of(node: Mapping[str, Any]) -> frozenset[int]:
    """Every column that a tree compares."""
    if "leaf_value" in node:
        return frozenset()
    return frozenset({node["split_feature"]}) | columns_of(node["left_child"]) | columns_of(node["right_child"])


@cache
def dumped(booster: lgb.Booster) -> list[tuple[Mapping[str, Any], frozenset[int]]]:
    """Every tree that splits, and its columns."""
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    return [(tree, columns_of(tree)) for tree in trees if "leaf_value" not in tree]


def score_without(model: CreditScoreModel, row: Floats, unknown: Collection[str], used: frozenset[str]) -> float:
    """The score before it is held at an end, of a row of which some features are not known.

    From the saved multipliers and intercept of the pattern, the trees of its booster, and the scale.
    """
    state = model._state
    (pattern,) = [p for p in state.learned.patterns if p.used == used]
    names, of = list(state.rules.columns), state.layout.column_category
    multiplier = dict(zip(range(len(state.layout.names)), pattern.multipliers, strict=True))
    out = frozenset(names.index(name) for name in unknown)
    log_odds = pattern.intercept
    for tree, columns in dumped(model._function.trees[pattern.booster].booster):
        (category,) = {of[column] for column in columns}
        log_odds += multiplier[category] * (says(tree, row, out & columns) - says(tree, row, columns))
    scale = state.scale
    return scale.base_score + scale.pdo * math.log2(math.exp(-log_odds) / scale.base_odds)
