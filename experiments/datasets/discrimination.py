"""AUC of several models on the same held-out members, averaged over folds, with paired intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benne.models.resampling import Resampler, metrics_of

__all__ = ["Discrimination", "Interval"]

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float, float]
"""A value and its 95 % interval."""

_LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class Discrimination:
    """Mean over folds of each model's AUC, and how it varies over the same bootstrap resamples.

    A fold's members are ranked among themselves only: scores of models trained on different
    members need not share a level.

    Parameters
    ----------
    value : mapping of str to float
        Model to AUC.
    drawn : mapping of str to ndarray, shape (resamples,)
        The same in each resample; NaN where a fold drew one class only.
    """

    value: Mapping[str, float]
    drawn: Mapping[str, Floats] = field(repr=False)

    @classmethod
    def measure(
        cls, log_odds: Mapping[str, Floats], bad: Floats, fold: npt.NDArray[np.intp], resampler: Resampler
    ) -> Discrimination:
        """Measure models on held-out members.

        Parameters
        ----------
        log_odds : mapping of str to ndarray, shape (n,)
        bad : ndarray of float64, shape (n,)
        fold : ndarray of int, shape (n,)
            Which fold's model scored each member.
        resampler : Resampler
            Over the n members.
        """
        members = [np.flatnonzero(fold == number) for number in np.unique(fold)]
        ranked = {name: [rows[np.argsort(m[rows], kind="stable")] for rows in members] for name, m in log_odds.items()}
        counts = list(resampler.counts())
        everyone = np.ones(len(bad))
        return cls(
            value={name: _mean_auc(m, bad, everyone, ranked[name]) for name, m in log_odds.items()},
            drawn={
                name: np.array([_mean_auc(m, bad, weight, ranked[name]) for weight in counts])
                for name, m in log_odds.items()
            },
        )

    def of(self, model: str) -> Interval:
        """AUC of one model and its 95 % interval."""
        return self.value[model], *_quantiles(self.drawn[model])

    def difference(self, model: str, other: str) -> Interval:
        """AUC of ``model`` minus that of ``other``, and its paired 95 % interval."""
        return self.value[model] - self.value[other], *_quantiles(self.drawn[model] - self.drawn[other])


def _mean_auc(log_odds: Floats, bad: Floats, weight: Floats, members: list[npt.NDArray[np.intp]]) -> float:
    if any(weight[rows].sum() == 0 for rows in members):
        return float("nan")  # a resample may miss a small fold altogether
    return float(np.mean([metrics_of(log_odds[rows], bad[rows], weight[rows])["auc"] for rows in members]))


def _quantiles(drawn: Floats) -> tuple[float, float]:
    low, high = np.quantile(drawn[np.isfinite(drawn)], _LEVEL)
    return float(low), float(high)
