"""A few trees for every category that the others leave none for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

__all__ = ["FEWEST_TREES", "feed_starved", "trees_by_group"]

Floats = npt.NDArray[np.float64]

FEWEST_TREES: Final = 20
"""Trees a category gets at least: enough for the shape of its function, whose size the contract sets."""

_FIRST_SPLIT = re.compile(r"^split_feature=(\d+)", re.M)


def trees_by_group(text: str, groups: list[list[int]]) -> list[int]:
    """How many trees of a text model split on each group's columns."""
    owner = {column: k for k, group in enumerate(groups) for column in group}
    counts = [0] * len(groups)
    for column in _FIRST_SPLIT.findall(text):
        counts[owner[int(column)]] += 1
    return counts


def feed_starved(
    text: str,
    groups: list[list[int]],
    parameters: Mapping[str, Any],
    X: Floats,
    bad: Floats,
    weight: Floats | None,
) -> str:
    """Go on boosting with one starved category after the other.

    Boosting takes the best split each time, so that a weak category may have no tree at all by
    the time the others stop. It must carry its contracted weight nevertheless, and what it
    adds to the others is what the further trees are fitted to.

    Parameters
    ----------
    text : str
        LightGBM text model.
    groups : list of list of int
        Columns of each category.
    parameters : mapping
        Of LightGBM, as ``text`` was trained with.
    X : ndarray of float64, shape (n, features)
    bad : ndarray of float64, shape (n,)
    weight : ndarray of float64, shape (n,), or None

    Returns
    -------
    str
        The same trees, followed by at most :data:`FEWEST_TREES` for each starved category; a
        category without a possible split stays as it is.
    """
    counts = trees_by_group(text, groups)
    for group, count in zip(groups, counts, strict=True):
        if count < FEWEST_TREES:
            # Columns outside every interaction group are not split on; a small group needs all of its own.
            alone = {**parameters, "interaction_constraints": [group], "feature_fraction": 1.0}
            data = lgb.Dataset(X, bad, weight=weight, params=alone, free_raw_data=False)
            booster = lgb.train(alone, data, FEWEST_TREES - count, init_model=lgb.Booster(model_str=text))
            text = str(booster.model_to_string())
    return text
