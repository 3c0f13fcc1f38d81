"""Bands by vintage: what has begun is found in its window, cells of few are not told, one member is not many."""

from __future__ import annotations

import numpy as np
import pytest

from benne.scoring.monitoring.group_vintages import check_calibration, check_order
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.thresholds import Thresholds
from tests.scoring.monitoring.months import group_vintages, start_of

NAMES, PDS = ("poor", "fair", "good"), np.array([0.3, 0.1, 0.04])
MONTHS, EACH = 20, np.array([400, 150, 60])


def drawn(rng, times=None):
    """Twenty months of three bands; each turns bad so many times as often as predicted, shape (months, bands)."""
    group = np.tile(np.repeat(np.arange(3), EACH), MONTHS)
    period = np.repeat(np.arange(MONTHS), EACH.sum())
    chance = PDS[group]
    more = np.ones((MONTHS, 3)) if times is None else times
    bad = (rng.random(len(group)) < chance * more[period, group]).astype(float)
    return group_vintages(NAMES, group, period, bad, chance)


def told(found):
    judge = Judge(Thresholds.default())
    check_calibration(found, judge)
    check_order(found, judge)
    return judge.alerts


def test_a_band_that_turns_bad_more_often_in_the_last_eight_of_twenty_months_is_found_with_its_window():
    times = np.ones((MONTHS, 3))
    times[12:, 2] = 2.5
    alerts = told(drawn(np.random.default_rng(0), times))
    assert {alert.name for alert in alerts if alert.severity == "alarm"} == {"calibration.band.good"}
    assert all(alert.period >= f"{start_of(12):%Y-%m}" for alert in alerts)
    assert alerts[-1].message.startswith(
        "Of band good, 9.6% turned bad from 2024-01 to 2024-08 where 4.0% were predicted"
    )


def test_bands_that_turn_bad_as_predicted_are_quiet_in_a_hundred_runs_of_twenty_months():
    rng = np.random.default_rng(1)
    assert sum(bool(told(drawn(rng))) for _ in range(100)) <= 3  # twenty periods, twice one in a thousand: 4 at most


def test_a_band_that_has_been_worse_than_the_one_below_for_a_while_is_found():
    times = np.ones((MONTHS, 3))
    times[16:, 2] = 5.0
    alerts = [alert for alert in told(drawn(np.random.default_rng(2), times)) if alert.name == "order.good"]
    assert {alert.period for alert in alerts} <= {f"{start_of(k):%Y-%m}" for k in range(16, 20)}
    assert "Band good turned bad more often than the one below it, by " in alerts[-1].message
    assert "from 2024-05 to 2024-08" in alerts[-1].message


def test_members_who_are_bad_in_every_month_are_not_as_many_others():
    """Of 120 members 12 are bad where 4.8 are expected: rare in one month, and no rarer for being seen in twelve."""
    months, members = 12, np.tile(np.arange(120), 12)
    period = np.repeat(np.arange(months), 120)
    bad, chance, group = (members < 12) * 1.0, np.full(len(members), 0.04), np.zeros(len(members), dtype=np.intp)
    assert told(group_vintages(("good",), group, period, bad, chance, members)) == []
    others = group_vintages(("good",), group, period, bad, chance)
    assert {alert.name for alert in told(others)} == {"calibration.band.good"}


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        # A cell of 4 hides the next smallest of its month, and each of both one more of its own band.
        ([[50, 30, 4], [60, 40, 20], [70, 45, 25]], [[50, None, None], [60, None, None], [70, 45, 25]]),
        ([[50, 30, 20], [60, 0, 20]], [[50, 30, 20], [60, 0, 20]]),
        # A band of fewer than ten in all is not told in any month, nor is the one that would give it away.
        ([[50, 30, 4], [60, 40, 5]], [[50, None, None], [60, None, None]]),
    ],
)  # fmt: skip
def test_no_cell_is_told_that_is_of_few_or_follows_from_totals(rows, shown):
    counts = np.array(rows)
    months, bands = counts.shape
    period = np.repeat(np.arange(months), counts.sum(axis=1))
    group = np.concatenate([np.repeat(np.arange(bands), own) for own in counts])
    bad = (np.arange(len(group)) % 5 == 0) * 1.0
    lines = group_vintages(NAMES, group, period, bad, PDS[group]).by_period()
    found = {(line["band"], line["period"]): line["rows"] for line in lines}
    want = {(NAMES[g], f"{start_of(k):%Y-%m}"): shown[k][g] for k in range(months) for g in range(bands) if rows[k][g]}
    assert found == want
    assert all(("observed" in line) == (line["rows"] is not None) for line in lines)


def test_a_cell_says_what_was_predicted_and_what_came_true():
    group, period = np.zeros(60, dtype=np.intp), np.repeat([0, 1], [20, 40])
    lines = group_vintages(("good",), group, period, (np.arange(60) % 10 == 0) * 1.0, np.full(60, 0.05)).by_period()
    assert [(line["period"], line["rows"], line["predicted"], line["observed"]) for line in lines] == [
        ("2023-01", 20, pytest.approx(0.05), 0.1), ("2023-02", 40, pytest.approx(0.05), 0.1)
    ]  # fmt: skip
    assert lines[0]["observed_low"] < 0.1 < lines[0]["observed_high"]


@pytest.mark.parametrize(("bad", "told"), [(0, None), (1, 0.05), (19, 0.95), (20, None)])
def test_a_cell_in_which_nobody_or_everybody_turned_bad_has_no_bad_rate(bad, told):
    nowhere = np.zeros(20, dtype=np.intp)
    found = group_vintages(("good",), nowhere, nowhere, (np.arange(20) < bad) * 1.0, np.full(20, 0.05))
    for line in (*found.pooled(), *found.by_period()):
        assert (line["rows"], line["predicted"], line["observed"]) == (20, pytest.approx(0.05), told)
        assert (line["observed_low"] is None) == (line["observed_high"] is None) == (told is None)
