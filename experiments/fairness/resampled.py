"""Sums over groups, as they are and as they vary over bootstrap resamples of whole members."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benne.models.resampling import Resampler

__all__ = ["interval", "resampled_sums"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_LEVEL: Final = (0.025, 0.975)
_MOST_EMPTY: Final = 0.05
_CELLS: Final = 8_000_000  # weights in memory at a time


def resampled_sums(columns: Floats, code: Indices, groups: int, resampler: Resampler) -> Floats:
    """Sum columns over the rows of each group, for the rows as they are and for each resample.

    Parameters
    ----------
    columns : ndarray of float64, shape (n, columns)
    code : ndarray of int, shape (n,)
        Group of each row, 0 to ``groups`` - 1.
    groups : int
    resampler : Resampler
        Over the n rows, whole members at a time: what a member's several rows share is kept together.

    Returns
    -------
    ndarray of float64, shape (1 + resamples, groups, columns)
        The first are the rows as they are. Every group is drawn in the same resample, so that differences between
        groups vary as they would.

    References
    ----------
    Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8 (cluster resampling).
    """
    inside = [np.flatnonzero(code == group) for group in range(groups)]
    parts = [np.ascontiguousarray(columns[rows]) for rows in inside]
    # One BLAS thread: the same order of summation on every machine.
    with threadpool_limits(limits=1, user_api="blas"):
        sums = [
            np.stack([weights[:, rows] @ part for rows, part in zip(inside, parts, strict=True)], axis=1)
            for weights in _chunks(len(code), resampler)
        ]
    return np.concatenate(sums)


def interval(drawn: Floats) -> tuple[Floats, Floats]:
    """Ends of the 95 % interval over resamples (the first axis); NaN where more than 5 % of them have no figure."""
    known = np.isfinite(drawn)
    enough = known.mean(axis=0) >= 1.0 - _MOST_EMPTY
    filled = np.where(enough & known, drawn, np.where(enough, np.nan, 0.0))
    low, high = np.nanquantile(filled, _LEVEL, axis=0)
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)


def _chunks(rows: int, resampler: Resampler) -> Iterator[Floats]:
    """How often each row counts, some resamples at a time; shape (some, rows)."""
    draws = chain([np.ones(rows)], resampler.counts())
    size = max(1, _CELLS // max(rows, 1))
    while some := list(islice(draws, size)):
        yield np.stack(some)
