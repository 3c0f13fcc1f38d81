"""From Arrow tables of members' rows to the kernel's arrays: the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benne.errors import EventValueError
from benne.features.compute import Loaded
from benne.features.events.tables import TABLES, Column
from benne.features.kernel.layout import STREAMS, TABLE_COLUMNS
from benne.features.kernel.ordering import canonical
from benne.features.kernel.stream import MAXIMUM_EVENTS, NEVER, NULL, Integers, Partition, Stream

__all__ = ["MOST_VALUES", "ROW_COLUMNS", "check_row_count", "pack", "streamed", "with_moments"]

ROW_COLUMNS = ("code", "event_time", "known_at", "superseded_at")
"""What every row says beside the columns of its table; ``code`` numbers its member from 0."""

MOST_VALUES = max(len(c.values) for table in TABLES.values() for c in table.columns)
"""How many values the category with most of them has: ids and categories are numbered below this, at least."""


def streamed(table: str) -> list[Column]:
    """The columns of a table that the kernel reads."""
    return [c for c in TABLES[table].columns if c.name in TABLE_COLUMNS[table]]


def with_moments(rows: pa.Table, code: Integers, *, corrected: bool) -> pa.Table:
    """Stored rows of whole members with their codes, and when a correction of each became known.

    Parameters
    ----------
    rows : pyarrow.Table
    code : ndarray of int64, shape (m,)
    corrected : bool
        Whether any row corrects another.
    """
    superseded: Any = np.full(rows.num_rows, NEVER)
    if corrected:
        corrections = rows.filter(pc.is_valid(rows.column("supersedes")))
        wanted = pc.cast(corrections.column("supersedes"), pa.string())
        corrected_by = pc.index_in(rows.column("record_id"), value_set=wanted.combine_chunks())
        superseded = pc.fill_null(pc.take(corrections.column("known_at"), corrected_by), NEVER)
    return rows.append_column("code", pa.array(code)).append_column("superseded_at", _chunked(superseded))


def _chunked(values: Any) -> pa.ChunkedArray:
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([pa.array(values)])


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

    Raises
    ------
    EventValueError
        If a member has more rows in one table than sums are exact for.
    """
    codes, ids = _id_codes(tables)
    streams = {name: _stream(name, table, codes) for name, table in tables.items()}
    most = max([len(dictionary) for dictionary in ids.values()], default=0)
    members = ids["member"].to_pylist() if "member" in ids else []
    partition = Partition.of(streams, subjects, max(most, MOST_VALUES))
    for name in streams:
        check_row_count(name, partition.last[STREAMS[name]] - partition.first[STREAMS[name]])
    return Loaded(partition, members)


def check_row_count(table: str, rows: Integers) -> None:
    """Check how many rows each member has in a table.

    Raises
    ------
    EventValueError
        If a member has more than sums are exact for.
    """
    most = int(rows.max(initial=0))
    if most > MAXIMUM_EVENTS:
        raise EventValueError(
            f"A member must have at most {MAXIMUM_EVENTS:,} rows in {table}, got {most:,}. "
            "Split what is not one person's, or leave out what is older than any window."
        )


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
        texts = [_texts(tables[t].column(c)) for t, c in columns]
        # Numbered once per different text, not once per row.
        every = pc.dictionary_encode(pa.concat_arrays([dictionary for dictionary, _ in texts]))
        ids[domain] = every.dictionary
        ends = np.cumsum([len(dictionary) for dictionary, _ in texts])
        parts = np.split(every.indices.to_numpy().astype(np.int64), ends[:-1])
        codes.update({c: _looked_up(n, places) for c, n, (_, places) in zip(columns, parts, texts, strict=True)})
    return codes, ids


def _texts(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """The different texts of a column, and which of them each row holds (null where none)."""
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    whole = encoded.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], whole.type)
    return pc.cast(whole.dictionary, pa.string()), whole.indices


def _looked_up(numbers: Integers, places: pa.Array) -> Integers:
    """The number of each row's text; :data:`NULL` where it has none."""
    with_null = np.append(numbers, NULL)
    rows: Integers = with_null[pc.fill_null(places, len(numbers)).to_numpy(zero_copy_only=False)]
    return rows


def _stream(name: str, table: pa.Table, codes: Mapping[tuple[str, str], Integers]) -> Stream:
    columns = {
        c.name: codes[name, c.name] if c.kind == "id" else _cells(c, table.column(c.name)) for c in streamed(name)
    }
    subject, time, known, superseded = (table.column(c).to_numpy().astype(np.int64, copy=False) for c in ROW_COLUMNS)
    content = [c.name for c in streamed(name) if c.kind != "id"]
    return canonical(Stream(subject, time, known, superseded, columns), content)


def _cells(column: Column, cells: pa.ChunkedArray) -> Integers:
    if column.kind == "category" and not pa.types.is_integer(cells.type):
        texts, places = _texts(cells)
        numbers = pc.fill_null(pc.index_in(texts, value_set=pa.array(column.values)), -1).to_numpy()
        return _looked_up(np.where(numbers < 0, NULL, numbers.astype(np.int64)), places)
    values: Integers = pc.fill_null(pc.cast(cells, pa.int64()), NULL).to_numpy()
    return values
