"""Where a score stands among those of the reference sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benne.models.cohorts import SMALLEST_COHORT, number_between
from benne.models.consent_patterns import by_pattern

__all__ = ["percentile_edges", "percentile_of", "percentiles_of"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def percentile_edges(scores: Floats) -> tuple[float, ...]:
    """Numbers that part a sample's scores into equal shares of fifty members or more, 100 shares at most.

    Each lies between two members' scores and is none of them. Where many share a score there is no
    number between: a share then has the score's members on both its sides.

    Parameters
    ----------
    scores : ndarray of float64, shape (m,)

    Returns
    -------
    tuple of float
        Empty where the sample is too small to be parted.
    """
    shares = min(100, len(scores) // SMALLEST_COHORT)
    ordered = np.sort(scores)
    cuts = [len(ordered) * k // shares for k in range(1, shares)]
    return tuple(_edge(ordered, cut) for cut in cuts)


def _edge(ordered: Floats, cut: int) -> float:
    """Between the members before a cut and those from it on, or what they all have."""
    low, high = float(ordered[cut - 1]), float(ordered[cut])
    return number_between(low, high) if low < high else high


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
