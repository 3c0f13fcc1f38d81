"""What scores mean for each group, by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import expit

from benne.experiments.fairness.by_group import group_table
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.options import FairnessOptions
from benne.models.resampling import metrics_of

FEW = FairnessOptions(fewest_rows=10, fewest_outcomes=5, resamples=40)
# At 700 points the log odds are -3, at 500 they are -1.
CELLS = {
    "female": {"pass good": 9, "fail good": 3, "pass bad": 3, "fail bad": 5},
    "male": {"pass good": 18, "fail good": 2, "pass bad": 6, "fail bad": 4},
}


def groups_of(scored, options=FEW):
    return group_table(scored, groupings_of(scored.protected, scored.members, options), options, 0).set_index("group")


def test_figures_are_those_computed_by_hand(scored):
    made = scored(CELLS)
    female, male = (groups_of(made).loc[name] for name in ("female", "male"))
    assert female["mean_score"] == pytest.approx((12 * 700 + 8 * 500) / 20)  # 620
    assert male["mean_score"] == pytest.approx((24 * 700 + 6 * 500) / 30)  # 660
    # Squares about the means: 12 * 80^2 + 8 * 120^2 = 192,000 and 24 * 40^2 + 6 * 160^2 = 192,000
    assert female["standardised_mean_difference"] == pytest.approx(-40 / np.sqrt(384_000 / 48))
    predicted = (12 * expit(-3) + 8 * expit(-1)) / 20
    assert female["predicted"] == pytest.approx(predicted)
    assert female["observed"] == 8 / 20
    assert female["calibration_gap"] == pytest.approx(8 / 20 - predicted)
    assert female["calibration_gap_low"] < female["calibration_gap"] < female["calibration_gap_high"]
    women = made.protected["sex"] == "female"
    assert female["auc"] == metrics_of(made.log_odds[women], made.bad[women], np.ones(20))["auc"]
    assert male["finding"] == "reference"
    assert np.isnan(male["standardised_mean_difference"])


def test_a_group_without_bads_has_no_auc_and_says_why(scored):
    found = groups_of(scored({"female": {"pass good": 15, "fail good": 5}, "male": CELLS["male"]})).loc["female"]
    assert found["finding"] == "INSUFFICIENT"
    assert (
        found["why"] == "no AUC: nobody of the group became bad; nobody became bad, and fewer than 5 were expected to"
    )
    assert np.isnan(found["auc"])
    assert np.isnan(found["calibration_gap"])
    assert np.isfinite(found["standardised_mean_difference"])


def test_nobody_bad_where_many_were_expected_is_a_gap_and_not_insufficient(scored):
    # 75 women at log odds -1 and 200 at -3 are expected to hold 29.7 bad: there is none
    made = scored({"female": {"pass good": 200, "fail good": 75}, "male": {"pass good": 60, "fail bad": 40}})
    options = FairnessOptions(resamples=40)
    found = groups_of(made, options).loc["female"]
    expected = (200 * expit(-3) + 75 * expit(-1)) / 275
    assert found["calibration_gap"] == pytest.approx(-expected)
    assert found["calibration_gap_high"] < 0
    # of 275 members without a bad one the rate may be up to z2 / (275 + z2), z2 = 1.96 squared: resamples alone say 0
    assert found["calibration_gap_high"] == pytest.approx(3.8415 / 278.8415 - expected, abs=1e-6)
    assert found["why"] == "no AUC: nobody of the group became bad"


def test_nothing_is_told_of_outcomes_that_are_known_of_fewer_than_ten_members(scored):
    made = scored(CELLS)
    bad = np.where(np.arange(50) < 16, np.nan, made.bad)  # four of twenty women are left
    few = dataclasses.replace(made, bad=bad)
    female = groups_of(few).loc["female"]
    assert np.isnan(female[["known", "bad", "predicted", "observed", "calibration_gap"]].to_numpy(dtype=float)).all()


def test_no_gap_is_told_of_the_many_rows_of_fewer_than_ten_members(scored):
    made = scored({name: {kind: 10 * n for kind, n in cells.items()} for name, cells in CELLS.items()})
    women = np.flatnonzero(made.protected["sex"] == "female")
    known = np.isin(np.arange(500), women[::5]) | (np.arange(500) >= 200)
    members = np.where(np.arange(500) < 200, np.arange(500) % 25, np.arange(500))  # 25 women, of 5 something is known
    one = dataclasses.replace(made, members=members, bad=np.where(known, made.bad, np.nan))
    female = groups_of(one).loc["female"]
    assert female["rows"] == 200
    assert np.isnan(female[["known", "bad", "calibration_gap", "auc"]].to_numpy(dtype=float)).all()
    assert female["why"] == "outcomes are known of fewer than ten members"
