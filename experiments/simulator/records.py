"""From drawn arrays to rows of the event tables: ids, knowledge, corrections, Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benne.experiments.simulator.options import SimulatorOptions
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.timeline import DAY, Flags, Floats, Ints, Nullable
from benne.features.events.tables import OUTCOMES, TABLES, Column

__all__ = ["Rows", "arrow_column", "arrow_schema", "code", "member_ids", "merged", "money", "nullable", "to_arrow"]

_SOURCES: Final = {
    "obligation_events": "credit_bureau",
    "dues": "credit_bureau",
    "repayments": "credit_bureau",
    "account_status": "credit_bureau",
    "adverse_items": "credit_bureau",
    "balances": "bank_link",
    "incomes": "bank_link",
}
_REPORTING_DAYS: Final = {"account_status": 6.0, "adverse_items": 4.0, "obligation_events": 2.0}
_BEFORE_JOINING: Final = frozenset({"obligation_events", "dues", "repayments", "account_status", "adverse_items"})
_CORRECTED: Final = {
    "repayments": "amount",
    "account_status": "balance",
    "payments": "amount",
    "balances": "amount",
    "incomes": "amount",
}
_PREFIXES: Final = {"obligation": "o", "due": "d", "item": "a", "counterparty": "c"}
_TYPES: Final = {
    "id": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
    "money": pa.int64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "category": pa.string(),
    "text": pa.string(),
}


@dataclass(frozen=True)
class Rows:
    """Drawn rows of one table, column by column.

    Parameters
    ----------
    table : str
    member : ndarray of int64, shape (m,)
        Position in the community.
    event_time : ndarray of int64, shape (m,)
    columns : mapping of str to ndarray, shape (m,)
        Own columns: ids as numbers unique in the community, categories as positions in
        ``Column.values``; a masked array where some are null.
    known_from : ndarray of int64 or None
        When a scheduled row could be known first; ``None``: when it happened.
    """

    table: str
    member: Ints
    event_time: Ints
    columns: Mapping[str, Any] = field(default_factory=dict)
    known_from: Ints | None = None

    def take(self, where: Ints | Flags) -> Rows:
        """The rows at some positions."""
        return Rows(
            self.table,
            self.member[where],
            self.event_time[where],
            {name: values[where] for name, values in self.columns.items()},
            None if self.known_from is None else self.known_from[where],
        )


def merged(parts: Sequence[Rows]) -> Rows:
    """One set of rows from several of the same table; a column that a part lacks is null there.

    No part may be scheduled (``known_from``).
    """
    if len(parts) == 1:
        return parts[0]
    names = {name: None for part in parts for name in part.columns}
    return Rows(
        parts[0].table,
        np.concatenate([part.member for part in parts]),
        np.concatenate([part.event_time for part in parts]),
        {name: nullable([_column_or_null(part, name) for part in parts]) for name in names},
    )


def nullable(parts: Sequence[Any]) -> Nullable:
    """Arrays joined, some of them masked where null."""
    mask = np.concatenate([np.ma.getmaskarray(part) for part in parts])
    joined: Nullable = np.ma.array(np.concatenate([np.ma.getdata(part) for part in parts]), mask=mask)
    return joined


def _column_or_null(rows: Rows, name: str) -> Any:
    nothing = np.ma.array(np.zeros(len(rows.member), dtype=np.int64), mask=np.ones(len(rows.member), dtype=bool))
    return rows.columns.get(name, nothing)


def code(table: str, column: str, value: str) -> int:
    """Position of a category's value."""
    return TABLES[table].column(column).values.index(value)


def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of an event table, or of ``outcomes``."""
    definition = OUTCOMES if table == OUTCOMES.name else TABLES[table]
    return pa.schema([pa.field(c.name, _TYPES[c.kind], nullable=not c.required) for c in definition.all_columns])


def member_ids(numbers: Ints) -> pa.Array:
    """Raw member ids as the platform knows them."""
    return _ids("m", pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), 8, "0"))


def to_arrow(rows: Rows, rng: np.random.Generator, population: Population, options: SimulatorOptions) -> pa.Table:
    """What an extract at the world's end holds of the rows drawn, as the table's schema has it.

    Rows before a member joined are kept only for credit history, which a bureau delivers at
    joining; rows the platform does not know yet at the end are left out.
    """
    rows = _within(rows, population)
    known_at = _known_at(rows, rng, population, options)
    seen = known_at < population.timeline.end
    order = np.flatnonzero(seen)
    order = order[np.lexsort((rows.event_time[order], rows.member[order]))]
    return _table(rows.take(order), known_at[order], rng, population, options)


def _within(rows: Rows, population: Population) -> Rows:
    keep = np.ones(len(rows.member), dtype=bool)
    if rows.table not in _BEFORE_JOINING:
        keep &= rows.event_time >= population.joined[rows.member]
    if not TABLES[rows.table].schedule:
        keep &= rows.event_time < population.timeline.end
    return rows.take(keep)


def _known_at(rows: Rows, rng: np.random.Generator, population: Population, options: SimulatorOptions) -> Ints:
    """Minutes after the event mostly; a bureau reports days later; a few records are weeks late."""
    if rows.table == "members":
        return rows.event_time
    m = len(rows.member)
    lag_days = rng.exponential(0.01, m)
    if rows.table in _REPORTING_DAYS:
        lag_days += rng.uniform(0.5, 2 * _REPORTING_DAYS[rows.table], m)
    # A schedule that came after what it schedules would leave repayments without their due.
    late = (rng.random(m) < options.late_share) & (rows.known_from is None)
    lag_days += np.where(late, rng.exponential(12.0, m), 0.0)
    first = rows.event_time if rows.known_from is None else rows.known_from
    return np.maximum(first, population.joined[rows.member]) + (lag_days * DAY).astype(np.int64)


def _table(
    rows: Rows, known_at: Ints, rng: np.random.Generator, population: Population, options: SimulatorOptions
) -> pa.Table:
    m = len(rows.member)
    ids = _ids(f"{rows.table}-{_community(population)}-", pc.cast(pa.array(np.arange(m)), pa.string()))
    common = {
        "record_id": ids,
        "supersedes": pa.nulls(m, pa.string()),
        "member_id": member_ids(population.numbers).take(pa.array(rows.member)),
        "event_time": pa.array(rows.event_time),
        "known_at": pa.array(known_at),
        "source": _constant(_SOURCES.get(rows.table, "platform"), m),
    }
    own = {c.name: _own_column(c, rows, population, options) for c in TABLES[rows.table].columns}
    schema = arrow_schema(rows.table)
    table = pa.table([(common | own)[f.name].cast(f.type) for f in schema], schema=schema)
    return pa.concat_tables([table, _corrections(table, rows.table, known_at, rng, population, options)])


def _own_column(column: Column, rows: Rows, population: Population, options: SimulatorOptions) -> pa.Array:
    if column.name == "currency":
        return _constant(options.currency, len(rows.member))
    if column.name not in rows.columns:
        return pa.nulls(len(rows.member), _TYPES[column.kind])
    values = rows.columns[column.name]
    if column.kind == "id" and column.domain != "member":
        prefix = f"{_PREFIXES[column.domain]}{_community(population)}-"
        return _ids(prefix, arrow_column(values).cast(pa.string()))
    if column.kind == "id":
        return member_ids(population.numbers).take(arrow_column(values))
    if column.kind == "category":
        return pa.array(column.values).take(arrow_column(values))
    return arrow_column(values)


def _corrections(
    table: pa.Table,
    name: str,
    known_at: Ints,
    rng: np.random.Generator,
    population: Population,
    options: SimulatorOptions,
) -> pa.Table:
    """Rows that say the amount again, rightly, up to a month after the first."""
    if name not in _CORRECTED:
        return table.slice(0, 0)
    wrong = np.flatnonzero(rng.random(len(table)) < options.correction_share)
    corrected_at = known_at[wrong] + (rng.uniform(0.5, 30, len(wrong)) * DAY).astype(np.int64)
    change = rng.uniform(0.9, 1.1, len(wrong))
    known = corrected_at < population.timeline.end
    wrong, corrected_at, change = wrong[known], corrected_at[known], change[known]
    rows = table.take(pa.array(wrong))
    amounts = rows.column(_CORRECTED[name]).to_numpy()
    right = np.where(amounts >= 0, np.maximum(np.rint(amounts * change), 1), amounts).astype(np.int64)
    replaced = {
        "supersedes": rows.column("record_id"),
        "record_id": _ids("", pc.binary_join_element_wise(rows.column("record_id"), "corrected", "-")),
        "known_at": pa.array(corrected_at).cast(_TYPES["time"]),
        _CORRECTED[name]: pa.array(right),
    }
    return pa.table([replaced.get(f.name, rows.column(f.name)) for f in table.schema], schema=table.schema)


def arrow_column(values: Any) -> pa.Array:
    """An Arrow array, null where a masked array is masked."""
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, mask=np.ma.getmaskarray(values))
    return pa.array(values)


def money(amount: Floats) -> Ints:
    """Whole minor units, at least one."""
    return np.maximum(np.rint(amount), 1).astype(np.int64)


def _community(population: Population) -> int:
    """Name of a community: its first member's number."""
    return int(population.numbers[0])


def _ids(prefix: str, numbers: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar(prefix), numbers, "")


def _constant(value: str, m: int) -> pa.Array:
    return pa.array([value]).take(pa.array(np.zeros(m, dtype=np.int64)))
