"""The embedded engine: ranges of members are read off sorted tables and computed, several at a time.

Tables are sorted by DuckDB, in bounded memory, once: at ingest. A range of members is then a
run of rows in each table.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import local

import numpy as np
import pyarrow as pa

from benne.features.compute import UNREAD, Loaded, compute
from benne.features.engines.clustered_table import ClusteredTable, member_rows, sorted_source
from benne.features.engines.packing import check_row_count, pack, streamed, with_moments
from benne.features.engines.task import Members, Task
from benne.features.events.events import Events
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema
from benne.features.kernel.finaliser import Floats
from benne.features.kernel.program import DAY, SCHEDULE_DAYS
from benne.features.kernel.stream import Integers, Mask, Observations

__all__ = ["Layout", "RangeReader", "compute_embedded"]

_ROWS_AT_ONCE = 2_000_000
_ROWS_AT_LEAST = 100_000  # fewer are not worth a range of their own
_MEMBERS_AT_ONCE = 50_000

Progress = Callable[[int, int], None]


def compute_embedded(task: Task, workers: int, progress: Progress | None = None) -> tuple[Floats, Mask]:
    """Compute a task on this machine.

    Parameters
    ----------
    task : Task
    workers : int
        How many ranges of members are computed at the same time. They are threads: reading,
        sorting and the kernel let each other run, and share one copy of everything.
    progress : callable, optional
        Called with members done and in all.

    Returns
    -------
    values : ndarray of float64, shape (features, n)
    late : ndarray of bool, shape (n,)
    """
    return _Run(task).all(workers, progress)


class _Run:
    """Fills the values of a task, a range of members at a time."""

    def __init__(self, task: Task) -> None:
        self._task, self._members = task, task.members()
        self._rows = np.argsort(task.observed.codes, kind="stable")
        self._values: Floats = np.full((len(task.plan.names), len(task.observed)), np.nan)
        self._late: Mask = np.zeros(len(task.observed), dtype=bool)
        self._own, self._readers = local(), list[RangeReader]()

    def all(self, workers: int, progress: Progress | None) -> tuple[Floats, Mask]:
        """Every range."""
        with TemporaryDirectory(prefix="benne-sorted-") as folder:
            self._layout = Layout(self._task.events, self._members, Path(folder))
            self._ranges(self._layout.ranges(workers), workers, progress)
        return self._values, self._late

    def _ranges(self, cuts: list[tuple[int, int]], workers: int, progress: Progress | None) -> None:
        done = 0
        with ThreadPoolExecutor(max(1, min(workers, len(cuts))), "benne-features") as pool:
            try:
                for finished in as_completed([pool.submit(self._range, *cut) for cut in cuts]):
                    done += finished.result()
                    if progress is not None:
                        progress(done, len(self._members.subject_ids))
            finally:
                pool.shutdown(cancel_futures=True)
                for reader in self._readers:
                    reader.close()

    def _range(self, first: int, last: int) -> int:
        codes, task = self._task.observed.codes, self._task
        rows = self._rows[slice(*np.searchsorted(codes, [first, last], sorter=self._rows))]
        observations = Observations(codes[rows] - first, task.observed.as_of[rows], task.observed.known_by[rows])
        loaded = self._reader().read(first, last)
        self._values[:, rows], self._late[rows] = compute(
            task.plan, loaded, observations, task.mask[rows], task.consents
        )
        return last - first

    def _reader(self) -> RangeReader:
        if not hasattr(self._own, "reader"):
            self._own.reader = RangeReader(self._layout)
            self._readers.append(self._own.reader)
        reader: RangeReader = self._own.reader
        return reader


class Layout:
    """Where the rows of every member lie in every table that is read.

    Parameters
    ----------
    events : Events
    members : Members
    folder : Path
        For tables that are not sorted by member; removed by the caller.

    Raises
    ------
    EventValueError
        If a member has more rows in one table than sums are exact for.
    """

    def __init__(self, events: Events, members: Members, folder: Path) -> None:
        self.members = members
        self.corrected = {name: events.has(name, "supersedes") for name in members.until}
        self.sources = {name: sorted_source(events, name, folder) for name in members.until}
        self.rows = {name: member_rows(name, source, members.subject_ids) for name, source in self.sources.items()}
        for name, (start, stop) in self.rows.items():
            check_row_count(name, stop - start)  # packing does too, but those rows would have been read by then

    def ranges(self, workers: int = 1) -> list[tuple[int, int]]:
        """Cut the members into ranges of codes whose rows fit into memory together, two or more for every worker."""
        counts = np.zeros(len(self.members.subject_ids), dtype=np.int64)
        for start, stop in self.rows.values():
            counts += stop - start
        done, cuts, first = np.concatenate([[0], np.cumsum(counts)]), [], 0
        at_once = min(_ROWS_AT_ONCE, max(int(done[-1]) // (2 * workers), _ROWS_AT_LEAST))
        while first < len(counts):
            full = int(np.searchsorted(done, done[first] + at_once, "right")) - 1
            last = min(max(full, first + 1), first + _MEMBERS_AT_ONCE, len(counts))
            cuts.append((first, last))
            first = last
        return cuts


class RangeReader:
    """Reads the rows of ranges of members from Parquet or memory; one for each thread.

    Parameters
    ----------
    layout : Layout
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._tables = {
            name: ClusteredTable(name, source, self._columns(name)) for name, source in layout.sources.items()
        }

    def close(self) -> None:
        """Close the files."""
        for table in self._tables.values():
            table.close()

    def read(self, first: int, last: int) -> Loaded:
        """The rows of the members with codes ``first <= code < last``, who are numbered from 0."""
        return pack({name: self._rows(name, first, last) for name in self._tables}, last - first)

    def stored(self, first: int, last: int) -> dict[str, dict[int, pa.Table]]:
        """Per table, each member's rows in their stored form; members without any are left out."""
        found: dict[str, dict[int, pa.Table]] = {}
        for name, source in self._layout.sources.items():
            start, stop = (bounds[first:last] for bounds in self._layout.rows[name])
            schema = stored_schema(TABLES[name])
            whole = ClusteredTable(name, source, schema.names)
            begin = int(start[stop > start].min(initial=stop.max(initial=0)))
            rows = whole.rows(begin, int(stop.max(initial=0))).cast(schema)
            whole.close()
            has = np.flatnonzero(stop > start).tolist()
            found[name] = {k: rows.slice(start[k] - begin, stop[k] - start[k]) for k in has}
        return found

    def _rows(self, name: str, first: int, last: int) -> pa.Table:
        """Rows before each member's ``until``; other members' rows between them are left out."""
        until = self._layout.members.until[name][first:last]
        start, stop = (np.where(until == UNREAD, 0, bounds[first:last]) for bounds in self._layout.rows[name])
        begin, end = int(start[stop > start].min(initial=stop.max(initial=0))), int(stop.max(initial=0))
        rows = self._tables[name].rows(begin, end)
        code = _owners(start, stop, begin, end)
        ahead = SCHEDULE_DAYS * DAY if TABLES[name].schedule else 0
        keep = rows.column("event_time").to_numpy() < np.append(until + ahead, UNREAD)[code]
        rows = with_moments(rows, code, corrected=self._layout.corrected[name])
        return rows if keep.all() else rows.filter(pa.array(keep))

    def _columns(self, name: str) -> list[str]:
        references = ["record_id", "supersedes"] if self._layout.corrected[name] else []
        return ["event_time", "known_at", *references, *(c.name for c in streamed(name))]


def _owners(start: Integers, stop: Integers, begin: int, end: int) -> Integers:
    """Which member each row between ``begin`` and ``end`` belongs to; -1 where none of these."""
    has = np.flatnonzero(stop > start)
    bounds = np.stack([start[has], stop[has]], axis=1).ravel()
    owners = np.stack([has, np.full(len(has), -1)], axis=1).ravel()
    return np.repeat(owners, np.diff(np.append(bounds, end)))
