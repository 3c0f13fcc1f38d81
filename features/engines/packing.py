"""From Arrow tables of members' rows to the kernel's arrays: the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benne.features.compute import Loaded
from benne.features.events.tables import TABLES, Column
from benne.features.kernel.layout import TABLE_COLUMNS
from benne.features.kernel.ordering import canonical
from benne.features.kernel.stream import NULL, Integers, Partition, Stream

__all__ = ["ROW_COLUMNS", "pack", "streamed"]

ROW_COLUMNS = ("code", "event_time", "known_at", "superseded_at")
"""What every row says beside the columns of its table; ``code`` numbers its member from 0."""


def streamed(table: str) -> list[Column]:
    """The columns of a table that the kernel reads."""
    return [c for c in TABLES[table].columns if c.name in TABLE_COLUMNS[table]]


def pack(tables: Mapping[str, pa.Table], subjects: int) -> Loaded:
    """Put rows in the kernel's order and form.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Per event table, :data:`ROW_COLUMNS` and :func:`streamed` columns in their stored form,
        categories as names or as their places; rows in any order, quickest if sorted by code
        and time.
    subjects : int
        How many members there are.
    """
    codes, ids = _id_codes(tables)
    streams = {name: _stream(name, table, codes) for name, table in tables.items()}
    most = max([len(dictionary) for dictionary in ids.values()], default=0)
    members = ids["member"].to_pylist() if "member" in ids else []
    return Loaded(Partition.of(streams, subjects, max(most, _MOST_VALUES)), members)


_MOST_VALUES = max(len(c.values) for table in TABLES.values() for c in table.columns)


def _id_codes(tables: Mapping[str, pa.Table]) -> tuple[dict[tuple[str, str], Integers], dict[str, pa.Array]]:
    """Number the ids of each domain across tables, so that a repayment finds its due."""
    places: dict[str, list[tuple[str, str]]] = {}
    for name in tables:
        for column in streamed(name):
            if column.kind == "id":
                places.setdefault(column.domain, []).append((name, column.name))
    codes: dict[tuple[str, str], Integers] = {}
    ids: dict[str, pa.Array] = {}
    for domain, columns in places.items():
        chunks = [chunk for t, c in columns for chunk in tables[t].column(c).chunks]
        encoded = pc.dictionary_encode(pa.chunked_array(chunks, type=pa.string())).combine_chunks()
        ids[domain] = encoded.dictionary
        numbers = pc.fill_null(encoded.indices.cast(pa.int64()), NULL).to_numpy(zero_copy_only=False)
        ends = np.cumsum([tables[t].num_rows for t, _ in columns])
        codes.update(zip(columns, np.split(numbers, ends[:-1]), strict=True))
    return codes, ids


def _stream(name: str, table: pa.Table, codes: Mapping[tuple[str, str], Integers]) -> Stream:
    columns = {
        c.name: codes[name, c.name] if c.kind == "id" else _cells(c, table.column(c.name)) for c in streamed(name)
    }
    subject, time, known, superseded = (table.column(c).to_numpy().astype(np.int64, copy=False) for c in ROW_COLUMNS)
    content = [c.name for c in streamed(name) if c.kind != "id"]
    return canonical(Stream(subject, time, known, superseded, columns), content)


def _cells(column: Column, cells: pa.ChunkedArray) -> Integers:
    if column.kind == "category" and not pa.types.is_integer(cells.type):
        cells = pc.index_in(cells, value_set=pa.array(column.values))
    values: Integers = pc.fill_null(pc.cast(cells, pa.int64()), NULL).to_numpy()
    return values
