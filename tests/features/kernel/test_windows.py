"""Window bounds against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.features.kernel.stream import NEVER, Observations, Stream
from benne.features.kernel.windows import DAY, Locator

# Few distinct half-days, so that ties and events exactly on a bound are the rule.
half_days = st.integers(-1200, 1200).map(lambda n: n * (DAY // 2))
events = st.lists(st.tuples(st.integers(0, 5), half_days), max_size=40)
moments = st.lists(st.tuples(st.integers(0, 5), half_days), max_size=8)


def _stream(rows: list[tuple[int, int]]) -> Stream:
    ordered = np.array(sorted(rows), dtype=np.int64).reshape(-1, 2)
    return Stream(ordered[:, 0], ordered[:, 1], ordered[:, 1], np.full(len(ordered), NEVER), {})


def _observations(rows: list[tuple[int, int]]) -> Observations:
    given_ = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return Observations(given_[:, 0], given_[:, 1])


@given(events, moments, st.sampled_from([(0, 30), (0, 365), (30, 60), (-30, 0), (0, None), (-366, None)]))
def test_a_window_holds_exactly_the_subjects_events_in_it(
    rows: list[tuple[int, int]], asked: list[tuple[int, int]], window: tuple[int, int | None]
) -> None:
    near, far = window
    stream = _stream(rows)
    bounds = Locator(stream, _observations(asked)).window(near, far)
    for place, (subject, as_of) in enumerate(asked):
        found = range(bounds.lo[place], bounds.hi[place])
        wanted = [
            i for i, (s, t) in enumerate(sorted(rows))
            if s == subject and t < as_of - near * DAY and (far is None or t >= as_of - far * DAY)
        ]  # fmt: skip
        assert list(found) == wanted


@pytest.mark.parametrize("years", [1, 69, 300, 5000])
def test_times_too_far_apart_for_one_key_are_found_all_the_same(years: int) -> None:
    old, subjects = -years * 365 * DAY, 4096
    rows = [(s, t) for s in (0, 7, subjects - 1) for t in (old, -DAY, 0)]
    asked = [(s, t) for s in (0, 3, 7, subjects - 1) for t in (old, old + 1, 0, 1)]
    bounds = Locator(_stream(rows), _observations(asked)).window(0, None)
    assert bounds.count.tolist() == [sum(s == subject and t < moment for s, t in rows) for subject, moment in asked]
    month = Locator(_stream(rows), _observations(asked)).window(0, 30)
    assert month.count.tolist() == [
        sum(s == subject and moment - 30 * DAY <= t < moment for s, t in rows) for subject, moment in asked
    ]
