"""Our own model with the weights let go."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone

from benne.experiments.challengers.rival import Lesson, Rival
from benne.experiments.members import members_of
from benne.models import CreditScoreModel
from benne.models.category_layout import layout_of

__all__ = ["features_used", "fit_free_weights"]


def fit_free_weights(lesson: Lesson) -> Rival:
    """The same model, rows and folds with a tolerance of 1.

    Whether other patterns of consent had better have boosters of their own is not tried: nobody
    is compared on them.
    """
    train = lesson.train
    free: CreditScoreModel = clone(lesson.model).set_params(
        tolerance=1.0, own_booster_gap=None, unconstrained_price=False
    )
    free.fit(
        train.features, train.bad.astype(np.int64),
        sample_weight=train.weight, groups=members_of(train.features), time=lesson.time,
    )  # fmt: skip
    return Rival(free.decision_function, features_used(free))


def features_used(model: CreditScoreModel) -> int:
    """Columns of the model that some tree splits on, in categories that count for anything."""
    layout = layout_of(list(model.feature_names_in_), model.categories, model.weights)
    counts = model.contract_report_.shares["multiplier"].to_numpy()[layout.categories_of_columns] > 0
    return int(np.count_nonzero(counts & (model.booster_.feature_importance("split") > 0)))
