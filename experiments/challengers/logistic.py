"""Logistic regression on the raw columns."""

from __future__ import annotations

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benne.experiments.challengers.rival import Lesson, Rival

__all__ = ["fit_logistic"]


def fit_logistic(lesson: Lesson) -> Rival:
    """Fill nulls with the median and mark them, scale, fit with scikit-learn's default penalty.

    A null in these features mostly says that something never happened, so each column that has
    any gets an indicator beside it: without, the regression would be blamed for the imputation.
    """
    pipeline = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        # Newton's steps end at the optimum itself, whatever the columns' correlation.
        LogisticRegression(solver="newton-cholesky"),
    )
    features = lesson.features
    pipeline.fit(features.to_numpy(dtype=np.float64), lesson.bad, logisticregression__sample_weight=lesson.weight)
    return Rival(
        lambda rows: np.asarray(pipeline.decision_function(rows.to_numpy(dtype=np.float64)), dtype=np.float64),
        # A column that never varied has nothing to weigh.
        int((features.nunique(dropna=False) > 1).sum()),
    )
