"""Expressions that are not the kernel's own, or that compiled code would read otherwise than they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest

from benne.errors import RegistrationError
from benne.features import Registry, registry
from benne.features.kernel.expressions import (
    ActivePeriods,
    Condition,
    Count,
    Expression,
    Ratio,
    Rows,
    Scaled,
    Sum,
    Variation,
    stream,
)

COUNT = registry["penalty_fees_180d"]
PAYMENTS, FACTS, INCOMES, DEALINGS = (stream(n) for n in ("payments", "verifications", "incomes", "interactions"))
OUT, IN = PAYMENTS.where(direction="out"), PAYMENTS.where(direction="in")


@dataclass(frozen=True)
class Sly(Expression):
    """Reads disputes and says that it does not."""

    rows: Rows

    def lower(self, to: Any) -> int:
        """Never asked."""
        raise AssertionError

    def selections(self) -> tuple[Rows, ...]:
        """A lie."""
        return (stream("payments"),)


@dataclass(frozen=True)
class SlyRows(Rows):
    """Holds disputes and says that it does not."""

    def may_hold(self, column: str, value: str) -> bool:
        """A lie."""
        return False


@dataclass(frozen=True)
class SlyCount(Count):
    """A count of something else that says it comes from the kernel."""


SlyCount.__module__ = Expression.__module__


@dataclass(frozen=True)
class SlyCondition(Condition):
    """A condition that compiles to another."""

    def lowered(self) -> tuple[int, int, int]:
        """Anything but what it says."""
        return 0, 0, 0


def chosen(*conditions: Condition) -> Expression:
    """How many interactions meet these conditions."""
    return Count(Rows("interactions", conditions))


HALF: Any = 0.5
LISTS: Any = ([Condition("amount")], [1])
TWICE = ("endorsement", "endorsement")  # added up as bits, two of these are a report


@pytest.mark.parametrize(("expression", "message"), [
    # what compiled code would read otherwise than it is written
    (Count(DEALINGS.where(kind=TWICE, direction="given")), "it must name each kind of interactions once"),
    (Count(DEALINGS.excluding(kind=("report", "report", "block"))), "it must name each kind of interactions once"),
    (Count(DEALINGS.where(kind=3)), "it must choose kind of interactions by name, among transfer, rating"),
    (Count(FACTS.at_least(field=3).at_most(field=3)), "it must choose field of verifications by name"),
    (Count(INCOMES.where(kind=2)), "it must choose kind of incomes by name"),
    (chosen(Condition("kind", (99,))), "it must choose kind of interactions among transfer, rating"),
    (chosen(Condition("kind", (-1,))), "it must choose kind of interactions among transfer, rating"),
    (chosen(Condition("value", (1,))), "it must choose value of interactions by a number: only categories have names"),
    (chosen(Condition("value", low=1, excluding=True)), "it must say what it leaves out of value of interactions"),
    (chosen(Condition("mood")), "it must choose rows by a column of interactions, got 'mood'"),
    (Count(FACTS.at_least(expires_at=1)), "it must not choose expires_at of verifications by a date"),
    (Count(Rows("payments", LISTS[0])), "its conditions must be the kernel's own"),
    (chosen(Condition("kind", LISTS[1])), "it must choose kind of interactions by whole numbers"),
    (Count(DEALINGS.known("event_time")), "it must choose rows by a column of interactions, got 'event_time'"),
    (Count(PAYMENTS.at_least(amount=HALF)), "it must choose amount of payments by whole numbers"),
    (chosen(SlyCondition("kind", (0,))), "its conditions must be the kernel's own"),
    (Count(Rows("secrets")), "it must read an event table or a derived stream, got 'secrets'"),
    (Count(Rows("payments", near_days=-30)), "its rows of payments must lie before as_of: only a schedule is known"),
    (Count(OUT.within(HALF)), "its windows must be of whole days, got 0 to 0.5"),
    (ActivePeriods(OUT, -30), "its periods must be whole numbers above 0, got 6 of -30 days. Correct ActivePeriods"),
    (Variation(OUT, "amount", 30, 0), "its periods must be whole numbers above 0, got 0 of 30 days"),
    (SlyCount(OUT), "its expression must be made of the kernel's own, got SlyCount"),
    ("Count", "its expression must be made of the kernel's own, got str"),
    (Sum(Count(OUT), HALF), "its expression must be made of the kernel's own, got float"),
    (Ratio(Count(OUT), Count(IN), 1j), "it must divide by more than 0, got 1j. Correct Ratio"),
    # what is not the kernel's
    (Sly(stream("adverse_items")), "its expression must be made of the kernel's own, got Sly"),
    (Sum(Count(OUT), Sly(stream("adverse_items"))), "its expression must be made of the kernel's own, got Sly"),
    (Count(SlyRows("adverse_items")), "its expression must be made of the kernel's own, got other rows"),
    (Sum(), "its expression must read some rows"),
    (Count(OUT.within(0)), "its windows must end farther back than they begin"),
    (Ratio(Count(OUT), Count(IN), at_least=0.0), "it must divide by more than 0, got 0.0. Correct Ratio"),
    (Scaled(Count(OUT), math.nan), "it must divide by more than 0, got nan. Correct Scaled"),
])  # fmt: skip
def test_an_expression_that_cannot_be_trusted_is_refused(expression: Expression, message: str) -> None:
    with pytest.raises(RegistrationError, match=f"Feature 'some_feature' cannot be registered: {message}"):
        Registry([replace(COUNT, name="some_feature", expression=expression)])
