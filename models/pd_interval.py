"""How far a member's own probability of turning bad may lie from the predicted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from benne.models.consent_patterns import by_pattern

__all__ = [
    "INTERVAL_LEVEL",
    "PdUncertainty",
    "jackknife_error",
    "pd_intervals",
    "spread_between_members",
    "typical_error",
]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

INTERVAL_LEVEL: Final = 0.9
"""How certain the intervals are that come with a score."""

_FIFTHS: Final = 5
_FEWEST_ROWS: Final = 50  # of thin files in a fifth, to say of them what holds for them alone
_FEWEST_GROUPS: Final = 200  # seen at least twice, to tell members from luck
_WIDEST: Final = 5.0
_GRID: Final = np.linspace(-25.0, 25.0, 2001)
_NODES, _CHANCES = np.polynomial.hermite_e.hermegauss(21)
_CHANCES = _CHANCES / _CHANCES.sum()


@dataclass(frozen=True)
class PdUncertainty:
    """What is not known about the PDs of one pattern of consent, in log odds.

    Parameters
    ----------
    edges : tuple of float
        Log odds that part the reference sample into fifths.
    error : tuple of float
        Typical error of the model itself in each fifth: how much its trees would differ had
        other members been drawn.
    thin_error : tuple of float
        The same for thin files.
    spread : float or None
        Standard deviation of members' own log odds around what the model can see of them;
        None where no outcomes of the same members at several moments told it.
    thin_spread : float or None
        The same for thin files, of which the model sees less.
    """

    edges: tuple[float, ...]
    error: tuple[float, ...]
    thin_error: tuple[float, ...]
    spread: float | None
    thin_spread: float | None


def jackknife_error(predictions: Floats) -> Floats:
    """Standard error of log odds from the boosters of the folds, each trained without one part of the rows.

    Parameters
    ----------
    predictions : ndarray of float64, shape (folds, n)

    Returns
    -------
    ndarray of float64, shape (n,)

    References
    ----------
    Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, ch. 11 (delete-a-group jackknife).
    """
    folds = len(predictions)
    return np.asarray(np.sqrt((folds - 1) * predictions.var(axis=0)))


def typical_error(
    log_odds: Floats, error: Floats, thin: Bools, spread: float | None, thin_spread: float | None
) -> PdUncertainty:
    """Sum up the errors on the reference sample so that no row of it is kept.

    Parameters
    ----------
    log_odds, error : ndarray of float64, shape (m,)
    thin : ndarray of bool, shape (m,)
    spread, thin_spread : float or None
    """
    edges = np.quantile(log_odds, np.arange(1, _FIFTHS) / _FIFTHS)
    fifth = np.searchsorted(edges, log_odds, side="right")
    whole, of_thin = [], []
    for k in range(_FIFTHS):
        inside = fifth == k
        whole.append(_root_mean_square(error[inside] if inside.any() else error))
        apart = error[inside & thin]
        of_thin.append(_root_mean_square(apart) if len(apart) >= _FEWEST_ROWS else whole[-1])
    return PdUncertainty(tuple(edges.tolist()), tuple(whole), tuple(of_thin), spread, thin_spread)


def spread_between_members(log_odds: Floats, bad: Floats, groups: Indices | None) -> float | None:
    """How much members of the same prediction differ, from members who were observed more than once.

    If all of one prediction had the same PD, what happens to a member at one moment would say
    nothing about another moment. How much it says is how much their PDs differ: the products of
    the residuals of one member are compared with what a normal spread of log odds gives.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Predicted out of fold, and calibrated.
    bad : ndarray of float64, shape (n,)
    groups : ndarray of int, shape (n,), or None
        The member behind each row.

    Returns
    -------
    float or None
        In log odds; None without enough members seen twice.

    Notes
    -----
    Outcome windows of one member should not overlap: the same event seen in both counts as agreement.
    """
    if groups is None:
        return None
    _, group, seen = np.unique(groups, return_inverse=True, return_counts=True)
    if (seen > 1).sum() < _FEWEST_GROUPS:
        return None
    agreement = _pairs(bad - expit(log_odds), group)
    low, high = 0.0, _WIDEST
    for _ in range(12):  # to a thousandth
        middle = (low + high) / 2.0
        if _expected_agreement(log_odds, group, middle) < agreement:
            low = middle
        else:
            high = middle
    return low


def pd_intervals(
    log_odds: Floats, thin: Bools, codes: Indices, uncertainties: Sequence[PdUncertainty], level: float
) -> Floats:
    """Within which members' own PDs lie with a certain chance, shape (n, 2).

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
    thin : ndarray of bool, shape (n,)
    codes : ndarray of int, shape (n,)
        Pattern of consent of each row.
    uncertainties : sequence of PdUncertainty
        Of each pattern.
    level : float
        In (0, 1).
    """
    bounds = np.empty((len(log_odds), 2))
    for code, own in by_pattern(codes):
        bounds[own] = np.column_stack(_interval(log_odds[own], thin[own], uncertainties[code], level))
    return bounds


def _interval(log_odds: Floats, thin: Bools, uncertainty: PdUncertainty, level: float) -> tuple[Floats, Floats]:
    fifth = np.searchsorted(uncertainty.edges, log_odds, side="right")
    error = np.where(thin, np.array(uncertainty.thin_error)[fifth], np.array(uncertainty.error)[fifth])
    spreads = uncertainty.spread or 0.0, uncertainty.thin_spread or 0.0
    half = NormalDist().inv_cdf((1.0 + level) / 2.0) * np.hypot(error, np.where(thin, *reversed(spreads)))
    centre = np.where(thin, *(_centre(log_odds, spread) for spread in reversed(spreads)))
    pd = expit(log_odds)  # the mean, which a low level may leave outside of what is around the median
    return np.minimum(expit(centre - half), pd), np.maximum(expit(centre + half), pd)


def _root_mean_square(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))


def _pairs(values: Floats, group: Indices) -> float:
    """Sum of the products of all pairs of one group."""
    return float((np.bincount(group, values) ** 2 - np.bincount(group, values**2)).sum() / 2.0)


def _expected_agreement(log_odds: Floats, group: Indices, spread: float) -> float:
    centre = _centre(log_odds, spread)
    together = [_pairs(expit(centre + spread * node), group) for node in _NODES]
    return float(_CHANCES @ together) - _pairs(expit(log_odds), group)


def _centre(log_odds: Floats, spread: float) -> Floats:
    """Log odds around which PDs spread whose mean is the predicted one."""
    return log_odds if spread == 0.0 else np.asarray(np.interp(log_odds, _means(spread), _GRID))


@lru_cache(maxsize=256)
def _means(spread: float) -> Floats:
    """Log odds of the mean PD of members who spread around each point of the grid."""
    return np.asarray(logit(expit(_GRID[:, None] + spread * _NODES) @ _CHANCES))
