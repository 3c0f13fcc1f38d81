"""The door: raw event tables in, keyed and validated events out, all or nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import EventSchemaError
from benne.features.events.events import (
    Digest,
    Events,
    batches,
    present_columns,
    total_fingerprint,
    write_manifest,
    written_whole,
)
from benne.features.events.integrity import check_integrity
from benne.features.events.keys import SubjectKey
from benne.features.events.tables import TABLES
from benne.features.events.validation import conform, stored_schema

__all__ = ["ingest", "load_events"]

_log = logging.getLogger(__name__)

Progress = Callable[[str, int], None]


def load_events(
    raw: Mapping[str, Any], *, key: SubjectKey, ingested_at: datetime, currency: str | None = None
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

    Returns
    -------
    Events

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
    _check_tables(raw)
    digests, stored = {}, {}
    for name in (n for n in TABLES if n in raw):
        digests[name] = Digest(stored_schema(TABLES[name]))
        pieces = list(_conformed(name, _batches_of(name, raw[name]), digests[name], key, ingested_at))
        stored[name] = pa.concat_tables(pieces) if pieces else stored_schema(TABLES[name]).empty_table()
    check_integrity(stored, currency)
    return Events(stored, present_columns(digests), key.fingerprint, total_fingerprint(digests))


def ingest(
    raw_folder: str | Path,
    out_folder: str | Path,
    *,
    key: SubjectKey,
    ingested_at: datetime,
    currency: str | None = None,
    progress: Progress | None = None,
) -> Events:
    """Validate raw Parquet tables and key their ids, from disk to disk in bounded memory.

    Parameters
    ----------
    raw_folder : path
        Holds ``<table>.parquet`` or ``<table>/*.parquet`` for each table there is.
    out_folder : path
        Must not exist; appears whole or not at all.
    key, ingested_at, currency
        As for :func:`load_events`.
    progress : callable, optional
        Called with the table's name and the rows just taken.

    Returns
    -------
    Events

    Raises
    ------
    EventSchemaError, EventValueError
        As for :func:`load_events`; nothing is written then.
    """
    raw = _raw_files(Path(raw_folder))
    with written_whole(out_folder) as (staging, target):
        digests = {name: _write_table(name, raw[name], staging, key, ingested_at, progress) for name in raw}
        staged: dict[str, pa.Table | Path] = {name: staging / f"{name}.parquet" for name in raw}
        check_integrity(staged, currency)
        final: dict[str, pa.Table | Path] = {name: target / f"{name}.parquet" for name in raw}
        events = Events(final, present_columns(digests), key.fingerprint, total_fingerprint(digests))
        write_manifest(staging, events)
    return events


def _check_tables(raw: Mapping[str, Any]) -> None:
    unknown = sorted(str(name) for name in set(raw) - set(TABLES))
    if unknown:
        raise EventSchemaError(
            f"Event tables must be among {', '.join(TABLES)}, got {', '.join(unknown)}. Rename or drop them."
        )
    if "members" not in raw:
        raise EventSchemaError("The table members must be there, got none. Add who joined, and when.")


def _raw_files(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise EventSchemaError(f"{folder} must be a folder of raw tables, got none. Name the folder that holds them.")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        name = path.stem if path.suffix == ".parquet" else path.name
        if name in found:
            raise EventSchemaError(f"{folder} must hold the table {name} once, got a file and a folder. Keep one.")
        found[name] = path
    _check_tables(found)
    return {name: _files(name, found[name]) for name in TABLES if name in found}


def _files(name: str, path: Path) -> list[Path]:
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise EventSchemaError(f"{name} must be a Parquet file, or a folder of some, got none at {path}. Name it.")
    return files


def _read(name: str, files: list[Path]) -> Iterator[pa.Table]:
    for file in files:
        try:
            yield from batches(file)
        except (OSError, pa.ArrowInvalid):
            raise EventSchemaError(
                f"{name} must be Parquet, got a file that cannot be read as such: {file}. Write it again."
            ) from None


def _write_table(
    name: str,
    files: list[Path],
    staging: Path,
    key: SubjectKey,
    ingested_at: datetime,
    progress: Progress | None,
) -> Digest:
    schema = stored_schema(TABLES[name])
    digest = Digest(schema)
    with pq.ParquetWriter(staging / f"{name}.parquet", schema, compression="zstd") as writer:
        for piece in _conformed(name, _read(name, files), digest, key, ingested_at):
            writer.write_table(piece)
            if progress is not None:
                progress(name, piece.num_rows)
    return digest


def _conformed(
    name: str, raw: Iterator[pa.Table], digest: Digest, key: SubjectKey, ingested_at: datetime
) -> Iterator[pa.Table]:
    if not isinstance(key, SubjectKey):
        raise EventSchemaError(f"key must be a SubjectKey, got {type(key).__name__}. Make it with SubjectKey(secret).")
    undated = 0
    for batch in raw:
        piece = conform(TABLES[name], batch, key=key, ingested_at=ingested_at, first_row=digest.rows)
        known = batch.column("known_at") if "known_at" in batch.column_names else None
        undated += batch.num_rows if known is None else known.null_count
        digest.update(piece)
        yield piece
    if undated:
        _log.warning(
            "%s: %d of %d rows have no known_at and count as known from the ingest clock (%s) on; "
            "no observation before it sees them. Give known_at for history.",
            name, undated, digest.rows, ingested_at.isoformat(),
        )  # fmt: skip


def _batches_of(name: str, source: Any) -> Iterator[pa.Table]:
    if isinstance(source, str | Path):
        return _read(name, _files(name, Path(source)))
    return batches(_arrow(name, source))


def _arrow(name: str, source: Any) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pd.DataFrame):
        return pa.table(_pandas_columns(name, source))
    if hasattr(source, "__arrow_c_stream__"):  # Polars and whatever else speaks Arrow
        return pa.table(source)
    raise EventSchemaError(
        f"{name} must be a pandas or Polars DataFrame, an Arrow table or a Parquet path, "
        f"got {type(source).__name__}. Convert it first."
    )


def _pandas_columns(name: str, frame: pd.DataFrame) -> dict[str, pa.Array]:
    if frame.columns.has_duplicates:
        raise EventSchemaError(f"{name} must have each column once, got a repeated name. Drop or rename it.")
    columns = {}
    for column in frame.columns:
        try:
            columns[str(column)] = pa.array(frame[column], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            # Arrow's own message quotes the value.
            raise EventSchemaError(
                f"{name}.{column} must hold values of one type, got a mixture. Convert it first."
            ) from None
    return columns
