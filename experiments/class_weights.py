"""What class weights do to a score: measured, because it is the reason why training has no such option."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.base import clone

from benne.experiments.training import TrainingSplit, train_on
from benne.models import CreditScoreModel, withheld_of
from benne.models.resampling import Resampler, price_table

__all__ = ["balanced_weights", "compare_class_weights"]

Floats = npt.NDArray[np.float64]


def balanced_weights(bad: Floats) -> Floats:
    """Weights under which both classes count alike, with mean 1; scikit-learn's ``"balanced"``.

    Examples
    --------
    >>> balanced_weights(np.array([1.0, 0.0, 0.0, 0.0])).round(4).tolist()
    [2.0, 0.6667, 0.6667, 0.6667]
    """
    share = bad.mean()
    return np.asarray(np.where(bad == 1.0, 0.5 / share, 0.5 / (1.0 - share)))


def compare_class_weights(split: TrainingSplit, model: CreditScoreModel, *, seed: int = 0) -> pd.DataFrame:
    """Train with class weights and without, and measure both on the same test rows, as they are.

    Parameters
    ----------
    split : TrainingSplit
        Without weights of its own.
    model : CreditScoreModel
        Not fitted here.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Rows ``class weights`` and ``none``: ``auc``, ``ks``, ``brier``, ``log_loss`` with intervals as
        :func:`benne.models.resampling.price_table` has them (``…_price``: none minus class
        weights), ``ece``, ``mean_pd``, ``bad_rate``.
    """
    weighted = dataclasses.replace(split.train, weight=balanced_weights(split.train.bad))
    splits = {"class weights": dataclasses.replace(split, train=weighted), "none": split}
    runs = {name: train_on(one, clone(model), seed=seed) for name, one in splits.items()}
    test = runs["none"].test
    withheld = withheld_of(test.features)
    log_odds = {name: run.model.decision_function(test.features, withheld) for name, run in runs.items()}
    ones = np.ones(len(test.bad))
    table = price_table(log_odds, test.bad, ones, Resampler(len(test.bad), None, seed))
    return table.assign(
        ece=[run.evaluation.metrics["ece"] for run in runs.values()],
        mean_pd=[float(expit(odds).mean()) for odds in log_odds.values()],
        bad_rate=float(test.bad.mean()),
    )
