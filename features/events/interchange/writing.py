"""One table written as Parquet or as CSV (RFC 4180)."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benne.features.events.interchange.columns import WireTable, wire_schema

__all__ = ["TableWriter"]


class TableWriter:
    """Writes batches of one table's wire schema.

    Parameters
    ----------
    path : Path
    table : WireTable
    file_format : {"parquet", "csv"}
    """

    def __init__(self, path: Path, table: WireTable, file_format: str) -> None:
        self._stack = ExitStack()
        self._parquet: pq.ParquetWriter | None = None
        if file_format == "parquet":
            self._parquet = self._stack.enter_context(pq.ParquetWriter(path, wire_schema(table), compression="zstd"))
        else:
            file = self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._csv = csv.writer(file, lineterminator="\r\n")
            self._csv.writerow(table.names)

    def __enter__(self) -> Self:
        """Write within a ``with`` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._stack.close()

    def write(self, batch: pa.Table) -> None:
        """Append rows."""
        if self._parquet is not None:
            self._parquet.write_table(batch)
        else:
            self._csv.writerows(zip(*(_texts(column) for column in batch.columns), strict=True))


def _texts(column: pa.ChunkedArray) -> list[Any]:
    """Cells as the CSV has them; a null is an empty cell."""
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.string())
    cells: list[Any] = column.to_pylist()
    return cells
