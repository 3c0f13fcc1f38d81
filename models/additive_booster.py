"""One LightGBM booster whose trees each use the features of a single category."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from benne.errors import ParameterError
from benne.models.starved_categories import feed_starved

__all__ = ["BoosterOptions", "FoldTrees", "Folds", "cross_fit", "refit", "without_extremes"]

Floats = npt.NDArray[np.float64]
Folds = list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]

_REFUSED = {
    "goss": "its cover counts shift the base of every score",
    "dart": "its trees change weight while it trains, which breaks the sums of points",
    "rf": "its trees are averaged, which breaks the sums of points",
    "random_forest": "its trees are averaged, which breaks the sums of points",
}
_REFUSED_NAMES = {
    "linear_tree": "linear leaves have no exact points",
    "linear_trees": "linear leaves have no exact points",
    "interaction_constraints": "the categories are the groups, and groups that overlap break the sums of points",
    "interaction_constraints_vector": "the categories are the groups, and groups that overlap break the sums of points",
    "zero_as_missing": "a zero is a value and a missing value is not",
    "use_missing": "a missing value must stay what it is",
    **dict.fromkeys(
        ("categorical_feature", "categorical_features", "categorical_column", "cat_feature", "cat_column"),
        "scored features are numeric",
    ),
}
_RESERVED = {
    "objective", "objective_type", "app", "application", "loss", "metric", "metrics", "num_class", "boosting",
    "boosting_type", "boost", "data_sample_strategy", "deterministic", "verbosity", "verbose", "seed",
    "random_state", "random_seed", "num_threads", "num_thread", "nthread", "nthreads", "n_jobs", "max_depth",
    "num_leaves", "num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes", "learning_rate", "shrinkage_rate",
    "eta", "num_iterations", "num_iteration", "n_iter", "num_tree", "num_trees", "num_round", "num_rounds", "nrounds",
    "num_boost_round", "n_estimators", "max_iter", "early_stopping_round", "early_stopping_rounds",
    "early_stopping", "n_iter_no_change", "monotone_constraints", "mc", "monotone_constraint",
    "monotonic_cst", "min_data_in_leaf", "min_data_per_leaf", "min_data", "min_child_samples",
    "min_samples_leaf", "lambda_l2", "reg_lambda", "lambda", "l2_regularization", "feature_fraction",
    "sub_feature", "colsample_bytree", "bagging_fraction", "sub_row", "subsample", "bagging",
    "bagging_freq", "subsample_freq",
}  # fmt: skip


_FEATURE_INFOS = re.compile(r"^(feature_infos=)(.*)$", re.M)
_EVERYTHING = "[-1e+300:1e+300]"

_WORTH_A_TREE = 1e-5
"""Log loss that ``patience`` trees together must save; on separable data it falls for ever."""


@dataclass(frozen=True)
class BoosterOptions:
    """How the booster is trained. Nothing here can break additivity by category.

    Parameters
    ----------
    max_depth : int, default=3
        Depth of the trees, 1 to 8.
    learning_rate : float, default=0.05
        In (0, 1].
    max_trees : int, default=1000
        Upper limit; the folds choose the number.
    patience : int, default=50
        Trees without a better mean loss over the folds before stopping.
    rows_in_leaf : int or None, default=None
        Fewest rows in a leaf; None takes a fortieth of the rows, at most 50.
    column_share, row_share : float, default=0.4, 0.7
        Share of columns, and of rows, that a tree may see, in (0, 1].
    l2 : float, default=10.0
        L2 penalty on leaves.
    folds : int, default=5
        Folds of the cross-fit, at least 2; fewer are used where a class has fewer rows.
    threads : int, default=0
        Folds trained, and LightGBM threads scoring, at a time; 0 takes every core. Results do not
        depend on it.
    monotone : mapping of str to {-1, 0, 1}, default={}
        Direction on the odds of bad of columns that are not registered features.
    extra : mapping of str to object, default={}
        Further LightGBM parameters by their names, e.g. ``{"max_bin": 127}``.
    """

    max_depth: int = 3
    learning_rate: float = 0.05
    max_trees: int = 1000
    patience: int = 50
    rows_in_leaf: int | None = None
    column_share: float = 0.4
    row_share: float = 0.7
    l2: float = 10.0
    folds: int = 5
    threads: int = 0
    monotone: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse options out of their domain, and those that break the sums of points, by name.

        Raises
        ------
        ParameterError
        """
        for name, (low, high, whole) in _DOMAINS.items():
            _check_number(name, getattr(self, name), low, high, whole)
        wrong = [name for name, direction in self.monotone.items() if direction not in (-1, 0, 1)]
        if wrong:
            raise ParameterError(f"monotone must map a column to -1, 0 or 1, got something else for {wrong[0]!r}.")
        for name, value in self.extra.items():
            _check_extra(name, value)


_DOMAINS: dict[str, tuple[float, float, bool]] = {
    "max_depth": (1, 8, True),
    "learning_rate": (1e-6, 1.0, False),
    "max_trees": (1, 100_000, True),
    "patience": (1, 100_000, True),
    "rows_in_leaf": (1, 10**9, True),
    "column_share": (1e-6, 1.0, False),
    "row_share": (1e-6, 1.0, False),
    "l2": (0.0, 1e12, False),
    "folds": (2, 100, True),
    "threads": (0, 4096, True),
}


def _check_number(name: str, value: object, low: float, high: float, whole: bool) -> None:
    if value is None and name == "rows_in_leaf":
        return
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        wanted = "a whole number" if whole else "a number"
        raise ParameterError(f"{name} of the booster must be {wanted} within [{low:g}, {high:g}], got {value!r}.")


def _check_extra(name: str, value: object) -> None:
    if str(value).lower() in _REFUSED or name.lower() in _REFUSED:
        key = str(value).lower() if str(value).lower() in _REFUSED else name.lower()
        raise ParameterError(f"LightGBM's {key!r} is refused: {_REFUSED[key]}. Leave {name!r} out of `extra`.")
    if name in _REFUSED_NAMES:
        raise ParameterError(f"LightGBM's {name!r} is refused: {_REFUSED_NAMES[name]}. Leave it out of `extra`.")
    if name in _RESERVED:
        raise ParameterError(
            f"LightGBM's {name!r} is set by BoosterOptions or the model itself. Leave it out of `extra`."
        )


@dataclass(frozen=True)
class FoldTrees:
    """Text models of the folds, each cut at the common number of trees."""

    texts: list[str]
    trees: int


def _parameters(options: BoosterOptions, rows: int, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "boosting": "gbdt",
        "data_sample_strategy": "bagging",
        "linear_tree": False,
        "use_missing": True,
        "zero_as_missing": False,
        "deterministic": True,
        "force_col_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
        "seed": seed,
        "num_threads": 1,
        "max_depth": options.max_depth,
        "num_leaves": 2**options.max_depth,
        "learning_rate": options.learning_rate,
        "min_data_in_leaf": options.rows_in_leaf or min(50, max(1, rows // 40)),
        "feature_fraction": options.column_share,
        "bagging_fraction": options.row_share,
        "bagging_freq": int(options.row_share < 1.0),
        "lambda_l2": options.l2,
        **options.extra,
    }


def _constrained(
    options: BoosterOptions, rows: int, seed: int, groups: list[list[int]], directions: list[int]
) -> dict[str, Any]:
    parameters = _parameters(options, rows, seed)
    if len(groups) > 1 or sum(map(len, groups)) < len(directions):
        parameters["interaction_constraints"] = groups
    if any(directions):
        parameters["monotone_constraints"] = directions
    return parameters


@dataclass(frozen=True)
class BoosterRecipe:
    """Everything a booster is trained from besides its rows.

    ``groups`` is None for the unconstrained booster that the price of the contract is measured against.
    """

    options: BoosterOptions
    seed: int
    groups: list[list[int]] | None
    directions: list[int]

    def parameters(self, rows: int) -> dict[str, Any]:
        """LightGBM parameters for a training set of so many rows."""
        if self.groups is None:
            return _parameters(self.options, rows, self.seed)
        return _constrained(self.options, rows, self.seed, self.groups, self.directions)

    @property
    def is_free(self) -> bool:
        """Whether nothing constrains it: one group and no directions."""
        return self.groups is None or (len(self.groups) == 1 and not any(self.directions))

    @property
    def may_starve(self) -> bool:
        """Whether several categories compete for trees."""
        return self.groups is not None and len(self.groups) > 1

    def fed(self, text: str, X: Floats, bad: Floats, weight: Floats | None) -> str:
        """The text model with a few trees for every category."""
        return feed_starved(text, self.groups or [], self.parameters(len(X)), X, bad, weight)

    def unconstrained(self) -> BoosterRecipe:
        """The same recipe without groups and directions."""
        return dataclasses.replace(self, groups=None)


@contextmanager
def _options_refused() -> Iterator[None]:
    """LightGBM's refusal as one of an option: everything else about a training set was checked before."""
    try:
        yield
    except lgb.basic.LightGBMError as error:
        raise ParameterError(f"LightGBM must accept the booster's options, got: {error}. Correct `extra`.") from None


@_options_refused()
def cross_fit(recipe: BoosterRecipe, X: Floats, bad: Floats, weight: Floats | None, folds: Folds) -> FoldTrees:
    """Train one booster per fold; the number of trees minimises their mean held-out log loss.

    Folds run side by side with one LightGBM thread each: that is faster than threads within
    a small tree, does not stall on a busy machine, and gives the same bytes.
    """
    parameters = recipe.parameters(min(len(train) for train, _ in folds))
    whole = lgb.Dataset(X, bad, weight=weight, params=parameters).construct()
    pairs = [(_subset(whole, train), _subset(whole, held)) for train, held in folds]
    threads = recipe.options.threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        fitted = list(pool.map(lambda pair: _train_fold(recipe.options, parameters, *pair), pairs))
    reached = min(len(curve) for _, curve in fitted)
    trees = 1 + int(np.argmin(np.mean([curve[:reached] for _, curve in fitted], axis=0)))
    texts = [str(booster.model_to_string(num_iteration=trees)) for booster, _ in fitted]
    if not recipe.may_starve:
        return FoldTrees(texts, trees)

    def fed(text: str, train: npt.NDArray[np.intp]) -> str:
        return recipe.fed(text, X[train], bad[train], None if weight is None else weight[train])

    with ThreadPoolExecutor(threads) as pool:
        return FoldTrees(list(pool.map(fed, texts, (train for train, _ in folds))), trees)


def _subset(whole: lgb.Dataset, rows: npt.NDArray[np.intp]) -> lgb.Dataset:
    return whole.subset(np.sort(rows).tolist()).construct()


def _train_fold(
    options: BoosterOptions, parameters: dict[str, Any], train: lgb.Dataset, held: lgb.Dataset
) -> tuple[lgb.Booster, list[float]]:
    """A booster and its held-out log loss after each tree."""
    curve: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        parameters,
        train,
        num_boost_round=options.max_trees,
        valid_sets=[held],
        valid_names=["held"],
        callbacks=[
            lgb.early_stopping(options.patience, verbose=False, min_delta=_WORTH_A_TREE),
            lgb.record_evaluation(curve),
        ],
    )
    return booster, curve["held"]["binary_logloss"]


@_options_refused()
def refit(recipe: BoosterRecipe, X: Floats, bad: Floats, weight: Floats | None, trees: int) -> str:
    """Train on all rows with the number of trees the folds chose; returns the text model without extremes."""
    parameters = recipe.parameters(len(X))
    data = lgb.Dataset(X, bad, weight=weight, params=parameters)
    booster = lgb.train(parameters, data, num_boost_round=trees)
    text = str(booster.model_to_string(num_iteration=trees))
    return without_extremes(recipe.fed(text, X, bad, weight) if recipe.may_starve else text)


def without_extremes(text: str) -> str:
    """The text model with a constant for the range of each column.

    LightGBM writes the smallest and largest training value of every column, each often one
    member's own, into its ``feature_infos``; neither scoring nor TreeSHAP reads them.
    """

    def scrubbed(line: re.Match[str]) -> str:
        return line[1] + " ".join(info if info == "none" else _EVERYTHING for info in line[2].split())

    return _FEATURE_INFOS.sub(scrubbed, text, count=1)
