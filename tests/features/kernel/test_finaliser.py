"""Arithmetic on values: nulls, ratios, and variation that nothing cancels in."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from benne.features.kernel.expressions import Count, Difference, Latest, Ratio, Scaled, Sum, Total, Variation, stream
from benne.features.kernel.program import DAY

amounts = st.one_of(st.integers(0, 10_000), st.integers(2**39, 2**40), st.integers(2**31 - 5, 2**31 + 5))


def _variation(compute: Any, totals: list[int]) -> float:
    incomes = [{"time": -(30 * k + 1) * DAY, "amount": amount} for k, amount in enumerate(totals)]
    (value,) = compute(Variation(stream("incomes"), "amount"), {"incomes": incomes}, [(0, 0)])
    return value


@given(totals=st.lists(amounts, min_size=6, max_size=6))
def test_variation_equals_exact_arithmetic_however_large_the_amounts(totals: list[int], compute: Any) -> None:
    value = _variation(compute, totals)
    if sum(totals) < 1:
        assert math.isnan(value)
        return
    mean = Fraction(sum(totals), 6)
    variance = sum((x - mean) ** 2 for x in totals) / 6
    assert math.isclose(value, math.sqrt(variance) / mean, rel_tol=1e-12, abs_tol=1e-15)


def test_amounts_that_differ_by_one_in_a_trillion_still_vary(compute: Any) -> None:
    assert _variation(compute, [2**40] * 5 + [2**40 - 1]) > 0


def test_a_ratio_is_null_where_the_denominator_is_null_or_below_one(compute: Any) -> None:
    rows = {"balances": [{"time": 1, "kind": 0, "amount": 6}], "incomes": [{"time": 1, "amount": 4}], "dues": []}
    last, income = Latest(stream("balances"), "amount"), Total(stream("incomes"), "amount")
    none = Latest(stream("dues"), "amount_due")

    def value(expression: Any) -> float:
        return compute(expression, rows, [(0, 10)])[0]

    assert value(Ratio(last, income)) == 1.5
    assert math.isnan(value(Ratio(last, none)))
    assert math.isnan(value(Ratio(last, Scaled(income, 5.0))))
    assert value(Ratio(last, Scaled(income, 5.0), at_least=0.5)) == 7.5
    assert math.isnan(value(Difference(last, none)))
    assert value(Sum(last, income, Count(stream("balances")))) == 11.0
