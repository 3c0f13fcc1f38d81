from __future__ import annotations

import numpy as np
import pytest

from benne.experiments.figures import FIGURES, CalibrationError, figures_table
from benne.models import ScoreScale
from benne.models.calibration import calibration_report
from benne.models.resampling import Resampler

RNG = np.random.default_rng(0)
LOG_ODDS = RNG.normal(-1.0, 1.0, 500)
BAD = (RNG.random(500) < 1.0 / (1.0 + np.exp(-LOG_ODDS))).astype(np.float64)


def test_the_calibration_error_is_that_of_the_calibration_report():
    report = calibration_report(LOG_ODDS, BAD, ScoreScale())
    assert CalibrationError(LOG_ODDS, BAD).under(np.ones(500)) == pytest.approx(report.ece, abs=1e-12)


def test_a_row_of_weight_two_counts_as_two():
    weight = np.ones(500)
    weight[:50] = 2.0
    error = CalibrationError(LOG_ODDS, BAD)
    gap = np.bincount(error._bin, weights=weight * error._gap)
    assert error.under(weight) == pytest.approx(np.abs(gap).sum() / 550.0)


def test_the_error_by_chance_is_the_mean_error_of_pds_that_are_right():
    pd_of, rng = 1.0 / (1.0 + np.exp(-LOG_ODDS)), np.random.default_rng(2)
    outcomes = [(rng.random(500) < pd_of).astype(float) for _ in range(300)]
    drawn = [CalibrationError(LOG_ODDS, bad).under(np.ones(500)) for bad in outcomes]
    assert CalibrationError(LOG_ODDS, BAD).by_chance() == pytest.approx(np.mean(drawn), rel=0.05)


def test_beyond_chance_is_what_right_pds_exceed_in_one_sample_of_twenty_and_wrong_ones_always():
    pd_of, rng = 1.0 / (1.0 + np.exp(-LOG_ODDS)), np.random.default_rng(2)
    outcomes = [(rng.random(500) < pd_of).astype(float) for _ in range(400)]
    beyond = [CalibrationError(LOG_ODDS, bad).beyond_chance() for bad in outcomes]
    assert 0.02 <= np.mean(np.array(beyond) > 0) <= 0.08
    too_low = [CalibrationError(LOG_ODDS - 1.5, bad).beyond_chance() for bad in outcomes[:20]]
    assert min(too_low) > 0.02


def test_chance_of_two_alike_rows_of_a_member_is_that_of_their_deviations_added_up():
    # Two bins of two rows, PD 1/4 and 3/4: a deviation of sqrt(3) / 4 a row. Each bin of one member: twice that.
    log_odds, bad = np.log([1 / 3, 1 / 3, 3.0, 3.0]), np.array([0.0, 0.0, 1.0, 1.0])
    error, deviation = CalibrationError(log_odds, bad), 2.0 * np.sqrt(3.0) / 4.0
    assert error.by_chance(np.array([7, 7, 9, 9])) == pytest.approx(np.sqrt(2.0 / np.pi) * 2 * deviation / 4)
    assert error.by_chance(np.arange(4)) == pytest.approx(error.by_chance())
    assert error.by_chance(np.array([7, 9, 7, 9])) == pytest.approx(error.by_chance())  # one row of each in each bin


def test_several_rows_of_a_member_do_not_make_right_pds_look_wrong():
    """Each member four times: all of them turn bad together, or none."""
    members, rng = np.repeat(np.arange(500), 4), np.random.default_rng(5)
    log_odds, pd_of = np.repeat(LOG_ODDS, 4), 1.0 / (1.0 + np.exp(-LOG_ODDS))
    errors = [CalibrationError(log_odds, np.repeat((rng.random(500) < pd_of).astype(float), 4)) for _ in range(300)]
    assert 0.02 <= np.mean([error.beyond_chance(members) > 0 for error in errors]) <= 0.08
    assert np.mean([error.beyond_chance() > 0 for error in errors]) > 0.5
    drawn = np.mean([error.under(np.ones(2000)) for error in errors])
    assert errors[0].by_chance(members) == pytest.approx(drawn, rel=0.05)


def test_rows_of_a_member_that_fall_in_different_bins_go_along_too():
    # Each member has a row in every bin, all of (nearly) one PD: the error is that of one half-normal, which lies above
    # its mean and 1.645 deviations 7 times of 100. Were bins independent, it would be 1 in 4.
    members, rng = np.tile(np.arange(400), 10), np.random.default_rng(6)
    log_odds, pd_of = np.repeat(np.linspace(-1.01, -1.0, 10), 400), 1.0 / (1.0 + np.exp(1.005))
    errors = [CalibrationError(log_odds, np.tile((rng.random(400) < pd_of).astype(float), 10)) for _ in range(400)]
    assert 0.04 <= np.mean([error.beyond_chance(members) > 0 for error in errors]) <= 0.11


def test_a_wrong_pd_is_found_however_many_rows_a_member_has():
    members, rng = np.repeat(np.arange(500), 4), np.random.default_rng(7)
    bad = np.repeat((rng.random(500) < 1.0 / (1.0 + np.exp(-LOG_ODDS))).astype(float), 4)
    assert CalibrationError(np.repeat(LOG_ODDS - 1.5, 4), bad).beyond_chance(members) > 0.02


def test_a_difference_is_ours_minus_the_other_and_ours_differs_from_itself_by_nothing():
    noise = LOG_ODDS + np.random.default_rng(1).normal(0.0, 2.0, 500)
    table = figures_table({"noisy": noise, "ours": LOG_ODDS}, BAD, Resampler(500, None, 0))
    assert table.index.tolist() == ["noisy", "ours"]
    for name in FIGURES:
        expected = table.loc["ours", name] - table.loc["noisy", name]
        assert table.loc["noisy", f"{name}_difference"] == pytest.approx(expected)
        assert table.loc["ours", [f"{name}_difference", f"{name}_difference_low"]].tolist() == [0.0, 0.0]
    assert 0 < table.loc["noisy", "auc_difference_low"] < table.loc["noisy", "auc_difference"]


def test_two_models_that_say_the_same_differ_by_nothing_in_every_resample():
    table = figures_table({"copy": LOG_ODDS.copy(), "ours": LOG_ODDS}, BAD, Resampler(500, None, 0))
    assert (table.filter(like="_difference").to_numpy() == 0.0).all()
