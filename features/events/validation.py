"""What a raw table must be before any of it is let in: names, types, nulls, values, time order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benne.errors import EventSchemaError, EventValueError
from benne.features.events.keys import SubjectKey
from benne.features.events.tables import Column, EventTable

__all__ = ["EARLIEST", "LATEST", "STORED_TYPES", "conform", "microseconds", "refuse_rows", "stored_schema"]

STORED_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "time": pa.int64(),
    "money": pa.int64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "category": pa.string(),
    "text": pa.string(),
}
_EXAMPLES = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stored_schema(table: EventTable) -> pa.Schema:
    """The Arrow schema a table has behind the door: member_id has become subject_id."""
    names = ["subject_id" if c.name == "member_id" else c.name for c in table.all_columns]
    return pa.schema([(name, STORED_TYPES[c.kind]) for name, c in zip(names, table.all_columns, strict=True)])


def conform(
    table: EventTable, raw: pa.Table, *, key: SubjectKey, ingested_at: datetime, first_row: int = 0
) -> pa.Table:
    """Check one batch of a raw table and give it its stored form.

    Parameters
    ----------
    table : EventTable
    raw : pyarrow.Table
        With raw ids and timezone-aware timestamps.
    key : SubjectKey
    ingested_at : datetime
        The ingest clock: what ``known_at`` becomes where the source has none, and the latest
        it may be.
    first_row : int
        Position of the batch in its source, for the positions in messages.

    Returns
    -------
    pyarrow.Table
        Columns of :func:`stored_schema`.

    Raises
    ------
    EventSchemaError
        A column is missing, unknown, or of a type it may not have.
    EventValueError
        Rows hold nulls, values or times that cannot be.
    """
    _check_names(table, raw.column_names)
    clock = microseconds(ingested_at)
    columns: dict[str, pa.Array] = {}
    for column in table.all_columns:
        values = _stored_values(table, column, raw, first_row)
        if column.name == "known_at":
            values = pc.fill_null(values, clock)
        _check_values(table, column, values, first_row)
        columns[column.name] = values
    _check_time_order(table, columns, clock, first_row)
    return _keyed(table, columns, key)


def refuse_rows(table: EventTable, wrong: pa.Array, first_row: int, must: str, advice: str) -> None:
    """Raise :class:`EventValueError` if any element of a boolean array is true."""
    rows = np.flatnonzero(pc.fill_null(wrong, False).to_numpy(zero_copy_only=False))
    if rows.size:
        shown = ", ".join(str(first_row + r) for r in rows[:_EXAMPLES].tolist())
        more = ", …" if rows.size > _EXAMPLES else ""
        raise EventValueError(
            f"{table.name}{must}, got {rows.size} row(s) where it is not (rows {shown}{more}). {advice}"
        )


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware datetime."""
    if not isinstance(moment, datetime):
        raise EventSchemaError(
            f"A clock must be a timezone-aware datetime, got {type(moment).__name__}. Use datetime.now(UTC)."
        )
    if moment.tzinfo is None:
        raise EventSchemaError("A clock must be timezone-aware, got a naive datetime. Use datetime.now(UTC).")
    return (moment - _EPOCH) // timedelta(microseconds=1)


EARLIEST = microseconds(datetime(1900, 1, 1, tzinfo=UTC))
"""The first moment an event may have: before it stand only mistaken dates."""

LATEST = microseconds(datetime(2200, 1, 1, tzinfo=UTC))
"""The first moment no event may have: from it on stand only placeholders for 'no end'."""


def _check_names(table: EventTable, names: list[str]) -> None:
    known = {c.name for c in table.all_columns}
    unknown = sorted(set(names) - known)
    if unknown or len(set(names)) != len(names):
        raise EventSchemaError(
            f"{table.name} must have columns among {', '.join(sorted(known))}, each once, "
            f"got {', '.join(unknown) or 'a repeated name'}. Drop or rename it."
        )
    missing = [c.name for c in table.all_columns if c.required and c.name not in names]
    if missing:
        raise EventSchemaError(f"{table.name} must have the column(s) {', '.join(missing)}, got none. Add them.")


def _stored_values(table: EventTable, column: Column, raw: pa.Table, first_row: int) -> pa.Array:
    stored = STORED_TYPES[column.kind]
    if column.name not in raw.column_names:
        return pa.nulls(raw.num_rows, stored)
    values = raw.column(column.name).combine_chunks()
    if pa.types.is_dictionary(values.type):
        words = values.dictionary  # cast first: views of strings, as Polars sends them, cannot be taken from
        values = pc.take(pc.cast(words, pa.string()) if _is_text(words.type) else words, values.indices)
    if pa.types.is_null(values.type) or 0 < len(values) == values.null_count:
        return pa.nulls(raw.num_rows, stored)  # pandas gives a column without any value another type
    accepts, must = _ACCEPTED[column.kind]
    if not accepts(values.type):
        raise EventSchemaError(f"{table.name}.{column.name} must be {must}, got {values.type}. Convert it first.")
    if column.kind == "time":
        return _moments(table, column, values, first_row)
    if column.kind in ("money", "integer"):
        return _whole_numbers(table, column, values, first_row)
    return pc.cast(values, stored)


def _moments(table: EventTable, column: Column, values: pa.Array, first_row: int) -> pa.Array:
    # Compared in their own unit: a second of the year 300,000 has no microseconds in int64.
    per_second = _PER_SECOND[values.type.unit]
    ticks = pc.cast(values, pa.int64())
    outside = pc.or_(
        pc.less(ticks, EARLIEST // 1_000_000 * per_second), pc.greater_equal(ticks, LATEST // 1_000_000 * per_second)
    )
    refuse_rows(table, outside, first_row, f".{column.name} must lie in the years 1900 to 2199",
                "Correct them; leave null what has no end.")  # fmt: skip
    return pc.cast(pc.cast(values, pa.timestamp("us", "UTC"), safe=False), pa.int64())


def _whole_numbers(table: EventTable, column: Column, values: pa.Array, first_row: int) -> pa.Array:
    # pandas turns integers with gaps into floats; whole floats below 2**53 lose nothing.
    if pa.types.is_floating(values.type):
        values = pc.cast(values, pa.float64())
        values = pc.if_else(pc.is_nan(values), None, values)
        broken = pc.or_(pc.not_equal(values, pc.floor(values)), pc.greater(pc.abs(values), 2.0**53))
        unit = "minor units (cents)" if column.kind == "money" else "numbers"
        refuse_rows(table, broken, first_row, f".{column.name} must be whole {unit}, without fractions or infinities",
                    "Convert it first.")  # fmt: skip
    elif pa.types.is_uint64(values.type):
        values = pc.min_element_wise(values, pa.scalar(2**62, pa.uint64()), skip_nulls=False)  # refused as too large
    return pc.cast(values, pa.int64())


_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_id(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pa.types.is_integer(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


_ACCEPTED: dict[str, tuple[Callable[[pa.DataType], bool], str]] = {
    "id": (_is_id, "strings or integers"),
    "time": (_is_time, "timezone-aware timestamps"),
    "money": (_is_number, "whole minor units (int64)"),
    "integer": (_is_number, "whole numbers (int64)"),
    "flag": (pa.types.is_boolean, "booleans"),
    "category": (_is_text, "strings"),
    "text": (_is_text, "strings"),
}


def _check_values(table: EventTable, column: Column, values: pa.Array, first_row: int) -> None:
    for wrong, must, advice in _value_rules(column, values):
        refuse_rows(table, wrong, first_row, f".{column.name} must {must}", advice)


def _value_rules(column: Column, values: pa.Array) -> Iterator[tuple[pa.Array, str, str]]:
    if column.required:
        yield pc.is_null(values), "hold no null", "Complete or drop those rows."
    if column.kind == "id":
        yield pc.equal(pc.binary_length(values), 0), "not be empty", "Give an id, or null where there is none."
    if column.name == "currency":
        yield pc.invert(pc.match_substring_regex(values, "^[A-Z]{3}$")), "be an ISO 4217 code", "Name it like EUR."
    if column.kind == "category":
        known = pc.or_(pc.is_in(values, pa.array(column.values)), pc.is_null(values))
        yield (
            pc.invert(known),
            f"be one of {', '.join(column.values)}",
            "Map them to one of these, or to null.",
        )
    if column.minimum is not None:
        yield pc.less(values, column.minimum), f"be at least {column.minimum}", "Correct or drop those rows."
    if column.maximum is not None:
        yield (
            pc.greater(values, column.maximum),
            f"be at most {column.maximum}",
            "Correct or drop those rows.",
        )


def _check_time_order(table: EventTable, columns: dict[str, pa.Array], clock: int, first_row: int) -> None:
    known, happened = columns["known_at"], columns["event_time"]
    refuse_rows(table, pc.greater(known, clock), first_row,
                ".known_at must not be after the ingest clock", "Check the source's clock.")  # fmt: skip
    if not table.schedule:
        refuse_rows(table, pc.less(known, happened), first_row,
                    ".known_at must not be before event_time", "Nothing but a schedule is known ahead.")  # fmt: skip
    if "expires_at" in columns:
        refuse_rows(table, pc.less(columns["expires_at"], happened), first_row,
                    ".expires_at must not be before event_time", "Correct those rows.")  # fmt: skip
    if "period_start" in columns:
        refuse_rows(table, pc.greater(columns["period_start"], happened), first_row,
                    ".period_start must not be after event_time", "Correct those rows.")  # fmt: skip


def _keyed(table: EventTable, columns: dict[str, pa.Array], key: SubjectKey) -> pa.Table:
    keyed = [
        key.key_column(columns[c.name], c.domain) if c.kind == "id" else columns[c.name] for c in table.all_columns
    ]
    return pa.Table.from_arrays(keyed, schema=stored_schema(table))
