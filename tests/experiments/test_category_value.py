"""Whether a category earns its weight: verdicts by hand, and models with and without one that is known to tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.errors import ParameterError
from benne.experiments.category_value import ValueOptions, category_value, fits_of, verdict_of
from benne.experiments.category_value.disparity import disparities
from benne.experiments.category_value.document import categories_document, category_measures, write_category_value
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.figures import figures_table
from benne.experiments.labelling import LabelledRows
from benne.experiments.report.model_document import AboutDocument
from benne.experiments.splitting import RowSplit
from benne.experiments.training import TrainingSplit
from benne.models import CreditScoreModel
from benne.models.resampling import Resampler

QUICK = ValueOptions(free=False, resamples=40)


def held(auc: tuple[float, float, float], loss: tuple[float, float, float]) -> dict[str, float]:
    names = ("", "_low", "_high")
    return {f"{figure}_difference{end}": value for figure, values in (("auc", auc), ("log_loss", loss))
            for end, value in zip(names, values, strict=True)}  # fmt: skip


NOTHING = (0.0, -0.01, 0.01)
UP, DOWN = (0.02, 0.01, 0.03), (-0.02, -0.03, -0.01)


@pytest.mark.parametrize(
    ("auc", "loss", "words"),
    [
        (UP, NOTHING, "earns its weight"),
        (NOTHING, DOWN, "earns its weight"),
        (NOTHING, NOTHING, "no measurable gain"),
        (UP, UP, "no measurable gain"),  # ranks better, probabilities worse
        (DOWN, NOTHING, "costs accuracy"),
        (NOTHING, UP, "costs accuracy"),
    ],
)
def test_a_verdict_follows_from_both_intervals(auc, loss, words):
    assert verdict_of(held(auc, loss), 500, 500).words == words


def test_too_few_bad_rows_are_no_verdict():
    assert verdict_of(held(UP, DOWN), 99, 500).words == "INSUFFICIENT"
    assert verdict_of(None, 500, 500).words == "INSUFFICIENT"


# ------------------------------------------------------------------- reports


@pytest.fixture(scope="module")
def members(training_run):
    """A made-up attribute that goes with income, of the members of the test."""
    features = training_run.test.features
    return pd.DataFrame({"sex": np.where(features["income"] > 0, "m", "f")}, index=features.index.get_level_values(0))


@pytest.fixture(scope="module")
def report(training_run, members):
    return category_value(training_run.split, training_run.model, protected=members, options=QUICK)


def test_a_category_that_tells_is_found_and_one_of_noise_is_not_praised(report):
    assert report.of("credit_history").verdict.words == "earns its weight"
    assert report.of("credit_history").held["auc_difference"] > 0.03
    assert [one.category for one in report.values] == ["credit_history", "behaviour", "ability", "social"]
    with pytest.raises(KeyError, match="hobbies"):
        report.of("hobbies")


def test_a_category_is_measured_on_the_rows_that_give_it(report, training_run):
    gives = training_run.test.features["consented_social"]
    assert report.of("social").rows == int(gives.sum())
    assert report.of("ability").rows == len(gives)
    refusers = report.of("social").withheld_by["rows"]
    assert (refusers, type(refusers)) == (int((~gives).sum()), int)


def test_withholding_is_the_same_model_under_the_pattern_without_it(report, training_run):
    found = report.of("social").withholding
    rows = training_run.test.features[training_run.test.features["consented_social"]]
    model = training_run.model
    lost = model.predict_score(rows) - model.predict_score(rows, withheld=[{"social"}] * len(rows))
    assert found["points_lost"] == pytest.approx(lost.mean(), abs=1e-9)
    assert found["lose_share"] == pytest.approx(np.mean(lost >= 5.0))
    assert report.of("credit_history").withholding is None  # no score stands without it


def test_dropping_what_goes_with_an_attribute_brings_its_groups_together(report):
    (line,) = [one for one in report.of("ability").disparity if one["accepted"] == 0.5]
    assert abs(line["smd_without"]) < abs(line["smd_with"])
    assert line["smd_change"] == pytest.approx(line["smd_with"] - line["smd_without"])


def test_ratio_and_difference_of_two_groups_are_what_one_computes_by_hand():
    """Ten of each group; half are accepted: eight of one, two of the other."""
    one = np.r_[np.arange(100.0, 180.0, 10.0), 10.0, 11.0]
    other = np.r_[np.arange(12.0, 20.0), 200.0, 210.0]
    score = np.r_[one, other]
    groups = pd.DataFrame({"sex": ["f"] * 10 + ["m"] * 10})
    (line,) = disparities(
        {"with": score, "without": -score}, groups, np.arange(20), (0.5,), Resampler(20, None, 0, 20),
        FairnessOptions(reference={"sex": "f"}, fewest_rows=10, fewest_outcomes=5),
    )  # fmt: skip
    assert line["air_with"] == pytest.approx(0.2 / 0.8)
    assert line["air_without"] == pytest.approx(0.8 / 0.2)
    pooled = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2.0)
    assert line["smd_with"] == pytest.approx((other.mean() - one.mean()) / pooled)
    assert line["smd_without"] == pytest.approx(-line["smd_with"])


def test_groups_too_small_for_an_audit_are_not_compared_here_either():
    groups = pd.DataFrame({"sex": ["f"] * 49 + ["m"] * 200})
    score = np.random.default_rng(0).normal(600, 50, 249)
    (line,) = disparities(
        {"with": score, "without": -score}, groups, np.arange(249), (0.5,), Resampler(249, None, 0, 20),
        FairnessOptions(),
    )  # fmt: skip
    assert line["rows"] == 49
    assert {line[f"{figure}_{end}"] for figure in ("air", "smd") for end in ("with", "without", "change_low")} == {None}


def test_differences_are_those_of_the_table_of_figures(report, training_run):
    """With minus without, by the resampling that reports use everywhere."""
    found = report.of("ability").held
    test = training_run.test
    log_odds = training_run.model.decision_function(
        test.features, withheld=[frozenset() if gives else frozenset({"social"})
                                 for gives in test.features["consented_social"]],
    )  # fmt: skip
    line = figures_table({"model": log_odds}, test.bad, Resampler(len(test.bad), None, 0, 2)).iloc[0]
    assert found["auc_with"] == pytest.approx(line["auc"], abs=1e-9)
    assert found["auc_difference"] == pytest.approx(found["auc_with"] - found["auc_without"], abs=1e-9)
    assert found["auc_difference_low"] <= found["auc_difference"] <= found["auc_difference_high"]


def test_the_document_is_always_the_same_and_its_page_needs_nothing_else(report, tmp_path):
    now = datetime(2026, 11, 30, tzinfo=UTC)
    about = AboutDocument(model_id="benne/1", config_hash="1" * 64, made_at=now, by="anna")
    document = categories_document(report, about, notices=["Look."])
    one, two = (write_category_value(report, document, tmp_path / name) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    page = one[0].read_text("utf-8")
    assert "<svg" in page
    assert "<script" not in page
    read = json.loads(one[1].read_text("utf-8"))
    assert read["kind"] == "categories"
    assert read["tables"]["verdicts"][0]["verdict"] == "earns its weight"
    assert read["measures"]["categories.social_auc"]["n"] == report.of("social").rows


def test_what_is_insufficient_has_no_measure(report, training_run):
    few = np.flatnonzero(training_run.test.bad)[:90]
    good = np.flatnonzero(training_run.test.bad == 0)
    kept = training_run.test.part(np.sort(np.r_[few, good]), {})
    split = TrainingSplit(training_run.train, kept, training_run.split.how)
    found = category_value(split, training_run.model, options=ValueOptions(free=False, resamples=5))
    assert {one.verdict.words for one in found.values} == {"INSUFFICIENT"}
    assert {one.state for one in category_measures(found).values()} == {"INSUFFICIENT"}
    assert category_measures(report)["ability_auc"].state == "measured"


def test_one_category_has_nothing_to_be_compared_with():
    index = pd.MultiIndex.from_product([["a", "b"], [pd.Timestamp("2026-01-01", tz="UTC")]],
                                       names=["subject_id", "as_of"])  # fmt: skip
    rows = LabelledRows(pd.DataFrame({"x": [0.0, 1.0]}, index=index), np.array([0.0, 1.0]), {})
    split = TrainingSplit(rows, rows, RowSplit(np.array([0]), np.array([1]), "member"))
    with pytest.raises(ParameterError, match="needs two or more of them, got fewer"):
        category_value(split, CreditScoreModel(categories={"all": ["x"]}))


@pytest.mark.parametrize(
    "options", [ValueOptions(accepted=()), ValueOptions(accepted=(1.0,)), ValueOptions(resamples=0)]
)
def test_options_out_of_their_domain_are_refused(options):
    with pytest.raises(ParameterError, match="must be"):
        options.check()


def test_fits_are_counted():
    assert fits_of(5, 1, ValueOptions()) == 12
    assert fits_of(3, 5, ValueOptions(free=False)) == 20
