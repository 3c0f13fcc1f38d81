"""Discrimination and calibration of several models on the same rows, each beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.models.resampling import METRICS, Resampler, price_table

__all__ = ["FIGURES", "CalibrationError", "figures_table"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

FIGURES: Final = (*METRICS, "ece")
"""Columns of a table of figures: AUC, KS, Brier score, log loss, expected calibration error."""

_BINS: Final = 10
_LEVEL: Final = (0.025, 0.975)
_ONE_SIDED_95: Final = 1.6448536269514722


class CalibrationError:
    """Expected calibration error of one prediction, under any weights of the rows.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Predicted log odds of bad.
    bad : ndarray of float64, shape (n,)

    Notes
    -----
    The bins are the prediction's own deciles on all rows, and stay while the weights change: a
    resample then asks the same question of other members. They are the bins of
    :func:`benne.models.calibration.calibration_report`, and so is the figure.

    Examples
    --------
    >>> error = CalibrationError(np.log([1 / 3, 1 / 3, 3.0, 3.0]), np.array([0.0, 1.0, 1.0, 1.0]))
    >>> error.under(np.ones(4)), error.under(np.array([3.0, 1.0, 1.0, 1.0]))
    (0.25, 0.08333333333333333)
    >>> round(error.by_chance(), 4)  # of two bins, sqrt(2 / pi * 2 * 3/16) each, over four rows
    0.2443
    >>> round(error.by_chance(np.array([0, 0, 1, 1])), 4)  # two members: sqrt(2 / pi) * 2 * sqrt(3/16) each
    0.3455
    """

    def __init__(self, log_odds: Floats, bad: Floats) -> None:
        edges = np.quantile(log_odds, np.arange(1, _BINS) / _BINS)
        self._bin = np.searchsorted(edges, log_odds, side="left")
        pd_of = expit(log_odds)
        self._gap, self._variance = pd_of - bad, pd_of * (1.0 - pd_of)

    def under(self, weight: Floats) -> float:
        """The error where each row counts as often as its weight says."""
        by_bin = np.bincount(self._bin, weights=weight * self._gap, minlength=_BINS)
        return float(np.abs(by_bin).sum() / weight.sum())

    def by_chance(self, members: Indices | None = None) -> float:
        """The error to expect where every PD is right, by the luck of who turned bad; each bin taken as normal.

        Parameters
        ----------
        members : ndarray of int, shape (n,), optional
            Rows of one member share a number; by default each row is of another.
        """
        deviation = np.sqrt(np.diag(self._covariance(members)))
        return float(np.sqrt(2.0 / np.pi) * deviation.sum() / len(self._gap))

    def beyond_chance(self, members: Indices | None = None) -> float:
        """How far the error lies above what 95 of 100 models whose PDs are right would stay under; 0 where it does not.

        Parameters
        ----------
        members : ndarray of int, shape (n,), optional
            As for :meth:`by_chance`.

        Notes
        -----
        A bin's absolute gap is half-normal, with mean ``sqrt(2 v / pi)`` and variance ``v (1 - 2 / pi)``. Of rows that
        are each of another member, ``v`` is the sum of ``pd (1 - pd)``. A member's rows are taken as fully alike,
        turning bad together or not at all, in the same bin and in others: that is the most that chance can do. A model
        whose PDs are right is then not found wrong more often for several rows of a member; where they are less alike,
        one whose PDs are wrong must be wrong by more. The sum over ten bins is taken as normal, which makes 95 of 100
        into 93 where every member has a row in each.
        """
        covariance = self._covariance(members)
        deviation = np.sqrt(np.diag(covariance))
        product = np.outer(deviation, deviation)
        alike = np.clip(np.divide(covariance, product, out=np.zeros_like(product), where=product > 0), 0.0, 1.0)
        # Covariance of the absolute values of two normal variables whose correlation is ``alike``
        both = product * (2.0 / np.pi) * (np.sqrt(1.0 - alike**2) + alike * np.arcsin(alike) - 1.0)
        spread = float(np.sqrt(both.sum())) / len(self._gap)
        return max(0.0, self.under(np.ones(len(self._gap))) - self.by_chance(members) - _ONE_SIDED_95 * spread)

    def _covariance(self, members: Indices | None) -> Floats:
        """Of the sums of gaps in bins, shape (bins, bins), if PDs are right and a member's rows are fully alike."""
        if members is None:
            return np.diag(np.bincount(self._bin, weights=self._variance, minlength=_BINS))
        place = np.unique(members, return_inverse=True)[1]
        cells = np.bincount(
            place * _BINS + self._bin, weights=np.sqrt(self._variance), minlength=_BINS * (1 + place.max())
        )
        of_members = cells.reshape(-1, _BINS)
        return np.asarray(of_members.T @ of_members)


def figures_table(predictions: Mapping[str, Floats], bad: Floats, resampler: Resampler) -> pd.DataFrame:
    """Figures of several models on the same rows, with paired bootstrap intervals.

    Parameters
    ----------
    predictions : mapping of str to ndarray of float64, shape (n,)
        Log odds of bad of each model; the last is ours, with which the others are compared.
    bad : ndarray of float64, shape (n,)
    resampler : Resampler
        Over the n rows.

    Returns
    -------
    DataFrame
        One row per model. For each of :data:`FIGURES` the value, its 95 % interval (``_low``,
        ``_high``), and ours minus this model (``_difference``) with its paired 95 % interval.

    Notes
    -----
    A calibration error cannot be negative, so resampling alone makes it larger: read the
    interval of its difference, in which that cancels, rather than its own.
    """
    table = price_table(predictions, bad, np.ones(len(bad)), resampler)
    table.columns = table.columns.str.replace("_price", "_difference")
    return table.join(_calibration_columns(predictions, bad, resampler))


def _calibration_columns(predictions: Mapping[str, Floats], bad: Floats, resampler: Resampler) -> pd.DataFrame:
    errors = [CalibrationError(log_odds, bad) for log_odds in predictions.values()]
    value = np.array([error.under(np.ones(len(bad))) for error in errors])
    drawn = np.array([[error.under(counts) for error in errors] for counts in resampler.counts()])
    low, high = np.quantile(drawn, _LEVEL, axis=0)
    less_low, less_high = np.quantile(drawn[:, -1:] - drawn, _LEVEL, axis=0)
    columns = {
        "ece": value, "ece_low": low, "ece_high": high,
        "ece_difference": value[-1] - value, "ece_difference_low": less_low, "ece_difference_high": less_high,
    }  # fmt: skip
    return pd.DataFrame(columns, index=pd.Index(list(predictions), name="model"))
