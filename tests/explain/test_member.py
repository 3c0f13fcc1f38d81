from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from benne.explain import explain_member
from benne.features import CATEGORIES, registry
from benne.models import Explanation

GROUPS = {category: registry.columns(category)[:3] for category in CATEGORIES}
COLUMNS = [column for columns in GROUPS.values() for column in columns]
OUTLOOK = {
    "band": np.array(["fair"]), "pd": np.array([0.04]), "pd_low": np.array([0.02]), "pd_high": np.array([0.0831]),
    "percentile": np.array([40.0]), "thin": np.array([False]),
}  # fmt: skip


def explained(base, points, withheld=frozenset(), values=None, **outlook):
    """A score of the given parts, held within 350 and 950, in words."""
    row = pd.DataFrame([points], columns=COLUMNS)
    totals = pd.DataFrame({c: row[columns].sum(axis=1) for c, columns in GROUPS.items()})
    unclipped = base + float(np.sum(points))
    score = min(max(unclipped, 350.0), 950.0)
    parts = Explanation(
        np.array([base]), row, totals, np.array([score - unclipped]), np.array([score]),
        withheld=(frozenset(withheld),), **OUTLOOK | outlook,
    )  # fmt: skip
    features = pd.DataFrame([values or [1.0] * len(COLUMNS)], columns=COLUMNS)
    return explain_member(parts, 0, features, GROUPS, registry)


POINTS = st.lists(st.floats(-120, 120), min_size=len(COLUMNS), max_size=len(COLUMNS))
WITHHELD = st.sets(st.sampled_from(CATEGORIES), max_size=4)


def nothing_where_withheld(points, withheld):
    gone = {column for category in withheld for column in GROUPS[category]}
    return [0.0 if column in gone else p for column, p in zip(COLUMNS, points, strict=True)]


@given(st.floats(300, 1000), POINTS, WITHHELD)
def test_shown_whole_points_add_up_at_both_levels(base, points, withheld):
    said = explained(base, nothing_where_withheld(points, withheld), withheld)
    assert said.base_shown + sum(c.shown for c in said.categories) + said.clipped_shown == said.shown
    for category in said.categories:
        if not category.withheld:
            assert sum(feature.shown for feature in category.features) == category.shown
    assert said.gap < 1e-9


@given(st.floats(300, 1000), POINTS, WITHHELD)
def test_a_withheld_category_shows_nothing(base, points, withheld):
    said = explained(base, nothing_where_withheld(points, withheld), withheld)
    for category in said.categories:
        if category.withheld:
            assert (category.points, category.shown, category.features) == (0.0, 0, ())


@given(st.floats(300, 1000), POINTS)
def test_a_score_within_the_scale_shows_no_clipping(base, points):
    said = explained(base, points)
    assert said.clipped != 0.0 or said.clipped_shown == 0


def test_an_explanation_by_hand():
    points = [0.0] * len(COLUMNS)
    points[COLUMNS.index(GROUPS["credit_history"][0])] = 30.4
    points[COLUMNS.index(GROUPS["ability"][0])] = -10.2
    said = explained(600.0, points)
    assert [said.shown, said.base_shown, said.clipped_shown] == [620, 600, 0]
    assert {c.name: c.shown for c in said.categories if c.shown} == {"credit_history": 30, "ability": -10}
    assert [feature.points for feature in said.features()][:2] == [30.4, -10.2]


def test_categories_come_in_their_fixed_order():
    assert [c.name for c in explained(600.0, [0.0] * len(COLUMNS)).categories] == list(CATEGORIES)


def test_a_score_beyond_the_scale_says_that_it_was_held():
    said = explained(940.0, [10.0, 10.0] + [0.0] * (len(COLUMNS) - 2))
    assert (said.shown, said.clipped_shown) == (950, -10)
    assert "Held at the end of the scale" in said.as_text()


def test_what_is_not_known_is_said_in_the_registrys_words_and_blames_nobody():
    name = next(column for column in COLUMNS if registry[column].null_means)
    values = [np.nan if column == name else 1.0 for column in COLUMNS]
    points = [5.0 if column == name else 0.0 for column in COLUMNS]
    line = next(explained(600.0, points, values=values).features())
    assert (line.name, line.value, line.reason) == (name, None, "")
    assert registry[name].null_means in line.sentence


def test_the_reason_follows_the_sign_of_the_points():
    spec = registry[COLUMNS[0]]
    up, down = (next(explained(600.0, [p] + [0.0] * (len(COLUMNS) - 1)).features()) for p in (5.0, -5.0))
    assert (up.reason, down.reason) == (spec.favourable_reason, spec.adverse_reason)


def test_the_text_names_no_more_features_than_asked():
    text = explained(600.0, [5.0] * len(COLUMNS)).as_text(features=1)
    named = [line for line in text.splitlines() if line.startswith("      ") and "All others" not in line]
    assert len(named) == len(CATEGORIES)
    assert text.splitlines()[0] == "Score 675 of 350 to 950 (fair)"


def test_the_lines_of_a_category_add_up_as_they_are_shown():
    lines = explained(600.0, [5.25, -2.5, 1.0] * len(CATEGORIES)).as_text(features=1).splitlines()
    of_category, of_features = [], []
    for line in lines[2 : 2 + 3 * len(CATEGORIES)]:  # a number ends in column 8 for a category, in 12 for a feature
        number = re.match(r"\s*[+-]\d+", line)[0]
        (of_features if len(number) == 12 else of_category).append(int(number))
    assert len(of_category) == len(CATEGORIES)
    assert [sum(of_features[k : k + 2]) for k in range(0, len(of_features), 2)] == of_category


def test_the_text_says_how_likely_and_how_sure():
    text = explained(600.0, [5.0] * len(COLUMNS)).as_text()
    assert "Chance of not honouring: 4.0 % (90 % interval 2.0 to 8.3 %)" in text
    assert "No lower than 40 of 100 members of the reference sample" in text
    assert "Thin file" not in text


def test_the_text_of_a_thin_file_says_so_and_claims_no_place_among_too_few():
    text = explained(600.0, [5.0] * len(COLUMNS), thin=np.array([True]), percentile=np.array([np.nan])).as_text()
    assert "Thin file: nothing is on record in some category" in text
    assert "reference sample" not in text


def test_a_place_among_too_few_is_null_in_json():
    said = explained(600.0, [1.0] * len(COLUMNS), percentile=np.array([np.nan])).as_dict()
    assert json.loads(json.dumps(said, allow_nan=False))["percentile"] is None


def test_the_json_form_is_plain_values():
    said = explained(600.0, [1.0] * len(COLUMNS))
    assert json.loads(json.dumps(said.as_dict()))["shown"] == said.shown


def test_a_column_without_registration_is_named_as_it_is():
    parts = Explanation(
        np.array([600.0]), pd.DataFrame({"own": [7.0]}), pd.DataFrame({"mine": [7.0]}),
        np.array([0.0]), np.array([607.0]), withheld=(frozenset(),), **OUTLOOK,
    )  # fmt: skip
    said = explain_member(parts, 0, pd.DataFrame({"own": [1.0]}), {"mine": ["own"]}, registry)
    assert (said.categories[0].label, said.categories[0].features[0].label) == ("mine", "own")


def test_the_text_of_an_unusual_file_says_so_and_one_of_unknown_rarity_says_nothing():
    rare, known, unknown = (
        explained(600.0, [5.0] * len(COLUMNS), rare=flag) for flag in (np.array([True]), np.array([False]), None)
    )
    assert "Unusual file: few like it to learn from" in rare.as_text()
    assert "Unusual file" not in known.as_text() + unknown.as_text()
    assert (rare.as_dict()["rare"], known.as_dict()["rare"], unknown.as_dict()["rare"]) == (True, False, None)
    assert "Some of your figures are unlike" in rare.as_dict()["outlook"]["rare"]
