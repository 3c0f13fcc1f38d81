"""Each figure on numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np

from benne.experiments.fairness import metrics


def test_nothing_to_divide_by_is_no_figure_and_never_a_zero():
    assert np.isnan(metrics.selection_rate(np.array([0.0]), np.array([0.0]))).all()
    assert np.isnan(metrics.adverse_impact_ratio(np.array([0.5]), np.array([0.0]))).all()


def test_the_ratio_is_the_groups_rate_over_the_references():
    # 30 of 50 pass beside 40 of 50: 0.6 / 0.8
    rates = metrics.selection_rate(np.array([30.0, 40.0]), np.array([50.0, 50.0]))
    assert np.isclose(metrics.adverse_impact_ratio(rates, rates[1:])[0], 0.75)


def test_rates_among_the_good_and_the_bad_are_of_them_alone():
    # 9 of 12 good pass: 3 of 12 do not; 3 of 8 bad pass
    assert metrics.true_positive_rate(np.array(9.0), np.array(12.0)) == 0.75
    assert metrics.false_negative_rate(np.array(9.0), np.array(12.0)) == 0.25
    assert metrics.false_positive_rate(np.array(3.0), np.array(8.0)) == 0.375


def test_the_variance_is_that_of_a_sample():
    values = np.array([1.0, 2.0, 6.0])  # mean 3, squares about it 4 + 1 + 9 = 14, over 2
    assert metrics.variance(np.array(3.0), np.array(values.sum()), np.array((values**2).sum())) == 7.0


def test_means_differ_in_pooled_standard_deviations():
    # (600 - 620) / sqrt((9 * 100 + 19 * 400) / 28) = -20 / 17.4233
    found = metrics.standardised_mean_difference(
        (np.array(600.0), np.array(620.0)), (np.array(100.0), np.array(400.0)), (np.array(10.0), np.array(20.0))
    )
    assert np.isclose(found, -20 / np.sqrt(8500 / 28))


def test_the_gap_is_what_happened_less_what_was_said():
    # 12 of 100 turned bad where 10 were expected
    assert np.isclose(metrics.calibration_gap(np.array(12.0), np.array(10.0), np.array(100.0)), 0.02)
