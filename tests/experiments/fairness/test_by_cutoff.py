"""Who passes: by hand, and where too little is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from benne.experiments.fairness.by_cutoff import cutoff_table
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.scored_members import ScoredMembers

FEW = FairnessOptions(fewest_rows=10, fewest_outcomes=5, resamples=40)
BY_HAND = {
    # 20 rows: 9 of 12 good and 3 of 8 bad pass, 12 of 20 in all
    "female": {"pass good": 9, "fail good": 3, "pass bad": 3, "fail bad": 5},
    # 30 rows: 18 of 20 good and 6 of 10 bad pass, 24 of 30 in all
    "male": {"pass good": 18, "fail good": 2, "pass bad": 6, "fail bad": 4},
}


def table_of(scored, options=FEW, cutoffs=(600.0,)) -> pd.DataFrame:
    return cutoff_table(scored, groupings_of(scored.protected, scored.members, options), cutoffs, options, 0)


def test_figures_are_those_computed_by_hand(scored):
    female, male = table_of(scored(BY_HAND)).to_dict("records")
    assert (female["rows"], female["good"], female["bad"], female["selected"]) == (20, 12, 8, 12)
    assert female["selection_rate"] == 0.6
    assert female["adverse_impact_ratio"] == pytest.approx(0.6 / 0.8)
    assert female["equal_opportunity_difference"] == pytest.approx(9 / 12 - 18 / 20)
    assert female["false_negative_difference"] == pytest.approx(3 / 12 - 2 / 20)
    assert female["false_positive_difference"] == pytest.approx(3 / 8 - 6 / 10)
    assert female["finding"] == "review"  # 0.75 is below four fifths
    assert male["finding"] == "reference"
    assert np.isnan(male["adverse_impact_ratio"])


def test_the_largest_group_is_the_reference_unless_another_is_named(scored):
    named = FairnessOptions(fewest_rows=10, fewest_outcomes=5, resamples=20, reference={"sex": "female"})
    male = table_of(scored(BY_HAND), named).set_index("group").loc["male"]
    assert male["adverse_impact_ratio"] == pytest.approx(0.8 / 0.6)
    assert male["finding"] == "review"  # women pass at 0.75 of men's rate, whoever is called the reference
    assert male["why"] == "the reference passes less often than four fifths of this group's rate"
    assert male["calibration_gap"] == pytest.approx(6 / 24 - expit(-3))


def test_who_passes_is_told_by_the_whole_points_that_are_shown(scored):
    made = scored(BY_HAND)
    close = dataclasses.replace(made, score=np.where(made.score == 500.0, 599.6, made.score))
    assert table_of(close)["selection_rate"].tolist() == [1.0, 1.0]
    assert table_of(dataclasses.replace(close, score=close.score - 0.2))["selection_rate"].tolist() == [0.6, 0.8]


def test_the_calibration_gap_of_those_who_pass_is_that_computed_by_hand(scored):
    # At 700 points, the log odds -3: 24 women pass, of whom 6 turn bad, and 48 men, of whom 12 do
    made = scored({name: {kind: 2 * n for kind, n in cells.items()} for name, cells in BY_HAND.items()})
    female, male = table_of(made).to_dict("records")
    assert female["selected_known"] == 24
    assert female["calibration_gap"] == pytest.approx(6 / 24 - expit(-3))
    assert male["calibration_gap"] == pytest.approx(12 / 48 - expit(-3))  # of the reference too
    assert male["finding"] == "reference"
    everybody = table_of(made, cutoffs=(400.0,)).iloc[0]
    assert everybody["calibration_gap"] == pytest.approx(16 / 40 - (24 * expit(-3) + 16 * expit(-1)) / 40)


def test_gaps_of_those_who_pass_and_their_intervals_are_those_of_a_slow_computation():
    rng = np.random.default_rng(3)
    members, log_odds = np.repeat(np.arange(200), 2), rng.normal(-1, 1, 400)
    scored = ScoredMembers(
        score=600 - 60 * log_odds, log_odds=log_odds, members=members, kept=np.arange(400), left_out={},
        bad=np.where(rng.random(400) < 0.1, np.nan, rng.random(400) < expit(log_odds)),
        protected=pd.DataFrame({"sex": np.where(members % 3 == 0, "female", "male")}),
    )  # fmt: skip
    ours = table_of(scored, cutoffs=(600.0, 650.0)).set_index(["group", "cutoff"])
    draws = np.random.default_rng(0)
    resamples = [draws.integers(200, size=200) for _ in range(FEW.resamples)]
    rows_of = {member: np.flatnonzero(members == member) for member in range(200)}

    def gap(rows, sex, cutoff):
        inside = [k for k in rows if scored.protected["sex"][k] == sex and round(scored.score[k]) >= cutoff
                  and not np.isnan(scored.bad[k])]  # fmt: skip
        return np.mean([scored.bad[k] for k in inside]) - np.mean([1 / (1 + np.exp(-log_odds[k])) for k in inside])

    for (sex, cutoff), line in ours.iterrows():
        drawn = [gap(np.concatenate([rows_of[m] for m in resample]), sex, cutoff) for resample in resamples]
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert line["calibration_gap"] == pytest.approx(gap(range(400), sex, cutoff), abs=1e-12)
        assert line["calibration_gap_low"] == pytest.approx(low, abs=1e-12)
        assert line["calibration_gap_high"] == pytest.approx(high, abs=1e-12)


def test_nobody_bad_among_those_who_pass_is_a_gap_where_many_were_expected(scored):
    nobody = {"female": {"pass good": 300, "fail bad": 20}, "male": {"pass good": 300, "pass bad": 20, "fail bad": 20}}
    female = table_of(scored(nobody), FairnessOptions(resamples=40)).iloc[0]
    assert female["calibration_gap"] == pytest.approx(-expit(-3))  # 14.2 were expected
    assert female["calibration_gap_low"] <= female["calibration_gap"] < female["calibration_gap_high"] < 0
    # resamples of nobody have nobody: Wilson's end for 0 of 300, z2 / (300 + z2)
    assert female["calibration_gap_high"] == pytest.approx(3.8415 / 303.8415 - expit(-3), abs=1e-6)
    assert "gap of those who pass" not in female["why"]


def test_a_group_in_which_nobody_turned_bad_says_so_instead_of_a_rate(scored):
    nobody_bad = {"female": {"pass good": 12, "fail good": 8}, "male": BY_HAND["male"]}
    female = table_of(scored(nobody_bad)).iloc[0]
    assert np.isnan(female["false_positive_difference"])
    assert np.isnan(female["false_positive_difference_low"])
    assert female["why"] == (
        "nobody of the group became bad; gap of those who pass: nobody became bad, and fewer than 5 were expected to"
    )
    assert female["adverse_impact_ratio"] == pytest.approx(0.6 / 0.8)  # needs no outcome


def test_too_few_rows_are_insufficient_and_never_a_pass(scored):
    female = table_of(scored(BY_HAND), FairnessOptions(fewest_rows=25, resamples=20)).iloc[0]
    assert female["finding"] == "INSUFFICIENT"
    assert female["why"] == "fewer than 25 rows; gap of those who pass: fewer than 25 known outcomes"
    assert np.isnan(female["adverse_impact_ratio"])


def test_no_ratio_to_a_reference_of_whom_hardly_anybody_passes(scored):
    none_pass = {"female": BY_HAND["female"], "male": {"fail good": 20, "fail bad": 10}}
    female = table_of(scored(none_pass)).iloc[0]
    assert female["finding"] == "INSUFFICIENT"
    assert "of the reference pass" in female["why"]


def test_no_ratio_for_a_group_of_whom_hardly_anybody_would_pass_at_the_references_rate(scored):
    # 6 of 60 men pass: of 12 women 1.2 would, and whether one does or none tells nothing
    rare = {"female": {"fail good": 6, "fail bad": 6}, "male": {"pass good": 6, "fail good": 44, "fail bad": 10}}
    female = table_of(scored(rare)).iloc[0]
    assert female["finding"] == "INSUFFICIENT"
    assert "would pass at the reference's rate" in female["why"]


def test_intervals_hold_the_value_and_are_wider_where_members_come_in_many_rows(scored):
    alone = table_of(scored(BY_HAND)).iloc[0]
    assert alone["adverse_impact_ratio_low"] < 0.75 < alone["adverse_impact_ratio_high"]
    apart = scored({name: {kind: 20 * n for kind, n in cells.items()} for name, cells in BY_HAND.items()})
    # each member in twenty equal rows: ten members or more in a group, and as little known as of as many rows
    together = ScoredMembers(score=apart.score, log_odds=apart.log_odds, bad=apart.bad, members=np.arange(1000) // 20,
                             protected=apart.protected, kept=apart.kept, left_out={})  # fmt: skip
    widths = [line["adverse_impact_ratio_high"] - line["adverse_impact_ratio_low"]
              for line in (table_of(apart).iloc[0], table_of(together).iloc[0])]  # fmt: skip
    assert widths[1] > 3 * widths[0]


def test_a_row_whose_outcome_is_not_known_passes_or_not_and_is_neither_good_nor_bad(scored):
    known = scored(BY_HAND)
    bad = known.bad.copy()
    bad[:9] = np.nan  # the good women who pass
    censored = ScoredMembers(score=known.score, log_odds=known.log_odds, bad=bad, members=known.members,
                             protected=known.protected, kept=known.kept, left_out={})  # fmt: skip
    female = table_of(censored).iloc[0]
    assert female["selected"] == 12
    assert female["good"] == 3
    assert female["selection_rate"] == 0.6


def test_what_became_of_fewer_than_ten_is_not_told(scored):
    made = scored(BY_HAND)
    few = np.where(made.protected["sex"].to_numpy()[made.members] == "female", np.nan, made.bad)
    few[np.flatnonzero(np.isnan(few))[:9]] = 0.0
    table = table_of(dataclasses.replace(made, bad=few)).set_index("group")
    assert np.isnan(table.loc["female", ["good", "bad"]].to_numpy(dtype=float)).all()
    assert table.loc["male", ["good", "bad"]].tolist() == [20, 10]
