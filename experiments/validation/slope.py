"""The slope of what happened on what was predicted, with an interval that allows for chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benne.experiments.measure import Measure
from benne.models.calibration import Z95

__all__ = ["slope_measures"]

Floats = npt.NDArray[np.float64]


def slope_measures(
    log_odds: Floats, bad: Floats, members: npt.NDArray[np.intp], slope: float, intercept: float
) -> dict[str, Measure]:
    """The slope with its 95 % interval, and how far 1 lies outside that.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Predicted log odds of bad.
    bad : ndarray of float64, shape (n,)
    members : ndarray of int, shape (n,)
        Rows of one member share a number, and count as one for the interval.
    slope, intercept : float
        Of the logistic regression of ``bad`` on ``log_odds``.

    Returns
    -------
    dict of str to Measure
        ``calibration.slope`` and ``calibration.slope_miss``.

    Notes
    -----
    Standard error: the sandwich of White (Econometrica 50, 1982) with sums of scores over members.

    Examples
    --------
    >>> from benne.models.weight_contract import slope_and_intercept
    >>> rng = np.random.default_rng(0)
    >>> log_odds = rng.normal(-2.0, 1.0, 1000)
    >>> bad = (rng.random(1000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    >>> for said in (log_odds, 3.0 * log_odds):  # right, and three times too sure
    ...     fitted = slope_and_intercept(said, bad, np.ones(1000))
    ...     found = slope_measures(said, bad, np.arange(1000), *fitted)
    ...     print(round(found["calibration.slope"].value, 2), round(found["calibration.slope_miss"].value, 2))
    0.91 0.0
    0.3 0.63
    """
    error = _standard_error(log_odds, bad, members, slope, intercept)
    low, high = slope - Z95 * error, slope + Z95 * error
    miss = max(low - 1.0, 1.0 - high, 0.0)
    return {
        "calibration.slope": Measure(value=slope, low=low, high=high, n=len(bad)),
        "calibration.slope_miss": Measure(
            value=miss, n=len(bad), note=f"the slope is {slope:.2f}, its interval {low:.2f} to {high:.2f}"
        ),
    }


def _standard_error(
    log_odds: Floats, bad: Floats, members: npt.NDArray[np.intp], slope: float, intercept: float
) -> float:
    design = np.column_stack([log_odds, np.ones_like(log_odds)])
    fitted = expit(slope * log_odds + intercept)
    inverse = np.linalg.pinv((design * (fitted * (1.0 - fitted))[:, None]).T @ design)
    scores = design * (bad - fitted)[:, None]
    place = np.unique(members, return_inverse=True)[1]
    of_members = np.column_stack([np.bincount(place, weights=column) for column in scores.T])
    return float(np.sqrt((inverse @ (of_members.T @ of_members) @ inverse)[0, 0]))
