"""A score taken apart so that it adds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pandas import DataFrame, Index, array, concat
from scipy.special import expit

from benne.models.pd_interval import INTERVAL_LEVEL, pd_intervals
from benne.models.percentiles import percentiles_of

if TYPE_CHECKING:
    from pandas._typing import ArrayLike

    from benne.models.fitting import Learned
    from benne.models.rarity import Rarity
    from benne.models.rows import ScoredRows
    from benne.models.score_function import ScoreFunction

__all__ = ["Explanation", "explained"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """Base, points and clipping of n scores: ``base + points.sum(axis=1) + clipped == score`` to 1e-9.

    All of it from one pass over the trees.

    Parameters
    ----------
    base : ndarray of float64, shape (n,)
        Score before anything is known, given which categories may be used.
    points : DataFrame of float64, shape (n, features)
        Exact Shapley value of each feature, in points; zero where withheld.
    category_points : DataFrame of float64, shape (n, categories)
        Sum of the category's points.
    clipped : ndarray of float64, shape (n,)
        What the ends of the scale, 350 and 950, add or take away; mostly zero.
    score : ndarray of float64, shape (n,)
        Bit for bit what ``predict_score`` gives.
    band : ndarray of str, shape (n,)
    pd : ndarray of float64, shape (n,)
        Probability of bad, from unclipped log odds; bit for bit what ``predict_proba`` gives.
    pd_low, pd_high : ndarray of float64, shape (n,)
        Interval of 90 % around it; see ``predict_interval``.
    percentile : ndarray of float64, shape (n,)
        See ``predict_percentile``.
    thin : ndarray of bool, shape (n,)
        Whether nothing is on record in some category that enters: scored, with a wider interval.
    withheld : tuple of frozenset of str, length n
        Categories that did not enter.
    rare : ndarray of bool, shape (n,), or None
        Whether there was little like the row to learn from: :mod:`benne.models.rarity`; None where the model was
        saved before that was kept.
    """

    base: Floats
    points: DataFrame
    category_points: DataFrame
    clipped: Floats
    score: Floats
    band: npt.NDArray[np.str_]
    pd: Floats
    pd_low: Floats
    pd_high: Floats
    percentile: Floats
    thin: npt.NDArray[np.bool_]
    withheld: tuple[frozenset[str], ...]
    rare: npt.NDArray[np.bool_] | None = None

    def table(self) -> DataFrame:
        """One row per score, one column per figure.

        Returns
        -------
        DataFrame, indexed as the rows that were explained
            ``score``, ``band``, ``pd``, ``pd_low``, ``pd_high``, ``percentile``, ``thin_file``, ``rare``
            (null where the model cannot tell), ``base``, ``clipped``, and ``points_<category>`` for each category.
        """
        figures = {
            "score": self.score, "band": self.band, "pd": self.pd, "pd_low": self.pd_low, "pd_high": self.pd_high,
            "percentile": self.percentile, "thin_file": self.thin, "rare": self._rare(), "base": self.base,
            "clipped": self.clipped,
        }  # fmt: skip
        points = self.category_points.add_prefix("points_")
        return concat([DataFrame(figures, index=points.index), points], axis=1)

    def _rare(self) -> ArrayLike:
        return array([None] * len(self.score), dtype="boolean") if self.rare is None else self.rare

    @property
    def largest_gap(self) -> float:
        """Largest difference between a score and the sum of its lines; below 1e-9."""
        total = self.base + self.points.to_numpy().sum(axis=1) + self.clipped
        return float(np.abs(total - self.score).max(initial=0.0))


def explained(
    function: ScoreFunction, rows: ScoredRows, learned: Learned, columns: Index[str], rarity: Rarity | None
) -> Explanation:
    """Take the scores of checked rows apart.

    Parameters
    ----------
    function : ScoreFunction
    rows : ScoredRows
    learned : Learned
        For intervals and percentiles.
    columns : Index of str
        Features, in the model's order.
    rarity : Rarity or None
        None where it is not known.
    """
    lines, points = function.explained(rows.X, rows.codes)
    low, high = pd_intervals(lines.log_odds, rows.thin, rows.codes, learned.uncertainty, INTERVAL_LEVEL).T
    return Explanation(
        base=lines.base,
        points=DataFrame(points, index=rows.index, columns=columns),
        category_points=DataFrame(lines.category_points, index=rows.index, columns=Index(function.layout.names)),
        clipped=lines.score - lines.unclipped,
        score=lines.score,
        band=function.scale.band(lines.score),
        pd=expit(lines.log_odds),
        pd_low=low,
        pd_high=high,
        percentile=percentiles_of(lines.score, rows.codes, learned.percentiles),
        thin=rows.thin,
        withheld=rows.withheld,
        rare=None if rarity is None else rarity.rare(rows.X),
    )
