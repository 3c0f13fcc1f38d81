"""Limits from a file, and bounds of chance that can be looked up in any table."""

from __future__ import annotations

import pytest

from benne.errors import MonitoringError
from benne.features.quality.drift import Bins
from benne.scoring.monitoring.chance import deviations, index_by_chance, shares_differ, stability
from benne.scoring.monitoring.thresholds import Limit, Thresholds


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("format = 1\n[rules]\nlag_days = 60\n[limits.psi]\nwarning = 0.2\n")
    own, default = Thresholds.read(path), Thresholds.default()
    assert own.limits["psi"] == Limit(0.2, default.limits["psi"].alarm)
    assert (own.rules.lag_days, own.rules.outcome_days) == (60, default.rules.outcome_days)
    assert {name: limit for name, limit in own.limits.items() if name != "psi"} == {
        name: limit for name, limit in default.limits.items() if name != "psi"
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format = 2", "must have format 1"),
        ("format = 1\n[other]", "must have format 1 and hold rules and limits"),
        ("format = 1\n[limits.psy]\nwarning = 1", "must be of known checks, got 'psy'"),
        ("format = 1\n[limits.psi]\nwarn = 1", "must be of known limits of psi, got 'warn'"),
        ("format = 1\n[limits.psi]\nwarning = 0.3", "must warn before it alarms, got 0.3 and 0.25"),
        ("format = 1\n[limits.psi]\nwarning = nan", "must warn before it alarms"),
        ("format = 1\n[limits]\npsi = 3", "must be of known limits of psi, got '3'"),
        ("format = 1\n[rules]\nfewest = 10", "fewest of monitoring must be from 50"),
        ("format = 1\n[rules]\nsignificance = 0", "significance of monitoring must be from 0"),
        ("format = 1\n[rules]\nspeed = 1", "must be of known rules, got 'speed'"),
        ("format = ", "must be a TOML file, got none that can be read"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, text, message):
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(MonitoringError, match=message):
        Thresholds.read(path)


def test_the_index_is_that_of_the_reference_and_chance_counts_members():
    before, after = Bins((0.0,), (5000, 5000), 0), Bins((0.0,), (500, 1500), 0)
    index, chance, freedom = stability(before, after, repeats=4.0)
    assert round(index, 2) == 0.27  # 0.25 ln 2 + 0.25 ln 1.5, less what half an observation smooths
    assert (round(chance, 6), freedom) == (round(4 / 10_000 + 1 / 2_000, 6), 1)
    assert stability(Bins((), (100,), 0), Bins((), (100,), 0), 1.0)[2] == 0, "one bin cannot move"


def test_bounds_of_chance_are_those_of_the_tables():
    assert deviations(0.05, 1) == pytest.approx(1.96, abs=0.001)
    assert index_by_chance(0.01, 10, 0.05, 1) == pytest.approx(0.01 * 18.307 / 10, abs=1e-6)  # chi-squared, 10, 5 %
    assert not shares_differ((0, 100), (0, 100), 3.0)
    assert not shares_differ((0, 0), (5, 100), 3.0)
