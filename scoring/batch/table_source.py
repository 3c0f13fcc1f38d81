"""Features in a table of a database, copied into the batch's folder once, so that going on means the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import URL, Boolean, Connection, MetaData, Table, create_engine, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError

from benne.errors import BatchChanged, FeatureTypeError, ObservationError
from benne.features.consent_mask import MASK_COLUMNS
from benne.scoring.batch.parquet_source import ParquetSource, open_parquet
from benne.scoring.batch.part import flush_file

__all__ = ["open_table"]

_FILE: Final = "input.parquet"
_SOURCE: Final = b"benne.source"
_ROWS: Final = 20_000  # at a time
_MICROSECONDS: Final = "as_of_us"


def open_table(address: str, name: str, folder: Path) -> ParquetSource:
    """Features in a table, as they stood when the batch began.

    Parameters
    ----------
    address : str
        SQLAlchemy URL of the database.
    name : str
        Of the table, with its schema before a dot if need be. Its columns are those of a feature file; in place of
        ``as_of`` it may have ``as_of_us``, whole microseconds since 1970-01-01 UTC.
    folder : Path
        Of the batch.

    Raises
    ------
    ObservationError
        If there is no such table, it cannot be read, or it does not say whom and when each row is about.
    FeatureTypeError
        If a column has values of several types.
    BatchChanged
        If the batch that is in the folder began with another table.
    """
    copied = folder / _FILE
    source = _source_of(address, name)
    if not copied.exists():
        _copy(address, name, copied, source)
    elif (pq.read_schema(copied).metadata or {}).get(_SOURCE) != source:
        raise BatchChanged(
            f"The batch in {folder} must go on as it began, got another table. Give it what it began with, or remove "
            "the folder to begin anew."
        )
    return open_parquet(copied)


def _source_of(address: str, name: str) -> bytes:
    """Which table of which database; not who reads it."""
    url = _url(address)
    return hashlib.sha256(f"{url.host}\n{url.port}\n{url.database}\n{name}".encode()).hexdigest().encode()


def _url(address: str) -> URL:
    try:
        return make_url(address)
    except ArgumentError:
        raise ObservationError("--table needs the SQLAlchemy address of a database, got something else.") from None


def _copy(address: str, name: str, target: Path, source: bytes) -> None:
    url = _url(address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ObservationError("The table must be one that can be read, got no such file. Check the address.")
    engine = create_engine(url, hide_parameters=True)
    beside = target.with_name(f"{target.name}.partial")
    try:
        with engine.connect() as connection:
            table = _table(connection, name)
            _write(_batches(connection, table), beside, source)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise _unreadable(error) from None
    finally:
        engine.dispose()
    flush_file(beside)
    beside.replace(target)


def _unreadable(error: Exception) -> ObservationError:
    return ObservationError(
        f"The table must be one that can be read, got {type(error).__name__}. Check the address and the table's name."
    )


def _table(connection: Connection, name: str) -> Table:
    schema, _, bare = name.rpartition(".")
    try:
        table = Table(bare, MetaData(), autoload_with=connection, schema=schema or None)
    except NoSuchTableError as error:
        raise _unreadable(error) from None
    moment = "as_of" if "as_of" in table.columns else _MICROSECONDS
    missing = [column for column in ("subject_id", moment) if column not in table.columns]
    if missing:
        raise ObservationError(f"The table must have subject_id and as_of, got no {' and no '.join(missing)}. Add it.")
    return table


def _batches(connection: Connection, table: Table) -> Iterator[pa.RecordBatch]:
    moment = table.c["as_of"] if "as_of" in table.columns else table.c[_MICROSECONDS]
    query = select(table).order_by(table.c["subject_id"], moment).execution_options(yield_per=_ROWS)
    names = list(table.columns.keys())
    kinds = [_kind(name, table.columns[name].type) for name in names]
    empty: list[Sequence[Any]] = [[] for _ in names]
    with connection.execute(query) as rows:
        yield _batch(names, kinds, empty)
        for page in rows.partitions():
            yield _batch(names, kinds, list(zip(*page, strict=True)))


def _kind(name: str, declared: Any) -> pa.DataType:
    if name == "subject_id":
        return pa.large_string()
    if name in ("as_of", _MICROSECONDS):
        return pa.timestamp("us", tz="UTC")
    if name in MASK_COLUMNS.values() or isinstance(declared, Boolean):
        return pa.bool_()
    try:
        whole = issubclass(declared.python_type, int)
        return pa.int64() if whole else pa.float64() if declared.python_type is not str else pa.large_string()
    except NotImplementedError:
        return pa.float64()


def _batch(names: list[str], kinds: list[pa.DataType], columns: list[Sequence[Any]]) -> pa.RecordBatch:
    arrays = [_array(n, kind, values) for n, kind, values in zip(names, kinds, columns, strict=True)]
    return pa.record_batch(arrays, names=["as_of" if name == _MICROSECONDS else name for name in names])


def _array(name: str, kind: pa.DataType, values: Sequence[Any]) -> pa.Array:
    if name == "as_of":
        return pa.array([_aware(value) for value in values], kind)
    try:
        if name == _MICROSECONDS:
            return pa.array(values, pa.int64()).view(kind)
        if pa.types.is_boolean(kind):
            return pa.array([_truth(value) for value in values], kind)
        if pa.types.is_floating(kind):
            return pa.array([None if value is None else float(value) for value in values], kind)
        return pa.array(values, kind)
    except (pa.ArrowException, TypeError, ValueError):
        # Their own words may quote a value.
        raise FeatureTypeError(f"Column {name!r} must hold values of its type, got others. Correct them.") from None


def _aware(moment: Any) -> datetime | None:
    if moment is not None and (not isinstance(moment, datetime) or moment.tzinfo is None):
        raise ObservationError(
            f"as_of must be timezone-aware timestamps, got a {type(moment).__name__} without one. "
            f"Store it with its timezone, or as {_MICROSECONDS}."
        )
    return moment


def _truth(value: Any) -> bool | None:
    if value not in (None, True, False):
        raise TypeError
    return None if value is None else bool(value)


def _write(batches: Iterator[pa.RecordBatch], path: Path, source: bytes) -> None:
    first = next(batches)
    schema = first.schema.with_metadata({_SOURCE: source})
    with pq.ParquetWriter(path, schema) as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
