"""From a feature matrix to log odds, points and scores: the one path that every answer takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benne.models.category_layout import CategoryLayout
from benne.models.points import AdditiveTrees
from benne.models.scale import SCORE_MAX, SCORE_MIN, ScoreScale

__all__ = ["PatternWeights", "ScoreFunction", "ScoreLines"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PatternWeights:
    """The contract solved for one pattern of consent.

    Parameters
    ----------
    used : frozenset of str
        Categories that enter.
    multipliers : tuple of float
        Of each category function; zero where withheld.
    intercept : float
        Log odds of bad at the expectation.
    booster : int
        Which of the model's boosters it is on; 0 is the shared one.
    """

    used: frozenset[str]
    multipliers: tuple[float, ...]
    intercept: float
    booster: int = 0


@dataclass(frozen=True)
class ScoreLines:
    """Log odds of bad (n,), base (n,), category points (n, categories), unclipped (n,) and clipped score (n,)."""

    log_odds: Floats
    base: Floats
    category_points: Floats
    unclipped: Floats
    score: Floats


class ScoreFunction:
    """Additive trees, one set of multipliers per pattern of consent, and a scale.

    ``trees`` holds the shared booster's, then those that some pattern has for itself.

    Sums over categories run in their fixed order, one after the other, so that a row alone
    equals the same row in a batch bit for bit.
    """

    def __init__(
        self,
        trees: Sequence[AdditiveTrees],
        layout: CategoryLayout,
        patterns: Sequence[PatternWeights],
        scale: ScoreScale,
    ) -> None:
        self.trees = tuple(trees)
        self.layout = layout
        self.patterns = tuple(patterns)
        self.scale = scale
        self._multipliers = np.array([p.multipliers for p in self.patterns])
        self._intercepts = np.array([p.intercept for p in self.patterns])
        self._boosters = np.array([p.booster for p in self.patterns])
        self._bases = np.array([scale.base(p.intercept) for p in self.patterns])

    @property
    def pattern_sets(self) -> list[frozenset[str]]:
        """Categories used by each pattern."""
        return [pattern.used for pattern in self.patterns]

    def contributions(self, X: Floats, codes: Indices) -> Floats:
        """``a_c g_c`` of each row, shape (n, categories), in log odds of bad."""
        return np.asarray(self._multipliers[codes] * self._functions(X, codes, features=False)[0])

    def log_odds(self, X: Floats, codes: Indices) -> Floats:
        """Log odds of bad, shape (n,)."""
        return self.lines(X, codes).log_odds

    def lines(self, X: Floats, codes: Indices) -> ScoreLines:
        """Score and its category lines."""
        return self._lines(self.contributions(X, codes), codes)

    def explained(self, X: Floats, codes: Indices) -> tuple[ScoreLines, Floats]:
        """The same lines, and in the same pass each feature's exact Shapley value in points, shape (n, features)."""
        g, phi = self._functions(X, codes, features=True)
        of_column = self._multipliers[codes][:, self.layout.categories_of_columns]
        return self._lines(self._multipliers[codes] * g, codes), -self.scale.points_per_log_odds * of_column * phi

    def effects_without(self, X: Floats, codes: Indices, groups: tuple[tuple[int, ...], ...]) -> Floats:
        """Points by which each row's unclipped score rises where a group of columns is not known, shape (n, groups)."""
        of, effects = self._boosters[codes], np.zeros((len(X), len(groups)))
        for booster in np.unique(of):
            rows = of == booster
            without = self.trees[booster].without(groups)
            changes = self._multipliers[codes[rows]][:, without.category] * without.changes(X[rows])
            added = np.zeros((len(groups), len(changes)))
            for part, group in enumerate(without.group):
                added[group] += changes[:, part]
            effects[rows] = -self.scale.points_per_log_odds * added.T
        return effects

    def _functions(self, X: Floats, codes: Indices, *, features: bool) -> tuple[Floats, Floats]:
        """Category functions of each row by its pattern's booster, and Shapley values where wanted."""
        of = self._boosters[codes]
        if not of.any():
            return self.trees[0].contributions(X, features=features)
        g, phi = np.empty((len(X), len(self.layout.names))), np.empty((len(X), X.shape[1] if features else 0))
        for booster in np.unique(of):
            rows = of == booster
            g[rows], phi[rows] = self.trees[booster].contributions(X[rows], features=features)
        return g, phi

    def _lines(self, contributions: Floats, codes: Indices) -> ScoreLines:
        base, points = self._bases[codes], -self.scale.points_per_log_odds * contributions
        unclipped = _summed(base, points)
        log_odds = _summed(self._intercepts[codes], contributions)
        return ScoreLines(log_odds, base, points, unclipped, np.clip(unclipped, SCORE_MIN, SCORE_MAX))


def _summed(start: Floats, parts: Floats) -> Floats:
    total = start.copy()
    for c in range(parts.shape[1]):
        total += parts[:, c]
    return total
