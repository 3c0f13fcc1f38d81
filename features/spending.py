"""What spending more on the operator's own platform does to a value (consent-and-rights M5)."""

from __future__ import annotations

from typing import Final, Literal

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
)
from benne.features.possible_values import possible

__all__ = ["More", "effect_of_spending", "reads_spending"]

More = Literal["amounts", "counts"]
"""The same outgoing payments, each larger; or more of them, settled, beside them."""

Signs = frozenset[int]

_SPENT: Final = ("purchase", "bill", "transfer", "cash")
"""Kinds of payments that a member makes at will; fees and interest are charged."""

_NO: Final[Signs] = frozenset({0})
_UP: Final[Signs] = frozenset({0, 1})
_DOWN: Final[Signs] = frozenset({0, -1})
_ANY: Final[Signs] = frozenset({-1, 0, 1})


def reads_spending(expression: Expression) -> bool:
    """Whether an outgoing payment can be among the rows that a value is made of."""
    return any(_outgoing(rows) for rows in expression.selections())


def effect_of_spending(expression: Expression, more: More, *, never_negative: bool = False) -> Signs:
    """Where a value can move as a member spends more, all else equal: down (-1), not at all (0), up (1).

    Parameters
    ----------
    expression : Expression
    more : {"amounts", "counts"}
    never_negative : bool
        Whether the value is held at 0, so that it cannot move below.

    Examples
    --------
    >>> from benne.features.kernel.expressions import Count, Ratio, stream
    >>> out = stream("payments").where(direction="out")
    >>> share = Ratio(Count(out.where(status="failed")), Count(out.known("status")))
    >>> sorted(effect_of_spending(share, "amounts")), sorted(effect_of_spending(share, "counts"))
    ([0], [-1, 0])
    """
    match expression:
        case Scaled(value=value, divisor=divisor):
            return _times(effect_of_spending(value, more, never_negative=never_negative), 1 if divisor > 0 else -1)
        case Sum(terms=terms):
            return _NO.union(*(effect_of_spending(term, more) for term in terms))
        case Difference(left=left, right=right):
            return effect_of_spending(left, more) | _times(effect_of_spending(right, more), -1)
        case Ratio(numerator=numerator, denominator=denominator):
            above, below = effect_of_spending(numerator, more), effect_of_spending(denominator, more)
            ends = possible(numerator)
            lowered = _times(below, -1) if ends.high > 0 else _NO
            raised = below if ends.low < 0 and not never_negative else _NO
            return above | lowered | raised
    return _aggregate(expression, more) if reads_spending(expression) else _NO


def _aggregate(expression: Expression, more: More) -> Signs:
    touched = [rows for rows in expression.selections() if _outgoing(rows)]
    by_amount = any(c.column == "amount" and not c.only_known for rows in touched for c in rows.conditions)
    if by_amount:
        return _ANY
    if more == "amounts":
        return _of_amounts(expression)
    return _of_counts(expression) if any(_may_be_spent(rows) for rows in touched) else _NO


def _of_amounts(expression: Expression) -> Signs:
    match expression:
        case Count() | ActivePeriods() | DaysSinceFirst() | DaysSinceLast() | Distinct():
            return _NO
        case Total() | Largest() | Smallest() | Latest():
            return _UP if getattr(expression, "column", "") == "amount" else _NO
    return _ANY


def _of_counts(expression: Expression) -> Signs:
    match expression:
        case Count() | ActivePeriods() | Distinct() | Total() | Largest() | DaysSinceFirst():
            return _UP
        case DaysSinceLast() | Smallest():
            return _DOWN
    return _ANY


def _outgoing(rows: Rows) -> bool:
    return rows.stream == "payments" and rows.may_hold("direction", "out")


def _may_be_spent(rows: Rows) -> bool:
    """Whether a settled payment, made at will, can be among these; one that does not say may be."""
    return _may_be(rows, "status", ("settled",)) and _may_be(rows, "kind", _SPENT)


def _may_be(rows: Rows, column: str, values: tuple[str, ...]) -> bool:
    known = any(c.column == column and not c.excluding for c in rows.conditions)
    return not known or any(rows.may_hold(column, value) for value in values)


def _times(signs: Signs, factor: int) -> Signs:
    return frozenset(factor * sign for sign in signs)
