"""How well what a model sees tells what it must not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.fairness.groups import NOT_STATED, OTHERS, Grouping, whole_values
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.resampled import interval, resampled_sums
from benne.models.resampling import Resampler, metrics_of, price_table

__all__ = ["ALL", "proxies_in_order", "proxy_scan"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Fold = Callable[[Indices, Indices], Floats]

ALL: Final = "all together"
_FOLDS: Final = 5
_BINS: Final = 20
_TREES: Final = 80
_MOST_ROWS: Final = 20_000
_TELLING: Final = 0.55  # AUC below which one feature alone is no proxy worth dropping
_SHOWN: Final = 5  # features of each group, those that tell most


@dataclass(frozen=True)
class _Task:
    """One question: which rows are of a group, or what the number is."""

    attribute: str
    group: str
    rows: Indices = field(repr=False)
    target: Floats = field(repr=False)
    number: bool


def proxy_scan(
    inputs: pd.DataFrame,
    protected: pd.DataFrame,
    groupings: list[Grouping],
    members: Indices,
    options: FairnessOptions,
    seed: int,
) -> pd.DataFrame:
    """Predict each protected attribute out of fold, from all inputs together and from each alone.

    Parameters
    ----------
    inputs : DataFrame, shape (n, features)
        What the model sees, without its consent columns.
    protected : DataFrame, shape (n, attributes)
    groupings : list of Grouping
        Of single attributes; others are passed over.
    members : ndarray of int, shape (n,)
        A member's rows stay in one fold.
    options : FairnessOptions
    seed : int
        Of the folds, of the trees, and of which 20,000 members' rows are looked at where there are more.

    Returns
    -------
    DataFrame
        ``attribute``, ``group``, ``features`` (all together, then the five that tell most), ``measure``, ``value`` and
        its 95 % interval (``low``, ``high``), ``rows``, ``finding`` (``review``, ``INSUFFICIENT`` or empty), ``why``.

    Notes
    -----
    A group is told from all others: the measure is AUC, 0.5 is chance. An attribute that is a number is predicted as
    one: the measure is R2, 0 is chance and below it is worse. One feature predicts by the mean of its twentieth of the
    rows, learned on other folds, so any shape counts and a null is a value. Members who stated nothing are left out.
    """
    chosen, fold, bins = _looked_at(inputs, members, seed)
    values = inputs.iloc[chosen].to_numpy(dtype=np.float64)
    lines: list[dict[str, Any]] = []
    for task in _tasks(protected.iloc[chosen], groupings, chosen):
        lines += _scanned(task, values, bins, _Draws(fold, members[chosen], options, seed))
    return pd.DataFrame(lines)


def proxies_in_order(
    inputs: pd.DataFrame,
    protected: pd.DataFrame,
    groupings: list[Grouping],
    members: Indices,
    options: FairnessOptions,
    seed: int,
) -> list[str]:
    """Inputs by how well each alone tells any of the protected attributes, the one that tells most first.

    Arguments as :func:`proxy_scan`. Without those that alone tell nothing worth the name; groups with too few rows say
    nothing.
    """
    chosen, fold, bins = _looked_at(inputs, members, seed)
    strength = dict.fromkeys(bins, 0.0)
    for task in _tasks(protected.iloc[chosen], groupings, chosen):
        if _too_few(task, options.fewest_rows):
            continue
        for name, code in bins.items():
            told = _value(task, _out_of_fold(fold[task.rows], task.target, _by_bin(code[task.rows], task)))
            strength[name] = max(strength[name], told / 2.0 + 0.5 if task.number else told)
    telling = [name for name, told in strength.items() if told >= _TELLING]
    return sorted(telling, key=lambda name: (-strength[name], name))


@dataclass(frozen=True)
class _Draws:
    """Folds, and whatever else the intervals need."""

    fold: Indices
    members: Indices
    options: FairnessOptions
    seed: int


def _tasks(protected: pd.DataFrame, groupings: list[Grouping], chosen: Indices) -> Iterator[_Task]:
    for grouping in groupings:
        if grouping.joint:
            continue
        values = protected[grouping.attribute]
        if whole_values(values):
            rows = np.flatnonzero(values.notna().to_numpy())
            yield _Task(grouping.attribute, "", rows, values.iloc[rows].to_numpy(dtype=np.float64), True)
            continue
        code, names = grouping.code[chosen], grouping.names
        stated = [k for k, name in enumerate(names) if name not in (NOT_STATED, OTHERS)]
        rows = np.flatnonzero(np.isin(code, stated))
        for k in stated[1:] if len(stated) == 2 else stated:  # of two, one tells the other
            yield _Task(grouping.attribute, names[k], rows, (code[rows] == k).astype(np.float64), False)


def _scanned(task: _Task, values: Floats, bins: dict[str, Indices], draws: _Draws) -> list[dict[str, Any]]:
    about = {"attribute": task.attribute, "group": task.group, "measure": "R2" if task.number else "AUC"}
    few = draws.options.fewest_rows
    if _too_few(task, few):
        lacking = {"features": ALL, "value": np.nan, "low": np.nan, "high": np.nan, "rows": len(task.rows)}
        return [
            about | lacking | {"finding": "INSUFFICIENT", "why": f"fewer than {few} rows of the group or the others"}
        ]
    fold = draws.fold[task.rows]
    together = _out_of_fold(fold, task.target, _booster(values[task.rows], task, draws.seed))
    alone = {name: _out_of_fold(fold, task.target, _by_bin(code[task.rows], task)) for name, code in bins.items()}
    ranked = sorted(alone, key=lambda name: (-_value(task, alone[name]), name))[:_SHOWN]
    found = {ALL: together} | {name: alone[name] for name in ranked}
    return [about | _line(task, name, predicted, draws) for name, predicted in found.items()]


def _too_few(task: _Task, few: int) -> bool:
    return len(task.rows) < few or (not task.number and not few <= task.target.sum() <= len(task.rows) - few)


def _line(task: _Task, name: str, predicted: Floats, draws: _Draws) -> dict[str, Any]:
    value, low, high = _with_interval(task, predicted, draws)
    reached = (value / 2.0 + 0.5 if task.number else value) >= draws.options.proxy_from
    told = low > (0.0 if task.number else 0.5)
    return {
        "features": name, "value": value, "low": low, "high": high, "rows": len(task.rows),
        "finding": "review" if reached else "", "why": "tells more than chance" if told else "no more than chance",
    }  # fmt: skip


def _looked_at(inputs: pd.DataFrame, members: Indices, seed: int) -> tuple[Indices, Indices, dict[str, Indices]]:
    """Positions of the rows that are looked at, their folds, and each input in bins."""
    chosen = _chosen(members, seed)
    table = inputs.iloc[chosen]
    return chosen, _fold_of(members[chosen], seed), {str(name): _binned(table[name]) for name in table.columns}


def _chosen(members: Indices, seed: int) -> Indices:
    if len(members) <= _MOST_ROWS:
        return np.arange(len(members))
    order = np.random.default_rng(seed).permutation(int(members.max()) + 1)
    return np.sort(np.argsort(order[members], kind="stable")[:_MOST_ROWS])


def _fold_of(members: Indices, seed: int) -> Indices:
    number = np.unique(members, return_inverse=True)[1].ravel()
    return np.random.default_rng(seed).permutation(int(number.max()) + 1)[number] % _FOLDS


def _binned(column: pd.Series[Any]) -> Indices:
    """Twentieths of a column, the last for null."""
    held = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = held[~np.isnan(held)]
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else np.zeros(0)
    return np.where(np.isnan(held), len(edges) + 1, np.searchsorted(edges, held, side="left")).astype(np.intp)


def _out_of_fold(fold: Indices, target: Floats, predict: Fold) -> Floats:
    predicted = np.full(len(target), np.nan)
    for held in np.unique(fold):
        predicted[fold == held] = predict(np.flatnonzero(fold != held), np.flatnonzero(fold == held))
    return predicted


def _by_bin(code: Indices, task: _Task) -> Fold:
    def predict(train: Indices, held: Indices) -> Floats:
        rows = np.bincount(code[train], minlength=code.max() + 1)
        total = np.bincount(code[train], weights=task.target[train], minlength=code.max() + 1)
        mean = float(task.target[train].mean())
        return np.asarray(((total + mean) / (rows + 1.0))[code[held]])  # an empty bin says the mean

    return predict


def _booster(values: Floats, task: _Task, seed: int) -> Fold:
    options: dict[str, Any] = {
        "objective": "regression" if task.number else "binary", "learning_rate": 0.1, "max_depth": 4, "num_leaves": 15,
        "min_data_in_leaf": 20, "feature_fraction": 0.5, "seed": seed, "deterministic": True, "force_row_wise": True,
        "num_threads": 1, "verbosity": -1,
    }  # fmt: skip

    def predict(train: Indices, held: Indices) -> Floats:
        rows = lgb.Dataset(values[train], label=task.target[train], params={"verbosity": -1})
        booster = lgb.train(options, rows, num_boost_round=_TREES)
        return np.asarray(booster.predict(values[held], num_threads=1), dtype=np.float64)

    return predict


def _value(task: _Task, predicted: Floats) -> float:
    if task.number:
        return 1.0 - float(((task.target - predicted) ** 2).sum() / ((task.target - task.target.mean()) ** 2).sum())
    return metrics_of(predicted, task.target, np.ones(len(predicted)))["auc"]


def _with_interval(task: _Task, predicted: Floats, draws: _Draws) -> tuple[float, float, float]:
    resampler = Resampler(len(task.rows), draws.members[task.rows], draws.seed, draws.options.resamples)
    if not task.number:
        found = price_table({"scan": predicted}, task.target, np.ones(len(predicted)), resampler).iloc[0]
        return float(found["auc"]), float(found["auc_low"]), float(found["auc_high"])
    centred = task.target - task.target.mean()
    columns = np.column_stack([np.ones(len(centred)), centred, centred**2, (task.target - predicted) ** 2])
    rows, total, squares, error = resampled_sums(columns, np.zeros(len(centred), dtype=np.intp), 1, resampler)[:, 0].T
    r2 = 1.0 - error / (squares - total**2 / rows)
    low, high = interval(r2[1:])
    return float(r2[0]), float(low), float(high)
