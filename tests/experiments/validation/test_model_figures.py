from __future__ import annotations

import numpy as np
import pandas as pd

from benne.experiments.report.sample import Sample
from benne.experiments.validation.model_figures import (
    FEWEST_OF_A_PATTERN,
    calibration_measures,
    discrimination_measures,
)
from benne.models.calibration import calibration_report
from benne.models.scale import ScoreScale


def by_pattern(**rows: int) -> pd.DataFrame:
    """Patterns whose PD is 0.2 where half turned bad, within an interval from 0.3 to 0.7."""
    table = pd.DataFrame({"rows": rows, "predicted": 0.2, "observed": 0.5, "observed_low": 0.3, "observed_high": 0.7})
    return table.rename_axis("pattern")


def pattern_miss(patterns: pd.DataFrame):
    log_odds, bad = np.tile([-1.0, 1.0], 50), np.tile([0.0, 1.0], 50)
    return calibration_measures(calibration_report(log_odds, bad, ScoreScale()), patterns)["calibration.pattern_miss"]


def test_the_calibration_errors_interval_says_why_it_may_lie_above_the_figure():
    # Everybody has a PD of 0.5, and half turn bad: the error is 0, and of every draw it is more
    bad = np.tile([0.0, 1.0], 100)
    sample = Sample(
        model=None, log_odds=np.zeros(200), score=np.full(200, 600.0), bad=bad, members=np.arange(200),
        moments=pd.DatetimeIndex([pd.Timestamp("2026-01-01", tz="UTC")] * 200), withheld=np.full(200, "", dtype=object),
        not_scored=0,
    )  # fmt: skip
    found = discrimination_measures(sample, seed=0, resamples=50)
    error = found["calibration.ece"]
    assert error.low is not None
    assert error.value == 0.0 < error.low
    assert "its interval lies too high" in error.note
    assert found["discrimination.auc"].note == ""


def test_the_worst_pattern_rests_on_the_rows_of_the_smallest_that_is_judged():
    found = pattern_miss(by_pattern(nothing=150, social=900))
    assert round(found.value, 12) == 0.5  # 0.3 less 0.2, of 0.2
    assert found.n == 150


def test_a_pattern_of_too_few_rows_is_named_and_not_judged():
    found = pattern_miss(by_pattern(nothing=FEWEST_OF_A_PATTERN - 1, social=900))
    assert found.n == 900
    assert found.note == "pattern: social, 20.0% predicted, 30.0% to 70.0% seen; not judged, of too few rows: nothing"


def test_where_no_pattern_has_rows_enough_nothing_is_measured():
    assert pattern_miss(by_pattern(nothing=FEWEST_OF_A_PATTERN - 1)).state == "INSUFFICIENT"
