"""Figures that a gate asks for: no choice of a reference, and no silence about a group, turns one into a pass."""

from __future__ import annotations

import math

import pytest

from benne.experiments.fairness import FairnessOptions, assess_fairness, fairness_measures
from benne.experiments.fairness.assessing import disparities_of
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.measures import disparity_measures
from benne.models import ScoreScale

FEW = FairnessOptions(fewest_rows=10, fewest_outcomes=5, resamples=40)
# 60 of 100 women pass, the larger group; 48 of 60 men
LARGER_PASSES_LESS = {
    "female": {"pass good": 50, "fail good": 20, "pass bad": 10, "fail bad": 20},
    "male": {"pass good": 40, "fail good": 6, "pass bad": 8, "fail bad": 6},
}


def measures_of(made, options=FEW):
    groupings = groupings_of(made.protected, made.members, options)
    return disparity_measures(disparities_of(made, groupings, (600.0,), ScoreScale(), options, 0))


def test_a_reference_that_passes_less_often_is_the_one_the_ratio_is_about(scored):
    made = scored(LARGER_PASSES_LESS)
    turned = measures_of(made)["adverse_impact_ratio"]
    named = measures_of(
        made, FairnessOptions(fewest_rows=10, fewest_outcomes=5, resamples=40, reference={"sex": "male"})
    )
    assert turned.value == pytest.approx(0.6 / 0.8)
    assert turned.note == "sex: female (the reference) beside male at 600"
    straight = named["adverse_impact_ratio"]
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (straight.value, straight.low, straight.high), rel=0.02
    )


def test_the_calibration_of_the_reference_alone_says_nothing_of_others(scored):
    nobody_bad = {"female": LARGER_PASSES_LESS["female"], "male": {"pass good": 55, "fail good": 5}}
    gap = measures_of(scored(nobody_bad))["calibration_gap"]  # of 60 men 4.0 were expected to turn bad, and none did
    assert gap.state == "INSUFFICIENT"
    assert gap.note == "too few to compare: sex"
    assert gap.n == 160


def test_the_worst_gap_of_calibration_is_the_one_that_is_worst_for_sure(scored):
    made = scored(
        {
            # women who pass turn bad as predicted (5 %), those who do not far more often: 60 % where 27 % were
            "female": {"pass good": 285, "pass bad": 15, "fail good": 80, "fail bad": 120},
            "male": {"pass good": 380, "pass bad": 20, "fail good": 146, "fail bad": 54},
            # 13 of 20 who fail: a larger gap than women's, and less sure
            "other": {"pass good": 95, "pass bad": 5, "fail good": 7, "fail bad": 13},
        }
    )
    gap = measures_of(made)["calibration_gap"]
    assert gap.note.startswith("sex: female in band ")
    assert gap.value == pytest.approx(0.6 - 1 / (1 + math.e))
    assert gap.low > 0.25
    assert gap.n == 200


def test_gaps_within_chance_are_told_of_the_group_with_the_largest(scored):
    near = {"female": {"pass good": 285, "pass bad": 16}, "male": {"pass good": 285, "pass bad": 14}}
    gap = measures_of(scored(near))["calibration_gap"]
    assert gap.low == 0.0
    assert gap.note == "sex: female"
    assert gap.value == pytest.approx(16 / 301 - 1 / (1 + math.exp(3)))


def test_rows_are_counted_once_however_many_cutoffs_there_are(scored):
    made = scored({"female": {"pass good": 50, "fail bad": 50}, "male": {"pass good": 5, "fail bad": 55}})
    groupings = groupings_of(made.protected, made.members, FEW)
    few = FairnessOptions(fewest_rows=100, fewest_outcomes=5, resamples=40)
    unsure = disparity_measures(disparities_of(made, groupings, (600.0, 610.0), ScoreScale(), few, 0))
    assert unsure["adverse_impact_ratio"].state == "INSUFFICIENT"
    assert unsure["adverse_impact_ratio"].n == 160


def test_an_input_about_something_protected_never_passes_the_flip_test(fresh, members):
    features, bad, protected = members
    with_status = features.assign(marital_status=features["swing"])
    model = fresh(behaviour=["utilisation", "marital_status"]).fit(with_status.drop(columns="swing"), bad.astype(int))
    found = assess_fairness(
        model, with_status.drop(columns="swing"), bad, protected[["sex"]], cutoffs=[500], options=FEW
    )  # fmt: skip
    assert found.flips["changed"].sum() == 0
    assert fairness_measures(found)["flip_test"].value == 1
