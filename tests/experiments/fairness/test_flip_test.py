"""A score that changes with a protected attribute alone is found, however the attribute came in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.experiments.fairness import assess_fairness, fairness_measures
from benne.experiments.fairness.flip_test import carriers_of, flip_test, protected_inputs
from benne.features import registry


def with_sex(features, protected, name):
    """Features that wrongly hold the sex of their member, in a column of some name."""
    coded = (protected["sex"] == "male").to_numpy(dtype=np.float64)
    return features.assign(**{name: coded * 2.0 - 1.0})


def test_no_score_changes_where_the_model_sees_nothing_protected(model, members):
    features, _, protected = members
    found = flip_test(model, features, protected.reset_index(drop=True), 0)
    assert found["changed"].tolist() == [0, 0]
    assert found["carried_by"].tolist() == ["", ""]


@pytest.mark.parametrize("name", ["sex", "title"])
def test_a_model_that_wrongly_uses_the_attribute_is_found_whatever_the_column_is_called(members, fresh, name):
    features, bad, protected = members
    wrong = with_sex(features, protected, name)
    bad = np.where(protected["sex"] == "male", np.maximum(bad, np.arange(len(bad)) % 2), bad)
    cheat = fresh(ability=["income", name]).fit(wrong, bad.astype(int))
    found = flip_test(cheat, wrong, protected.reset_index(drop=True), 0).set_index("attribute")
    assert found.loc["sex", "carried_by"] == name
    assert found.loc["sex", "changed"] > 0.9 * len(wrong)
    assert found.loc["sex", "largest_change"] > 1
    assert found.loc["age", "changed"] == 0
    measured = fairness_measures(assess_fairness(cheat, wrong, bad, protected[["sex"]], cutoffs=[500]))["flip_test"]
    assert measured.value > 0
    assert name in measured.note


def test_what_merely_goes_along_with_an_attribute_does_not_carry_it():
    sex = pd.Series([0, 1] * 50, name="sex")
    noisy = pd.DataFrame({"noisy": sex + np.tile([0.0, 0.0, 0.5, 0.0], 25), "constant": 1.0})
    assert carriers_of(noisy, sex) == []


def test_an_input_that_follows_from_age_carries_it_though_it_is_coarser():
    age = pd.Series(np.tile([20, 30, 40, 50], 25), name="age")
    assert carriers_of(pd.DataFrame({"older": (age > 35) * 1.0}), age) == ["older"]


def test_no_registered_feature_is_about_anything_protected_by_name_or_lineage():
    assert protected_inputs(list(registry)) == []
    assert protected_inputs(["gender_code", "age_years", "on_time_share_365d"]) == ["gender_code", "age_years"]
