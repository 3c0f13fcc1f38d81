"""The embedded engine: DuckDB reads a range of members, the kernel computes, several ranges at a time."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import local

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from benne.errors import EventValueError
from benne.features.compute import Loaded, compute
from benne.features.engines.packing import pack, streamed
from benne.features.engines.task import Members, Task
from benne.features.events.events import Events
from benne.features.events.tables import TABLES
from benne.features.events.views import connect
from benne.features.kernel.finaliser import Floats
from benne.features.kernel.program import DAY, SCHEDULE_DAYS
from benne.features.kernel.stream import MAXIMUM_EVENTS, NEVER, Integers, Mask, Observations

__all__ = ["RangeReader", "compute_embedded", "ranges"]

_ROWS_AT_ONCE = 2_000_000
_MEMBERS_AT_ONCE = 50_000
_MEMORY = "1GB"

_ROWS = """
select s.code, e.event_time, e.known_at, {superseded} as superseded_at{columns}
from (select * from {source} where subject_id between $low and $high) e
join (select code, subject_id, until_{table} as until from members where code between $first and $last) s
on s.subject_id = e.subject_id and e.event_time < s.until{ahead}{corrections}
order by s.code, e.event_time
"""
_CORRECTIONS = """
left join (
    select supersedes, known_at from {source} where supersedes is not null and subject_id between $low and $high
) c on c.supersedes = e.record_id"""


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
        cuts, done = ranges(self._task.events, self._members), 0
        workers = max(1, min(workers, len(cuts)))
        self._threads = max(1, (os.cpu_count() or 1) // workers)
        with ThreadPoolExecutor(workers, "benne-features") as pool:
            try:
                for finished in as_completed([pool.submit(self._range, *cut) for cut in cuts]):
                    done += finished.result()
                    if progress is not None:
                        progress(done, len(self._members.subject_ids))
            finally:
                pool.shutdown(cancel_futures=True)
                for reader in self._readers:
                    reader.close()
        return self._values, self._late

    def _range(self, first: int, last: int) -> int:
        codes, task = self._task.observed.codes, self._task
        rows = self._rows[slice(*np.searchsorted(codes, [first, last], sorter=self._rows))]
        observations = Observations(codes[rows] - first, task.observed.as_of[rows], task.known_by[rows])
        loaded = self._reader().read(first, last)
        self._values[:, rows], self._late[rows] = compute(
            task.plan, loaded, observations, task.mask[rows], task.consents
        )
        return last - first

    def _reader(self) -> RangeReader:
        if not hasattr(self._own, "reader"):
            self._own.reader = RangeReader(self._task.events, self._members, self._threads)
            self._readers.append(self._own.reader)
        reader: RangeReader = self._own.reader
        return reader


def ranges(events: Events, members: Members) -> list[tuple[int, int]]:
    """Cut the members into ranges of codes whose rows fit into memory together.

    Raises
    ------
    EventValueError
        If a member has more rows in one table than sums are exact for.
    """
    counts = _rows_per_member(events, members)
    done, cuts, first = np.concatenate([[0], np.cumsum(counts)]), [], 0
    while first < len(counts):
        full = int(np.searchsorted(done, done[first] + _ROWS_AT_ONCE, "right")) - 1
        last = min(max(full, first + 1), first + _MEMBERS_AT_ONCE, len(counts))
        cuts.append((first, last))
        first = last
    return cuts


def _rows_per_member(events: Events, members: Members) -> Integers:
    total = np.zeros(len(members.subject_ids), dtype=np.int64)
    with connect() as connection:
        for name in members.until:
            source = _source(connection, name, events.sources[name])
            counted = connection.sql(f"select subject_id, count(*) as n from {source} group by 1").to_arrow_table()  # noqa: S608
            rows = counted.column("n").to_numpy()
            if rows.max(initial=0) > MAXIMUM_EVENTS:
                raise EventValueError(
                    f"A member must have at most {MAXIMUM_EVENTS:,} rows in {name}, got {rows.max():,}. "
                    "Split what is not one person's, or leave out what is older than any window."
                )
            place = pd.Index(members.subject_ids).get_indexer(counted.column("subject_id").to_pandas())
            np.add.at(total, place[place >= 0], rows[place >= 0])
    return total


class RangeReader:
    """Reads the rows of a range of members, sorted, from Parquet or memory; one for each thread.

    Parameters
    ----------
    events : Events
    members : Members
    threads : int
        That DuckDB may use.
    """

    def __init__(self, events: Events, members: Members, threads: int) -> None:
        self._members = members
        self._corrected = {name: events.has(name, "supersedes") for name in members.until}
        self._spill = tempfile.TemporaryDirectory(prefix="benne-spill-")
        self._connection = connect()
        self._connection.execute(f"set threads = {threads}; set memory_limit = '{_MEMORY}'")
        self._connection.execute(f"set temp_directory = '{self._spill.name}'")
        self._connection.register("members", members.table())
        self._sources = {name: _source(self._connection, name, events.sources[name]) for name in members.until}

    def close(self) -> None:
        """Give memory and disk back."""
        self._connection.close()
        self._spill.cleanup()

    def read(self, first: int, last: int) -> Loaded:
        """The rows of the members with codes ``first <= code < last``, who are numbered from 0."""
        ids = self._members.subject_ids
        asked = {"low": ids[first], "high": ids[last - 1], "first": first, "last": last - 1}
        tables = {name: self._table(name, asked) for name in self._sources}
        return pack({name: _from_zero(table, first) for name, table in tables.items()}, last - first)

    def _table(self, name: str, asked: Mapping[str, object]) -> pa.Table:
        source = self._sources[name]
        query = _ROWS.format(
            table=name,
            source=source,
            superseded=f"coalesce(c.known_at, {NEVER})" if self._corrected[name] else f"{NEVER}::bigint",
            columns="".join(f', e."{c.name}"' for c in streamed(name)),
            ahead=f" + {SCHEDULE_DAYS * DAY}" if TABLES[name].schedule else "",
            corrections=_CORRECTIONS.format(source=source) if self._corrected[name] else "",
        )
        return self._connection.sql(query, params=dict(asked)).to_arrow_table()


def _from_zero(table: pa.Table, first: int) -> pa.Table:
    return table.set_column(0, "code", pa.array(table.column("code").to_numpy() - first))


def _source(connection: duckdb.DuckDBPyConnection, name: str, source: pa.Table | Path) -> str:
    """A stored table as a query can name it."""
    if isinstance(source, pa.Table):
        connection.register(f"{name}_rows", source)
        return f"{name}_rows"
    path = glob.escape(str(source)).replace("'", "''")
    return f"read_parquet('{path}')"
