"""Whether PDs come true in each band of each group: by hand, and without telling of fewer than ten members."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from benne.experiments.fairness.by_band import band_table
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.options import FairnessOptions
from benne.models import ScoreScale

FEW = FairnessOptions(fewest_rows=10, fewest_outcomes=5, resamples=40)
# At 700 points the log odds are -3, at 500 they are -1.
CELLS = {
    "female": {"pass good": 90, "fail good": 30, "pass bad": 30, "fail bad": 50},
    "male": {"pass good": 180, "fail good": 20, "pass bad": 60, "fail bad": 40},
}


def bands_of(made, options=FEW) -> pd.DataFrame:
    return band_table(made, groupings_of(made.protected, made.members, options), ScoreScale(), options, 0)


def of(bands: pd.DataFrame, group: str, score: float) -> pd.Series:
    """The line of the band that a score is in."""
    name = ScoreScale().band(np.array([score]))[0]
    inside = (bands["group"] == group) & bands["band"].str.startswith(str(name))
    return bands[inside].iloc[0]


def test_each_band_of_a_group_is_held_against_what_was_predicted_in_it(scored):
    bands = bands_of(scored(CELLS))
    assert bands[bands["group"] == "female"]["rows"].sum() == 200
    low = of(bands, "female", 500.0)
    assert low["rows"] == 80
    assert low["observed"] == 50 / 80
    assert low["calibration_gap"] == pytest.approx(50 / 80 - expit(-1))
    assert low["calibration_gap_low"] < low["calibration_gap"] < low["calibration_gap_high"]
    # 80 of which 50 turned bad: 1.96 standard errors are 0.106
    assert low["calibration_gap_high"] - low["calibration_gap_low"] == pytest.approx(2 * 0.106, rel=0.25)
    assert (low["finding"], low["why"]) == ("", "")


def test_a_band_without_bads_is_judged_where_some_were_expected_and_insufficient_where_not(scored):
    nobody = scored({"female": {"pass good": 60, "fail good": 60}, "male": {"pass good": 90, "fail bad": 60}})
    bands = bands_of(nobody, FairnessOptions(resamples=40))
    poor, good = of(bands, "female", 500.0), of(bands, "female", 700.0)
    assert poor["calibration_gap"] == pytest.approx(-expit(-1))  # 16.1 were expected
    assert poor["calibration_gap_high"] < -0.2
    assert np.isnan(good["calibration_gap"])  # 2.8 were
    assert good["finding"] == "INSUFFICIENT"
    assert good["why"] == "nobody became bad, and fewer than 10 were expected to"
    assert (good["rows"], good["observed"]) == (60, 0.0)


def test_a_band_of_fewer_than_ten_rows_joins_its_neighbour(scored):
    bands = bands_of(scored({"female": {"pass good": 30, "fail bad": 4}, "male": {"pass good": 30, "fail bad": 20}}))
    assert not ((bands["rows"] > 0) & (bands["rows"] < 10)).any()
    assert bands[bands["group"] == "female"]["rows"].sum() == 34


def test_nothing_is_told_of_bands_where_outcomes_are_known_of_fewer_than_ten_members(scored):
    made = scored({"female": {"pass good": 12, "fail bad": 8}, "male": CELLS["male"]})
    few = dataclasses.replace(made, bad=np.where(np.arange(320) < 16, np.nan, made.bad))
    assert set(bands_of(few)["group"]) == {"male"}


def test_the_many_rows_of_a_member_are_no_ten_members_of_a_band(scored):
    made = scored({"female": {"pass good": 30, "fail bad": 20}, "male": {"pass good": 30, "fail bad": 20}})
    members = np.arange(100)
    members[30:50] = 30  # twenty rows below 600 points, all of one woman
    bands = bands_of(dataclasses.replace(made, members=members))
    assert bands[bands["group"] == "female"]["rows"].tolist() == [50]
    assert (bands[bands["group"] == "male"]["rows"] > 0).sum() == 2


def test_members_who_are_in_two_bands_are_not_counted_twice(scored):
    made = scored({"female": {"pass good": 40, "fail bad": 20}, "male": {"pass good": 30, "fail bad": 20}})
    members = np.arange(110)
    members[40:60] = np.arange(20) % 5  # the lower band holds rows of five women, who are in the upper one too
    bands = bands_of(dataclasses.replace(made, members=members))
    assert bands[bands["group"] == "female"]["rows"].tolist() == [60]


def test_intervals_are_wider_where_members_come_in_many_rows(scored):
    made = scored({name: {kind: 4 * n for kind, n in cells.items()} for name, cells in CELLS.items()})
    together = dataclasses.replace(made, members=np.arange(2000) // 20)
    widths = [one["calibration_gap_high"] - one["calibration_gap_low"]
              for one in (of(bands_of(each), "female", 500.0) for each in (made, together))]  # fmt: skip
    assert widths[1] > 2 * widths[0]
