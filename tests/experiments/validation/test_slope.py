from __future__ import annotations

import numpy as np
import pytest

from benne.experiments.validation.slope import slope_measures
from benne.models.weight_contract import slope_and_intercept

RNG = np.random.default_rng(0)
LOG_ODDS = RNG.normal(-1.5, 1.0, 400)


def drawn(rng: np.random.Generator) -> np.ndarray:
    return (rng.random(400) < 1.0 / (1.0 + np.exp(-LOG_ODDS))).astype(float)


def measured(log_odds: np.ndarray, bad: np.ndarray, members: np.ndarray):
    fitted = slope_and_intercept(log_odds, bad, np.ones(len(bad)))
    return slope_measures(log_odds, bad, members, *fitted)


def test_of_right_pds_one_sample_in_twenty_has_an_interval_without_one():
    rng = np.random.default_rng(1)
    found = [measured(LOG_ODDS, drawn(rng), np.arange(400))["calibration.slope_miss"].value for _ in range(400)]
    assert 0.02 <= np.mean(np.array(found) > 0) <= 0.09


def test_a_model_that_is_too_sure_misses_by_the_distance_of_its_interval_from_one():
    found = measured(4.0 * LOG_ODDS, drawn(np.random.default_rng(2)), np.arange(400))
    slope, miss = found["calibration.slope"], found["calibration.slope_miss"]
    assert miss.value == pytest.approx(1.0 - slope.high)
    assert miss.value > 0.4
    assert slope.value == pytest.approx((slope.low + slope.high) / 2)


def test_the_interval_is_as_wide_as_that_of_resampled_members():
    bad, rng = drawn(np.random.default_rng(3)), np.random.default_rng(4)
    found = measured(LOG_ODDS, bad, np.arange(400))["calibration.slope"]
    rows = [rng.integers(400, size=400) for _ in range(400)]
    slopes = [slope_and_intercept(LOG_ODDS[one], bad[one], np.ones(400))[0] for one in rows]
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(np.std(slopes), rel=0.2)


def test_rows_of_one_member_are_no_further_evidence():
    bad = drawn(np.random.default_rng(5))
    once = measured(LOG_ODDS, bad, np.arange(400))["calibration.slope"]
    thrice = measured(np.tile(LOG_ODDS, 3), np.tile(bad, 3), np.tile(np.arange(400), 3))["calibration.slope"]
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.02)
    assert thrice.n == 1200
