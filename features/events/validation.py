"""What a raw table must be before any of it is let in: names, types, nulls, values, time order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from benne.features.events.batches import Batch, Door
from benne.features.events.conversion import STORED_TYPES, Converted, convert
from benne.features.events.keys import SubjectKey
from benne.features.events.moments import EARLIEST, LATEST, microseconds
from benne.features.events.refusals import Findings, Refusal, Rule
from benne.features.events.sources import RawTable
from benne.features.events.tables import TABLES, Column, EventTable

__all__ = [
    "EARLIEST",
    "LATEST",
    "STORED_TYPES",
    "Conformed",
    "check_names",
    "conform",
    "microseconds",
    "stored_schema",
]

_CORRECT = "Correct those rows."
_CORRECT_OR_DROP = "Correct or drop those rows."
_Columns = dict[str, pa.Array]
_Fault = Callable[[list[str]], str]


def stored_schema(table: EventTable) -> pa.Schema:
    """The Arrow schema a table has behind the door: member_id has become subject_id."""
    names = ["subject_id" if c.name == "member_id" else c.name for c in table.all_columns]
    return pa.schema([(name, STORED_TYPES[c.kind]) for name, c in zip(names, table.all_columns, strict=True)])


@dataclass(frozen=True)
class Conformed:
    """A batch in its stored form.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of :func:`stored_schema`.
    undated : int
        Rows whose ``known_at`` is the ingest clock, as the source has none.
    lifted : int
        Rows whose ``known_at`` was before their event, within the tolerated skew, and is now
        the event's time.
    """

    table: pa.Table
    undated: int
    lifted: int


def check_names(raw: RawTable, findings: Findings) -> RawTable:
    """Check which columns each file of a table has, and leave out files that repeat one."""
    known = [c.name for c in TABLES[raw.name].all_columns]
    needed = [c.name for c in TABLES[raw.name].all_columns if c.required]
    among = f"have columns among {', '.join(sorted(known))}, each once"

    def repeated(names: list[str]) -> str:
        return "a repeated name" if len(set(names)) != len(names) else ""

    def unknown(names: list[str]) -> str:
        return ", ".join(sorted(set(names) - set(known)))

    def missing(names: list[str]) -> str:
        return ", ".join(name for name in needed if name not in names)

    _refuse_names(raw, unknown, lambda _: among, lambda wrong: wrong, "Drop or rename it.", findings)
    _refuse_names(raw, repeated, lambda _: among, lambda wrong: wrong, "Drop or rename it.", findings)
    _refuse_names(raw, missing, lambda wrong: f"have the column(s) {wrong}", lambda _: "none", "Add them.", findings)
    return replace(raw, pieces=tuple(piece for piece in raw.pieces if not repeated(piece.schema.names)))


def _refuse_names(
    raw: RawTable,
    fault: _Fault,
    must: Callable[[str], str],
    got: Callable[[str], str],
    advice: str,
    findings: Findings,
) -> None:
    for piece in raw.pieces:
        wrong = fault(piece.schema.names)
        if wrong:
            others = raw.peers.compared(lambda schema: bool(fault(schema.names)))
            findings.add([Refusal(raw.name, "", piece.file, must(wrong), advice, got=got(wrong), others=others)])


def conform(batch: Batch, door: Door) -> Conformed:
    """Check one batch of a raw table and give it its stored form.

    Parameters
    ----------
    batch : Batch
        Its names checked by :func:`check_names`.
    door : Door

    Returns
    -------
    Conformed
        Where findings are collected, null in place of what was refused.

    Raises
    ------
    EventSchemaError
        A column is of a type it may not have.
    EventValueError
        Rows hold nulls, values or times that cannot be.
    """
    columns: _Columns = {}
    undated = 0
    for column in batch.table.all_columns:
        converted = convert(batch, column)
        if column.name == "known_at":
            undated = converted.values.null_count
            converted = replace(converted, values=pc.fill_null(converted.values, door.clock))
        _check_values(batch, column, converted)
        columns[column.name] = converted.values
    lifted = _lift(batch.table, columns, door)
    _check_time_order(batch, columns, door.clock)
    return Conformed(_keyed(batch.table, columns, door.key), undated, lifted)


def _check_values(batch: Batch, column: Column, converted: Converted) -> None:
    if converted.whole:
        for wrong, must, advice in _value_rules(column, converted):
            batch.refuse_rows(wrong, Rule(column.name, must, advice))


def _value_rules(column: Column, converted: Converted) -> Iterator[tuple[pa.Array, str, str]]:
    values = converted.values
    if column.required:
        yield _missing(converted), "hold no null", "Complete or drop those rows."
    if column.kind == "id":
        yield pc.equal(pc.binary_length(values), 0), "not be empty", "Give an id, or null where there is none."
    if column.name == "currency":
        yield pc.invert(pc.match_substring_regex(values, "^[A-Z]{3}$")), "be an ISO 4217 code", "Name it like EUR."
    if column.kind == "category":
        known = pc.or_(pc.is_in(values, pa.array(column.values)), pc.is_null(values))
        yield pc.invert(known), f"be one of {', '.join(column.values)}", "Map them to one of these, or to null."
    if column.minimum is not None:
        yield pc.less(values, column.minimum), f"be at least {column.minimum}", _CORRECT_OR_DROP
    if column.maximum is not None:
        yield pc.greater(values, column.maximum), f"be at most {column.maximum}", _CORRECT_OR_DROP


def _missing(converted: Converted) -> pa.Array:
    """Where the source has no value; what was refused for what it is was there."""
    nulls = pc.is_null(converted.values)
    return nulls if converted.refused is None else pc.and_not(nulls, pc.fill_null(converted.refused, False))


def _lift(table: EventTable, columns: _Columns, door: Door) -> int:
    """Let rows known shortly before their event be known with it: later knowledge is never a leak."""
    if table.schedule or not door.skew:
        return 0
    known, happened = columns["known_at"], columns["event_time"]
    early = pc.subtract(happened, known)
    # An event after the ingest clock cannot be known by it; it stays as it is and is refused.
    near = pc.and_(pc.and_(pc.greater(early, 0), pc.less_equal(early, door.skew)), pc.less_equal(happened, door.clock))
    near = pc.fill_null(near, False)
    columns["known_at"] = pc.if_else(near, happened, known)
    return int(pc.sum(near).as_py() or 0)


def _check_time_order(batch: Batch, columns: _Columns, clock: int) -> None:
    for wrong, column, must, advice in _time_rules(batch.table, columns, clock):
        batch.refuse_rows(wrong, Rule(column, must, advice))


def _time_rules(table: EventTable, columns: _Columns, clock: int) -> Iterator[tuple[pa.Array, str, str, str]]:
    known, happened = columns["known_at"], columns["event_time"]
    yield pc.greater(known, clock), "known_at", "not be after the ingest clock", "Check the source's clock."
    if not table.schedule:
        early = pc.less(known, happened)
        yield early, "known_at", "not be before event_time", "Nothing but a schedule is known ahead."
    if "expires_at" in columns:
        ends = pc.less(columns["expires_at"], happened)
        if table.name == "adverse_items":  # what follows on a listing may come after its end
            ends = pc.and_(ends, pc.equal(columns["event"], "reported"))
        yield ends, "expires_at", "not be before event_time", _CORRECT
    if "period_start" in columns:
        starts = pc.greater(columns["period_start"], happened)
        yield starts, "period_start", "not be after event_time", _CORRECT


def _keyed(table: EventTable, columns: _Columns, key: SubjectKey) -> pa.Table:
    keyed = [
        key.key_column(columns[c.name], c.domain) if c.kind == "id" else columns[c.name] for c in table.all_columns
    ]
    return pa.Table.from_arrays(keyed, schema=stored_schema(table))
