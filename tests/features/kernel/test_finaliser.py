"""Where integers become floats."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benne.features.kernel import finaliser

amounts = st.one_of(st.integers(0, 10_000), st.integers(2**39, 2**40), st.integers(2**31 - 5, 2**31 + 5))


@given(st.lists(st.lists(amounts, min_size=6, max_size=6), min_size=1, max_size=5))
def test_variation_equals_exact_arithmetic_however_large_the_amounts(periods: list[list[int]]) -> None:
    got = finaliser.variation(np.array(periods, dtype=np.int64))
    for value, totals in zip(got, periods, strict=True):
        if sum(totals) < 1:
            assert math.isnan(value)
            continue
        mean = Fraction(sum(totals), 6)
        variance = sum((x - mean) ** 2 for x in totals) / 6
        assert math.isclose(value, math.sqrt(variance) / mean, rel_tol=1e-12, abs_tol=1e-15)


def test_amounts_that_differ_by_one_in_a_trillion_still_vary() -> None:
    almost = np.array([[2**40, 2**40, 2**40, 2**40, 2**40, 2**40 - 1]], dtype=np.int64)
    assert finaliser.variation(almost)[0] > 0


@given(st.lists(st.lists(amounts, min_size=6, max_size=6), min_size=2, max_size=6), st.integers(0, 5))
def test_a_row_alone_equals_the_row_in_a_batch_bit_for_bit(periods: list[list[int]], place: int) -> None:
    batch, row = np.array(periods, dtype=np.int64), place % len(periods)
    whole = finaliser.variation(batch)[row : row + 1]
    assert whole.tobytes() == finaliser.variation(batch[row : row + 1]).tobytes()


def test_a_ratio_is_null_where_the_denominator_is_null_or_below_one() -> None:
    got = finaliser.ratio(np.array([3.0, 3.0, 3.0, np.nan]), np.array([2.0, 0.5, np.nan, 1.0]), 1.0)
    np.testing.assert_array_equal(got, [1.5, np.nan, np.nan, np.nan])


def test_days_and_nulls_and_ends_of_a_range() -> None:
    known = np.array([True, False])
    np.testing.assert_array_equal(finaliser.days(np.array([43_200_000_000, 5]), known), [0.5, np.nan])
    np.testing.assert_array_equal(finaliser.nullable(np.array([7, 5]), known), [7.0, np.nan])
    np.testing.assert_array_equal(finaliser.saturate(np.array([-1.0, 9.0, np.nan]), 0.0, 1.0), [0.0, 1.0, np.nan])
