from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from benne.errors import FeatureValueError
from benne.features import registry
from benne.features.quality.columns import measure_column

INCOME, SHARE, SINCE = (registry[n] for n in ("income_monthly_180d", "bill_share_180d", "days_since_joining"))


def measure(values, spec=INCOME, *, consented=None, cell=50, reference=None, elapsed_days=0.0):
    values = np.asarray(values, dtype=float)
    given = np.ones(len(values), dtype=bool) if consented is None else consented
    return measure_column(spec, values, given, cell=cell, reference=reference, elapsed_days=elapsed_days)


def test_shares_are_of_consented_observations_and_of_values():
    measured = measure([np.nan] * 100 + [0.0] * 60 + [7.0] * 240)
    assert (measured.filled.shown, measured.zeros.shown) == (0.75, 0.2)


def test_what_a_member_withholds_is_not_looked_at():
    consented = np.arange(400) < 200
    measured = measure(np.where(consented, 1.0, np.nan), consented=consented)
    assert (measured.observations, measured.filled.shown, measured.unconsented) == (200, 1.0, 0)


def test_a_value_where_the_member_does_not_consent_is_counted():
    assert measure([1.0] * 400, consented=np.arange(400) < 397).unconsented == 3


def test_quantiles_stand_on_fifty_members_on_either_side():
    assert list(measure(np.arange(400.0)).quantiles) == [0.25, 0.5, 0.75]
    assert list(measure(np.arange(6000.0)).quantiles) == [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    assert measure(np.arange(90.0)).quantiles == {}


def test_quantiles_have_three_digits():
    assert measure(np.full(400, 123_456.0)).quantiles[0.5] == 123_000.0


@pytest.mark.parametrize(
    ("values", "text"),
    [([np.nan] * 9, "0"), ([3.0] * 9, "1"), (range(10), "2 to 10"), (range(11), "11 to 100"),
     (range(1001), "over 1,000")],
)  # fmt: skip
def test_the_number_of_different_values_is_a_range(values, text):
    assert measure(values).distinct == text


def test_held_values_are_those_at_an_end_that_is_not_a_natural_zero():
    assert measure([0.0] * 200 + [1.0] * 100 + [0.5] * 100, SHARE).held.shown == 0.25
    assert measure([INCOME.maximum] * 100 + [0.0] * 300).held.shown == 0.25


def test_outliers_are_farther_than_ten_interquartile_ranges_from_the_median_of_what_is_not_zero():
    body = np.repeat([100.0, 200.0, 300.0, 400.0], 100)
    # With sixty more: quartiles 200 and 400, median 300, so that the fences stand at 300 ± 2000.
    assert measure(np.r_[np.zeros(500), body, [2301.0] * 60]).outliers.part == 60
    assert measure(np.r_[np.zeros(500), body, [2300.0] * 60]).outliers.part == 0
    assert measure(np.r_[np.zeros(500), body, [2301.0] * 60]).outliers.whole == 460


def test_negative_and_positive_values_around_many_zeros_have_fences_too():
    body = np.r_[np.repeat([-300.0, -200.0], 100), np.zeros(700), np.repeat([200.0, 300.0], 100)]
    assert measure(body).own.fences == (-200.0, 500.0)
    assert measure(np.r_[body, [9000.0] * 50]).outliers.part == 50


@pytest.mark.parametrize("values", [[0.0] * 400, [5.0] * 400, np.arange(1.0, 100.0)])
def test_without_a_spread_or_with_too_few_values_there_are_no_outliers(values):
    assert measure(values).outliers is None


def test_a_change_of_unit_in_every_row_is_seen_against_the_reference():
    before = np.linspace(1000, 2000, 400)
    reference = measure(before).own
    assert measure(before * 100).outliers.part == 0
    assert measure(before * 100, reference=reference).outliers.part == 400


def test_durations_that_only_age_with_the_calendar_are_no_drift():
    joined = np.linspace(0, 1000, 4000)
    reference = measure(joined, SINCE).own
    assert measure(joined + 90, SINCE, reference=reference).psi > 0.1
    assert measure(joined + 90, SINCE, reference=reference, elapsed_days=90).psi < 0.001
    assert measure(joined, SINCE, reference=reference, elapsed_days=90).psi < 0.001
    assert measure(joined + 300, SINCE, reference=reference, elapsed_days=90).psi > 0.25


def test_money_does_not_age_with_the_calendar():
    reference = measure(np.linspace(0, 1000, 4000)).own
    assert measure(np.linspace(90, 1090, 4000), reference=reference, elapsed_days=90).psi > 0.1


def test_drift_of_too_few_observations_is_not_measured():
    reference = measure(np.arange(400.0)).own
    assert measure(np.arange(49.0), reference=reference).psi is None


def test_histograms_hide_bars_of_some_but_few_and_hold_everything_else():
    measured = measure(np.r_[np.arange(6000.0), [1e7] * 30])
    counts = measured.histogram.counts
    assert len(counts) == 20
    assert all(count is None or count == 0 or count >= 50 for count in counts)


def test_a_histogram_is_drawn_in_the_bars_of_the_reference():
    reference = measure(np.arange(6000.0)).own
    measured = measure(np.arange(6000.0) + 1000, reference=reference)
    assert measured.histogram.edges == reference.histogram.edges
    assert measured.histogram.counts[0] is None or measured.histogram.counts[0] == 0


def test_no_extreme_and_no_exact_value_of_anybody_is_remembered():
    values = np.r_[np.random.default_rng(3).lognormal(10, 1, 2000), 98_765_432.0, -12_345_678.0]
    measured = measure(values)
    numbers = set(_numbers(json.loads(json.dumps(asdict(measured.own) | {"quantiles": measured.quantiles}))))
    assert numbers & set(values.tolist()) == set()
    assert max(numbers) < values[:2000].max()


def test_the_order_of_rows_changes_nothing():
    values = np.random.default_rng(4).lognormal(10, 1, 2000)
    assert measure(values) == measure(values[::-1])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_is_refused(value):
    with pytest.raises(FeatureValueError, match="income_monthly_180d must be finite or null"):
        measure([1.0, value])


def _numbers(node):
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        return [number for item in node for number in _numbers(item)]
    return [node] if isinstance(node, float) else []
