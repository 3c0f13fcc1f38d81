"""The scorecard that banks know: bins, weights of evidence, logistic regression, by OptBinning."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from benne.experiments.challengers.rival import Floats, Lesson, Rival

__all__ = ["fit_scorecard"]

_INSTALL: Final = "needs the package optbinning: pip install 'benne[challengers]'"
_AS_OBSERVED: Final = {"metric_special": "empirical", "metric_missing": "empirical"}


def fit_scorecard(lesson: Lesson) -> Rival:
    """Bin each column optimally, nulls in a bin of their own, and regress on the weights of evidence.

    Raises
    ------
    ModuleNotFoundError
        OptBinning is not installed; it comes with ``benne[challengers]``.
    """
    binning = _optbinning()
    columns = list(lesson.features.columns)
    card = binning.Scorecard(
        binning_process=binning.BinningProcess(columns), estimator=LogisticRegression(solver="newton-cholesky")
    )
    with _quiet():
        card.fit(lesson.features, lesson.bad, sample_weight=lesson.weight, **_AS_OBSERVED)
        evidence = card.binning_process_.transform(lesson.features, metric="woe", **_AS_OBSERVED)
    return Rival(lambda features: _log_odds(card, features), int((np.ptp(evidence.to_numpy(), axis=0) > 0).sum()))


def _log_odds(card: Any, features: pd.DataFrame) -> Floats:
    with _quiet():
        return np.asarray(card.decision_function(features), dtype=np.float64)


def _optbinning() -> Any:
    try:
        import optbinning
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"The scorecard {_INSTALL}", name=error.name) from error
    return optbinning


@contextmanager
def _quiet() -> Iterator[None]:
    """OptBinning 1.0 does what pandas 3 deprecates, which is none of our reader's business."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="optbinning")
        yield
