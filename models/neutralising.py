"""Scores with a group of features not known, as if drawn from the members whom the trees were trained on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benne.errors import FeatureColumnsError
from benne.models.scale import SCORE_MAX, SCORE_MIN
from benne.models.score_function import ScoreFunction

__all__ = ["Neutralised", "columns_of_groups", "neutralise"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Neutralised:
    """n scores with each of g groups of features neutralised in turn.

    Parameters
    ----------
    effect : ndarray of float64, shape (n, g)
        Points by which the score rises where the group is not known, before it is held at an end of the scale: so a
        group has an effect even where the score stays at 350 or 950.
    unclipped : ndarray of float64, shape (n, g)
        Score with the group neutralised, before it is held at an end of the scale.
    score : ndarray of float64, shape (n, g)
        350 to 950.
    known, used : ndarray of bool, shape (n, features)
        Whether each feature has a value, and whether it may be used; in the model's order.

    Notes
    -----
    No member's row is kept, so what stands in for the reference distribution is what the trees know of it: each
    comparison on a neutralised feature follows both its branches, weighted by the training rows that took them. It is
    the value function of path-dependent TreeSHAP, the expectation given the other features. To neutralise everything
    gives the base.
    """

    effect: Floats
    unclipped: Floats
    score: Floats
    known: Bools
    used: Bools


def neutralise(function: ScoreFunction, X: Floats, codes: Indices, groups: tuple[tuple[int, ...], ...]) -> Neutralised:
    """Neutralise groups of columns, one after the other.

    Parameters
    ----------
    function : ScoreFunction
    X : ndarray of float64, shape (n, features)
        NaN where withheld; a withheld feature has no effect.
    codes : ndarray of int, shape (n,)
        Position of each row's pattern of consent.
    groups : tuple of tuple of int
        Columns of each group.
    """
    effect = function.effects_without(X, codes, groups)
    unclipped = function.lines(X, codes).unclipped[:, None] + effect
    names, of_column = function.layout.names, function.layout.categories_of_columns
    used = np.array([[name in pattern for name in names] for pattern in function.pattern_sets])[codes][:, of_column]
    return Neutralised(effect, unclipped, np.clip(unclipped, SCORE_MIN, SCORE_MAX), ~np.isnan(X), used)


def columns_of_groups(groups: Sequence[Collection[str]], columns: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Positions of the columns of each group.

    Raises
    ------
    FeatureColumnsError
        If a group names a column that the model has not, or is a single name.

    Examples
    --------
    >>> columns_of_groups([{"b"}, {"a", "b"}], ["a", "b"])
    ((1,), (0, 1))
    """
    place = {name: k for k, name in enumerate(columns)}
    if any(isinstance(group, str) for group in groups):
        raise FeatureColumnsError("Groups must be collections of features, got a single name. Put it into a list.")
    unknown = sum(name not in place for group in groups for name in group)
    if unknown:
        raise FeatureColumnsError(f"Groups must name features of the model, got {unknown} others. Leave them out.")
    return tuple(tuple(sorted({place[name] for name in group})) for group in groups)
