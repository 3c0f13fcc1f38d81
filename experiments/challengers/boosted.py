"""LightGBM without any constraint: neither categories nor directions hold it back."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from benne.experiments.challengers.rival import Lesson, Rival
from benne.experiments.members import members_of
from benne.models import BoosterOptions
from benne.models.additive_booster import BoosterRecipe, Folds, cross_fit, refit
from benne.models.cross_fitting import codes_of, folds_of
from benne.models.trained_booster import folds_within

__all__ = ["fit_lightgbm"]


def fit_lightgbm(lesson: Lesson) -> Rival:
    """Train as our own booster is trained, on the same folds, with no groups and no directions.

    The folds choose the number of trees, then one booster learns from all rows. What it says is
    taken as it is: nothing is calibrated afterwards.
    """
    model = lesson.model
    recipe = BoosterRecipe(model.booster or BoosterOptions(), int(model.random_state), None, [])
    X, bad = lesson.features.to_numpy(dtype=np.float64), lesson.bad.astype(np.float64)
    trees = cross_fit(recipe, X, bad, lesson.weight, _folds(lesson, recipe)).trees
    booster = lgb.Booster(model_str=refit(recipe, X, bad, lesson.weight, trees))
    return Rival(
        # One thread: sums are then the same on every machine.
        lambda features: np.asarray(
            booster.predict(features.to_numpy(dtype=np.float64), raw_score=True, num_threads=1), dtype=np.float64
        ),
        int(np.count_nonzero(booster.feature_importance("split"))),
    )


def _folds(lesson: Lesson, recipe: BoosterRecipe) -> Folds:
    """The folds of our own fit, which were drawn over rows that withhold something too."""
    train = lesson.train
    moment = codes_of(lesson.time, len(train.bad), "time")
    every = folds_of(train.bad, members_of(train.features), moment, recipe.options.folds, recipe.seed)
    return folds_within(every, lesson.whole, train.bad)[0]
