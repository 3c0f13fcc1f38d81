"""Stored tables in one order: by member, then time, so that a member's rows lie together.

Statistics of row groups then tell a reader of some members which groups to leave out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb
import pyarrow as pa

from benne.features.events.tables import EventTable
from benne.features.events.validation import stored_schema

__all__ = ["CLUSTERED_BY", "ROW_GROUP_ROWS", "clustered"]

CLUSTERED_BY: Final = ("subject_id", "event_time", "known_at", "record_id")
"""A total order, as ``record_id`` is unique: the same rows give the same table."""

ROW_GROUP_ROWS: Final = 122_880


def clustered(connection: duckdb.DuckDBPyConnection, table: EventTable) -> Iterator[pa.Table]:
    """A stored table sorted, in batches of a row group, at least one.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With a view of the table under its name; sorts in the memory it may use.
    table : EventTable
    """
    schema = stored_schema(table)
    columns = ", ".join(f'"{name}"' for name in schema.names)
    ordered = f"select {columns} from {table.name} order by {', '.join(CLUSTERED_BY)}"  # noqa: S608 names of our own
    rows = 0
    # Written by Arrow: DuckDB's own Parquet declares columns without nulls as never null, and
    # a stored table must have the one schema whatever is in it.
    for batch in connection.sql(ordered).to_arrow_reader(ROW_GROUP_ROWS):
        rows += batch.num_rows
        yield pa.Table.from_batches([batch]).cast(schema)
    if not rows:
        yield schema.empty_table()
