"""What values an expression can take at all: the least, the greatest, and whether null."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import (
    ActivePeriods,
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

__all__ = ["Possible", "column_kind", "narrower", "nodes", "possible"]

_NOT_NEGATIVE = {("arrears", "amount"), ("delinquency", "days_past_due"), ("delinquency", "on_time_streak")}
_STANDING = ("running_contracts", "listed_items", "verified_facts", "contacts")
"""Streams of what begins (+1) and ends (-1): what they add up to without a window is never negative."""


@dataclass(frozen=True)
class Possible:
    """The values an expression can take.

    Parameters
    ----------
    low, high : float
        Inclusive; infinite where there is no end.
    nullable : bool
        Whether it can be null.
    """

    low: float
    high: float
    nullable: bool


def possible(expression: Expression) -> Possible:
    """Derive what values an expression can take; an unknown kind of expression may take any.

    Examples
    --------
    >>> from benne.features.kernel.expressions import Count, Ratio, stream
    >>> out = stream("payments").where(direction="out")
    >>> possible(Ratio(Count(out.where(status="failed")), Count(out.known("status"))))
    Possible(low=0.0, high=1.0, nullable=True)
    """
    match expression:
        case Count():
            return Possible(0.0, math.inf, False)
        case DaysSinceFirst(rows=rows) | DaysSinceLast(rows=rows):
            return Possible(0.0, math.inf, rows != Rows("members"))  # only who has joined is observed
        case Distinct(rows=rows, column=column):
            return Possible(0.0, _kinds(rows, column), False)
        case ActivePeriods(periods=periods):
            return Possible(0.0, float(periods), False)
        case Variation(periods=periods):
            return Possible(0.0, math.sqrt(periods - 1), True)
        case Total(rows=rows, column=column):
            return _total(rows, column)
        case Largest(rows=rows, column=column) | Smallest(rows=rows, column=column) | Latest(rows=rows, column=column):
            return Possible(*_cells(rows, column), True)
        case Scaled(value=value, divisor=divisor):
            inner = possible(value)
            low, high = sorted((inner.low / divisor, inner.high / divisor))
            return Possible(low, high, inner.nullable)
        case Sum(terms=terms):
            return _sum([possible(term) for term in terms])
        case Difference(left=left, right=right):
            taken = possible(right)
            return _sum([possible(left), Possible(-taken.high, -taken.low, taken.nullable)])
        case Ratio():
            return _ratio(expression)
    return Possible(-math.inf, math.inf, True)


def nodes(expression: Expression) -> Iterator[Expression]:
    """An expression and everything it is made of."""
    yield expression
    for part in expression.parts():
        yield from nodes(part)


def column_kind(stream: str, column: str) -> str:
    """What kind of values a column of a stream holds."""
    if stream in DERIVED and column in DERIVED[stream].categories:
        return "category"
    source = stream if stream in TABLES else DERIVED[stream].tables[0]
    declared = {c.name: c.kind for c in TABLES[source].all_columns}
    return declared.get(column, "integer") if stream in TABLES or not _made(stream, column) else "integer"


def narrower(one: Rows, other: Rows) -> bool:
    """Whether all rows of one selection are surely among those of another."""
    reach = math.inf if other.far_days is None else other.far_days
    window = one.near_days >= other.near_days and (math.inf if one.far_days is None else one.far_days) <= reach
    return (
        one.stream == other.stream
        and window
        and all(
            any(mine == theirs or (mine.column == theirs.column and theirs.only_known and not mine.excluding)
                for mine in one.conditions)
            for theirs in other.conditions
        )
    )  # fmt: skip


def _made(stream: str, column: str) -> bool:
    """Whether a derived stream makes a column, rather than copying it from its main table."""
    derived = DERIVED[stream]
    return column in derived.never_null or column in derived.columns


def _kinds(rows: Rows, column: str) -> float:
    values = TABLES[rows.stream].column(column).values if rows.stream in TABLES else ()
    return float(sum(rows.may_hold(column, value) for value in values)) if values else math.inf


def _cells(rows: Rows, column: str) -> tuple[float, float]:
    """The ends of a column's values, as declared for its table and narrowed by conditions."""
    source = rows.stream if rows.stream in TABLES else DERIVED[rows.stream].tables[0]
    copied = rows.stream in TABLES or not _made(rows.stream, column)
    declared = {c.name: c for c in TABLES[source].columns}.get(column) if copied else None
    low, high = -math.inf, math.inf
    if declared is not None and declared.kind == "flag":
        low, high = 0.0, 1.0
    elif declared is not None:
        low = low if declared.minimum is None else float(declared.minimum)
        high = high if declared.maximum is None else float(declared.maximum)
    elif (rows.stream, column) in _NOT_NEGATIVE:
        low = 0.0
    ends = [c for c in rows.conditions if c.column == column and not c.codes]
    low = max([low, *(float(c.low) for c in ends if c.low > -(2**62))])
    return low, min([high, *(float(c.high) for c in ends if c.high < 2**62)])


def _total(rows: Rows, column: str) -> Possible:
    low, high = _cells(rows, column)
    if rows.stream in (*_STANDING, "arrears") and (rows.near_days, rows.far_days) == (0, None):
        return Possible(0.0, math.inf, False)
    if rows.stream in (*_STANDING, "arrears"):
        return Possible(-math.inf, math.inf, False)
    return Possible(0.0 if low >= 0 else -math.inf, 0.0 if high <= 0 else math.inf, False)


def _sum(terms: list[Possible]) -> Possible:
    return Possible(sum(t.low for t in terms), sum(t.high for t in terms), any(t.nullable for t in terms))


def _ratio(ratio: Ratio) -> Possible:
    """What divides is never below ``at_least``, so that the sign is that of what is divided."""
    above = possible(ratio.numerator)
    low = 0.0 if above.low >= 0 else above.low / ratio.at_least
    high = 0.0 if above.high <= 0 else above.high / ratio.at_least
    return Possible(low, 1.0 if _share(ratio) else high, True)


def _share(ratio: Ratio) -> bool:
    """Whether what is divided is surely a part of what divides it."""
    match ratio.numerator, ratio.denominator:
        case Count(rows=one), Count(rows=other):
            return narrower(one, other)
        case Total(rows=one, column=column), Total(rows=other, column=same) if column == same:
            return narrower(one, other) and _cells(other, column)[0] >= 0
    return False
