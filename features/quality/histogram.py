"""The shape of one feature's values: quantiles that may be shown, and a histogram between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from benne.features.quality.cells import coarse, hide_small
from benne.features.quality.drift import Floats, count_into

__all__ = ["QUANTILES", "Histogram", "bars_like", "histogram", "shown_quantiles"]

QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

_BARS: Final = 20


@dataclass(frozen=True)
class Histogram:
    """Counts in bars of equal width; the end bars also hold what lies beyond.

    Parameters
    ----------
    edges : tuple of float, length counts + 1
        From the lowest quantile that is shown to the highest.
    counts : tuple of (int or None)
        None where a cell is too small to be shown.
    """

    edges: tuple[float, ...]
    counts: tuple[int | None, ...]


def shown_quantiles(ordered: Floats, cell: int) -> dict[float, float]:
    """Those of :data:`QUANTILES` with a cell of observations on either side, not yet rounded."""
    count = len(ordered)
    return {q: float(ordered[int(q * (count - 1))]) for q in QUANTILES if min(q, 1 - q) * count >= cell}


def histogram(ordered: Floats, cell: int) -> Histogram | None:
    """A histogram of sorted values; None where they are too few or all about the same."""
    shown = list(shown_quantiles(ordered, cell).values())
    if not shown or coarse(shown[0]) == coarse(shown[-1]):
        return None
    edges = tuple(coarse(float(edge), 6) for edge in np.linspace(coarse(shown[0]), coarse(shown[-1]), _BARS + 1))
    return Histogram(edges, _bar_counts(edges, ordered, cell))


def bars_like(model: Histogram | None, ordered: Floats, cell: int) -> Histogram | None:
    """Sorted values counted in another histogram's bars."""
    if model is None or len(ordered) < cell:
        return None
    return Histogram(model.edges, _bar_counts(model.edges, ordered, cell))


def _bar_counts(edges: tuple[float, ...], ordered: Floats, cell: int) -> tuple[int | None, ...]:
    return hide_small(count_into(edges[1:-1], ordered, 0).counts, cell)
