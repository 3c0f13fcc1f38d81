"""The embedded engine: DuckDB selects, joins and sorts; the kernel computes, partition by partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benne.features.events.events import Events
from benne.features.events.tables import TABLES, Column
from benne.features.events.views import connect, create_view
from benne.features.kernel.stream import NEVER, Integers, Stream, Values
from benne.features.kernel.visibility import SCHEDULE_DAYS
from benne.features.kernel.windows import DAY, MAXIMUM_SUBJECTS

__all__ = ["UNREAD", "LoadedPartition", "PartitionReader"]

# Ties in time are put in order by what the rows say, never by their keyed ids: another key
# gives the same features.
_SORTED = """
create temp table sorted_{table} as
select s.code, e.event_time, e.known_at, coalesce(c.known_at, {never}) as superseded_at{columns}
from source_{table} e
join subjects s on s.subject_id = e.subject_id and e.event_time < s.until_{table}{ahead}
left join (select supersedes, known_at from source_{table} where supersedes is not null) c
on c.supersedes = e.record_id
order by s.code, e.event_time, e.known_at{content}
"""

UNREAD = -(2**62)
"""``until`` of a table that may not be read for a subject."""

_MAXIMUM_ROWS = 4_000_000
_STREAM_KINDS = ("id", "money", "integer", "flag", "category")


class LoadedPartition:
    """The streams of some members, and what their id codes stand for.

    Parameters
    ----------
    first_subject : int
        Code of the first subject; the streams count from 0.
    subjects : int
        How many subjects there are.
    streams : mapping of str to Stream
    ids : mapping of str to pyarrow.Array
        Per id domain, the keyed id of each code.
    """

    def __init__(
        self, first_subject: int, subjects: int, streams: Mapping[str, Stream], ids: Mapping[str, pa.Array]
    ) -> None:
        self.first_subject = first_subject
        self.subjects = subjects
        self.streams = streams
        self._ids = ids

    @property
    def end(self) -> int:
        """Code of the first subject after these."""
        return self.first_subject + self.subjects

    def ids(self, domain: str) -> npt.NDArray[np.object_]:
        """The keyed id of each code of a domain."""
        return np.asarray(self._ids[domain].to_pylist(), dtype=object)


class PartitionReader:
    """Reads members' events in partitions, sorted by (subject, time, record).

    Parameters
    ----------
    events : Events
    subjects : DataFrame
        ``subject_id`` and an int64 ``until_<table>`` for each table, in microseconds: rows from
        then on are not even loaded, and none where it is :data:`UNREAD`. The row number is the
        subject's code.
    tables : tuple of str
        Which tables to read.
    """

    def __init__(self, events: Events, subjects: pd.DataFrame, tables: tuple[str, ...]) -> None:
        self._count = len(subjects)
        self._tables = tables
        self._connection = connect()
        self._connection.register("subject_rows", pa.Table.from_pandas(subjects, preserve_index=False))
        self._connection.execute(
            "create temp table subjects as select *, row_number() over () - 1 as code from subject_rows"
        )
        for name in tables:
            self._sort(name, events.sources[name])

    def __enter__(self) -> Self:
        """Read within a ``with`` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the memory back."""
        self._connection.close()

    def partitions(self) -> Iterator[LoadedPartition]:
        """All members: at most :data:`MAXIMUM_SUBJECTS` and four million events at a time, or one member."""
        first = 0
        events = np.concatenate([[0], np.cumsum(self._events_per_subject())])
        while first < self._count:
            full = int(np.searchsorted(events, events[first] + _MAXIMUM_ROWS, "right")) - 1
            end = min(max(full, first + 1), first + MAXIMUM_SUBJECTS, self._count)
            yield self._load(first, end)
            first = end

    def _sort(self, name: str, source: pa.Table | Path) -> None:
        create_view(self._connection, f"source_{name}", source)
        streamed = _streamed(name)
        self._connection.execute(
            _SORTED.format(
                table=name,
                never=NEVER,
                columns="".join(f', e."{c.name}"' for c in streamed),
                ahead=f" + {SCHEDULE_DAYS * DAY}" if TABLES[name].schedule else "",
                content="".join(f', e."{c.name}"' for c in streamed if c.kind != "id"),
            )
        )

    def _events_per_subject(self) -> Integers:
        events = np.zeros(self._count, dtype=np.int64)
        for name in self._tables:
            counted = self._connection.sql(f"select code, count(*) as n from sorted_{name} group by 1")  # noqa: S608
            rows = counted.to_arrow_table()
            events[rows.column("code").to_numpy()] += rows.column("n").to_numpy()
        return events

    def _load(self, first: int, end: int) -> LoadedPartition:
        raw = {
            name: self._connection.sql(
                f"select * from sorted_{name} where code >= {first} and code < {end}"  # noqa: S608 names of our own
            ).to_arrow_table()
            for name in self._tables
        }
        codes, ids = _id_codes(raw)
        streams = {name: _stream(name, table, codes, first) for name, table in raw.items()}
        return LoadedPartition(first, end - first, streams, ids)


def _streamed(table: str) -> list[Column]:
    return [c for c in TABLES[table].columns if c.kind in _STREAM_KINDS]


def _id_codes(
    raw: Mapping[str, pa.Table],
) -> tuple[dict[tuple[str, str], Integers], dict[str, pa.Array]]:
    """Number the ids of each domain across tables, so that a repayment finds its due."""
    places: dict[str, list[tuple[str, str]]] = {}
    for name in raw:
        for column in _streamed(name):
            if column.kind == "id":
                places.setdefault(column.domain, []).append((name, column.name))
    codes: dict[tuple[str, str], Integers] = {}
    ids: dict[str, pa.Array] = {}
    for domain, columns in places.items():
        chunks = [chunk for t, c in columns for chunk in raw[t].column(c).chunks]
        encoded = pc.dictionary_encode(pa.chunked_array(chunks, type=pa.string())).combine_chunks()
        ids[domain] = encoded.dictionary
        numbers = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        ends = np.cumsum([raw[t].num_rows for t, _ in columns])
        codes.update(zip(columns, np.split(numbers, ends[:-1]), strict=True))
    return codes, ids


def _stream(name: str, table: pa.Table, codes: Mapping[tuple[str, str], Integers], first: int) -> Stream:
    columns = {}
    for column in _streamed(name):
        if column.kind == "id":
            numbers = codes[name, column.name]
            columns[column.name] = Values(np.maximum(numbers, 0), numbers >= 0)
        else:
            columns[column.name] = _values(column, table.column(column.name))
    subject, time, known, superseded = (
        table.column(c).to_numpy().astype(np.int64) for c in ("code", "event_time", "known_at", "superseded_at")
    )
    return Stream(subject - first, time, known, superseded, columns)


def _values(column: Column, cells: pa.ChunkedArray) -> Values:
    if column.kind == "category":
        cells = pc.index_in(cells, value_set=pa.array(column.values))
    known = pc.is_valid(cells).to_numpy()
    return Values(pc.fill_null(pc.cast(cells, pa.int64()), 0).to_numpy(), known)
