"""Filling the tables of a new event store from ingested events, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from sqlalchemy import Connection, insert

from benne.errors import EventValueError
from benne.features.engines.embedded import Layout, RangeReader
from benne.features.engines.member_rows import to_bytes
from benne.features.engines.packed import dump, one_member
from benne.features.engines.store_identities import UNIQUE
from benne.features.engines.store_tables import IDENTITIES, LINKS, MEMBERS
from benne.features.engines.task import Members
from benne.features.events.events import Events
from benne.features.events.tables import TABLES
from benne.features.events.validation import LATEST
from benne.features.events.views import connect, create_view

__all__ = ["Progress", "currency_of", "fill"]

_AT_ONCE = 20_000

Progress = Callable[[int, int], None]


def fill(connection: Connection, events: Events, watermark: int, progress: Progress | None) -> None:
    """Put everything into the tables.

    Parameters
    ----------
    connection : Connection
        Writing; the tables are there and empty.
    events : Events
    watermark : int
        The ingest clock, in microseconds since 1970-01-01 UTC.
    progress : callable, optional
        Called with members done and in all.

    Raises
    ------
    EventValueError
        If a row was known after the watermark, or a member has more rows than the kernel sums exactly.
    """
    with TemporaryDirectory(prefix="benne-sorted-") as folder:
        for rows in _members(events, watermark, progress, Path(folder)):
            connection.execute(insert(MEMBERS), rows)
        with connect(Path(folder)) as sorting:
            for name, source in events.sources.items():
                create_view(sorting, name, source)
            for pairs in _links(sorting, events):
                connection.execute(insert(LINKS), pairs)
            for ids in _identities(sorting, events):
                connection.execute(insert(IDENTITIES), ids)


def currency_of(events: Events) -> str | None:
    """The one currency of a load; None where no row names it."""
    with connect() as connection:
        for name in events.tables:
            if events.has(name, "currency"):
                create_view(connection, name, events.sources[name])
                found = connection.execute(f"select min(currency) from {name}").fetchone()  # noqa: S608 our own name
                return None if found is None else str(found[0])
    return None


def _members(
    events: Events, watermark: int, progress: Progress | None, folder: Path
) -> Iterator[list[dict[str, object]]]:
    """The rows of the table of members, a range at a time."""
    subjects = np.unique(events.read("members").column("subject_id").to_numpy(zero_copy_only=False))
    members = Members(subjects, {name: np.full(len(subjects), LATEST) for name in events.tables})
    layout = Layout(events, members, folder)
    with closing(RangeReader(layout)) as reader:
        for first, last in layout.ranges():
            loaded = reader.read(first, last)
            if loaded.partition.rows.known_at.max(initial=watermark) > watermark:
                raise EventValueError("No row may be known after the watermark, got some. Give the ingest clock.")
            stored = reader.stored(first, last)
            yield [
                {"subject_id": str(subjects[first + k]), "packed": dump(one_member(loaded, k)),
                 "rows": to_bytes({name: table for name, tables in stored.items() if (table := tables.get(k))})}
                for k in range(last - first)
            ]  # fmt: skip
            if progress is not None:
                progress(last, len(subjects))


def _links(sorting: duckdb.DuckDBPyConnection, events: Events) -> Iterator[list[dict[str, str]]]:
    if "interactions" in events.tables:
        pairs = sorting.sql("select distinct other_id, subject_id from interactions order by 1, 2")
        for batch in pairs.to_arrow_reader(_AT_ONCE):
            yield batch.to_pylist()


def _identities(sorting: duckdb.DuckDBPyConnection, events: Events) -> Iterator[list[dict[str, bytes]]]:
    """In their own order, in which a database takes them up quickest."""
    for place, unique in enumerate(UNIQUE):
        if unique.table in events.tables:
            mark, rows = bytes([place]), TABLES[unique.table].name
            only = "where supersedes is null" if unique.first else ""
            ids = sorting.sql(f"select {unique.column} from {rows} {only} order by 1")  # noqa: S608 names of our own
            for batch in ids.to_arrow_reader(_AT_ONCE):
                yield [{"identity": mark + bytes.fromhex(one)} for one in batch.column(0).to_pylist()]
