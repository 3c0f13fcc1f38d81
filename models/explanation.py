"""A score taken apart so that it adds up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Explanation"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """Base, points and clipping of n scores: ``base + points.sum(axis=1) + clipped == score`` to 1e-9.

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
    withheld : tuple of frozenset of str, length n
        Categories that did not enter.
    """

    base: Floats
    points: pd.DataFrame
    category_points: pd.DataFrame
    clipped: Floats
    score: Floats
    withheld: tuple[frozenset[str], ...]

    @property
    def largest_gap(self) -> float:
        """Largest difference between a score and the sum of its lines; below 1e-9."""
        total = self.base + self.points.to_numpy().sum(axis=1) + self.clipped
        return float(np.abs(total - self.score).max(initial=0.0))
