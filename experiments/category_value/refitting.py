"""The same model with a category and without it, on the same training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from benne.errors import ParameterError, WeightContractError
from benne.experiments.labelling import LabelledRows
from benne.experiments.training import TrainingSplit
from benne.features import registry, split_mask
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel, withheld_of
from benne.models.category_layout import layout_of
from benne.models.consent_patterns import allowed_patterns
from benne.models.fewer_columns import options_without

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["categories_in", "columns_without", "consents_to", "fitted_on", "fitted_without"]


def categories_in(model: CreditScoreModel, features: pd.DataFrame) -> dict[str, list[str]]:
    """Columns of each category, as a fit of this model on these features would have them.

    Raises
    ------
    ParameterError
        If there are fewer than two categories: one alone has nothing to be compared with.
    """
    columns = split_mask(features)[0].columns
    if isinstance(model.categories, Mapping):
        found = {name: list(held) for name, held in model.categories.items()}
    elif model.categories is None:
        found = registry.categories_of(columns)
    else:
        found = {}
    if len(found) < 2:
        raise ParameterError("The worth of a category needs two or more of them, got fewer. Name the categories.")
    return found


def fitted_on(split: TrainingSplit, model: CreditScoreModel, tolerance: Any) -> CreditScoreModel | None:
    """A fresh fit with every category; None where the weights cannot hold."""
    return _fit(split, _quick(model).set_params(tolerance=tolerance))


def fitted_without(
    split: TrainingSplit, model: CreditScoreModel, category: str, tolerance: Any
) -> CreditScoreModel | None:
    """A fresh fit without one category, weights renormalised; None where the weights cannot hold.

    Training rows that lack what a score without the category would need are left out.
    """
    categories = categories_in(model, split.train.features)
    left = {name: held for name, held in categories.items() if name != category}
    weights = None if model.weights is None else {name: w for name, w in model.weights.items() if name != category}
    if isinstance(tolerance, Mapping):
        tolerance = {name: width for name, width in tolerance.items() if name != category}
    fresh = _quick(model).set_params(categories=left, weights=weights, tolerance=tolerance)
    before = list(split_mask(split.train.features)[0].columns)
    if fresh.booster is not None:
        fresh.set_params(booster=options_without(fresh.booster, before, categories[category]))
    train = LabelledRows(
        columns_without(split.train.features, categories[category]), split.train.bad, {}, split.train.weight
    )
    layout = layout_of(list(split_mask(train.features)[0].columns), left, weights, tolerance)
    allowed = set(allowed_patterns(layout))
    used = [frozenset(left) - withheld for withheld in withheld_of(train.features)]
    keep = np.array([one in allowed for one in used], dtype=bool)
    return _fit(TrainingSplit(train.part(keep, {}), split.test, split.how), fresh)


def columns_without(features: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Features without the columns of a category; its consent column stays and says nothing to the model."""
    return features.drop(columns=[name for name in columns if name in features.columns])


def _fit(split: TrainingSplit, model: CreditScoreModel) -> CreditScoreModel | None:
    try:
        return split.fit(model)
    except WeightContractError:
        return None


def _quick(model: CreditScoreModel) -> CreditScoreModel:
    """Without what costs much and changes no score of the full pattern."""
    fresh: CreditScoreModel = clone(model).set_params(own_booster_gap=None, unconstrained_price=False)
    return fresh


def consents_to(features: pd.DataFrame, category: str) -> npt.NDArray[np.bool_]:
    """Rows that give a category; a category of one's own that has no consent column is given by all, shape (n,)."""
    column = MASK_COLUMNS.get(category)
    if column is None or column not in features.columns:
        return np.ones(len(features), dtype=bool)
    return features[column].to_numpy(dtype=bool)
