"""Faults put into a store or a frame on purpose: each is found by its own check, and nothing else is blamed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import QualityError
from benne.features.quality import Limit, Refusals, Thresholds, check_quality, quality_report

DAY = 86_400_000_000


@pytest.fixture
def reference(platform, frame, clock):
    """The month before, without a fault."""
    return quality_report(platform(), frame(), as_of=clock - pd.Timedelta(days=30)).reference()


@pytest.fixture
def report(platform, frame, clock, reference):
    """A report on this month; faults are given as another store or frame."""

    def made(store=None, built=None, **options):
        given = {"as_of": clock, "reference": reference} | options
        return quality_report(platform() if store is None else store, frame() if built is None else built, **given)

    return made


def found(report, status):
    return {(check.kind, check.subject) for check in report.of(status)}


def test_a_clean_second_month_stays_quiet(report, frame):
    rng = np.random.default_rng(2)
    shuffled = {name: rng.permutation(frame()[name].to_numpy()) for name in ("income_monthly_180d", "late_count_30d")}
    assert found(report(built=frame(**shuffled)), "stop") == set()
    assert found(report(built=frame(**shuffled)), "warn") == set()


def test_another_sample_of_the_same_members_stays_quiet(report, frame):
    rng = np.random.default_rng(5)
    drawn = frame(income_monthly_180d=-100_000 * np.log(rng.random(400)))
    assert found(report(built=drawn), "stop") | found(report(built=drawn), "warn") == set()


def test_a_feed_that_stopped(report, platform, now):
    old = [now - 40 * DAY] * 800
    stopped = report(platform(payments={"event_time": old, "known_at": old}))
    assert found(stopped, "stop") == {("stale_days", "payments")}
    assert stopped.of("stop")[0].text == "40.0 days"


def test_one_of_two_feeds_that_stopped(report, platform, now):
    times = [now - DAY] * 400 + [now - 40 * DAY] * 400
    sources = {"source": ["platform"] * 400 + ["bank"] * 400, "event_time": times, "known_at": times}
    assert found(report(platform(payments=sources)), "stop") == {("stale_days", "payments/bank")}


def test_a_source_that_sends_duplicates(report, platform, now):
    again = {"source": ["platform"] * 400 + ["bank"] * 400, "event_time": [now - DAY] * 800, "amount": [7] * 800,
             "kind": ["bill"] * 800, "subject_id": [f"m{i}" for i in range(400)] * 2,
             "known_at": [now - DAY] * 400 + [now - DAY // 2] * 400}  # fmt: skip
    stopped = report(platform(payments=again))
    assert found(stopped, "stop") == {("duplicate_share", "payments"), ("duplicate_share", "payments/bank")}
    assert {check.text for check in stopped.of("stop")} == {"50.0 %", "100.0 %"}


def test_a_column_that_became_null(report, platform):
    stopped = report(platform(payments={"kind": [None] * 800}))
    assert found(stopped, "stop") == {("filled_drop", "payments.kind")}


def test_a_column_that_is_filled_less_warns(report, platform):
    thinner = report(platform(payments={"kind": ["bill"] * 600 + [None] * 200}))
    assert found(thinner, "warn") == {("filled_drop", "payments.kind")}


def test_a_feature_that_became_null(report, frame):
    stopped = report(built=frame(bill_share_180d=[np.nan] * 400))
    assert ("filled_drop", "bill_share_180d") in found(stopped, "stop")
    assert ("single_value", "bill_share_180d") in found(stopped, "warn")
    assert {subject for _, subject in found(stopped, "stop")} == {"bill_share_180d", "behaviour"}


def test_an_income_a_hundred_times_too_large(report, frame):
    income = frame()["income_monthly_180d"].to_numpy()
    stopped = report(built=frame(income_monthly_180d=income * 100))
    assert found(stopped, "stop") == {("psi", "income_monthly_180d"), ("outlier_rise", "income_monthly_180d")}


def test_an_income_a_hundred_times_too_large_for_some_is_seen_without_a_reference(report, frame):
    income = frame()["income_monthly_180d"].to_numpy()
    some = frame(income_monthly_180d=np.where(np.arange(400) % 5 == 0, 1e8 + income, income))
    assert found(report(built=some, reference=None), "stop") == {("outlier_share", "income_monthly_180d")}


def test_refused_rows_above_the_limit(report):
    refused = Refusals(rows_offered=10_000, rows_refused=200, observations_offered=10_000, observations_refused=60)
    stopped = report(refusals=refused)
    assert found(stopped, "stop") == {("refused_share", "rows")}
    assert found(stopped, "warn") == {("refused_share", "observations")}


def test_a_share_too_small_to_be_shown_stops_all_the_same(report):
    stopped = report(refusals=Refusals(rows_offered=1000, rows_refused=30))
    assert [(check.subject, check.text, check.value) for check in stopped.of("stop")] == [("rows", "few", None)]


def test_a_fall_is_a_part_of_what_there_was(platform, frame, clock):
    quarter = platform(payments={"kind": ["bill"] * 200 + [None] * 600})
    before = quality_report(quarter, frame(), as_of=clock).reference()
    fifth = platform(payments={"kind": ["bill"] * 160 + [None] * 640})
    fallen = quality_report(fifth, frame(), as_of=clock, reference=before)
    assert [(check.subject, check.text) for check in fallen.of("warn")] == [("payments.kind", "20.0 %")]


def test_members_who_are_no_longer_covered(report, platform):
    fewer = report(platform(incomes={"subject_id": [f"m{i % 100}" for i in range(800)]}))
    assert found(fewer, "stop") == {("coverage_drop", "incomes")}


def test_a_table_a_source_and_a_feature_that_are_gone(report, platform, frame):
    gone = report(platform(incomes=None), frame(income_monthly_180d=None))
    assert found(gone, "stop") == {("missing", "tables"), ("missing", "sources"), ("missing", "features")}
    assert {check.text for check in gone.of("stop")} == {"incomes", "incomes/platform", "income_monthly_180d"}


def test_history_without_known_at(report, platform, now):
    late = report(platform(payments={"event_time": [now - 50 * DAY] * 800, "known_at": [now - DAY] * 800}))
    assert found(late, "warn") == {("lag_days", "payments")}


def test_many_corrections(report, platform):
    corrected = report(platform(payments={"supersedes": [f"payments-{i}" for i in range(200)] + [None] * 600}))
    assert found(corrected, "warn") == {("corrected_share", "payments")}


def test_values_held_at_the_end_of_their_range(report, frame):
    ends = frame(bill_share_180d=np.where(np.arange(400) < 200, 1.0, np.arange(400) % 10 / 10))
    assert ("held_rise", "bill_share_180d") in found(report(built=ends), "stop")


def test_values_without_consent(report, frame):
    wrong = frame()
    wrong.loc[wrong.index[0], "consented_ability"] = False
    stopped = report(built=wrong)
    assert found(stopped, "stop") == {("unconsented_values", "features")}
    assert stopped.of("stop")[0].text == "in income_monthly_180d"


def test_a_category_about_which_nothing_is_known(report, frame):
    thin = report(built=frame(late_count_30d=[0] * 300 + [1] * 100), reference=None)
    assert found(thin, "warn") == {("thin_share", "credit_history")}


def test_too_few_observations_are_insufficient_and_no_pass(report, frame):
    few = report(built=frame(49), reference=None)
    assert few.verdict == "insufficient"
    subjects = {check.subject for check in few.of("insufficient")}
    assert {"late_count_30d", "income_monthly_180d", "ability", "credit_history"} <= subjects
    assert {check.subject for check in few.of("pass")} & subjects == set()


def test_drift_that_chance_alone_could_make_is_insufficient(report, frame):
    few = report(built=frame(60))
    drift = [check for check in few.checks if (check.kind, check.subject) == ("psi", "income_monthly_180d")]
    # Five bins of eighty: 4 · (1/60 + 1/400) = 0.077, and more than half the limit of 0.1.
    assert [(check.status, check.text) for check in drift] == [("insufficient", "chance alone makes 0.08 with so few")]


def test_limits_of_ones_own_stop_or_let_pass(report, platform, now):
    old = [now - 40 * DAY] * 800
    store = platform(payments={"event_time": old, "known_at": old})
    patient = Thresholds(only={("stale_days", "payments"): Limit(60, 90)})
    assert found(report(store, thresholds=patient), "stop") == set()
    strict = Thresholds({"stale_days": Limit(stop=0.5)})
    assert len(found(report(thresholds=strict), "stop")) == 3


def test_a_stop_names_what_and_what_to_do_and_nobody(report, platform, frame, now):
    old = [now - 40 * DAY] * 800
    stopped = report(platform(payments={"event_time": old, "known_at": old}))
    with pytest.raises(QualityError, match=r"got 1 check\(s\) beyond: payments: days since .*, 40.0 days"):
        check_quality(stopped)
    with pytest.raises(QualityError, match="Ask the source whether its feed still runs"):
        stopped.reference()


def test_what_only_warns_does_not_stop(report, platform):
    thinner = report(platform(payments={"kind": ["bill"] * 600 + [None] * 200}))
    assert (thinner.verdict, thinner.stop) == ("warn", False)
    check_quality(thinner)
