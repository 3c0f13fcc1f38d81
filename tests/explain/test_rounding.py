from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.explain import whole_parts

PARTS = st.lists(st.floats(-600, 600), min_size=1, max_size=60)


@given(PARTS)
def test_whole_parts_add_up_and_move_less_than_a_point(parts):
    whole = round(sum(parts))
    shown = whole_parts(parts, whole)
    assert sum(shown) == whole
    assert all(abs(number - part) <= 1 for number, part in zip(shown, parts, strict=True))


@given(st.lists(st.integers(-600, 600), min_size=1, max_size=60))
def test_whole_numbers_stay_as_they_are(parts):
    assert whole_parts([float(part) for part in parts], sum(parts)) == parts


def test_the_largest_remainder_is_lifted_and_ties_go_to_the_earlier():
    assert whole_parts([0.4, 0.6], 1) == [0, 1]
    assert whole_parts([0.5, 0.5], 1) == [1, 0]
    assert whole_parts([-0.5, -0.5], -1) == [0, -1]


def test_a_whole_that_no_rounding_reaches_is_refused():
    with pytest.raises(ValueError, match="got 2 parts and a gap of 7"):
        whole_parts([1.0, 2.0], 10)
