"""A stored table whose rows lie member by member: any range of members is one run of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benne.features.events.clustering import clustered
from benne.features.events.events import Events
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema
from benne.features.events.views import connect, create_view
from benne.features.kernel.stream import Integers

__all__ = ["ClusteredTable", "member_rows", "sorted_source"]

_GROUPS_AT_ONCE: Final = 16

Source: TypeAlias = pa.Table | Path


class ClusteredTable:
    """Reads runs of rows of a table, repeated texts as dictionaries.

    Parameters
    ----------
    name : str
    source : pyarrow.Table or Path
        Sorted by ``subject_id``, as :func:`sorted_source` gives it.
    columns : sequence of str
        To read.
    """

    def __init__(self, name: str, source: Source, columns: Sequence[str]) -> None:
        self._columns = list(columns)
        self._table = source if isinstance(source, pa.Table) else None
        if not isinstance(source, pa.Table):
            texts = [f.name for f in stored_schema(TABLES[name]) if pa.types.is_string(f.type)]
            texts.remove("record_id")  # never the same twice
            self._file = pq.ParquetFile(source, read_dictionary=texts)
            meta = self._file.metadata
            self._ends = np.cumsum([meta.row_group(g).num_rows for g in range(meta.num_row_groups)])

    def rows(self, start: int, stop: int) -> pa.Table:
        """The rows ``start <= row < stop``."""
        if self._table is not None:
            return self._table.select(self._columns).slice(start, stop - start)
        first, last = np.searchsorted(self._ends, [start, max(stop - 1, start)], "right")
        groups = list(range(first, min(last + 1, len(self._ends))))
        begin = int(self._ends[first - 1]) if first else 0
        return self._file.read_row_groups(groups, self._columns, use_threads=False).slice(start - begin, stop - start)

    def batches(self) -> Iterator[pa.Table]:
        """All rows, some at a time."""
        if self._table is not None:
            yield self._table.select(self._columns)
            return
        for first in range(0, len(self._ends), _GROUPS_AT_ONCE):
            groups = list(range(first, min(first + _GROUPS_AT_ONCE, len(self._ends))))
            yield self._file.read_row_groups(groups, self._columns, use_threads=False)

    def close(self) -> None:
        """Close the file."""
        if self._table is None:
            self._file.close()


def sorted_source(events: Events, name: str, folder: Path) -> Source:
    """A table sorted by member: as it lies, for that is how it was ingested, or sorted into a folder.

    Notes
    -----
    What is not sorted is sorted by DuckDB in bounded memory, spilling into the folder.
    """
    source = events.sources[name]
    if not _runs(name, source)[2]:
        path = folder / f"{name}.parquet"
        with connect(folder) as connection, pq.ParquetWriter(path, stored_schema(TABLES[name])) as writer:
            create_view(connection, name, source)
            for batch in clustered(connection, TABLES[name]):
                writer.write_table(batch)
        source = path
    return source


def member_rows(name: str, source: Source, subject_ids: npt.NDArray[np.object_]) -> tuple[Integers, Integers]:
    """Where each member's rows lie in a sorted table.

    Returns
    -------
    start, stop : ndarray of int64, shape (members,)
        Both 0 for a member without rows.
    """
    subjects, ends, _ = _runs(name, source)
    place = pd.Index(subject_ids).get_indexer(pd.Index(subjects, dtype=object))
    start, stop = (np.zeros(len(subject_ids), dtype=np.int64) for _ in range(2))
    start[place[place >= 0]] = np.concatenate([[0], ends])[:-1][place >= 0]
    stop[place[place >= 0]] = ends[place >= 0]
    return start, stop


def _runs(name: str, source: Source) -> tuple[npt.NDArray[np.object_], Integers, bool]:
    """The subjects of successive runs, where each run ends, and whether the subjects ascend."""
    table = ClusteredTable(name, source, ["subject_id"])
    subjects, ends, rows = [], [], 0
    for batch in table.batches():
        column = batch.column("subject_id")
        encoded = (column if pa.types.is_dictionary(column.type) else column.dictionary_encode()).unify_dictionaries()
        codes = np.concatenate([np.empty(0, dtype=np.int32), *(c.indices.to_numpy() for c in encoded.chunks)])
        last = np.flatnonzero(np.append(np.diff(codes), 1)) if len(codes) else codes
        if len(codes):
            subjects.append(pc.take(encoded.chunks[0].dictionary, pa.array(codes[last])).to_numpy(zero_copy_only=False))
            ends.append(rows + last + 1)
        rows += len(codes)
    table.close()
    if not subjects:
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64), True
    names, stops = np.concatenate(subjects), np.concatenate(ends).astype(np.int64)
    keep = np.append(names[1:] != names[:-1], True)  # a member may go on in the next batch
    names, stops = names[keep], stops[keep]
    return names, stops, bool((names[1:] > names[:-1]).all())
