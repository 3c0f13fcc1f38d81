"""The whole audit: what it is made of, what it refuses, and that it says so where too little is known."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.errors import FairnessError
from benne.experiments.fairness import (
    AboutAudit,
    FairnessOptions,
    assess_fairness,
    fairness_document,
    fairness_measures,
    write_fairness_report,
)
from benne.experiments.fairness.scored_members import checked_outcomes, outcomes_of

OPTIONS = FairnessOptions(resamples=40, intersections=[("sex", "age")])
ABOUT = AboutAudit(
    model_id="benne/0123456789abcdef", config_hash="ab" * 32, made_at=datetime(2026, 11, 30, tzinfo=UTC), by="counsel-1"
)


@pytest.fixture(scope="module")
def report(model, members):
    features, bad, protected = members
    return assess_fairness(model, features, bad, protected, cutoffs=[550, 500], options=OPTIONS)


def test_an_audit_looks_at_every_attribute_group_and_cutoff(report):
    at = report.disparities.by_cutoff
    assert set(at["attribute"]) == {"sex", "age", "sex x age"}
    assert set(at["cutoff"]) == {500.0, 550.0}
    assert len(at[at["attribute"] == "sex"]) == 4
    assert report.rows == report.members == 900


def test_the_model_that_goes_along_with_sex_is_seen_to_do_so(report):
    measures = fairness_measures(report)
    ratio = measures["adverse_impact_ratio"]
    assert ratio.value < 0.8
    assert ratio.low < ratio.value < ratio.high
    assert measures["standardised_mean_difference"].value > 0.3
    assert measures["flip_test"].value == 0
    told = report.proxies.set_index(["attribute", "features"])
    assert told.loc[("sex", "utilisation"), "finding"] == "review"


def test_measures_are_the_worst_that_the_tables_hold(report):
    at, of = report.disparities.by_cutoff, report.disparities.by_group
    measures = fairness_measures(report)
    assert measures["adverse_impact_ratio"].value == at["adverse_impact_ratio"].min()
    assert measures["equal_opportunity_gap"].value == at["equal_opportunity_difference"].abs().max()
    gap, bands = measures["calibration_gap"], report.disparities.by_band
    every = pd.concat([one[["calibration_gap", "calibration_gap_low", "calibration_gap_high"]].dropna()
                       for one in (of, at, bands)])  # fmt: skip
    near = np.maximum(every["calibration_gap_low"], -every["calibration_gap_high"])
    assert gap.low == max(0.0, near.max())
    assert gap.value in set(every["calibration_gap"].abs())
    assert measures["standardised_mean_difference"].value == of["standardised_mean_difference"].abs().max()


def test_an_attribute_of_which_nothing_can_be_said_makes_the_measure_insufficient(model, members):
    features, bad, protected = members
    rare = protected.assign(origin=["elsewhere"] * 20 + ["here"] * 880)[["sex", "origin"]]
    measures = fairness_measures(assess_fairness(model, features, bad, rare, cutoffs=[500], options=FairnessOptions()))
    assert measures["adverse_impact_ratio"].state == "INSUFFICIENT"
    assert measures["adverse_impact_ratio"].note == "too few to compare: origin at 500"


def test_attributes_as_the_store_gives_them_are_audited_alike(report, model, members):
    features, bad, protected = members
    from_store = protected.astype({"sex": "string", "age": "Float64"}).sample(frac=1.0, random_state=0)
    found = assess_fairness(model, features, bad, from_store, cutoffs=[500, 550], options=OPTIONS)
    assert fairness_document(found, ABOUT) == fairness_document(report, ABOUT)


def test_a_small_group_beside_others_is_named_and_not_passed_over(model, members):
    features, bad, protected = members
    some = protected[["sex"]].assign(sex=np.where(np.arange(900) < 20, "other", protected["sex"]))
    ratio = fairness_measures(assess_fairness(model, features, bad, some, cutoffs=[500]))["adverse_impact_ratio"]
    assert ratio.state == "measured"
    assert "INSUFFICIENT: sex: other" in ratio.note


def test_members_of_whom_nothing_is_on_record_are_a_group_and_counted(model, members):
    features, bad, protected = members
    found = assess_fairness(model, features, bad, protected[["sex"]].iloc[100:], cutoffs=[500])
    assert found.left_out["nothing protected on record"] == 100
    groups = found.disparities.by_group.set_index("group")
    assert groups.loc["not stated", "rows"] == 100
    assert groups["rows"].sum() == 900


def test_outcomes_that_are_not_known_are_counted_and_never_good(model, members):
    features, bad, protected = members
    bad = np.where(np.arange(900) < 300, np.nan, bad)
    found = assess_fairness(model, features, bad, protected[["sex"]], cutoffs=[500])
    assert found.left_out["outcome not known"] == 300
    assert found.disparities.by_group["known"].sum() == 600
    assert found.disparities.by_group["rows"].sum() == 900


def test_outcomes_may_come_in_any_column_that_knows_null(model, members):
    _, bad, _ = members
    for column in (pd.Series(bad).astype("Int8"), pd.Series(bad == 1).astype("boolean"), bad.astype(int).tolist()):
        assert np.array_equal(checked_outcomes(column, 900), bad)
    assert np.isnan(checked_outcomes(pd.Series([pd.NA, 1], dtype="Int8"), 2)).tolist() == [True, False]


def wrong_inputs():
    return [
        (lambda f, b, p: (f, ["bad"] * 900, p), "one column of numbers or nulls"),
        (lambda f, b, p: (f, np.full(900, np.nan), p), "all are censored"),
        (lambda f, b, p: (f, b * 2, p), "Outcomes must be 0 .good., 1 .bad. or null"),
        (lambda f, b, p: (f, b[:-1], p), "Outcomes must be one for each of 900 rows"),
        (lambda f, b, p: (f, b, p.set_axis(["x" + one[1:] for one in p.index]).rename_axis("subject_id")),
         "got none of 900 among 900"),
        (lambda f, b, p: (f, b, p.reset_index(drop=True)), "one row for each member, indexed by subject_id"),
        (lambda f, b, p: (f, b, pd.concat([p, p])), "one row for each member, indexed by subject_id"),
        (lambda f, b, p: (f, b, p.assign(sex="f")), "'sex' must have two groups of ten members or more"),
        (lambda f, b, p: (f.reset_index(drop=True), b, p), "Features must be indexed by"),
    ]  # fmt: skip


@pytest.mark.parametrize(("spoil", "match"), wrong_inputs())
def test_what_cannot_be_audited_is_refused(model, members, spoil, match):
    features, bad, protected = spoil(*members)
    with pytest.raises(FairnessError, match=match):
        assess_fairness(model, features, bad, protected, cutoffs=[500])


def test_no_message_names_a_member(model, members):
    features, bad, protected = members
    with pytest.raises(FairnessError, match=r"Correct|Key both") as raised:
        assess_fairness(model, features, bad, protected.set_axis(
            ["x" + one[1:] for one in protected.index]).rename_axis("subject_id"), cutoffs=[500])  # fmt: skip
    assert not any(one in str(raised.value) for one in protected.index)


def test_a_cutoff_beyond_the_scale_is_refused(model, members):
    features, bad, protected = members
    with pytest.raises(FairnessError, match="from 350 to 950, got 1000"):
        assess_fairness(model, features, bad, protected, cutoffs=[1000])


def test_outcomes_are_joined_by_member_and_moment_and_must_be_one_for_each(members):
    features, bad, _ = members
    outcomes = features.index.to_frame(index=False).assign(bad=bad)
    assert np.array_equal(outcomes_of(features, outcomes.iloc[::-1]), bad)
    assert np.isnan(outcomes_of(features, outcomes.iloc[10:])[:10]).all()
    with pytest.raises(FairnessError, match="got no 'bad'"):
        outcomes_of(features, outcomes.drop(columns="bad"))
    with pytest.raises(FairnessError, match="each observation once"):
        outcomes_of(features, pd.concat([outcomes, outcomes.iloc[:1]]))


def test_the_same_audit_is_the_same_bytes_and_names_nobody(report, model, members, tmp_path):
    features, bad, protected = members
    again = assess_fairness(model, features, bad, protected, cutoffs=[500, 550], options=OPTIONS)
    files = [write_fairness_report(one, tmp_path / name, ABOUT) for one, name in ((report, "a"), (again, "b"))]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert not any(subject in one.read_text() for subject in protected.index)
    page = files[0][0].read_text()
    assert "Who passes, against the reference group" in page
    assert "<svg" in page
    assert "http" not in page.split("<svg")[0]


@pytest.mark.parametrize(("trained_on", "lead"), [
    ("none", "900 rows of 900 members that the model was not trained on."),
    ("unknown", "900 rows of 900 members."), ("not said", "900 rows of 900 members."),
])  # fmt: skip
def test_an_audit_claims_that_members_are_others_only_where_it_was_said(report, tmp_path, trained_on, lead):
    page, data, *_ = write_fairness_report(report, tmp_path, dataclasses.replace(ABOUT, trained_on=trained_on))
    assert lead in page.read_text()
    nobody = [note for note in json.loads(data.read_text())["notes"] if note.startswith("Nobody can say whether")]
    assert len(nobody) == page.read_text().count("Nobody can say whether") == (trained_on == "unknown")


def test_the_document_is_of_the_common_form_and_shows_no_group_of_fewer_than_ten(report):
    document = json.loads(json.dumps(fairness_document(report, ABOUT), allow_nan=False))
    assert document["kind"] == "fairness"
    assert document["model"]["config_hash"] == "ab" * 32
    assert set(document["measures"]) == {
        f"fairness.{name}" for name in ("adverse_impact_ratio", "equal_opportunity_gap", "calibration_gap",
                                        "standardised_mean_difference", "flip_test")
    }  # fmt: skip
    for table in ("groups", "cutoffs"):
        assert min(line["rows"] for line in document["tables"][table]) >= 10
    assert any(note.startswith("Review: ") for note in document["notes"])
