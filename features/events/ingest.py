"""The door: raw event tables in, keyed and validated events out, all or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benne.features.events.batches import Door
from benne.features.events.clustering import clustered
from benne.features.events.digest import Digest, known_since, total_fingerprint
from benne.features.events.events import Events, write_manifest, written_whole
from benne.features.events.intake import Progress, Taken, in_file, in_memory, take_in
from benne.features.events.keys import SubjectKey
from benne.features.events.sources import raw_from_folder, raw_from_mapping
from benne.features.events.tables import TABLES
from benne.features.events.validation import check_names, stored_schema
from benne.features.events.views import connect

__all__ = ["ingest", "load_events", "scratch"]

_NO_SKEW = timedelta(0)


def load_events(
    raw: Mapping[str, Any],
    *,
    key: SubjectKey,
    ingested_at: datetime,
    currency: str | None = None,
    clock_skew: timedelta = _NO_SKEW,
) -> Events:
    """Validate raw tables and key their ids, in memory.

    Parameters
    ----------
    raw : mapping of str to table
        Table name to pandas or Polars DataFrame, Arrow table, or path of a Parquet file or
        folder. Ids are raw here; times timezone-aware; money whole minor units.
    key : SubjectKey
    ingested_at : datetime
        The ingest clock (aware): ``known_at`` of rows that have none, and its latest value.
    currency : str, optional
        The one currency of this load; by default whichever the rows name.
    clock_skew : timedelta, default 0
        Rows known up to so long before they happened (at most an hour: two systems' clocks
        differ) count as known when they happened; ``Events.lifted`` says how many they are.

    Returns
    -------
    Events
        Each table sorted by member and time.

    Raises
    ------
    EventSchemaError
        A table or column is missing, unknown, or of another type.
    EventValueError
        Rows hold what cannot be; the message names table, column, count and positions.

    Examples
    --------
    >>> import pandas as pd
    >>> from datetime import UTC, datetime
    >>> joined = pd.to_datetime(["2025-01-01"], utc=True)
    >>> members = pd.DataFrame({"record_id": ["r1"], "member_id": ["anna"], "event_time": joined,
    ...                         "known_at": joined, "adult": [True]})
    >>> clock = datetime(2025, 2, 1, tzinfo=UTC)
    >>> events = load_events({"members": members}, key=SubjectKey(b"k" * 32), ingested_at=clock)
    >>> events.rows("members")
    1
    """
    door = Door(key, ingested_at, clock_skew, currency)
    tables = (check_names(table, door.findings) for table in raw_from_mapping(raw, door.findings))
    with connect() as connection:
        taken = take_in(tables, door, connection, in_memory)
        digests: dict[str, Digest] = {}
        sources = {name: pa.concat_tables(_sorted(connection, name, digests)) for name in taken.sources}
    return _events(sources, digests, door, taken)


def ingest(
    raw_folder: str | Path,
    out_folder: str | Path,
    *,
    key: SubjectKey,
    ingested_at: datetime,
    currency: str | None = None,
    clock_skew: timedelta = _NO_SKEW,
    progress: Progress | None = None,
) -> Events:
    """Validate raw Parquet tables and key their ids, from disk to disk in bounded memory.

    Parameters
    ----------
    raw_folder : path
        Holds ``<table>.parquet`` or ``<table>/*.parquet`` for each table there is.
    out_folder : path
        Must not exist; appears whole or not at all. While it is made it takes about twice its
        room on disk.
    key, ingested_at, currency, clock_skew
        As for :func:`load_events`.
    progress : callable, optional
        Called with the table's name and the rows just taken.

    Returns
    -------
    Events
        Each table sorted by member and time, so that reading a range of members reads few row groups.

    Raises
    ------
    EventSchemaError, EventValueError
        As for :func:`load_events`, with the file relative to ``raw_folder`` and positions in
        it; nothing is written then. :func:`check_raw` lists everything that is wrong.
    """
    door = Door(key, ingested_at, clock_skew, currency)
    tables = [check_names(table, door.findings) for table in raw_from_folder(Path(raw_folder), door.findings)]
    with written_whole(out_folder) as (staging, target):
        digests: dict[str, Digest] = {}
        with scratch(staging) as (unsorted, connection):
            taken = take_in(tables, door, connection, in_file(unsorted), progress)
            for name in taken.sources:
                with pq.ParquetWriter(
                    staging / f"{name}.parquet", stored_schema(TABLES[name]), compression="zstd"
                ) as to:
                    for batch in _sorted(connection, name, digests):
                        to.write_table(batch)
                (unsorted / f"{name}.parquet").unlink()
        events = _events({name: target / f"{name}.parquet" for name in taken.sources}, digests, door, taken)
        write_manifest(staging, events)
    return events


@contextmanager
def scratch(folder: Path) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A folder for unsorted tables, and a connection of bounded memory; both gone afterwards."""
    unsorted, spill = folder / ".unsorted", folder / ".spill"
    try:
        for made in (unsorted, spill):
            made.mkdir()
        with connect(spill) as connection:
            yield unsorted, connection
    finally:
        for made in (unsorted, spill):
            shutil.rmtree(made, ignore_errors=True)


def _sorted(connection: duckdb.DuckDBPyConnection, name: str, digests: dict[str, Digest]) -> Iterator[pa.Table]:
    """A table's sorted batches; its digest is taken on the way."""
    digests[name] = Digest(stored_schema(TABLES[name]))
    for batch in clustered(connection, TABLES[name]):
        digests[name].update(batch)
        yield batch


def _events(sources: Mapping[str, pa.Table | Path], digests: Mapping[str, Digest], door: Door, taken: Taken) -> Events:
    fingerprint = total_fingerprint(digests)
    return Events(sources, known_since(digests), door.key.fingerprint, fingerprint, lifted=taken.lifted)
