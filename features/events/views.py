"""A stored table as DuckDB sees it, whether it lies in memory or on disk."""

from __future__ import annotations

import glob
from pathlib import Path

import duckdb
import pyarrow as pa

__all__ = ["connect", "create_view"]


def connect() -> duckdb.DuckDBPyConnection:
    """A connection to nothing on disk, that prints nothing."""
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    return connection


def create_view(connection: duckdb.DuckDBPyConnection, name: str, source: pa.Table | Path) -> None:
    """Name a stored table; its column ``row`` is each row's position, from 0."""
    if isinstance(source, pa.Table):
        connection.register(f"{name}_in_memory", source)
        rows = f"select *, row_number() over () - 1 as row from {name}_in_memory"  # noqa: S608 names of our own
    else:
        path = glob.escape(str(source)).replace("'", "''")
        rows = f"select *, file_row_number as row from read_parquet('{path}', file_row_number = true)"  # noqa: S608
    connection.execute(f"create view {name} as {rows}")
