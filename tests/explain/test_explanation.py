from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema_rs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import CategoryError, FeatureColumnsError, ParameterError, TextMissing
from benne.explain import About, about_model, explain_member
from benne.explain.texts import LANGUAGES
from benne.features import CATEGORIES, registry
from benne.models import BoosterOptions, CreditScoreModel
from tests.explain.conftest import COLUMNS, GROUPS, NOON, full_about, model_rows, said

POINTS = st.lists(st.floats(-150, 150), min_size=len(COLUMNS), max_size=len(COLUMNS))
WITHHELD = st.sets(st.sampled_from(CATEGORIES), max_size=4)
SCHEMA = json.loads(files("benne.explain").joinpath("explanation.schema.json").read_text("utf-8"))
VALID = jsonschema_rs.validator_for(SCHEMA)


def numbers(plain: Any) -> list[Any]:
    """Every figure of a JSON document, in its order."""
    if isinstance(plain, dict):
        return [number for value in plain.values() for number in numbers(value)]
    if isinstance(plain, list):
        return [number for value in plain for number in numbers(value)]
    return [] if isinstance(plain, str) else [plain]


@given(st.floats(300, 1000), POINTS, WITHHELD, st.sampled_from(LANGUAGES))
def test_every_displayed_explanation_adds_up_in_both_languages(base, points, withheld, language):
    shown = said(base, points, withheld, About(language=language))
    plain = json.loads(json.dumps(shown.as_dict(), allow_nan=False))
    of_categories = sum(category["shown"] for category in plain["categories"])
    assert plain["base_shown"] + of_categories + plain["clipped_shown"] == plain["shown"] == round(shown.score)
    for category in plain["categories"]:
        if not category["withheld"]:
            assert sum(feature["shown"] for feature in category["features"]) == category["shown"]
    assert shown.gap < 1e-9


@given(POINTS, WITHHELD)
def test_another_language_changes_no_number_and_comes_back_the_same(points, withheld):
    english = said(600.0, points, withheld, full_about("en", tuple(withheld)))
    chinese = english.in_language("zh")
    assert numbers(chinese.as_dict()) == numbers(english.as_dict())
    assert chinese == said(600.0, points, withheld, full_about("zh", tuple(withheld)))
    assert chinese.in_language("en") == english


@given(st.floats(300, 1000), POINTS, WITHHELD, st.sampled_from(LANGUAGES), st.booleans())
def test_its_json_is_as_the_schema_says(base, points, withheld, language, full):
    about = full_about(language, tuple(withheld)) if full else About(language=language)
    plain = json.loads(json.dumps(said(base, points, withheld, about).as_dict(), allow_nan=False))
    assert [error.message for error in VALID.iter_errors(plain)] == []


def test_the_schema_refuses_what_does_not_belong():
    plain = said().as_dict()
    assert not VALID.is_valid(plain | {"score": 351.0, "shown": 1_000})
    assert not VALID.is_valid(plain | {"member_id": "anna"})


def test_sources_are_the_event_tables_that_the_features_read():
    lines = {line.name: line for line in said().categories}
    assert "repayments" in lines["credit_history"].sources
    assert lines["social"].sources == ("interactions",)
    assert {line.name: line.sources for line in said(withheld=["social"]).categories}["social"] == ()


def test_its_text_names_consent_sources_dates_and_the_model():
    text = said(withheld=["social"], about=full_about("en", ("social",))).as_text()
    assert "Withheld, and counted neither for nor against: Social relationships." in text
    assert "your repayments" in text
    assert "Everything that was known on 29 November 2026 is in it." in text
    assert "Scored with model benne/0123456789abcdef." in text


@pytest.mark.parametrize(
    ("language", "heading", "first"),
    [("en", "Why your score is not higher:", "would be about 20 points higher."),
     ("zh", "您的信用分为何没有更高：", "约高 20 分。")],
)  # fmt: skip
def test_its_text_says_why_it_is_not_higher_and_compared_with_whom(language, heading, first):
    lines = said(about=full_about(language)).as_text().splitlines()
    place = lines.index(heading)
    assert [line[:4] for line in lines[place + 1 : place + 5]] == ["  1.", "  2.", "  3.", "  4."]
    assert lines[place + 1].endswith(first)
    assert "1,000" in lines[place + 5]


def test_its_text_says_where_no_reason_was_found_or_none_can_be():
    about = full_about()
    nothing = replace(about, reasons=replace(about.reasons, reasons=()))
    assert "Nothing on record takes from your score by this comparison." in said(about=nothing).as_text()
    assert "No reasons can be given for this score" in said(about=replace(about, reasons=None)).as_text()
    assert "Why your score" not in said().as_text(), "where nobody looked for reasons nothing is said of them"


def test_its_text_in_chinese_says_the_same_numbers():
    english, chinese = (said().as_text(language=language) for language in LANGUAGES)
    assert chinese.splitlines()[0] == "信用分 636，分值范围 350 至 950（良好）"
    assert [line.split()[0] for line in chinese.splitlines()[1:20]] == [
        line.split()[0] for line in english.splitlines()[1:20]
    ]


def test_how_likely_and_how_sure_is_said_in_members_and_per_cent():
    outlook = said().as_dict()["outlook"]
    assert outlook["chance"] == "Of 100 members with such a score, about 96 honour what they agreed."
    assert "between 2.0\N{NO-BREAK SPACE}% and 8.3\N{NO-BREAK SPACE}%" in outlook["interval"]
    assert outlook["thin_file"] is None


def test_a_small_chance_is_counted_among_a_thousand():
    outlook = said(pd=np.array([0.0042])).as_dict()["outlook"]
    assert outlook["chance"] == "Of 1,000 members with such a score, about 996 honour what they agreed."


def test_a_place_among_too_few_is_not_claimed_in_any_form():
    shown = said(percentile=np.array([np.nan]))
    assert (shown.percentile, shown.as_dict()["outlook"]["place"]) == (None, None)
    assert "reference sample" not in shown.as_text()


def test_a_language_that_is_none_of_ours_is_refused():
    with pytest.raises(TextMissing, match="A language must be one of en, zh"):
        said(about=About(language="xx"))  # type: ignore[arg-type]


def test_what_is_not_registered_is_named_as_it_is_in_every_language():
    shown = explain_member(
        replace(_rows_of_one("own"), withheld=(frozenset(),)), 0, pd.DataFrame({"own": [3.0]}), {"mine": ["own"]}, {}
    )
    line = shown.in_language("zh").categories[0].features[0]
    assert (line.name, line.label, line.sentence) == ("own", "own", "own")


def _rows_of_one(name):
    from tests.explain.conftest import model_rows

    rows = model_rows(600.0, [[0.0] * len(COLUMNS)])
    table = pd.DataFrame({name: [0.0]})
    return replace(rows, points=table, category_points=table)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(600, 5)), columns=[f"x_{c}" for c in CATEGORIES])
    y = (rng.random(600) < 1.0 / (1.0 + np.exp(1.0 - X.sum(axis=1)))).astype(np.int64)
    quick = BoosterOptions(max_trees=20, learning_rate=0.3, patience=10, folds=2, threads=1)
    return CreditScoreModel(categories={c: [f"x_{c}"] for c in CATEGORIES}, booster=quick).fit(X, y), X


def test_what_others_have_is_the_models_own_reference_sample(fitted):
    model, X = fitted
    about = about_model(model, {"social"}, as_of=NOON)
    explanation = model.explain(X.head(1), withheld={"social"})
    groups = {c: [f"x_{c}"] for c in CATEGORIES}
    shown = explain_member(explanation, 0, X.head(1), groups, registry, about)
    expected = model.reference_.category_range({"social"})
    assert shown.as_dict()["average_score"] == model.reference_.average_score({"social"})
    assert {line.name: line.reach for line in shown.categories if line.reach} == expected
    assert set(expected) == set(CATEGORIES) - {"social"}
    assert dict(about.weights) == pytest.approx(dict(zip(CATEGORIES, (0.35, 0.25, 0.2, 0.15, 0.05), strict=True)))
    for line in shown.categories:
        if line.reach:
            assert line.reach.least <= line.reach.average <= line.reach.most


def test_of_another_kind_of_model_nothing_is_claimed():
    assert about_model(object(), as_of=NOON) == About(as_of=NOON)
    assert all(line.reach is None for line in said().categories)


def test_groups_are_of_the_five_categories():
    assert list(GROUPS) == list(CATEGORIES)


OF_THREE = model_rows(600.0, [[1.0] * len(COLUMNS)] * 3, frozenset({"social"}))
THREE = pd.DataFrame([[1.0] * len(COLUMNS)] * 3, columns=COLUMNS)


@pytest.mark.parametrize(
    ("row", "features", "groups", "error", "message"),
    [
        (3, THREE, GROUPS, ParameterError, "row must be within 0 to 2, got 3"),
        (-1, THREE, GROUPS, ParameterError, "row must be within 0 to 2, got -1"),
        (0, THREE.head(2), GROUPS, FeatureColumnsError, "must be the 3 rows that were explained, got 2"),
        (0, THREE.drop(columns=COLUMNS[0]), GROUPS, FeatureColumnsError, f"'{COLUMNS[0]}' missing"),
        (0, THREE, {"social": GROUPS["social"]}, CategoryError, "each of the 20 columns that were explained"),
        (0, THREE, GROUPS | {"social": ["else"]}, CategoryError, "each of the 20 columns that were explained"),
    ],
)
def test_what_was_not_explained_is_not_put_into_words(row, features, groups, error, message):
    with pytest.raises(error, match=message):
        explain_member(OF_THREE, row, features, groups, registry)


def test_columns_of_a_withheld_category_may_be_absent():
    said = explain_member(OF_THREE, 2, THREE.drop(columns=GROUPS["social"]), GROUPS, registry)
    assert said.withheld == ("social",)
