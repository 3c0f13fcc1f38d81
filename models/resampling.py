"""Discrimination and calibration figures, and paired bootstrap intervals around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.models.weight_contract import influence_shares

__all__ = ["METRICS", "RESAMPLES", "Resampler", "metrics_of", "price_table", "share_intervals"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

RESAMPLES: Final = 200
METRICS: Final = ("auc", "ks", "brier", "log_loss")
_LEVEL: Final = (0.025, 0.975)


class Resampler:
    """Draws how often each row stands in a bootstrap resample; whole groups where there are groups."""

    def __init__(self, rows: int, groups: Indices | None, seed: int, resamples: int = RESAMPLES) -> None:
        self._unit = None if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
        self._units = rows if self._unit is None else int(self._unit.max()) + 1
        self._seed = seed
        self.resamples = resamples

    def counts(self) -> Iterator[Floats]:
        """The same draws at every call; each of shape (n,)."""
        rng = np.random.default_rng(self._seed)
        for _ in range(self.resamples):
            drawn = np.bincount(rng.integers(self._units, size=self._units), minlength=self._units)
            yield (drawn if self._unit is None else drawn[self._unit]).astype(np.float64)


class _Ranking:
    """One prediction, sorted once, so that each resample costs a few cumulative sums."""

    def __init__(self, log_odds: Floats, bad: Floats) -> None:
        self._order = np.argsort(log_odds, kind="stable")
        ordered = log_odds[self._order]
        self._ends = np.append(np.flatnonzero(np.diff(ordered) != 0), len(ordered) - 1)
        self._bad = bad[self._order]
        self._squared = (expit(log_odds) - bad) ** 2
        self._loss = np.logaddexp(0.0, log_odds) - bad * log_odds

    def figures(self, weight: Floats) -> Floats:
        """AUC, KS, Brier and log loss under row weights."""
        total = weight.sum()
        rows = weight[self._order]
        bad = np.cumsum(rows * self._bad)[self._ends]
        good = np.cumsum(rows * (1.0 - self._bad))[self._ends]
        auc = ks = np.nan
        if bad[-1] > 0 and good[-1] > 0:
            below = np.r_[0.0, good[:-1]]
            auc = float(np.diff(bad, prepend=0.0) @ (below + good) / (2.0 * bad[-1] * good[-1]))
            ks = float(np.abs(bad / bad[-1] - good / good[-1]).max())
        return np.array([auc, ks, weight @ self._squared / total, weight @ self._loss / total])


def metrics_of(log_odds: Floats, bad: Floats, weight: Floats) -> dict[str, float]:
    """AUC (ties count half), KS, Brier score and log loss of log odds of bad.

    Examples
    --------
    >>> figures = metrics_of(np.array([-1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]), np.ones(3))
    >>> figures["auc"], figures["ks"]
    (1.0, 1.0)
    """
    return dict(zip(METRICS, _Ranking(log_odds, bad).figures(weight).tolist(), strict=True))


def price_table(predictions: Mapping[str, Floats], bad: Floats, weight: Floats, resampler: Resampler) -> pd.DataFrame:
    """Figures of several models on the same rows, with paired bootstrap intervals.

    Parameters
    ----------
    predictions : mapping of str to ndarray of float64, shape (n,)
        Log odds of bad of each model; the last is what the others are compared with.
    bad, weight : ndarray of float64, shape (n,)
    resampler : Resampler

    Returns
    -------
    DataFrame
        One row per model; for each metric the value, its 95 % interval, and the last model
        minus this one with its paired 95 % interval (``auc_price`` below 0 is accuracy lost).
    """
    rankings = [_Ranking(m, bad) for m in predictions.values()]
    value = np.stack([r.figures(weight) for r in rankings])
    drawn = np.stack([[r.figures(weight * n) for r in rankings] for n in resampler.counts()])
    low, high = _interval(drawn)
    price, drawn_price = value[-1] - value, drawn[:, -1:, :] - drawn
    price_low, price_high = _interval(drawn_price)
    columns = {}
    for k, metric in enumerate(METRICS):
        columns[metric], columns[f"{metric}_low"], columns[f"{metric}_high"] = (
            value[:, k],
            low[:, k],
            high[:, k],
        )
        columns[f"{metric}_price"] = price[:, k]
        columns[f"{metric}_price_low"], columns[f"{metric}_price_high"] = price_low[:, k], price_high[:, k]
    return pd.DataFrame(columns, index=pd.Index(list(predictions), name="model"))


def share_intervals(contributions: Floats, resampler: Resampler) -> tuple[Floats, Floats, Floats]:
    """Shares of influence with their 95 % bootstrap interval; each of shape (categories,)."""
    drawn = np.stack([_weighted_shares(contributions, n) for n in resampler.counts()])
    low, high = _interval(drawn)
    return influence_shares(contributions), low, high


def _weighted_shares(contributions: Floats, counts: Floats) -> Floats:
    centre = counts @ contributions / counts.sum()
    each = counts @ np.abs(contributions - centre)
    total = float(each.sum())
    return np.asarray(each / total) if total > 0 else np.zeros_like(each)


def _interval(drawn: Floats) -> tuple[Floats, Floats]:
    """Quantiles over resamples; NaN where no resample held both classes."""
    possible = np.isfinite(drawn).all(axis=tuple(range(1, drawn.ndim)))
    if not possible.any():
        return np.full(drawn.shape[1:], np.nan), np.full(drawn.shape[1:], np.nan)
    low, high = np.quantile(drawn[possible], _LEVEL, axis=0)
    return low, high
