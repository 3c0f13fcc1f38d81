"""Which rows of a table came from which of its files."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benne.features.events.refusals import Place

__all__ = ["Layout"]


class Layout:
    """The files of a table in the order they were read, and how many rows each gave.

    Parameters
    ----------
    table : str

    Examples
    --------
    >>> layout = Layout("dues")
    >>> layout.add("dues/a.parquet", 2)
    >>> layout.add("dues/b.parquet", 5)
    >>> [(file, rows.tolist()) for file, rows in layout.by_file(np.array([1, 2, 4]))]
    [('dues/a.parquet', [1]), ('dues/b.parquet', [0, 2])]
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._files: list[str] = []
        self._ends: list[int] = [0]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return self._ends[-1]

    @property
    def files(self) -> int:
        """How many files there are, or tables in memory."""
        return len(self._files)

    def add(self, file: str, rows: int) -> None:
        """Take rows of a file that follow on those so far."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
            self._ends.append(self._ends[-1])
        self._ends[-1] += rows

    def next_place(self, file: str) -> Place:
        """Where the next rows of a file stand in it."""
        again = bool(self._files) and self._files[-1] == file
        return Place(self._table, file, self._ends[-1] - self._ends[-2] if again else 0)

    def by_file(self, rows: npt.NDArray[np.int64]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
        """Sorted positions in the table as positions in its files; files without any are left out."""
        cuts = np.searchsorted(rows, self._ends)
        for number, file in enumerate(self._files):
            if cuts[number] < cuts[number + 1]:
                yield file, rows[cuts[number] : cuts[number + 1]] - self._ends[number]
