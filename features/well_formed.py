"""Whether an expression is one that the kernel knows, and selects what it says it selects.

What an expression may be about can only be judged where its parts are the kernel's own and
where its conditions mean to compiled code what they mean to a reader.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Protocol, runtime_checkable

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import (
    ActivePeriods,
    Condition,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Difference,
    Distinct,
    Expression,
    Largest,
    Latest,
    Ratio,
    Rows,
    Scaled,
    Smallest,
    Sum,
    Total,
    Variation,
)
from benne.features.kernel.layout import columns_of
from benne.features.possible_values import column_kind

__all__ = ["malformed"]

_KNOWN: Final[frozenset[type]] = frozenset({
    ActivePeriods, Count, DaysSinceFirst, DaysSinceLast, Difference, Distinct, Largest, Latest, Ratio, Scaled,
    Smallest, Sum, Total, Variation,
})  # fmt: skip


def malformed(expression: Expression) -> Iterator[str]:
    """Say what keeps an expression from being judged at all; only where nothing does, ask for anything else of it."""
    parts = list(_parts(expression))
    foreign = [type(part).__name__ for part in parts if type(part) not in _KNOWN]
    rows = [part.rows for part in parts if isinstance(part, _Selecting)]
    if foreign or any(type(some) is not Rows for some in rows):
        yield f"its expression must be made of the kernel's own, got {', '.join(foreign) or 'other rows'}. Rewrite it."
        return
    if not rows:
        yield "its expression must read some rows. Complete it."
    found = [said for part in parts for said in _numbers(part)]
    yield from dict.fromkeys([*found, *(said for some in rows for said in _rows(some))])


@runtime_checkable
class _Selecting(Protocol):
    @property
    def rows(self) -> Rows: ...


def _parts(expression: Expression) -> Iterator[Expression]:
    """An expression and all it is made of, as far as that is the kernel's own and can be asked."""
    yield expression
    if type(expression) in _KNOWN:
        for part in expression.parts():
            yield from _parts(part)


def _numbers(part: Expression) -> Iterator[str]:
    name = type(part).__name__
    constant = part.at_least if isinstance(part, Ratio) else part.divisor if isinstance(part, Scaled) else 1.0
    if type(constant) not in (int, float) or not 0 < constant < math.inf:
        yield f"it must divide by more than 0, got {constant}. Correct {name}."
    if isinstance(part, ActivePeriods | Variation):
        days, periods = part.days, part.periods
        if type(days) is not int or type(periods) is not int or min(days, periods) < 1:
            yield f"its periods must be whole numbers above 0, got {periods} of {days} days. Correct {name}."


def _rows(rows: Rows) -> Iterator[str]:
    """What is wrong with rows before it is asked what they are about."""
    if type(rows.stream) is not str or (rows.stream not in TABLES and rows.stream not in DERIVED):
        yield f"it must read an event table or a derived stream, got {rows.stream!r}. Correct it."
        return
    near, far = rows.near_days, rows.far_days
    if type(near) is not int or type(far) not in (int, type(None)):
        yield f"its windows must be of whole days, got {near} to {far}. Correct its days."
    elif far is not None and far <= near:
        yield "its windows must end farther back than they begin, got an empty one. Correct its days."
    elif near < 0 and not (rows.stream in TABLES and TABLES[rows.stream].schedule):
        yield f"its rows of {rows.stream} must lie before as_of: only a schedule is known ahead. Correct its days."
    if type(rows.conditions) is not tuple or any(type(condition) is not Condition for condition in rows.conditions):
        yield "its conditions must be the kernel's own, got others. Rewrite them."
    else:
        for condition in rows.conditions:
            yield from _condition(rows.stream, condition)


def _condition(stream: str, condition: Condition) -> Iterator[str]:
    if type(condition.column) is not str or condition.column not in columns_of(stream):
        yield f"it must choose rows by a column of {stream}, got {condition.column!r}. Correct it."
    elif type(condition.codes) is not tuple or not all(type(n) is int for n in (*condition.codes, *_ends(condition))):
        yield f"it must choose {condition.column} of {stream} by whole numbers. Correct them."
    elif condition.excluding and not condition.codes:
        yield f"it must say what it leaves out of {condition.column} of {stream}. Name it, or ask that it be known."
    elif column_kind(stream, condition.column) == "time" and not condition.only_known:
        yield f"it must not choose {condition.column} of {stream} by a date, which means less each day. Use a window."
    elif column_kind(stream, condition.column) == "category":
        yield from _chosen(stream, condition)
    elif condition.codes:
        yield f"it must choose {condition.column} of {stream} by a number: only categories have names. Correct it."


def _ends(condition: Condition) -> tuple[int, int]:
    return condition.low, condition.high


def _chosen(stream: str, condition: Condition) -> Iterator[str]:
    """A category is chosen by name, and each name once: compiled code adds their bits up."""
    table, column = (stream, condition.column) if stream in TABLES else DERIVED[stream].categories[condition.column]
    names = TABLES[table].column(column).values
    if not condition.codes and not condition.only_known:
        yield f"it must choose {column} of {stream} by name, among {', '.join(names)}. Name it."
    if any(not 0 <= code < len(names) for code in condition.codes):
        yield f"it must choose {column} of {stream} among {', '.join(names)}. Correct it."
    if len(set(condition.codes)) < len(condition.codes):
        yield f"it must name each {column} of {stream} once. Drop what is repeated."
