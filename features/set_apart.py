"""What may not be set apart: values that must count alike throughout an expression, however it is written.

A value can be singled out without being named: all rows less the others. So what counts is in
which selections of an expression a value can be; two values that can be in the same ones add
the same to every sum, difference and share of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benne.features.events.tables import TABLES
from benne.features.kernel.expressions import Expression, Rows

__all__ = ["set_apart"]


@dataclass(frozen=True)
class _Alike:
    """Values of a column that must count like others, or, unless they are ``bound``, be left out everywhere."""

    stream: str
    column: str
    values: tuple[str, ...]
    like: tuple[str, ...]
    why: str
    bound: bool = False


def _others(table: str, column: str, value: str) -> tuple[str, ...]:
    return tuple(other for other in TABLES[table].column(column).values if other != value)


_ALIKE: Final = (
    # 15 U.S.C. 1691(a), 12 CFR 1002.6(b)(5): public assistance and pensions are income like any other.
    _Alike("incomes", "kind", ("pension", "benefit"), ("salary",), "income is income, whoever pays it", bound=True),
    _Alike("verifications", "field", ("address",), _others("verifications", "field", "address"),
           "where somebody lives, and since when, is no evidence"),
    # Like what goes both ways: beside purchases alone, refunds would be all that comes in.
    _Alike("payments", "kind", ("refund", "chargeback"), ("purchase", "transfer"),
           "asking for one's money back is a right"),
    *(_Alike(stream, "status", ("written_off",), ("late",), "apart from delays it never expires, as a listed item does")
      for stream in ("account_status", "account_months")),
)  # fmt: skip


def set_apart(expression: Expression) -> Iterator[str]:
    """Say which values an expression sets apart that must count alike.

    Examples
    --------
    >>> from benne.features.kernel.expressions import Count, Difference, stream
    >>> facts = stream("verifications").where(event="verified")
    >>> list(set_apart(Count(facts)))
    []
    >>> list(set_apart(Difference(Count(facts), Count(facts.excluding(field="address")))))[0][:46]
    'it sets verifications apart by field: address '
    """
    for rule in _ALIKE:
        selections = [rows for rows in expression.selections() if rows.stream == rule.stream]
        if any(_differs(rule, value, selections) for value in rule.values):
            leave = "" if rule.bound else ", or leave the first out throughout"
            yield (f"it sets {rule.stream} apart by {rule.column}: {' and '.join(rule.values)} must count like "
                   f"{', '.join(rule.like)}: {rule.why}. Take them together{leave}.")  # fmt: skip


def _differs(rule: _Alike, value: str, selections: list[Rows]) -> bool:
    own = _places(rule, value, selections)
    return (rule.bound or any(own)) and any(_places(rule, other, selections) != own for other in rule.like)


def _places(rule: _Alike, value: str, selections: list[Rows]) -> list[bool]:
    """In which selections a value can be."""
    return [rows.may_hold(rule.column, value) for rows in selections]
