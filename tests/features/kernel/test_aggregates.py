"""Each aggregate against the plain thing, with events and moments on a grid so that ties are the rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.features.kernel.expressions import (
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    Expression,
    Largest,
    Latest,
    Rows,
    Smallest,
    Total,
    stream,
)
from benne.features.kernel.program import DAY

half_days = st.integers(-1200, 1200).map(lambda n: n * (DAY // 2))
rows = st.lists(st.tuples(st.integers(0, 3), half_days, st.integers(0, 5)), max_size=30)
moments = st.lists(st.tuples(st.integers(0, 3), half_days), min_size=1, max_size=8, unique=True)
WINDOWS = [(0, 30), (0, 365), (30, 60), (0, None)]

Plain = Callable[[list[tuple[int, int]], int], float]
AGGREGATES: dict[str, tuple[Callable[[Rows], Expression], Plain]] = {
    "count": (Count, lambda seen, _: len(seen)),
    "total": (lambda r: Total(r, "amount"), lambda seen, _: sum(v for _, v in seen)),
    "largest": (lambda r: Largest(r, "amount"), lambda seen, _: max((v for _, v in seen), default=math.nan)),
    "smallest": (lambda r: Smallest(r, "amount"), lambda seen, _: min((v for _, v in seen), default=math.nan)),
    "distinct": (lambda r: Distinct(r, "counterparty_id"), lambda seen, _: len({v for _, v in seen})),
    "since last": (DaysSinceLast, lambda seen, t: (t - max(x for x, _ in seen)) / DAY if seen else math.nan),
    "since first": (DaysSinceFirst, lambda seen, t: (t - min(x for x, _ in seen)) / DAY if seen else math.nan),
}


@pytest.mark.parametrize("name", list(AGGREGATES))
@given(drawn=rows, asked=moments, window=st.sampled_from(WINDOWS))
def test_an_aggregate_equals_plain_python_in_every_window(
    name: str, drawn: list[tuple[int, int, int]], asked: list[tuple[int, int]], window: Any, compute: Any
) -> None:
    express, plain = AGGREGATES[name]
    near, far = window
    payments = [{"subject": s, "time": t, "amount": v, "counterparty_id": v} for s, t, v in drawn]
    chosen = stream("payments") if far is None else stream("payments").between(near, far)
    got = compute(express(chosen), {"payments": payments}, asked)
    for value, (subject, as_of) in zip(got, asked, strict=True):
        seen = [(t, v) for s, t, v in drawn if s == subject and t < as_of - near * DAY
                and (far is None or t >= as_of - far * DAY)]  # fmt: skip
        wanted = plain(seen, as_of)
        assert value == wanted or (math.isnan(value) and math.isnan(wanted))


def test_the_last_of_rows_at_one_moment_is_the_one_that_was_known_last(compute: Any) -> None:
    readings = [
        {"time": 5, "known_at": 7, "kind": 0, "amount": 70},
        {"time": 5, "known_at": 6, "kind": 0, "amount": 60},
    ]
    assert compute(Latest(stream("balances"), "amount"), {"balances": readings}, [(0, 6), (0, 7), (0, 8)]) == [
        pytest.approx(math.nan, nan_ok=True), 60.0, 70.0,
    ]  # fmt: skip


def test_a_null_neither_counts_nor_adds_and_excluding_keeps_it(compute: Any) -> None:
    payments = [{"time": 1, "amount": 5, "status": 1}, {"time": 2, "amount": 7}, {"time": 3, "amount": 9, "status": 0}]
    rows = stream("payments")

    def value(expression: Expression) -> float:
        return compute(expression, {"payments": payments}, [(0, 10)])[0]

    assert value(Count(rows.where(status="failed"))) == 1.0
    assert value(Count(rows.excluding(status="failed"))) == 2.0
    assert value(Count(rows.known("status"))) == 2.0
    assert value(Total(rows.excluding(status="failed"), "amount")) == 16.0
    assert value(Distinct(rows, "status")) == 2.0


def test_sums_are_exact_integers_rounded_once(compute: Any) -> None:
    many = [{"time": k, "amount": 2**40 - 1} for k in range(10_000)]
    (got,) = compute(Total(stream("payments"), "amount"), {"payments": many}, [(0, 10**6)])
    assert got == float(10_000 * (2**40 - 1))


def test_a_schedule_is_seen_ahead_only_as_far_as_it_was_known(compute: Any) -> None:
    dues = [
        {"time": 10 * DAY, "known_at": 0, "amount_due": 1},
        {"time": 12 * DAY, "known_at": 8 * DAY, "amount_due": 2},
    ]
    ahead = Total(stream("dues").between(-30, 0), "amount_due")
    assert compute(ahead, {"dues": dues}, [(0, 5 * DAY), (0, 9 * DAY), (0, 11 * DAY)]) == [1.0, 3.0, 2.0]


def test_rows_may_be_chosen_by_any_whole_number(compute: Any) -> None:
    payments = [{"time": k, "amount": amount} for k, amount in enumerate((30, 94, -34 % 64, 64))]
    got = [
        compute(Count(stream("payments").where(amount=n)), {"payments": payments}, [(0, 99)])[0]
        for n in (30, 94, 64, 5)
    ]
    assert got == [2.0, 1.0, 1.0, 0.0]
