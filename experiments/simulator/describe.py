"""What simulated features carry: stand-alone signal by category, coverage by feature, constants refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from benne.errors import SimulationError
from benne.experiments.simulator.timeline import Floats, Ints
from benne.features.consent_mask import split_mask

__all__ = ["WorldDescription", "describe"]

_FOLDS: Final = 4
_KEYS: Final = ["subject_id", "as_of"]
_BOOSTER: Final = {
    "objective": "binary",
    "learning_rate": 0.1,
    "max_depth": 3,
    "num_leaves": 7,
    "min_data_in_leaf": 40,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
_ROUNDS: Final = 60


@dataclass(frozen=True)
class WorldDescription:
    """What the features of a world carry.

    Parameters
    ----------
    categories : DataFrame
        One row per category: ``features``, ``observations`` (consented), ``auc`` (stand-alone,
        cross-validated; NaN with fewer than ten of either class).
    features : DataFrame
        One row per feature: ``category``, ``coverage`` (share not null of the consented
        observations), ``distinct`` values, ``constant``.
    """

    categories: pd.DataFrame
    features: pd.DataFrame

    @property
    def constant(self) -> list[str]:
        """Features with fewer than two distinct values."""
        return [str(name) for name in self.features.index[self.features["constant"]]]

    def refuse_constant(self) -> None:
        """Fail the build where a feature says nothing.

        Raises
        ------
        SimulationError
            Naming every constant feature.
        """
        if self.constant:
            raise SimulationError(
                f"Every feature must vary in the simulated world, got a constant {', '.join(self.constant)}. "
                "Let the simulator draw what it reads, or drop the feature."
            )


def describe(
    features: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    categories: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    threads: int = 1,
) -> WorldDescription:
    """Describe built features beside their outcomes.

    A category is judged on the observations that consent to it, by a small booster,
    four-fold; all observations of one member are in one fold.

    Parameters
    ----------
    features : DataFrame
        From :func:`benne.features.build_features`: indexed by (``subject_id``, ``as_of``), with
        or without the consent columns.
    outcomes : DataFrame
        ``subject_id``, ``as_of``, ``bad``; null where censored.
    categories : mapping of str to sequence of str, optional
        Category to its columns; by default the registry's.
    seed : int
        Of the folds.
    threads : int
        Of LightGBM; on tables this small and a busy machine, more than one is slower.

    Returns
    -------
    WorldDescription

    Raises
    ------
    SimulationError
        If no outcome belongs to any observation, or one has two.
    """
    values, mask = split_mask(features)
    groups = _groups(values, categories)
    bad = _labels(features, outcomes)
    folds = _folds(features, seed)
    by_category, by_feature = [], []
    for category, columns in groups.items():
        consented = np.ones(len(values), dtype=bool) if mask is None else mask[category].to_numpy()
        table = values.loc[consented, list(columns)]
        by_feature += [_feature(category, table[column]) for column in columns]
        known = consented & ~np.isnan(bad)
        auc = _stand_alone_auc(values.loc[known, list(columns)].to_numpy(), bad[known], folds[known], threads)
        by_category.append((category, len(columns), int(consented.sum()), auc))
    return WorldDescription(
        pd.DataFrame(by_category, columns=["category", "features", "observations", "auc"]).set_index("category"),
        pd.DataFrame(by_feature, columns=["feature", "category", "coverage", "distinct", "constant"]).set_index(
            "feature"
        ),
    )


def _groups(values: pd.DataFrame, categories: Mapping[str, Sequence[str]] | None) -> Mapping[str, Sequence[str]]:
    if categories is not None:
        return categories
    from benne.features import registry  # the builders register when it is first wanted

    return registry.categories_of(values.columns)


def _labels(features: pd.DataFrame, outcomes: pd.DataFrame) -> Floats:
    """1.0, 0.0 or NaN for each observation, in the order of ``features``."""
    if outcomes.duplicated(_KEYS).any():
        raise SimulationError("Outcomes must hold one row per subject_id and as_of, got repeats. Drop them.")
    labels = outcomes.set_index(_KEYS)["bad"].reindex(features.index)
    bad = labels.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(bad).all():
        raise SimulationError(
            "Outcomes must belong to the observations in features, got none that does. "
            "Key their member ids with the same SubjectKey."
        )
    return np.asarray(bad, dtype=np.float64)


def _folds(features: pd.DataFrame, seed: int) -> Ints:
    """A fold for each observation; one member is in one fold."""
    member, subjects = pd.factorize(features.index.get_level_values("subject_id"))
    of_member = np.random.default_rng(seed).permutation(len(subjects)) % _FOLDS
    return np.asarray(of_member[member], dtype=np.int64)


def _feature(category: str, values: pd.Series) -> tuple[str, str, float, int, bool]:
    distinct = int(values.nunique())
    coverage = float(values.notna().mean()) if len(values) else 0.0
    # A flag that is null for everybody it does not concern still tells two kinds of member apart.
    constant = distinct + int(0 < coverage < 1) < 2
    return str(values.name), category, coverage, distinct, constant


def _stand_alone_auc(values: npt.NDArray[np.float64], bad: Floats, folds: Ints, threads: int) -> float:
    if min(np.sum(bad == 1), np.sum(bad == 0)) < 2 * _FOLDS:
        return float("nan")
    margin = np.empty(len(bad))
    for fold in range(_FOLDS):
        held = folds == fold
        data = lgb.Dataset(values[~held], bad[~held], params={"verbosity": -1})
        booster = lgb.train(_BOOSTER | {"num_threads": threads}, data, num_boost_round=_ROUNDS)
        margin[held] = booster.predict(values[held], raw_score=True, num_threads=threads)
    return float(roc_auc_score(bad, margin))
