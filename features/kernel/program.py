"""Expressions lowered to tables of numbers that one compiled function runs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.layout import MAXIMUM_COLUMNS, STREAMS, column
from benne.features.kernel.operations import NO_FAR_END
from benne.features.kernel.stream import NEVER, Integers

if TYPE_CHECKING:
    from benne.features.kernel.expressions import Condition, Expression, Rows

__all__ = ["DAY", "SCHEDULE_DAYS", "Lowering", "Program", "program", "tables_of"]

DAY = 86_400_000_000
"""Microseconds in a day of UTC."""

SCHEDULE_DAYS = 366
"""How far ahead a scheduled event can be seen."""

_Floats = npt.NDArray[np.float64]


class Program(NamedTuple):
    """What to compute, in arrays.

    Parameters
    ----------
    tables : ndarray of int64, shape (t,)
        Event tables to read.
    known_since : ndarray of int64, shape (streams,)
        When the source first knew a row of each table; NEVER where it has none.
    ahead : ndarray of int64, shape (streams,)
        Microseconds beyond ``as_of`` that a table is read.
    read : ndarray of bool, shape (streams, columns)
        Which columns of which tables are read.
    derived : ndarray of int64, shape (d,)
        Derived streams to make.
    selections : ndarray of int64, shape (s, 5)
        Stream, first and last condition, first and last aggregate.
    conditions : ndarray of int64, shape (c, 4)
        Column, kind, low (or a set of bits) and high.
    aggregates : ndarray of int64, shape (a, 5)
        Operation, column, near and far end in microseconds before ``as_of``, register.
    steps : ndarray of int64, shape (p, 4)
        Operation, first and last argument, register.
    constants : ndarray of float64, shape (p,)
    arguments : ndarray of int64
        Registers that the steps take.
    registers : int
    results : ndarray of int64, shape (f,)
        The registers that hold the features.
    """

    tables: Integers
    known_since: Integers
    ahead: Integers
    read: npt.NDArray[np.bool_]
    derived: Integers
    selections: Integers
    conditions: Integers
    aggregates: Integers
    steps: Integers
    constants: _Floats
    arguments: Integers
    registers: int
    results: Integers


class Lowering:
    """Collects aggregates and steps; equal ones are computed once."""

    def __init__(self) -> None:
        self._registers: dict[Hashable, int] = {}
        self._selections: dict[_Selection, list[tuple[int, int, int, int, int]]] = {}
        self._steps: list[tuple[int, tuple[int, ...], float, int]] = []

    def aggregate(self, operation: int, rows: Rows, name: str | None = None) -> int:
        """Register of an aggregate of some rows, and of one of their columns where it needs one."""
        key = (operation, rows, name)
        if key not in self._registers:
            number = 0 if name is None else column(rows.stream, name)
            far = NO_FAR_END if rows.far_days is None else rows.far_days * DAY
            wanted = self._selections.setdefault(_selection(rows if name is None else rows.known(name)), [])
            wanted.append((operation, number, rows.near_days * DAY, far, self._new(key)))
        return self._registers[key]

    def step(self, operation: int, arguments: Sequence[int], constant: float = 0.0) -> int:
        """Register of an operation on other registers."""
        key = (operation, tuple(arguments), constant)
        if key not in self._registers:
            self._steps.append((operation, tuple(arguments), constant, self._new(key)))
        return self._registers[key]

    def finish(self, results: Sequence[int], looks_ahead: bool, tables: Mapping[str, int]) -> Program:
        """The program that leaves its results in these registers."""
        selections, conditions, aggregates = self._selected()
        ends = np.cumsum([0, *(len(arguments) for _, arguments, _, _ in self._steps)])
        streams = {stream for stream, _ in self._selections}
        derived = [name for name in DERIVED if name in streams]
        return Program(
            tables=_numbers(sorted(STREAMS[name] for name in tables)),
            known_since=_known_since(tables),
            ahead=_ahead(looks_ahead),
            read=self._read(derived, frozenset(tables)),
            derived=_numbers([STREAMS[name] for name in derived]),
            selections=_table(selections, 5),
            conditions=_table(conditions, 4),
            aggregates=_table(aggregates, 5),
            steps=_table([(op, ends[i], ends[i + 1], r) for i, (op, _, _, r) in enumerate(self._steps)], 4),
            constants=np.array([constant for _, _, constant, _ in self._steps], dtype=np.float64),
            arguments=_numbers([a for _, arguments, _, _ in self._steps for a in arguments]),
            registers=len(self._registers),
            results=_numbers(results),
        )

    def _new(self, key: Hashable) -> int:
        self._registers[key] = len(self._registers)
        return self._registers[key]

    def _selected(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]], list[tuple[int, ...]]]:
        selections: list[tuple[int, ...]] = []
        conditions: list[tuple[int, ...]] = []
        aggregates: list[tuple[int, ...]] = []
        for (stream, needed), wanted in self._selections.items():
            bounds = (len(conditions), len(conditions) + len(needed), len(aggregates), len(aggregates) + len(wanted))
            selections.append((STREAMS[stream], *bounds))
            conditions += needed
            aggregates += sorted(wanted, key=lambda one: one[1])
        return selections, conditions, aggregates

    def _read(self, derived: Sequence[str], tables: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Which columns of tables the selections, their aggregates and the derived streams take."""
        read = np.zeros((len(STREAMS), MAXIMUM_COLUMNS), dtype=np.bool_)
        for (stream, needed), wanted in self._selections.items():
            if stream in tables:
                read[STREAMS[stream], [number for number, *_ in [*needed, *((one[1],) for one in wanted)]]] = True
        for name in derived:
            for table, names in DERIVED[name].reads.items():
                read[STREAMS[table], [column(table, one) for one in names]] = True
        return read


_Selection = tuple[str, tuple[tuple[int, int, int, int], ...]]  # a stream, and the conditions its rows must meet


def program(expressions: Mapping[str, Expression], known_since: Mapping[str, int]) -> Program:
    """Lower expressions.

    Parameters
    ----------
    expressions : mapping of str to Expression
        The results come in this order.
    known_since : mapping of str to int
        The event tables that the source has, and when it first knew a row of each.
    """
    lowering = Lowering()
    results = [expression.lower(lowering) for expression in expressions.values()]
    ahead = any(expression.looks_ahead() for expression in expressions.values())
    tables = frozenset(table for expression in expressions.values() for table in tables_of(expression))
    return lowering.finish(results, ahead, {name: since for name, since in known_since.items() if name in tables})


def tables_of(expression: Expression) -> frozenset[str]:
    """The event tables an expression may read."""
    return frozenset(t for s in expression.streams() for t in (DERIVED[s].tables if s in DERIVED else (s,)))


def _always_true(stream: str, condition: Condition) -> bool:
    """Whether a condition only asks that a column which is never null be known."""
    if not condition.only_known:
        return False
    declared = {c.name: c.required for c in TABLES[stream].columns} if stream in TABLES else {}
    return declared.get(condition.column, stream in DERIVED and condition.column in DERIVED[stream].never_null)


def _selection(rows: Rows) -> _Selection:
    needed = [c for c in rows.conditions if not _always_true(rows.stream, c)]
    return rows.stream, tuple(dict.fromkeys((column(rows.stream, c.column), *c.lowered()) for c in needed))


def _ahead(looks_ahead: bool) -> Integers:
    ahead = np.zeros(len(STREAMS), dtype=np.int64)
    for name, table in TABLES.items():
        if table.schedule and looks_ahead:
            ahead[STREAMS[name]] = SCHEDULE_DAYS * DAY
    return ahead


def _known_since(tables: Mapping[str, int]) -> Integers:
    since = np.full(len(STREAMS), NEVER, dtype=np.int64)
    for name, moment in tables.items():
        since[STREAMS[name]] = moment
    return since


def _numbers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)


def _table(rows: Sequence[Sequence[int]], width: int) -> Integers:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
