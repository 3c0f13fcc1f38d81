"""How well predicted probabilities of bad agree with what happened.

The calibration itself, Platt's slope and intercept on out-of-fold log odds, is the contract
programme (:func:`benne.models.weight_contract.solve_contract`); this only reports on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.models.resampling import metrics_of
from benne.models.scale import ScoreScale
from benne.models.weight_contract import slope_and_intercept

__all__ = ["Z95", "CalibrationReport", "calibration_report", "wilson_interval"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_BINS = 10
Z95 = 1.959963984540054
"""Half the width of a 95 % interval in standard errors, where the error is normal."""


@dataclass(frozen=True)
class CalibrationReport:
    """Calibration of one pattern of consent, out of fold.

    Parameters
    ----------
    rows : int
    ece : float
        Expected calibration error over deciles of the predicted PD.
    brier, log_loss : float
    slope, intercept : float
        Of a logistic regression of bad on the predicted log odds; 1 and 0 are perfect.
    by_decile, by_band : DataFrame
        Rows, mean predicted PD, observed bad rate and its 95 % Wilson interval.
    """

    rows: int
    ece: float
    brier: float
    log_loss: float
    slope: float
    intercept: float
    by_decile: pd.DataFrame
    by_band: pd.DataFrame


def calibration_report(
    log_odds: Floats, bad: Floats, scale: ScoreScale, sample_weight: Floats | None = None
) -> CalibrationReport:
    """Compare log odds of bad with outcomes, each of shape (n,)."""
    weight = np.ones(len(bad)) if sample_weight is None else sample_weight
    figures = metrics_of(log_odds, bad, weight)
    slope, intercept = slope_and_intercept(log_odds, bad, weight)
    by_decile = _reliability(_deciles(log_odds), log_odds, bad, weight)
    bands = scale.band(scale.score(log_odds))
    order = {band.name: k for k, band in enumerate(scale.bands)}
    by_band = _reliability(np.array([order[b] for b in bands.tolist()], dtype=np.intp), log_odds, bad, weight)
    by_band.index = pd.Index([scale.bands[k].name for k in by_band.index], name="band")
    gap = (by_decile["predicted"] - by_decile["observed"]).abs()
    ece = float((gap * by_decile["weight"]).sum() / by_decile["weight"].sum())
    return CalibrationReport(len(bad), ece, figures["brier"], figures["log_loss"], slope, intercept, by_decile, by_band)


def wilson_interval(bad: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Wilson's 95 % interval of a bad rate.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Examples
    --------
    >>> low, high = wilson_interval(np.array([1.0]), np.array([10.0]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.0179, 0.4042)
    """
    p, z2 = bad / rows, Z95**2
    centre = (p + z2 / (2.0 * rows)) / (1.0 + z2 / rows)
    half = Z95 * np.sqrt(p * (1.0 - p) / rows + z2 / (4.0 * rows**2)) / (1.0 + z2 / rows)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)  # rounding leaves zero and one behind


def _deciles(log_odds: Floats) -> Indices:
    edges = np.quantile(log_odds, np.arange(1, _BINS) / _BINS)
    return np.asarray(np.searchsorted(edges, log_odds, side="left"), dtype=np.intp)


def _reliability(bins: Indices, log_odds: Floats, bad: Floats, weight: Floats) -> pd.DataFrame:
    frame = pd.DataFrame({"bin": bins, "rows": 1.0, "weight": weight, "predicted": weight * expit(log_odds)})
    frame["bad"], frame["observed"] = bad, weight * bad
    sums = frame.groupby("bin").sum()
    low, high = wilson_interval((sums["observed"] / sums["weight"] * sums["rows"]).to_numpy(), sums["rows"].to_numpy())
    return pd.DataFrame(
        {
            "rows": sums["rows"].astype(np.int64),
            "weight": sums["weight"],
            "predicted": sums["predicted"] / sums["weight"],
            "observed": sums["observed"] / sums["weight"],
            "observed_low": low,
            "observed_high": high,
        }
    )
