"""How far a feature has moved from a saved reference: fixed bins and the population stability index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.features.quality.cells import coarse

__all__ = ["Bins", "count_into", "expected_by_chance", "population_stability", "reference_bins"]

Floats = npt.NDArray[np.float64]

_DECILES: Final = np.arange(1, 10) / 10
_EDGE_DIGITS: Final = 4


@dataclass(frozen=True)
class Bins:
    """How many observations lie in each bin of one feature.

    Parameters
    ----------
    edges : tuple of float
        Increasing upper ends, inclusive; the last bin has none.
    counts : tuple of int, length edges + 1
    nulls : int
        Observations without a value: a bin of its own.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    nulls: int

    @property
    def total(self) -> int:
        """Observations in all bins."""
        return sum(self.counts) + self.nulls


def reference_bins(ordered: Floats, nulls: int, cell: int) -> Bins:
    """The bins a reference fixes: its deciles, merged until no bin is a small cell.

    Parameters
    ----------
    ordered : ndarray of float64, shape (n,)
        Sorted values without nulls.
    nulls : int
        Fewer than ``cell`` count as none.
    cell : int
        Fewest observations a bin may hold, unless it is empty.

    Returns
    -------
    Bins
        An edge is an exact value only where at least ``cell`` observations share it; otherwise
        it has four digits. Just below a lowest decile that many share lies another edge, so
        that they can be seen to leave it in both directions.
    """
    edges = sorted({_edge(ordered, quantile, cell) for quantile in _DECILES}) if len(ordered) else []
    if edges and _sharing(ordered, edges[0]) >= cell:
        edges.insert(0, float(np.nextafter(edges[0], -np.inf)))
    counted = count_into(tuple(edges), ordered, nulls)
    return merged(counted, cell)


def count_into(edges: tuple[float, ...], ordered: Floats, nulls: int) -> Bins:
    """Count sorted values into given bins."""
    ends = np.searchsorted(ordered, np.asarray(edges, dtype=np.float64), side="right")
    counts = np.diff(np.concatenate([[0], ends, [len(ordered)]]))
    return Bins(edges, tuple(int(count) for count in counts), nulls)


def population_stability(reference: Bins, current: Bins) -> float:
    """Population stability index of one feature, its nulls a bin of their own.

    Parameters
    ----------
    reference, current : Bins
        With the same edges.

    Returns
    -------
    float
        From 0 (alike) upwards. By custom below 0.1 is no shift worth a look, above 0.25 a large one.

    Notes
    -----
    ``PSI = Σ (p - q) · ln(p / q)`` over the bins, p and q the shares of the current and the
    reference observations (Siddiqi 2006, Credit Risk Scorecards, ch. 9). Half an observation is
    added to each bin, so that an empty one has a logarithm.

    Examples
    --------
    Halves become a quarter and three quarters: 0.25 · ln 2 + 0.25 · ln 1.5.

    >>> before, after = Bins((0.0,), (5000, 5000), 0), Bins((0.0,), (2500, 7500), 0)
    >>> round(population_stability(before, after), 3)
    0.275
    """
    q, p = (_shares(bins) for bins in (reference, current))
    return float(np.sum((p - q) * np.log(p / q)))


def expected_by_chance(reference: Bins, current: Bins, repeats: int) -> float:
    """The index to expect where nothing has moved and only the sample has changed.

    Notes
    -----
    ``(k - 1) · (1/n + 1/m)`` for k bins (Yurdakul & Naranjo 2020, Journal of Risk Model
    Validation 14(4)), n and m counted in members: observations of one are alike.
    """
    bins = sum(1 for before, after in zip(_cells(reference), _cells(current), strict=True) if before or after)
    return float((bins - 1) * repeats * (1 / reference.total + 1 / current.total))


def _edge(ordered: Floats, quantile: float, cell: int) -> float:
    value = float(ordered[int(quantile * (len(ordered) - 1))])
    return value if _sharing(ordered, value) >= cell else coarse(value, _EDGE_DIGITS)


def _sharing(ordered: Floats, value: float) -> int:
    return int(np.searchsorted(ordered, value, "right") - np.searchsorted(ordered, value, "left"))


def merged(bins: Bins, cell: int) -> Bins:
    """Small bins joined to the one above, a small last one to those below; empty ones stay."""
    closed: list[tuple[float, int]] = []
    held = 0
    for edge, count in zip((*bins.edges, np.inf), bins.counts, strict=True):
        held += count
        if held == 0 or held >= cell:
            closed.append((edge, held))
            held = 0
    while closed and 0 < held < cell:
        held += closed.pop()[1]
    if held:
        closed.append((np.inf, held))
    edges, counts = tuple(edge for edge, _ in closed[:-1]), tuple(count for _, count in closed)
    return Bins(edges, counts, 0 if bins.nulls < cell else bins.nulls)


def _cells(bins: Bins) -> tuple[int, ...]:
    return (*bins.counts, bins.nulls)


def _shares(bins: Bins) -> Floats:
    counts: Floats = np.asarray(_cells(bins), dtype=np.float64) + 0.5
    shares: Floats = counts / counts.sum()
    return shares
