"""How good a score model is on rows it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.experiments.members import members_of
from benne.models import CalibrationReport, CreditScoreModel, withheld_of
from benne.models.calibration import calibration_report
from benne.models.resampling import Resampler, metrics_of, price_table

__all__ = ["Evaluation", "error_against_known_pd", "evaluate_model"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """A model on rows it has not seen.

    Parameters
    ----------
    rows : int
    bad_rate : float
    metrics : dict of str to float
        ``auc``, ``gini``, ``ks``, ``brier``, ``log_loss``, ``ece``, each AUC end of its 95 %
        bootstrap interval, and the share of scores clipped.
    calibration : CalibrationReport
        By decile and by band.
    shares : DataFrame
        Realised share of each category among rows that withhold none of the model's, with intervals.
    largest_gap : float
        Largest difference between a score and the sum of its explanation.
    """

    rows: int
    bad_rate: float
    metrics: dict[str, float]
    calibration: CalibrationReport
    shares: pd.DataFrame
    largest_gap: float


def evaluate_model(model: CreditScoreModel, features: pd.DataFrame, bad: Floats, *, seed: int = 0) -> Evaluation:
    """Score rows the model has not seen and compare with what happened.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features + 5)
        As :func:`benne.features.build_features` returns it, consent columns included.
    bad : ndarray of float64, shape (n,)
        1 where the member became bad, else 0.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Evaluation
    """
    withheld = withheld_of(features)
    log_odds = model.decision_function(features, withheld=withheld)
    explanation = model.explain(features, withheld=withheld)
    report = calibration_report(log_odds, bad, model.scale_)
    figures = metrics_of(log_odds, bad, np.ones(len(bad)))
    interval = price_table(
        {"model": log_odds}, bad, np.ones(len(bad)), Resampler(len(bad), members_of(features), seed)
    ).iloc[0]
    figures |= {
        "gini": 2.0 * figures["auc"] - 1.0,
        "ece": report.ece,
        "auc_low": float(interval["auc_low"]),
        "auc_high": float(interval["auc_high"]),
        "clipped_share": float(np.mean(explanation.clipped != 0.0)),
    }
    used = frozenset(model.contract_report_.shares.index)
    whole = np.array([not one & used for one in withheld])
    return Evaluation(
        rows=len(bad),
        bad_rate=float(bad.mean()),
        metrics=figures,
        calibration=report,
        shares=model.category_shares(features[whole]),
        largest_gap=explanation.largest_gap,
    )


def error_against_known_pd(log_odds: Floats, known_pd: Floats, bins: int = 10) -> float:
    """Expected calibration error against a PD that is known, as only a simulator's is.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Predicted log odds of bad.
    known_pd : ndarray of float64, shape (n,)
        The probability the outcome was drawn from.
    bins : int
        Equally filled bins of the prediction.

    Returns
    -------
    float
        Mean over rows of the bin's ``|mean predicted PD − mean known PD|``.

    Examples
    --------
    >>> error_against_known_pd(np.log(np.array([1.0, 1.0]) / 9.0), np.array([0.05, 0.15]), bins=1)
    0.0
    """
    edges = np.quantile(log_odds, np.arange(1, bins) / bins)
    frame = pd.DataFrame({"bin": np.searchsorted(edges, log_odds), "gap": expit(log_odds) - known_pd})
    by_bin = frame.groupby("bin")["gap"]
    return float(round((by_bin.mean().abs() * by_bin.size()).sum() / len(frame), 12))
