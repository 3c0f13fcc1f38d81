"""Two systems' clocks differ by seconds: what is lifted, what is not, and that it is never silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benne.errors import EventSchemaError, EventValueError
from benne.features import Events, SubjectKey, ingest, load_events
from benne.features.events import check_raw

Frames = dict[str, pd.DataFrame]
MINUTE = timedelta(minutes=1)
NOT_BEFORE = r"payments\.known_at must not be before event_time, got 1 row\(s\) where it is not \(rows 1\)"


@pytest.fixture
def early(good: Frames) -> Callable[[float], Frames]:
    """The good load, with one payment known some seconds before it happened."""

    def made(seconds: float) -> Frames:
        payments = good["payments"].copy()
        payments.loc[1, "known_at"] = payments.loc[1, "event_time"] - pd.Timedelta(seconds=seconds)
        return {**good, "payments": payments}

    return made


def test_known_within_the_tolerance_is_lifted_to_the_event_and_said(
    early: Any, key: SubjectKey, clock: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    events = load_events(early(60), key=key, ingested_at=clock, clock_skew=MINUTE)
    paid = events.read("payments")
    assert paid.column("known_at").equals(paid.column("event_time"))
    assert events.lifted == {"payments": 1}
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("payments: 1 of 3 rows were known up to 60 s before they happened")


def test_beyond_the_tolerance_and_without_one_it_is_refused(early: Any, key: SubjectKey, clock: datetime) -> None:
    with pytest.raises(EventValueError, match=NOT_BEFORE):
        load_events(early(60.000001), key=key, ingested_at=clock, clock_skew=MINUTE)
    with pytest.raises(EventValueError, match=NOT_BEFORE):
        load_events(early(0.000001), key=key, ingested_at=clock)


def test_nothing_is_known_or_happens_after_the_ingest_clock_however_clocks_differ(
    good: Frames, key: SubjectKey, clock: datetime
) -> None:
    ahead = pd.Timestamp(clock) + pd.Timedelta(seconds=5)
    known_ahead = good["payments"].assign(known_at=[clock, ahead, clock])
    with pytest.raises(EventValueError, match=r"known_at must not be after the ingest clock, got 1 row"):
        load_events({**good, "payments": known_ahead}, key=key, ingested_at=clock, clock_skew=MINUTE)
    happens_ahead = good["payments"].assign(event_time=[clock, ahead, clock], known_at=clock)
    with pytest.raises(EventValueError, match=NOT_BEFORE):
        load_events({**good, "payments": happens_ahead}, key=key, ingested_at=clock, clock_skew=MINUTE)


def test_a_schedule_is_known_ahead_and_stays_so(good: Frames, key: SubjectKey, clock: datetime) -> None:
    dues = good["dues"].assign(known_at=good["dues"]["event_time"] - pd.Timedelta(seconds=30))
    events = load_events({**good, "dues": dues}, key=key, ingested_at=clock, clock_skew=MINUTE)
    assert events.lifted == {}
    due = events.read("dues")
    assert [a - b for a, b in zip(due["event_time"].to_pylist(), due["known_at"].to_pylist(), strict=True)] == [
        30_000_000
    ] * 3


def test_the_count_is_kept_with_the_events_and_in_the_report(
    early: Any, as_files: Any, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    raw = as_files(early(7))
    stored = ingest(raw, tmp_path / "out", key=key, ingested_at=clock, clock_skew=MINUTE)
    again = Events.open(tmp_path / "out")
    assert stored.lifted == again.lifted == {"payments": 1}
    assert json.loads((tmp_path / "out/events.json").read_text())["known_at_lifted"] == {"payments": 1}
    assert again.save(tmp_path / "copy")
    assert Events.open(tmp_path / "copy").lifted == {"payments": 1}
    assert check_raw(raw, ingested_at=clock, clock_skew=MINUTE).lifted == {"payments": 1}
    assert stored.fingerprint == load_events(early(0), key=key, ingested_at=clock).fingerprint


@pytest.mark.parametrize(("skew", "got"), [(timedelta(seconds=-1), "-1"), (timedelta(seconds=3601), "3601")])
def test_a_tolerance_is_at_most_an_hour(skew: timedelta, got: str, good: Frames, key: Any, clock: datetime) -> None:
    with pytest.raises(EventValueError, match=f"clock_skew must be between 0 and 3600 seconds, got {got}"):
        load_events(good, key=key, ingested_at=clock, clock_skew=skew)


def test_a_tolerance_without_a_unit_is_refused(good: Frames, key: SubjectKey, clock: datetime) -> None:
    with pytest.raises(EventSchemaError, match="clock_skew must be a timedelta, got int"):
        load_events(good, key=key, ingested_at=clock, clock_skew=60)  # type: ignore[arg-type]
