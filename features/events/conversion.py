"""From the types a source may send to the types a column is stored in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from benne.features.events.batches import Batch
from benne.features.events.moments import EARLIEST, LATEST
from benne.features.events.refusals import Rule
from benne.features.events.tables import Column

__all__ = ["STORED_TYPES", "Converted", "convert"]

STORED_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "time": pa.int64(),
    "money": pa.int64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "category": pa.string(),
    "text": pa.string(),
}
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_CONVERT = "Convert it first."
_TYPE_LETTERS = 60


@dataclass(frozen=True)
class Converted:
    """A column in its stored type.

    Parameters
    ----------
    values : pyarrow.Array
        Null where the source has none, and where its value was refused.
    refused : pyarrow.Array or None
        Where a value was refused; None: nowhere.
    whole : bool
        False where the column itself was refused: its nulls say nothing.
    """

    values: pa.Array
    refused: pa.Array | None = None
    whole: bool = True


def convert(batch: Batch, column: Column) -> Converted:
    """Give one column of a batch its stored type; what cannot have it is refused."""
    stored, rows = STORED_TYPES[column.kind], batch.raw.num_rows
    if column.name not in batch.raw.column_names:
        return Converted(pa.nulls(rows, stored), whole=not column.required)
    values = _plain(batch.raw.column(column.name).combine_chunks())
    if pa.types.is_null(values.type) or len(values) == values.null_count:
        return Converted(pa.nulls(rows, stored))  # pandas gives a column without any value another type
    if _refused_type(batch, column, values.type):
        return Converted(pa.nulls(rows, stored), whole=False)
    if column.kind == "time":
        return _moments(batch, column, values)
    if column.kind in ("money", "integer"):
        return _whole_numbers(batch, column, values)
    return _text(batch, column, values) if _is_text(values.type) else Converted(pc.cast(values, stored))


def _plain(values: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(values.type):
        return values
    words = values.dictionary  # cast first: views of strings, as Polars sends them, cannot be taken from
    return pc.take(pc.cast(words, pa.string()) if _is_text(words.type) else words, values.indices)


def _refused_type(batch: Batch, column: Column, kind: pa.DataType) -> bool:
    accepts, must = _ACCEPTED[column.kind]
    shown = str(kind)[:_TYPE_LETTERS]
    if not accepts(kind):
        others = batch.peers.compared(lambda schema: _has(schema, column) and not accepts(_type(schema, column)))
        batch.refuse_column(Rule(column.name, f"be {must}", _CONVERT), shown, others)
        return True
    # As text "007" is another id than 7, so a table whose files mix the two has members twice.
    if column.kind == "id" and batch.peers.mostly(column.name, _as_text) not in (None, _is_text(kind)):
        others = batch.peers.compared(
            lambda schema: _has(schema, column) and _as_text(_type(schema, column)) == _is_text(kind)
        )
        rule = Rule(column.name, "be strings in all files, or whole numbers in all", _CONVERT)
        batch.refuse_column(rule, shown, others)
        return True
    return False


def _has(schema: pa.Schema, column: Column) -> bool:
    return bool(schema.names.count(column.name) == 1)


def _type(schema: pa.Schema, column: Column) -> pa.DataType:
    kind = schema.field(column.name).type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _moments(batch: Batch, column: Column, values: pa.Array) -> Converted:
    # Compared in their own unit: a second of the year 300,000 has no microseconds in int64.
    per_second = _PER_SECOND[values.type.unit]
    ticks = pc.cast(values, pa.int64())
    outside = pc.or_(
        pc.less(ticks, EARLIEST // 1_000_000 * per_second), pc.greater_equal(ticks, LATEST // 1_000_000 * per_second)
    )
    batch.refuse_rows(outside, Rule(column.name, "lie in the years 1900 to 2199",
                                    "Correct them; leave null what has no end."))  # fmt: skip
    inside = pc.if_else(outside, None, values)
    return Converted(pc.cast(pc.cast(inside, pa.timestamp("us", "UTC"), safe=False), pa.int64()), outside)


def _whole_numbers(batch: Batch, column: Column, values: pa.Array) -> Converted:
    broken = None
    # pandas turns integers with gaps into floats; whole floats below 2**53 lose nothing.
    if pa.types.is_floating(values.type):
        values = pc.cast(values, pa.float64())
        values = pc.if_else(pc.is_nan(values), None, values)
        broken = pc.or_(pc.not_equal(values, pc.floor(values)), pc.greater(pc.abs(values), 2.0**53))
        unit = "minor units (cents)" if column.kind == "money" else "numbers"
        batch.refuse_rows(broken, Rule(column.name, f"be whole {unit}, without fractions or infinities", _CONVERT))
        values = pc.if_else(broken, None, values)
    elif pa.types.is_uint64(values.type):
        values = pc.min_element_wise(values, pa.scalar(2**62, pa.uint64()), skip_nulls=False)  # refused as too large
    return Converted(pc.cast(values, pa.int64()), broken)


def _text(batch: Batch, column: Column, values: pa.Array) -> Converted:
    text = pc.cast(values, pa.string())
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        broken = pa.array([not _is_utf8(raw) for raw in pc.cast(text, pa.binary()).to_pylist()])
    else:
        return Converted(text)
    batch.refuse_rows(broken, Rule(column.name, "be UTF-8", "Write the file again in that encoding."))
    return Converted(pc.if_else(broken, None, text), broken)


def _is_utf8(raw: bytes | None) -> bool:
    try:
        return raw is None or raw.decode() is not None
    except UnicodeDecodeError:
        return False


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_id(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pa.types.is_integer(kind))


def _as_text(kind: pa.DataType) -> bool | None:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return _is_text(plain) if _is_id(plain) else None


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
