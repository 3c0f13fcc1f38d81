"""The few aggregates that every feature is made of, over index ranges of a sorted stream.

Counts and sums are differences of int64 prefix sums: exact, and the same for one member as
for a million.
"""

from __future__ import annotations

import numpy as np

from benne.features.kernel.stream import Integers
from benne.features.kernel.windows import Bounds

__all__ = ["distinct", "largest", "latest", "prefix_sum", "smallest", "spread", "total"]

_GATHERED = 4_000_000  # indices gathered at once, so that memory does not grow with the observations


def prefix_sum(values: Integers) -> Integers:
    """Running sums with a leading zero, shape (m + 1,)."""
    out = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=out[1:])
    return out


def total(values: Integers, bounds: Bounds) -> Integers:
    """Sum within each range."""
    running = prefix_sum(values)
    return running[bounds.hi] - running[bounds.lo]


def largest(values: Integers, bounds: Bounds, empty: int) -> Integers:
    """Largest value within each range, ``empty`` where the range is."""
    return _reduce(np.maximum, values, bounds, empty)


def smallest(values: Integers, bounds: Bounds, empty: int) -> Integers:
    """Smallest value within each range, ``empty`` where the range is."""
    return _reduce(np.minimum, values, bounds, empty)


def latest(values: Integers, bounds: Bounds, empty: int) -> Integers:
    """Last value within each range, ``empty`` where the range is."""
    if not len(values):
        return np.full(len(bounds.lo), empty, dtype=np.int64)
    return np.where(bounds.count > 0, values[np.maximum(bounds.hi - 1, 0)], empty)


def distinct(values: Integers, subject: Integers, bounds: Bounds) -> Integers:
    """How many different values each range holds.

    A value counts where its next occurrence for the same subject lies beyond the range, so
    that every different value counts exactly once, at its last occurrence.
    """
    following = _next_occurrence(values, subject)
    counts = np.empty(len(bounds.lo), dtype=np.int64)
    done = prefix_sum(bounds.count)
    start = 0
    while start < len(counts):
        full = int(np.searchsorted(done, done[start] + _GATHERED, "right")) - 1
        piece = slice(start, max(full, start + 1))
        sizes = bounds.count[piece]
        last = following[spread(bounds.lo[piece], sizes)] >= np.repeat(bounds.hi[piece], sizes)
        counts[piece] = np.diff(prefix_sum(last.astype(np.int64))[prefix_sum(sizes)])
        start = piece.stop
    return counts


def spread(starts: Integers, sizes: Integers) -> Integers:
    """Indices of ranges one after the other, each ``sizes`` long."""
    ends = np.cumsum(sizes)
    indices: Integers = np.repeat(starts - (ends - sizes), sizes) + np.arange(int(sizes.sum()))
    return indices


def _next_occurrence(values: Integers, subject: Integers) -> Integers:
    order = np.lexsort((np.arange(len(values)), values, subject))
    following = np.full(len(values), np.iinfo(np.int64).max)
    same = (values[order[1:]] == values[order[:-1]]) & (subject[order[1:]] == subject[order[:-1]])
    following[order[:-1][same]] = order[1:][same]
    return following


def _reduce(ufunc: np.ufunc, values: Integers, bounds: Bounds, empty: int) -> Integers:
    if not len(values):
        return np.full(len(bounds.lo), empty, dtype=np.int64)
    pairs = np.empty(2 * len(bounds.lo), dtype=np.int64)
    pairs[0::2], pairs[1::2] = bounds.lo, bounds.hi
    reduced = ufunc.reduceat(np.append(values, values[-1]), pairs)[0::2]
    return np.where(bounds.count > 0, reduced, empty)
