from __future__ import annotations

import json

import pytest

from benne.errors import QualityInputError
from benne.features.quality import CHECKS, Limit, Thresholds

TOML = """
format = 1

[psi]
warn = 0.2

[psi.only.income_monthly_180d]
warn = 0.3
stop = 0.6

[stale_days.only.payments]
stop = 2
"""


@pytest.fixture
def written(tmp_path):
    """Writes a thresholds file."""

    def write(text, name="limits.toml"):
        (tmp_path / name).write_text(text, "utf-8")
        return tmp_path / name

    return write


def test_a_value_at_the_limit_passes():
    limit = Limit(warn=1, stop=2)
    assert [limit.judge(v) for v in (1.0, 1.5, 2.0, 2.5)] == ["pass", "warn", "warn", "stop"]


def test_without_a_limit_everything_passes():
    assert Limit().judge(1e9) == "pass"


def test_a_file_changes_what_it_names_and_nothing_else(written):
    limits = Thresholds.read(written(TOML))
    assert limits.limit("psi", "late_count_30d") == Limit(0.2, None)
    assert limits.limit("psi", "income_monthly_180d") == Limit(0.3, 0.6)
    assert limits.limit("stale_days", "payments") == Limit(None, 2)
    assert limits.limit("stale_days", "payments/bank") == Limit(None, 2)
    assert limits.limit("stale_days", "incomes") == Limit(45, 92)
    assert limits.limit("outlier_share", "bill_share_180d") == CHECKS["outlier_share"].limit


def test_a_limit_for_one_source_goes_before_its_tables(written):
    limits = Thresholds(only={("stale_days", "payments"): Limit(2), ("stale_days", "payments/bank"): Limit(5)})
    assert limits.limit("stale_days", "payments/bank") == Limit(5)
    assert limits.limit("stale_days", "payments/shop") == Limit(2)


def test_json_says_the_same_as_toml(written):
    said = {"format": 1, "psi": {"warn": 0.2, "only": {"income_monthly_180d": {"warn": 0.3, "stop": 0.6}}},
            "stale_days": {"only": {"payments": {"stop": 2}}}}  # fmt: skip
    assert Thresholds.read(written(json.dumps(said), "limits.json")) == Thresholds.read(written(TOML))


def test_what_was_in_force_can_be_read_back(written):
    limits = Thresholds.read(written(TOML))
    again = Thresholds.read(written(json.dumps({"format": 1} | limits.as_document()), "again.json"))
    for kind in CHECKS:
        for subject in ("payments", "incomes", "income_monthly_180d", "anything"):
            assert again.limit(kind, subject) == limits.limit(kind, subject)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("format = 2", "must have format 1, got 2"),
        ("warn = 1", "must have format 1, got None"),
        ("format = true", "must have format 1, got True"),
        ("format = ", "got none that can be read"),
        ("format = 1\n[colour]\nwarn = 1", "must be for checks among .*, got colour"),
        ("format = 1\npsi = 3", r"Thresholds for psi must be a table with warn and stop. Write \[psi\]"),
        ("format = 1\n[psi]\nalarm = 3", "Thresholds for psi must be warn and stop, got alarm"),
        ("format = 1\n[psi]\nonly = 3", "Thresholds for psi must be a table, got int"),
        ("format = 1\n[psi.only]\nincome = 3", "Thresholds for psi.only.income must be a table, got int"),
        ("format = 1\n[psi]\nwarn = 'much'", "warn must be a number from 0, or left out, got 'much'"),
        ("format = 1\n[psi]\nstop = nan", "stop must be a number from 0, or left out, got nan"),
        ("format = 1\n[psi]\nwarn = -1", "warn must be a number from 0, or left out, got -1"),
        ("format = 1\n[psi]\nwarn = true", "warn must be a number from 0, or left out, got True"),
        ("format = 1\n[psi]\nwarn = 2\nstop = 1", "stop must not be below warn, got stop 1 and warn 2"),
    ],
)
def test_a_file_that_says_something_else_is_refused(written, text, complaint):
    with pytest.raises(QualityInputError, match=complaint):
        Thresholds.read(written(text))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(QualityInputError, match=r"must be a JSON file, or a TOML file named .toml, got none"):
        Thresholds.read(tmp_path / "none.toml")


def test_every_check_says_what_to_do():
    assert all(kind.advice.endswith(".") and kind.label for kind in CHECKS.values())
