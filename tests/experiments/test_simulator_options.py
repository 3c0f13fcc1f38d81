"""A world that cannot be is refused before anything is drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from benne.errors import SimulationError
from benne.experiments.simulator import SimulatorOptions
from benne.experiments.simulator.timeline import DAY, Timeline


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"as_of": ()}, "at least one timezone-aware datetime"),
        ({"as_of": (datetime(2025, 7, 1),)}, "timezone-aware"),  # noqa: DTZ001 - the naive one is the point
        ({"as_of": (datetime(2025, 7, 1, tzinfo=UTC),) * 2}, "increasing order"),
        ({"as_of": (datetime(2023, 2, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))}, "six of the 30 months"),
        ({"history_months": 5}, "history_months must be from 6 to 120, got 5"),
        ({"tail_months": 0}, "tail_months must be from 1 to 24, got 0"),
        ({"extracted_at": datetime(2025, 8, 20)}, "extracted_at must be a timezone-aware"),  # noqa: DTZ001 - as above
        ({"late_share": 1.5}, "late_share must be between 0 and 1, got 1.5"),
        ({"community_size": 2}, "community_size must be at least 10, got 2"),
    ],
)
def test_an_option_out_of_range_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        SimulatorOptions(**given)


def test_the_calendar_of_the_default_world_runs_from_january_2023_to_august_2025() -> None:
    timeline = Timeline.of(SimulatorOptions())
    assert str(timeline.first_month) == "2023-01"
    assert timeline.months == 32
    assert np.datetime64(timeline.end, "us") == np.datetime64("2025-09-01")


def test_the_calendar_ends_when_the_tables_are_extracted_if_that_is_said() -> None:
    timeline = Timeline.of(SimulatorOptions(extracted_at=datetime(2025, 8, 20, 6, tzinfo=UTC)))
    assert np.datetime64(timeline.end, "us") == np.datetime64("2025-08-20T06")
    with pytest.raises(SimulationError, match="between the last as_of and the end of 2025-08, the last month"):
        Timeline.of(SimulatorOptions(extracted_at=datetime(2025, 9, 2, tzinfo=UTC)))


def test_the_observed_month_is_the_one_just_ended_at_a_month_end() -> None:
    timeline = Timeline.of(SimulatorOptions())
    assert timeline.observed_month.tolist() == [29]  # June 2025


def test_the_observed_month_is_the_one_in_progress_in_mid_month() -> None:
    timeline = Timeline.of(SimulatorOptions(as_of=(datetime(2025, 7, 10, 12, tzinfo=UTC),)))
    month = timeline.observed_month
    assert timeline.start(month) == np.datetime64("2025-07-01", "us").astype(np.int64)
    assert int(timeline.as_of[0] - timeline.start(month)[0]) == 9 * DAY + DAY // 2
