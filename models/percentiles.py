"""Where a score stands among those of the reference sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.models.consent_patterns import by_pattern

__all__ = ["SMALLEST_COHORT", "percentile_edges", "percentile_of", "percentiles_of"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

SMALLEST_COHORT: Final = 50
"""Members between two percentiles that are told apart, at least: no step is anybody's own score."""


def percentile_edges(scores: Floats) -> tuple[float, ...]:
    """Scores that part a sample into equal shares of :data:`SMALLEST_COHORT` members or more, 100 shares at most.

    Parameters
    ----------
    scores : ndarray of float64, shape (m,)

    Returns
    -------
    tuple of float
        Empty where the sample is too small to be parted.
    """
    shares = min(100, len(scores) // SMALLEST_COHORT)
    return tuple(np.quantile(scores, np.arange(1, shares) / shares).tolist()) if shares > 1 else ()


def percentile_of(scores: Floats, edges: Sequence[float]) -> Floats:
    """Per cent of the sample that score no higher, rounded down to a share; NaN without shares.

    Examples
    --------
    >>> percentile_of(np.array([400.0, 600.0, 900.0]), (500.0, 600.0, 700.0)).tolist()
    [0.0, 50.0, 75.0]
    """
    if not len(edges):
        return np.full(len(scores), np.nan)
    return np.asarray(np.searchsorted(np.array(edges), scores, side="right") * (100.0 / (len(edges) + 1)))


def percentiles_of(scores: Floats, codes: Indices, edges: Sequence[Sequence[float]]) -> Floats:
    """The same for rows of several patterns of consent, each against the edges of its own pattern."""
    found = np.empty(len(scores))
    for code, own in by_pattern(codes):
        found[own] = percentile_of(scores[own], edges[code])
    return found
