"""Folds: grouped, ordered in time, or stratified."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from benne.errors import ParameterError
from benne.models.additive_booster import Folds

__all__ = ["codes_of", "folds_of"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def folds_of(bad: Floats, group: Indices | None, moment: Indices | None, folds: int, seed: int) -> Folds:
    """Split rows into (train, held-out) folds.

    With ``moment``, each fold is trained on what was observed strictly before its held-out
    rows; the earliest block is only ever trained on. With ``group``, no group stands on
    both sides. With both, both hold.

    Parameters
    ----------
    bad : ndarray of float64, shape (n,)
    group : ndarray of int, shape (n,), or None
        E.g. the person behind several observations.
    moment : ndarray of int, shape (n,), or None
        Rank in time.
    folds : int
        At most; fewer where a class, or the groups, are fewer.
    seed : int

    Raises
    ------
    ParameterError
        If too little is left to form two folds.
    """
    if moment is not None:
        return _usable(_time_folds(moment, group, folds), bad)
    count = min(folds, int(np.bincount(bad.astype(np.intp)).min()))
    if group is None:
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(bad, bad))
    count = min(count, len(np.unique(group)))
    if count < 2:
        raise ParameterError("groups must name at least two groups to cross-fit, got one. Leave `groups` out.")
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return _usable(list(splitter.split(bad, bad, group)), bad)


def codes_of(values: Any, rows: int, name: str) -> Indices | None:
    """Rank of each value among the distinct ones, shape (n,); None for None.

    Raises
    ------
    ParameterError
        If there is not one value per row, or one is null.
    """
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape != (rows,):
        raise ParameterError(f"{name} must have one value for each of the {rows} rows, got shape {array.shape}.")
    if np.asarray(pd.isna(array)).any():
        raise ParameterError(f"{name} must have a value in every row, got nulls. Fill them or leave those rows out.")
    try:
        return np.asarray(np.unique(array, return_inverse=True)[1].ravel(), dtype=np.intp)
    except (TypeError, ValueError):  # the cause may quote a value
        raise ParameterError(f"{name} must hold values of one sort that can be ordered. Convert them.") from None


def _time_folds(moment: Indices, group: Indices | None, folds: int) -> Folds:
    ordered = np.sort(moment)
    edges = np.unique(ordered[[len(ordered) * k // (folds + 1) for k in range(1, folds + 1)]])
    pairs = []
    for start, stop in zip(edges, [*edges[1:], ordered[-1] + 1], strict=True):
        train, held = np.flatnonzero(moment < start), np.flatnonzero((moment >= start) & (moment < stop))
        if group is not None:
            train = train[~np.isin(group[train], group[held])]
        pairs.append((train, held))
    return pairs


def _usable(pairs: Folds, bad: Floats) -> Folds:
    kept = [(train, held) for train, held in pairs if len(held) and 0 < bad[train].sum() < len(train)]
    if len(kept) < 2:
        raise ParameterError(
            "Cross-fitting needs two folds with both classes to train on. Give more groups or moments."
        )
    return kept
