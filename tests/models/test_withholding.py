"""What is withheld never counts, neither in a score nor in a fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benne.errors import (
    CategoryWithheld,
    InsufficientEvidence,
)
from benne.models import CreditScoreModel, withheld_of


def test_every_allowed_pattern_has_a_score_and_history_and_ability_are_required(model, newcomers) -> None:
    assert len(model.patterns) == 4
    assert set(model.pattern_reports_) == set(model.patterns)
    for used in model.patterns:
        explanation = model.explain(newcomers.X, withheld=set(model.patterns[0]) - used)
        assert explanation.largest_gap < 1e-9
    with pytest.raises(InsufficientEvidence, match="'ability' is withheld, without which there is no score"):
        model.predict_score(newcomers.X, withheld={"ability"})


@settings(max_examples=30, deadline=None)
@given(
    value=st.floats(allow_nan=True, allow_infinity=True),
    used=st.sampled_from([("behaviour",), ("social",), ("social", "behaviour")]),
)
def test_a_withheld_category_moves_nothing(model, newcomers, categories, value, used) -> None:
    rows = newcomers.X.iloc[:20]
    strange = rows.copy()
    strange[[column for name in used for column in categories[name]]] = value
    before, after = model.explain(rows, withheld=set(used)), model.explain(strange, withheld=set(used))
    np.testing.assert_array_equal(before.score, after.score)
    np.testing.assert_array_equal(before.points, after.points)
    assert not after.category_points[list(used)].to_numpy().any()


def test_columns_of_what_everybody_withholds_may_be_absent_or_of_any_type(model, newcomers) -> None:
    expected = model.predict_score(newcomers.X, withheld={"social"})
    np.testing.assert_array_equal(
        model.predict_score(newcomers.X.drop(columns="friends"), withheld={"social"}), expected
    )
    np.testing.assert_array_equal(
        model.predict_score(newcomers.X.assign(friends="many"), withheld={"social"}), expected
    )


def test_withheld_per_row_is_each_row_with_its_own_set(model, newcomers, categories) -> None:
    sets = [set(), {"social"}, {"behaviour"}, {"social", "behaviour"}] * 5
    rows = newcomers.X.iloc[:20]
    mixed = model.predict_score(rows, withheld=sets)
    strange = rows.copy()
    for i, one in enumerate(sets):
        strange.loc[i, [column for name in one for column in categories[name]]] = np.inf
    np.testing.assert_array_equal(model.predict_score(strange, withheld=sets), mixed)
    for i, one in enumerate(sets):
        assert mixed[i] == model.predict_score(rows.iloc[[i]], withheld=one)[0]


def test_weights_of_a_pattern_are_renormalised_on_the_reference_sample(model, members) -> None:
    shares = model.category_shares(members.X, withheld={"social"})["share"]
    np.testing.assert_allclose(shares, [35 / 80, 25 / 80, 20 / 80, 0.0], atol=1e-6)


def test_a_masked_row_is_refused_unless_withheld_says_so(model, newcomers, masked_frame) -> None:
    refuses = np.arange(len(newcomers.X)) < 7
    frame = masked_frame(newcomers.X, {"social": refuses})
    with pytest.raises(CategoryWithheld, match="Category 'social' is withheld in 7 rows that would use it"):
        model.predict_score(frame)
    scores = model.predict_score(frame, withheld=withheld_of(frame))
    np.testing.assert_array_equal(scores[7:], model.predict_score(newcomers.X)[7:])
    np.testing.assert_array_equal(scores[:7], model.predict_score(newcomers.X, withheld={"social"})[:7])


def test_the_booster_learns_only_from_rows_that_consent_to_everything(members, categories, quick, masked_frame) -> None:
    refuses = np.random.default_rng(0).random(len(members.X)) < 0.3
    frame = masked_frame(members.X, {"social": refuses})
    model = CreditScoreModel(categories, booster=quick).fit(frame, members.y)
    assert list(model.feature_names_in_) == list(members.X.columns)
    assert model.booster_.dump_model()["tree_info"][0]["tree_structure"]["internal_count"] <= (~refuses).sum()
    assert model.contract_report_.reference_rows == (~refuses).sum()
    full, without = model.patterns[0], model.patterns[0] - {"social"}
    assert model.pattern_reports_[full].rows == (~refuses).sum()
    assert model.pattern_reports_[without].rows == len(members.X)


def test_withholding_is_never_evidence(members, categories, quick, masked_frame) -> None:
    """The full pattern is the same whether those who refuse were all bad or all good."""
    refuses = np.random.default_rng(0).random(len(members.X)) < 0.3
    frame = masked_frame(members.X, {"social": refuses})
    scores = []
    for label in (0, 1):
        y = np.where(refuses, label, members.y)
        model = CreditScoreModel(categories, booster=quick).fit(frame, y, time=np.arange(len(y)))
        scores.append(model.booster_.num_trees() and model.predict_proba(members.X)[:, 1])
    np.testing.assert_array_equal(scores[0], scores[1])


def test_fit_refuses_rows_that_hold_what_they_withhold(members, categories, quick, masked_frame) -> None:
    frame = masked_frame(members.X, {"social": np.arange(len(members.X)) < 3})
    frame.loc[:1, "friends"] = 1.0
    with pytest.raises(CategoryWithheld, match="Category 'social' is withheld in 2 rows that hold values of it"):
        CreditScoreModel(categories, booster=quick).fit(frame, members.y)


def test_fit_refuses_rows_that_no_pattern_may_use(members, categories, quick, masked_frame) -> None:
    frame = masked_frame(members.X, {"ability": np.arange(len(members.X)) < 3})
    with pytest.raises(CategoryWithheld, match="3 rows must not be trained on: 'ability' is withheld"):
        CreditScoreModel(categories, booster=quick).fit(frame, members.y)


def test_a_file_that_is_empty_but_for_one_category_has_no_score(members, categories, quick) -> None:
    X = members.X.copy()
    X.iloc[:50] = np.nan
    model = CreditScoreModel(categories, booster=quick).fit(X, members.y)
    row = members.X.iloc[[100]].copy()
    row.loc[:, [c for name in ("behaviour", "ability", "social") for c in categories[name]]] = np.nan
    with pytest.raises(InsufficientEvidence, match="1 rows have no score: fewer than 2"):
        model.predict_score(row)


@pytest.mark.parametrize(
    "categories",
    [
        "single",
        {
            "means": ["income", "savings", "friends"],
            "rest": ["late days (max)", "late_count", "utilisation", "spend_swing"],
        },
    ],
)
def test_withholding_is_no_evidence_for_a_model_with_categories_of_its_own(
    members, newcomers, quick, masked_frame, categories
) -> None:
    weights = None if categories == "single" else {"means": 0.5, "rest": 0.5}
    model = CreditScoreModel(categories, weights, booster=quick)
    refuses = np.arange(len(members.X)) < 300
    with pytest.raises(CategoryWithheld, match="Categories of a model must be the five ids"):
        model.fit(masked_frame(members.X, {"social": refuses}), members.y)
    model.fit(masked_frame(members.X, {}), members.y)
    frame = masked_frame(newcomers.X, {"social": np.arange(len(newcomers.X)) < 1})
    for withheld in ((), withheld_of(frame)):
        with pytest.raises(CategoryWithheld, match="Use the five ids, or leave those rows out"):
            model.predict_score(frame, withheld)
    assert len(model.predict_score(frame.iloc[1:], withheld_of(frame.iloc[1:]))) == len(frame) - 1


@pytest.mark.parametrize("strange", ["a member's secret", 2**60, -5])
def test_what_one_row_withholds_may_be_of_any_type_in_a_batch(model, newcomers, strange) -> None:
    sets = [{"social"} if i == 3 else set() for i in range(20)]
    rows = newcomers.X.iloc[:20].copy()
    expected = model.predict_score(rows, sets)
    rows["friends"] = [strange if i == 3 else value for i, value in enumerate(rows["friends"])]
    rows["friends"] = pd.Series(list(rows["friends"]), dtype=object)
    np.testing.assert_array_equal(model.predict_score(rows, sets), expected)


def test_fit_refuses_text_in_what_a_row_withholds_as_withheld(members, categories, quick, masked_frame) -> None:
    frame = masked_frame(members.X, {"social": np.arange(len(members.X)) < 3})
    frame["friends"] = frame["friends"].astype(object)
    frame.loc[0, "friends"] = "a member's secret"
    with pytest.raises(CategoryWithheld, match="Category 'social' is withheld in 1 rows that hold values of it"):
        CreditScoreModel(categories, booster=quick).fit(frame, members.y)
