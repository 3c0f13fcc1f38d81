"""Moments in microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.features.events.validation import microseconds


@pytest.mark.parametrize(("moment", "expected"), [
    (datetime(1970, 1, 1, tzinfo=UTC), 0),
    (datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC), -500_000),
    (datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 0),
    (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999_999),
    (pd.Timestamp("2025-01-01 00:00:00.000001", tz="UTC"), 1_735_689_600_000_001),
])  # fmt: skip
def test_microseconds_are_exact_before_1970_and_far_from_it(moment: datetime, expected: int) -> None:
    assert microseconds(moment) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_lead_back_to_the_moment(moment: datetime) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds(moment)) == moment
