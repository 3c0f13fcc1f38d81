"""Whether two expressions say the same, however they are written."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import (
    ActivePeriods,
    Condition,
    Difference,
    Expression,
    Ratio,
    Rows,
    Scaled,
    Sum,
    Variation,
)

__all__ = ["canonical"]

_Linear = dict[Hashable, float]


@lru_cache(maxsize=4096)
def canonical(expression: Expression) -> Hashable:
    """One form for all expressions that are equal, or that differ by a constant factor only.

    Examples
    --------
    >>> from benne.features.kernel.expressions import Count, Scaled, stream
    >>> payments = stream("payments")
    >>> canonical(Count(payments.within(30))) == canonical(Scaled(Count(payments.between(0, 30)), 2.0))
    True
    >>> canonical(Count(payments.within(30))) == canonical(Count(payments.within(60)))
    False
    """
    return _scaleless(_linear(expression))


def _scaleless(terms: _Linear) -> Hashable:
    """A sum of terms without its factor: the coefficient of the first is 1."""
    ordered = sorted(((repr(atom), atom, weight) for atom, weight in terms.items() if weight), key=lambda t: t[0])
    return tuple((atom, round(weight / ordered[0][2], 9)) for _, atom, weight in ordered)


def _linear(expression: Expression) -> _Linear:
    match expression:
        case Scaled(value=value, divisor=divisor):
            return {atom: weight / divisor for atom, weight in _linear(value).items()}
        case Sum(terms=terms):
            return _added((_linear(term), 1.0) for term in terms)
        case Difference(left=left, right=right):
            return _added([(_linear(left), 1.0), (_linear(right), -1.0)])
        case Ratio(numerator=numerator, denominator=denominator):
            above, below = _linear(numerator), _linear(denominator)
            return {("Ratio", _scaleless(above), _scaleless(below)): _leading(above) / _leading(below)}
    return {_aggregate(expression): 1.0}


def _leading(terms: _Linear) -> float:
    found = sorted(((repr(atom), weight) for atom, weight in terms.items() if weight), key=lambda t: t[0])
    return found[0][1] if found else 1.0


def _added(parts: Iterable[tuple[_Linear, float]]) -> _Linear:
    total: _Linear = {}
    for terms, factor in parts:
        for atom, weight in terms.items():
            total[atom] = total.get(atom, 0.0) + factor * weight
    return total


def _aggregate(expression: Expression) -> Hashable:
    rows, column = getattr(expression, "rows", None), getattr(expression, "column", None)
    if not isinstance(rows, Rows):
        return expression
    periods = (expression.days, expression.periods) if isinstance(expression, ActivePeriods | Variation) else ()
    said = rows if column is None else rows.known(column)
    return (type(expression).__name__, _selection(said), column, periods)


def _selection(rows: Rows) -> Hashable:
    """A stream, its window, and what its columns may be."""
    columns = sorted({condition.column for condition in rows.conditions})
    said = tuple((column, _cell(rows, column)) for column in columns)
    return rows.stream, rows.near_days, rows.far_days, tuple(one for one in said if one[1])


def _cell(rows: Rows, column: str) -> Hashable:
    """What one column may be: its range, its choices, whether it must be known; empty where anything."""
    conditions = [c for c in rows.conditions if c.column == column]
    ends = (max(c.low for c in conditions), min(c.high for c in conditions))
    choices = frozenset(c for c in range(_choices(rows.stream, column)) if _among(c, conditions))
    said: list[Hashable] = [ends] if ends != (Condition(column).low, Condition(column).high) else []
    if any(c.codes for c in conditions) and len(choices) < _choices(rows.stream, column):
        said.append(choices)
    if any(not c.excluding for c in conditions) and not _always_known(rows.stream, column):
        said.append("known")
    return tuple(said)


def _among(code: int, conditions: Iterable[Condition]) -> bool:
    return all((code in c.codes) != c.excluding for c in conditions if c.codes)


def _choices(stream: str, column: str) -> int:
    """How many values a column of categories or flags has; for others more than any condition names."""
    table, name = (stream, column) if stream in TABLES else DERIVED[stream].categories.get(column, ("", column))
    declared = {c.name: c for c in TABLES[table].all_columns}.get(name) if table else None
    return len(declared.values) if declared is not None and declared.values else 64


def _always_known(stream: str, column: str) -> bool:
    if stream in TABLES:
        return any(c.required and c.name == column for c in TABLES[stream].all_columns)
    return column in DERIVED[stream].never_null
