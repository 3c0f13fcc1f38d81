from __future__ import annotations

from datetime import date

import pyarrow.parquet as pq
import pytest

from benne.errors import EventSchemaError
from benne.features import Events
from benne.features.quality.tables import measure_tables

DAY = 86_400_000_000


@pytest.fixture
def measured(clock):
    """Measures a store; tables by name."""
    return lambda store, as_of=None: {table.name: table for table in measure_tables(store, as_of or clock)}


def test_rows_and_members_of_a_table_are_counted(platform, measured):
    payments = measured(platform())["payments"]
    assert (payments.rows, payments.members, payments.covered.shown) == (800, 400, 1.0)


def test_coverage_is_of_all_members(platform, measured):
    some = platform(incomes={"subject_id": [f"m{i % 100}" for i in range(800)]})
    assert measured(some)["incomes"].covered.shown == 0.25


def test_the_newest_moment_is_one_that_fifty_members_have_reached(platform, measured, now):
    times = [now - 10 * DAY] * 751 + [now - DAY] * 49
    members = [f"m{i % 300}" for i in range(751)] + [f"m{351 + i}" for i in range(49)]
    payments = measured(platform(payments={"subject_id": members, "event_time": times, "known_at": times}))["payments"]
    assert (payments.stale_days, payments.newest_event, payments.newest_known) == (
        10.0, date(2025, 6, 21), date(2025, 6, 21),
    )  # fmt: skip


def test_what_becomes_known_after_the_clock_makes_nothing_fresh(platform, measured, now):
    late = platform(payments={"known_at": [now] * 800})
    assert measured(late)["payments"].stale_days is None


def test_lag_is_from_happening_to_being_known_to_the_hour(platform, measured, now):
    happened = [now - 40 * DAY] * 800
    known = [now - 39 * DAY - DAY // 2] * 500 + [now - 37 * DAY] * 300
    lags = measured(platform(payments={"event_time": happened, "known_at": known}))["payments"].lag_days
    assert lags == {0.5: 0.5}  # five per cent of 800 is fewer than fifty


def test_a_due_known_ahead_has_no_lag(events, measured, now):
    members = [f"m{i}" for i in range(100)]
    store = events(
        members={"subject_id": members, "event_time": [now - DAY] * 100, "adult": [True] * 100},
        dues={"subject_id": members, "due_id": members, "obligation_id": members, "amount_due": [1] * 100,
              "event_time": [now + 9 * DAY] * 100, "known_at": [now - DAY] * 100},
    )  # fmt: skip
    dues = measured(store)["dues"]
    assert (dues.lag_days[0.5], dues.stale_days, dues.newest_event) == (0.0, 1.0, None)


def test_the_corrected_share_counts_rows_that_another_supersedes(platform, measured):
    corrections = [f"payments-{i}" for i in range(200)] + [None] * 600
    assert measured(platform(payments={"supersedes": corrections}))["payments"].corrected.shown == 0.25


def test_null_shares_are_of_optional_columns(platform, measured):
    nulls = measured(platform(payments={"kind": [None] * 200 + ["bill"] * 600}))["payments"].nulls
    assert nulls["kind"].shown == 0.25
    assert "amount" not in nulls


def test_a_null_share_that_concerns_few_members_is_not_shown(platform, measured):
    members = ["m0"] * 100 + [f"m{i % 400}" for i in range(700)]
    store = platform(payments={"subject_id": members, "kind": [None] * 100 + ["bill"] * 700})
    nulls = measured(store)["payments"].nulls
    assert (nulls["kind"].shown, nulls["kind"].text) == (None, "few")


def test_every_source_is_measured_for_itself(platform, measured, now):
    times = [now - DAY] * 400 + [now - 30 * DAY] * 400
    sources = ["shop"] * 400 + ["bank"] * 400
    payments = measured(platform(payments={"event_time": times, "known_at": times, "source": sources}))["payments"]
    assert {s.name: (s.rows, s.members, s.stale_days) for s in payments.sources} == {
        "bank": (400, 400, 30.0), "shop": (400, 400, 1.0),
    }  # fmt: skip


def test_a_source_of_fewer_than_fifty_members_is_not_named(platform, measured):
    payments = measured(platform(payments={"source": ["shop"] * 760 + ["the corner shop"] * 40}))["payments"]
    assert ([s.name for s in payments.sources], payments.sources_not_shown) == (["shop"], 1)


def test_a_store_on_disk_is_measured_as_one_in_memory(platform, measured, tmp_path):
    store = platform(payments={"source": ["shop", None] * 400})
    for name, table in store.sources.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    paths = {name: tmp_path / f"{name}.parquet" for name in store.sources}
    assert measured(Events(paths, store.known_since, "a key", "a fingerprint")) == measured(store)


def test_an_empty_table_is_measured(events, measured, now):
    store = events(
        members={"subject_id": ["a"], "event_time": [now - DAY], "adult": [True]},
        payments={"subject_id": [], "event_time": [], "direction": [], "amount": []},
    )
    payments = measured(store)["payments"]
    assert (payments.rows, payments.members, payments.stale_days, payments.sources) == (0, 0, None, ())


def test_a_naive_clock_is_refused(platform, measured, clock):
    with pytest.raises(EventSchemaError, match="A clock must be timezone-aware"):
        measured(platform(), clock.replace(tzinfo=None))
