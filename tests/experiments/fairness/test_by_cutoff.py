"""Who passes: by hand, as Fairlearn has it, and where too little is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

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


def test_who_passes_is_told_by_the_whole_points_that_are_shown(scored):
    made = scored(BY_HAND)
    close = dataclasses.replace(made, score=np.where(made.score == 500.0, 599.6, made.score))
    assert table_of(close)["selection_rate"].tolist() == [1.0, 1.0]
    assert table_of(dataclasses.replace(close, score=close.score - 0.2))["selection_rate"].tolist() == [0.6, 0.8]


@pytest.mark.parametrize("seed", range(3))
def test_figures_equal_fairlearns_on_the_same_inputs(seed):
    rng = np.random.default_rng(seed)
    score, sex = rng.uniform(350, 950, 600), rng.choice(["a", "b", "c"], 600, p=[0.5, 0.3, 0.2])
    bad = (rng.random(600) < 0.3).astype(float)
    scored = ScoredMembers(score=score, log_odds=np.zeros(600), bad=bad, members=np.arange(600),
                           protected=pd.DataFrame({"sex": sex}), kept=np.arange(600), left_out={})  # fmt: skip
    good, passes = 1 - bad, (np.rint(score) >= 600).astype(float)
    theirs = MetricFrame(
        metrics={"rate": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=good, y_pred=passes, sensitive_features=sex,
    ).by_group  # fmt: skip
    best = theirs["rate"].idxmax()
    options = FairnessOptions(fewest_rows=10, fewest_outcomes=1, resamples=20, reference={"sex": best})
    ours = table_of(scored, options).set_index("group")
    assert ours["selection_rate"].to_dict() == theirs["rate"].to_dict()
    for group in ours.index.drop(best):
        line = ours.loc[group]
        assert line["adverse_impact_ratio"] == theirs["rate"][group] / theirs["rate"][best]
        assert line["equal_opportunity_difference"] == theirs["tpr"][group] - theirs["tpr"][best]
        assert line["false_positive_difference"] == theirs["fpr"][group] - theirs["fpr"][best]
    same = {"y_true": good, "y_pred": passes, "sensitive_features": sex}
    assert ours["adverse_impact_ratio"].min() == demographic_parity_ratio(**same)
    rates = ours["selection_rate"]
    assert rates.max() - rates.min() == demographic_parity_difference(**same)
    passing = {**ours["equal_opportunity_difference"].drop(best).to_dict(), best: 0.0}
    spread = max(passing.values()) - min(passing.values())
    assert spread == pytest.approx(equal_opportunity_difference(**same), abs=1e-15)


def test_a_group_in_which_nobody_turned_bad_says_so_instead_of_a_rate(scored):
    nobody_bad = {"female": {"pass good": 12, "fail good": 8}, "male": BY_HAND["male"]}
    female = table_of(scored(nobody_bad)).iloc[0]
    assert np.isnan(female["false_positive_difference"])
    assert np.isnan(female["false_positive_difference_low"])
    assert female["why"] == "nobody of the group became bad"
    assert female["adverse_impact_ratio"] == pytest.approx(0.6 / 0.8)  # needs no outcome


def test_too_few_rows_are_insufficient_and_never_a_pass(scored):
    female = table_of(scored(BY_HAND), FairnessOptions(fewest_rows=25, resamples=20)).iloc[0]
    assert female["finding"] == "INSUFFICIENT"
    assert female["why"] == "fewer than 25 rows"
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
