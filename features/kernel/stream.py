"""Events of some members as the kernel reads them: int64 columns, one behind the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benne.features.kernel.layout import MAXIMUM_COLUMNS, STREAMS, TABLE_COLUMNS

__all__ = ["MAXIMUM_EVENTS", "NEVER", "NULL", "Integers", "Mask", "Observations", "Partition", "Rows", "Stream"]

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NULL = int(np.iinfo(np.int64).min)
"""What a cell holds where the event does not say: the least int64, as numpy's NaT does."""

NEVER = int(np.iinfo(np.int64).max)
"""``superseded_at`` of a row that nothing corrects."""

MAXIMUM_EVENTS = 2**22
"""Most rows of one member in one table: sums of 2**40 minor units stay below 2**63."""


@dataclass(frozen=True)
class Stream:
    """Rows of one event table.

    Parameters
    ----------
    subject, time : ndarray of int64, shape (m,)
        Sorted by (subject, time), ties as :func:`benne.features.kernel.ordering.canonical` puts
        them. Subjects count from 0; time is in microseconds since 1970-01-01 UTC.
    known_at : ndarray of int64, shape (m,)
        When the platform knew the row.
    superseded_at : ndarray of int64, shape (m,)
        When a correction of it became known; :data:`NEVER` where none did.
    columns : mapping of str to ndarray of int64, shape (m,)
        Money in minor units, categories and ids as codes from 0; :data:`NULL` where not said.
    """

    subject: Integers
    time: Integers
    known_at: Integers
    superseded_at: Integers
    columns: Mapping[str, Integers]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.time)


@dataclass(frozen=True)
class Observations:
    """Who is observed when, and with whose knowledge.

    Parameters
    ----------
    subject : ndarray of int64, shape (n,)
        Codes of a partition's subjects; sorted, and ``as_of`` within them.
    as_of : ndarray of int64, shape (n,)
        Microseconds since 1970-01-01 UTC.
    known_by : ndarray of int64, shape (n,)
        Rows known before it are seen; ``as_of`` itself unless what was learned later is wanted.
    """

    subject: Integers
    as_of: Integers
    known_by: Integers

    def __len__(self) -> int:
        """How many observations."""
        return len(self.subject)


class Rows(NamedTuple):
    """All tables of a partition in the arrays that compiled code takes.

    Parameters
    ----------
    time, known_at, superseded_at : ndarray of int64, shape (rows,)
        Table after table.
    cells : ndarray of int64, shape (cells,)
        Column after column.
    cell_of : ndarray of int64, shape (streams, columns)
        What is added to a row's number to find its cell of a column.
    """

    time: Integers
    known_at: Integers
    superseded_at: Integers
    cells: Integers
    cell_of: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Partition:
    """Everything known about some members.

    Parameters
    ----------
    rows : Rows
    first, last : ndarray of int64, shape (streams, subjects)
        Each subject's rows of each table are ``first <= row < last``.
    codes : int
        Ids and categories are numbered below this.
    """

    rows: Rows
    first: Integers
    last: Integers
    codes: int

    @classmethod
    def of(cls, streams: Mapping[str, Stream], subjects: int, codes: int) -> Partition:
        """Put tables one behind the other.

        Parameters
        ----------
        streams : mapping of str to Stream
            The event tables that the source has.
        subjects : int
            How many subjects there are.
        codes : int
            Ids and categories are numbered below this.
        """
        shape = (len(STREAMS), subjects)
        first, last = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        cell_of = np.zeros((len(STREAMS), MAXIMUM_COLUMNS), dtype=np.int64)
        cells, row, cell = [np.empty(0, dtype=np.int64)], 0, 0
        ordered = {name: streams[name] for name in TABLE_COLUMNS if name in streams}
        for name, stream in ordered.items():
            number, places = STREAMS[name], np.arange(subjects)
            first[number] = row + np.searchsorted(stream.subject, places, "left")
            last[number] = row + np.searchsorted(stream.subject, places, "right")
            for column, title in enumerate(TABLE_COLUMNS[name]):
                cells.append(stream.columns[title])
                cell_of[number, column] = cell - row
                cell += len(stream)
            row += len(stream)
        rows = Rows(
            _joined([stream.time for stream in ordered.values()]),
            _joined([stream.known_at for stream in ordered.values()]),
            _joined([stream.superseded_at for stream in ordered.values()]),
            np.concatenate(cells),
            cell_of,
        )
        return cls(rows, first, last, max(codes, 1))

    @classmethod
    def of_one_subject(
        cls, time: Integers, known_at: Integers, superseded_at: Integers, cells: Integers,
        sizes: Integers, codes: int,
    ) -> Partition:  # fmt: skip
        """Take up the arrays of one subject's tables as they lie one behind the other.

        Parameters
        ----------
        time, known_at, superseded_at, cells : ndarray of int64
            As in :class:`Rows`.
        sizes : ndarray of int64, shape (tables,)
            How many rows each table has.
        codes : int
        """
        tables = len(TABLE_COLUMNS)
        first, last = (np.zeros((len(STREAMS), 1), dtype=np.int64) for _ in range(2))
        last[:tables, 0] = np.cumsum(sizes)
        first[:tables, 0] = last[:tables, 0] - sizes
        begin = np.concatenate([[0], np.cumsum(sizes * _WIDTHS)[:-1]])
        cell_of = np.zeros((len(STREAMS), MAXIMUM_COLUMNS), dtype=np.int64)
        cell_of[:tables] = begin[:, None] + sizes[:, None] * np.arange(MAXIMUM_COLUMNS) - first[:tables]
        return cls(Rows(time, known_at, superseded_at, cells, cell_of), first, last, max(codes, 1))


_WIDTHS = np.array([len(columns) for columns in TABLE_COLUMNS.values()], dtype=np.int64)


def _joined(parts: list[Integers]) -> Integers:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])
