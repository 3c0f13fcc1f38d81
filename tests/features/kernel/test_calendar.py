"""Years counted by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.features.kernel.calendar import years_later

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@given(st.integers(-70 * 366 * 86_400, 220 * 365 * 86_400), st.integers(0, 9))
def test_years_later_is_the_same_day_of_the_calendar(seconds: int, years: int) -> None:
    moment = EPOCH + timedelta(seconds=seconds)
    try:
        wanted = moment.replace(year=moment.year + years)
    except ValueError:  # 29 February
        wanted = moment.replace(year=moment.year + years, month=3, day=1)
    assert EPOCH + timedelta(microseconds=int(years_later((moment - EPOCH) // MICROSECOND, years))) == wanted


@pytest.mark.parametrize(("day", "later"), [
    ("2020-02-29", "2025-03-01"), ("2019-02-28", "2024-02-28"), ("2019-03-01", "2024-03-01"),
    ("1999-12-31", "2004-12-31"), ("1895-02-28", "1900-02-28"), ("1896-02-29", "1901-03-01"),
])  # fmt: skip
def test_five_years_on_over_leap_days_and_centuries(day: str, later: str) -> None:
    start, end = (datetime.fromisoformat(d).replace(tzinfo=UTC) for d in (day, later))
    assert years_later((start - EPOCH) // MICROSECOND, 5) == (end - EPOCH) // MICROSECOND
