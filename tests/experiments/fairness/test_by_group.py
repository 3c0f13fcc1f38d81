"""What scores mean for each group, by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import expit

from benne.experiments.fairness.by_group import band_table, group_table
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.options import FairnessOptions
from benne.models import ScoreScale
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


def test_a_group_without_bads_has_no_auc_and_no_gap_and_says_why(scored):
    found = groups_of(scored({"female": {"pass good": 15, "fail good": 5}, "male": CELLS["male"]})).loc["female"]
    assert found["finding"] == "INSUFFICIENT"
    assert found["why"] == "nobody of the group became bad"
    assert np.isnan(found["auc"])
    assert np.isnan(found["calibration_gap"])
    assert np.isfinite(found["standardised_mean_difference"])


def test_each_band_of_a_group_is_held_against_what_was_predicted_in_it(scored):
    made = scored({name: {kind: 10 * n for kind, n in cells.items()} for name, cells in CELLS.items()})
    bands = band_table(made, groupings_of(made.protected, made.members, FEW), ScoreScale(), FEW)
    women = bands[bands["group"] == "female"]
    assert women["rows"].sum() == 200
    low = women[women["band"].str.startswith(ScoreScale().band(np.array([500.0]))[0])].iloc[0]
    assert low["rows"] == 80
    assert low["observed"] == 50 / 80
    assert low["calibration_gap"] == pytest.approx(50 / 80 - expit(-1))


def test_a_band_of_fewer_than_ten_rows_joins_its_neighbour(scored):
    made = scored({"female": {"pass good": 30, "fail bad": 4}, "male": {"pass good": 30, "fail bad": 20}})
    bands = band_table(made, groupings_of(made.protected, made.members, FEW), ScoreScale(), FEW)
    assert not ((bands["rows"] > 0) & (bands["rows"] < 10)).any()
    assert bands[bands["group"] == "female"]["rows"].sum() == 34


def test_nothing_is_told_of_outcomes_that_are_known_of_fewer_than_ten_members(scored):
    made = scored(CELLS)
    bad = np.where(np.arange(50) < 16, np.nan, made.bad)  # four of twenty women are left
    few = dataclasses.replace(made, bad=bad)
    female = groups_of(few).loc["female"]
    assert np.isnan(female[["known", "bad", "predicted", "observed", "calibration_gap"]].to_numpy(dtype=float)).all()
    bands = band_table(few, groupings_of(few.protected, few.members, FEW), ScoreScale(), FEW)
    assert set(bands["group"]) == {"male"}


def test_the_many_rows_of_a_member_are_no_ten_members_of_a_band(scored):
    made = scored({"female": {"pass good": 30, "fail bad": 20}, "male": {"pass good": 30, "fail bad": 20}})
    members = np.arange(100)
    members[30:50] = 30  # twenty rows below 600 points, all of one woman
    one = dataclasses.replace(made, members=members)
    bands = band_table(one, groupings_of(one.protected, members, FEW), ScoreScale(), FEW)
    assert bands[bands["group"] == "female"]["rows"].tolist() == [50]
    assert (bands[bands["group"] == "male"]["rows"] > 0).sum() == 2
