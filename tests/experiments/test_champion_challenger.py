"""Two models on the same rows: sets one can count by hand, and changes that add up to the last digit."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.errors import FairnessError, LabelError, ParameterError
from benne.experiments.champion_challenger import (
    AboutComparison,
    compare_models,
    comparison_document,
    comparison_measures,
    write_comparison,
)
from benne.experiments.champion_challenger.groups import change_by_group
from benne.experiments.champion_challenger.paired import PairedScores, paired_scores
from benne.experiments.champion_challenger.shift import band_matrix, change_histogram, change_summary
from benne.experiments.champion_challenger.swap_set import Cut, cuts_of, equal_cutoff, swap_parts, swap_sets
from benne.models import BoosterOptions, CreditScoreModel, Explanation, ScoreScale
from benne.models.resampling import metrics_of
from tests.experiments.conftest import make_rows

ABOUT = AboutComparison(
    model_id="benne/" + "2" * 16, config_hash="2" * 64, champion=("benne/" + "1" * 16, "1" * 64),
    made_at=datetime(2026, 3, 1, tzinfo=UTC), by="ann",
)  # fmt: skip


def explanation(score, ability, pd_of_bad, base=600.0):
    """Scores made of a base, ability as given, and social for what is left."""
    score = np.asarray(score, dtype=float)
    n, ability = len(score), np.broadcast_to(np.asarray(ability, dtype=float), (len(score),))
    points = pd.DataFrame({"ability": ability, "social": score - base - ability})
    nothing = np.zeros(n)
    return Explanation(
        base=nothing + base, points=points.add_prefix("x_"), category_points=points, clipped=nothing, score=score,
        band=np.array(["good"] * n), pd=nothing + pd_of_bad, pd_low=nothing, pd_high=nothing, percentile=nothing,
        thin=np.zeros(n, dtype=bool), withheld=(frozenset(),) * n,
    )  # fmt: skip


def pair_of(before, after, bad=None, ability=(0.0, 0.0)):
    n = len(before)
    return PairedScores(
        champion=explanation(before, ability[0], 0.1), challenger=explanation(after, ability[1], 0.2, base=590.0),
        bad=np.full(n, np.nan) if bad is None else np.asarray(bad, dtype=float), members=np.arange(n),
        kept=np.arange(n), left_out={"both": 0, "champion": 0, "challenger": 0},
    )  # fmt: skip


BEFORE = [620.0] * 30 + [590.0] * 20 + [640.0] * 10 + [500.0] * 40
AFTER = [660.0] * 30 + [610.0] * 20 + [560.0] * 10 + [500.0] * 40
BAD = [1.0] * 3 + [0.0] * 27 + [1.0] * 5 + [0.0] * 15 + [1.0] * 4 + [0.0] * 6 + [np.nan] * 40


def at_600(pair):
    table = swap_sets(pair, cuts_of(pair, [600.0]))
    return table[table["at"] == "same score"].set_index("set")


def test_sets_and_their_bad_rates_are_those_counted_by_hand():
    table = at_600(pair_of(BEFORE, AFTER, BAD))
    assert table["n"].to_dict() == {"both_in": 30, "swapped_in": 20, "swapped_out": 10, "both_out": 40}
    assert table["share"].tolist() == [0.3, 0.2, 0.1, 0.4]
    assert table["bad_rate"].tolist()[:3] == [0.1, 0.25, 0.4]
    assert (table["known"]["both_out"], np.isnan(table["bad_rate"]["both_out"])) == (0, True)
    assert table["bad_rate_low"]["swapped_in"] == pytest.approx(0.1119, abs=1e-4)  # Wilson, 5 of 20
    assert table["bad_rate_high"]["swapped_in"] == pytest.approx(0.4687, abs=1e-4)
    assert table["champion_pd"].round(12).eq(0.1).all()
    assert table["challenger_pd"].round(12).eq(0.2).all()


def test_scores_are_cut_as_they_are_shown():
    table = at_600(pair_of([599.5] * 20, [599.4] * 20))
    assert table["n"]["swapped_out"] == 20  # 599.5 is shown as 600


def test_where_as_many_are_let_in_nobody_is_swapped_by_a_mere_shift():
    before = np.arange(500.0, 700.0)
    pair = pair_of(before, before - 37.0)
    table = swap_sets(pair, cuts_of(pair, [600.0])).set_index(["at", "set"])
    assert table["n"]["same score", "swapped_out"] == 37
    assert table["challenger_cutoff"]["equal approval", "both_in"] == 563.0
    assert table["n"]["equal approval"].tolist() == [100, 0, 0, 100]


@pytest.mark.parametrize(
    ("after", "found"),
    [([480.0, 570.0, 690.0], 570.0), ([500.0, 500.0, 500.0], 500.0), ([610.0, 610.0, 690.0], 690.0)],
)
def test_the_equal_cutoff_is_the_nearest_and_of_two_as_near_the_stricter(after, found):
    assert equal_cutoff(np.array([500.0, 600.0, 700.0]), np.array(after), 600) == found


def test_why_they_are_swapped_adds_up():
    pair = pair_of(BEFORE, AFTER, ability=(0.0, 5.0))
    table = swap_parts(pair, cuts_of(pair, [600.0]))
    table = table[table["at"] == "same score"].set_index("set")
    assert table["change"].to_dict() == {"swapped_in": 20.0, "swapped_out": -80.0}
    assert table.loc["swapped_out", ["base", "ability", "social", "clipping"]].tolist() == [-10.0, 5.0, -75.0, 0.0]


def test_sets_of_fewer_than_ten_tell_nothing():
    table = at_600(pair_of([620.0] * 9 + [500.0] * 20, [660.0] * 9 + [500.0] * 20, [1.0] * 29))
    assert table.loc["both_in"].drop(["at", "cutoff", "challenger_cutoff"]).isna().all()
    assert swap_parts(pair_of([620.0] * 9 + [500.0] * 20, [560.0] * 9 + [500.0] * 20), []).empty


def test_bands_are_the_champions_and_small_cells_are_left_out():
    pair = pair_of([620.0] * 12 + [700.0] * 4, [660.0] * 12 + [500.0] * 4)
    matrix = band_matrix(pair, ScoreScale())
    assert matrix.loc["good", "very good"] == 12
    assert matrix.loc["excellent", "poor"] is None
    assert matrix.loc["poor", "poor"] == 0


def test_every_change_is_in_one_step_of_five_and_small_steps_join():
    change = np.array([-7.0] * 12 + [1.0] * 20 + [11.0] * 4)
    assert change_histogram(change)["n"].sum() == 36
    assert change_histogram(np.zeros(15)).to_dict("list") == {"lowest": [0.0], "highest": [5.0], "n": [15]}
    assert change_summary(change)["mean"] == pytest.approx((-84 + 20 + 44) / 36)


def test_groups_are_told_apart_and_small_ones_are_joined_or_left_out():
    pair = pair_of(BEFORE, AFTER, BAD)
    subjects = [f"{k:032x}" for k in range(100)]
    index = pd.MultiIndex.from_arrays(
        [subjects, [pd.Timestamp("2025-07-01", tz="UTC")] * 100], names=["subject_id", "as_of"]
    )
    features = pd.DataFrame({"x": np.zeros(100)}, index=index)
    sex = pd.DataFrame({"sex": ["f"] * 50 + ["m"] * 47 + ["x"] * 3}, index=pd.Index(subjects, name="subject_id"))
    table = change_by_group(pair, features, sex, cuts_of(pair, [600.0]))
    table = table[table["at"] == "same score"].set_index("group")
    assert table.loc["f", ["n", "in_by_champion", "in_by_challenger", "comes_in"]].tolist() == [50, 0.6, 1.0, 0.4]
    assert table.loc["f", "mean_change"] == pytest.approx((30 * 40 + 20 * 20) / 50)
    assert table["n"].min() >= 10
    with pytest.raises(FairnessError, match="members of the features"):
        change_by_group(pair, features, sex.rename(index=lambda subject: f"f{subject[1:]}"), cuts_of(pair, [600.0]))


# ------------------------------------------------------------------ real models


QUICK = BoosterOptions(max_trees=12, learning_rate=0.3, patience=5, folds=2, threads=1)
FEATURES = {
    "credit_history": ["late_count", "oldest"], "behaviour": ["utilisation", "swing"],
    "ability": ["income", "savings"], "social": ["friends"],
}  # fmt: skip
FEWER = {"credit_history": ["late_count", "oldest"], "behaviour": ["utilisation"], "ability": ["income"]}


def fitted(categories, rows):
    columns = [name for names in categories.values() for name in names]
    beside = [name for name in rows.features.columns if name.startswith("consented_")]
    model = CreditScoreModel(categories=categories, booster=QUICK)
    return model.fit(rows.features[[*columns, *beside]], rows.bad)


@pytest.fixture(scope="module")
def models():
    rows = make_rows(500, 0)
    return fitted(FEATURES, rows), fitted(FEWER, rows)


@pytest.fixture(scope="module")
def test_rows():
    return make_rows(500, 5)


@pytest.fixture(scope="module")
def protected(test_rows):
    subjects = test_rows.features.index.get_level_values("subject_id")
    sex = np.where(np.arange(len(subjects)) % 3 == 0, "f", "m")
    return pd.DataFrame({"sex": sex}, index=pd.Index(subjects, name="subject_id"))


@pytest.fixture(scope="module")
def found(models, test_rows, protected):
    return compare_models(*models, test_rows.features, test_rows.bad, protected, seed=3, resamples=40)


def test_every_change_is_the_sum_of_its_parts_with_other_features_and_categories(models, test_rows):
    pair = paired_scores(*models, test_rows.features)
    parts = pair.parts()
    assert list(parts.columns) == ["base", *FEATURES, "clipping"]
    assert np.abs(parts.sum(axis=1) - pair.change).max() < 1e-8
    assert np.abs(pair.change).max() > 10
    columns = pair.feature_parts()
    assert np.abs(columns[FEATURES["social"]].sum(axis=1) - parts["social"]).max() < 1e-9
    withheld = np.arange(500) % 10 == 0
    assert (parts["social"][withheld] == 0).all()  # no points of what is withheld, by either


def test_what_is_told_of_the_parts_adds_up_to_the_mean_change(found):
    assert found.parts["mean_change"].sum() == pytest.approx(found.summary["mean"], abs=1e-9)
    assert found.parts["share_of_movement"].sum() == pytest.approx(1.0)
    assert found.histogram["n"].sum() == found.rows == 500


def test_the_difference_of_auc_is_that_of_the_two_models(found, models, test_rows):
    aucs = [
        metrics_of(
            model.decision_function(test_rows.features[[*model.feature_names_in_]], withheld=held(test_rows)),
            test_rows.bad, np.ones(500),
        )["auc"]
        for model in models
    ]  # fmt: skip
    assert found.figures["auc"].tolist() == pytest.approx(aucs, abs=1e-12)
    measure = comparison_measures(found)["auc_difference"]
    assert measure.value == pytest.approx(aucs[1] - aucs[0], abs=1e-9)
    assert measure.low <= measure.value <= measure.high


def held(rows):
    return [frozenset() if there else frozenset({"social"}) for there in rows.features["consented_social"]]


def test_a_model_is_no_change_from_itself(models, test_rows):
    same = compare_models(models[0], models[0], test_rows.features, test_rows.bad, resamples=20)
    assert same.summary["mean_absolute"] == 0
    assert same.swaps.loc[same.swaps["set"].str.startswith("swapped"), "n"].eq(0).all()
    assert same.parts["share_of_movement"].sum() == 0
    measures = comparison_measures(same)
    assert (measures["swapped"].value, measures["auc_difference"].value) == (0.0, 0.0)


def test_without_outcomes_accuracy_is_insufficient_and_all_else_is_told(models, test_rows):
    for bad in (None, np.zeros(500), np.r_[np.ones(9), np.zeros(491)]):
        found = compare_models(*models, test_rows.features, bad, resamples=20)
        assert comparison_measures(found)["auc_difference"].state == "INSUFFICIENT"
        document = comparison_document(found, ABOUT)
        assert document["tables"]["figures"] == []
        assert "Accuracy is not compared" in document["notes"][0]


def test_the_document_has_the_form_that_is_filed(found):
    document = comparison_document(found, ABOUT)
    assert document["kind"] == "comparison"
    assert document["model"] == {"model_id": ABOUT.model_id, "config_hash": ABOUT.config_hash}
    assert document["measures"]["comparison.auc_difference"]["n"] == 500
    named = {name for section in document["sections"] for name in section["tables"]}
    assert named | {"histogram"} == set(document["tables"])
    text = json.dumps(document, allow_nan=False)
    assert not any(subject in text for subject in ("0" * 31, "05" + "0" * 20))


def test_the_files_are_the_same_bytes_each_time_and_need_nothing_else(found, models, test_rows, protected, tmp_path):
    again = compare_models(*models, test_rows.features, test_rows.bad, protected, seed=3, resamples=40)
    one, two = (write_comparison(of, tmp_path / name, ABOUT) for of, name in ((found, "a"), (again, "b")))
    assert [path.name for path in one] == [
        "comparison.html", "comparison.json", "change.png", "parts.png", "swaps.png",
    ]  # fmt: skip
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    page = one[0].read_text()
    assert page.count("<svg") == 3
    for outside in ("http://", "https://", "<script"):
        assert outside not in page.replace("http://www.w3.org", "")


def test_rows_that_a_model_refuses_are_left_out_and_counted(models, test_rows):
    features = test_rows.features.copy()
    features.iloc[0, features.columns.get_loc("late_count")] = np.inf
    features.iloc[1, features.columns.get_loc("friends")] = np.inf  # the challenger does not look at it
    pair = paired_scores(*models, features)
    assert pair.left_out == {"both": 1, "champion": 1, "challenger": 0}
    assert len(pair.bad) == 498


def test_what_cannot_be_compared_is_refused(models, test_rows):
    with pytest.raises(ParameterError, match="every feature of both models, got none of 1, such as friends"):
        compare_models(*models, test_rows.features.drop(columns="friends"))
    with pytest.raises(LabelError, match="0, 1 or null for each of 500 rows"):
        compare_models(*models, test_rows.features, np.full(500, 2.0))
    with pytest.raises(LabelError, match="At least 10 rows"):
        compare_models(*models, test_rows.features.iloc[:9])
    for cutoff in (350, 951, 600.5, np.nan, np.inf):
        with pytest.raises(ParameterError, match="whole score above 350"):
            compare_models(*models, test_rows.features, cutoffs=[cutoff])


def test_a_set_of_few_does_not_follow_from_the_total_and_the_others(models, test_rows):
    """Whatever the cut-off: of one small set, another is hidden too."""
    table = swap_sets(paired_scores(*models, test_rows.features), [
        Cut(mark, mark, "same score") for mark in range(360, 950, 10)
    ])  # fmt: skip
    hidden = table["n"].isna().groupby(table["cutoff"]).sum()
    assert hidden.max() >= 2
    assert not hidden.eq(1).any()
