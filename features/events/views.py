"""A stored table as DuckDB sees it, whether it lies in memory or on disk."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import duckdb
import pyarrow as pa

__all__ = ["connect", "create_view"]

_MEMORY_LIMIT = "1GB"
_THREADS = 4  # each of them needs a share of that


def connect(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection that prints nothing and keeps nothing on disk.

    Parameters
    ----------
    spill : Path, optional
        Folder for what does not fit into half a gigabyte; by default memory is not bounded.
    """
    connection = duckdb.connect()
    # In a notebook without ipywidgets there is no bar, and DuckDB refuses to be told so.
    if connection.sql("select current_setting('enable_progress_bar')").fetchall() != [(False,)]:
        connection.execute("set enable_progress_bar = false")
    if spill is not None:
        connection.execute(f"set memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute(f"set threads = {min(_THREADS, os.cpu_count() or 1)}")
        connection.execute(f"set temp_directory = {_quoted(str(spill))}")
    return connection


def create_view(connection: duckdb.DuckDBPyConnection, name: str, source: pa.Table | Path) -> None:
    """Name a stored table; its column ``row`` is each row's position, from 0."""
    if isinstance(source, pa.Table):
        connection.register(f"{name}_in_memory", source)
        rows = f"select *, row_number() over () - 1 as row from {name}_in_memory"  # noqa: S608 names of our own
    else:
        path = _quoted(glob.escape(str(source)))
        rows = f"select *, file_row_number as row from read_parquet({path}, file_row_number = true)"  # noqa: S608
    connection.execute(f"create view {name} as {rows}")


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
