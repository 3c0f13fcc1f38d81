import numpy as np
import pytest
from scipy.special import expit

from benne.models import ScoreScale
from benne.models.calibration import calibration_report


def test_true_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    m = rng.normal(-1.5, 1.0, 40_000)
    report = calibration_report(m, (rng.random(40_000) < expit(m)).astype(float), ScoreScale())
    assert report.ece < 0.005
    assert report.slope == pytest.approx(1.0, abs=0.05)
    assert report.intercept == pytest.approx(0.0, abs=0.05)
    assert report.by_decile["rows"].tolist() == [4000] * 10


def test_odds_twice_too_high_show_in_the_intercept_and_the_error() -> None:
    rng = np.random.default_rng(1)
    m = rng.normal(-1.5, 1.0, 40_000)
    report = calibration_report(m + np.log(2), (rng.random(40_000) < expit(m)).astype(float), ScoreScale())
    assert report.intercept == pytest.approx(-np.log(2), abs=0.05)
    assert report.ece > 0.05


def test_the_error_is_the_mean_gap_by_hand() -> None:
    m = np.repeat([0.0, np.log(3)], 10)  # predicted 0.5 and 0.75
    bad = np.r_[np.ones(6), np.zeros(4), np.ones(7), np.zeros(3)]  # observed 0.6 and 0.7
    report = calibration_report(m, bad, ScoreScale())
    assert report.ece == pytest.approx(0.5 * 0.1 + 0.5 * 0.05)


def test_bands_are_in_the_order_of_the_scale() -> None:
    report = calibration_report(-np.log([0.1, 10, 20, 60, 500.0]), np.array([1.0, 1, 0, 0, 0]), ScoreScale())
    assert report.by_band.index.tolist() == ["poor", "fair", "good", "very good", "excellent"]
