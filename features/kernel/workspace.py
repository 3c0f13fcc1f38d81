"""What one member may be seen to have done: the visible rows, and the streams made from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benne.features.kernel.compiled import compiled
from benne.features.kernel.layout import MAXIMUM_COLUMNS, STREAMS
from benne.features.kernel.stream import Integers

__all__ = ["Workspace", "sort_stream", "workspace"]

_STREAMS = len(STREAMS)


class Workspace(NamedTuple):
    """Rows of one member, stream after stream; used again for the next.

    Parameters
    ----------
    time : ndarray of int64, shape (rows,)
    cells : ndarray of int64, shape (columns, rows)
    start, size : ndarray of int64, shape (streams,)
        Where each stream's rows lie.
    place : ndarray of int64, shape (codes,)
        -1 for every code, between uses: which row an id stands in.
    stamp : ndarray of int64, shape (codes,)
        The last distinct count in which a code was met.
    chosen, moments, running : ndarray of int64, shape (rows + 1,)
        Of the rows a selection chose: their places, their times, running sums of a column.
    order : ndarray of int64, shape (rows,)
        For sorting.
    """

    time: Integers
    cells: Integers
    start: Integers
    size: Integers
    place: Integers
    stamp: Integers
    chosen: Integers
    moments: Integers
    running: Integers


@compiled
def workspace(rows: int, codes: int) -> Workspace:
    """An empty workspace with room for some rows and codes."""
    return Workspace(
        np.empty(rows, dtype=np.int64),
        np.empty((MAXIMUM_COLUMNS, rows), dtype=np.int64),
        np.zeros(_STREAMS, dtype=np.int64),
        np.zeros(_STREAMS, dtype=np.int64),
        np.full(codes, -1, dtype=np.int64),
        np.zeros(codes + 1, dtype=np.int64),
        np.empty(rows + 1, dtype=np.int64),
        np.empty(rows + 1, dtype=np.int64),
        np.empty(rows + 1, dtype=np.int64),
    )


@compiled
def sort_stream(work: Workspace, stream: int, columns: int) -> None:
    """Sort a stream just made by time, and ties by what its first columns say, never by the ids it came from."""
    start, size = work.start[stream], work.size[stream]
    order = np.argsort(work.time[start : start + size], kind="mergesort")
    for i in range(1, size):
        row, k = order[i], i
        while k > 0 and _goes_before(work, start + row, start + order[k - 1], columns):
            order[k] = order[k - 1]
            k -= 1
        order[k] = row
    work.time[start : start + size] = work.time[start : start + size][order]
    for column in range(columns):
        work.cells[column, start : start + size] = work.cells[column, start : start + size][order]


@compiled
def _goes_before(work: Workspace, row: int, other: int, columns: int) -> bool:
    """Whether a row of the same moment has the lesser cells."""
    if work.time[row] != work.time[other]:
        return False
    for column in range(columns):
        if work.cells[column, row] != work.cells[column, other]:
            return work.cells[column, row] < work.cells[column, other]
    return False
