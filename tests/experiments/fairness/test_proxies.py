"""What tells a protected attribute is found, and what does not is not accused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.proxies import ALL, proxies_in_order, proxy_scan

OPTIONS = FairnessOptions(resamples=40)


def scanned(inputs, protected, members=None, options=OPTIONS):
    members = np.arange(len(inputs)) if members is None else members
    return proxy_scan(inputs, protected, groupings_of(protected, members, options), members, options, 0)


@pytest.fixture(scope="module")
def world():
    """1,000 rows: ``tells`` is high for men, ``curved`` is extreme for the old, ``hidden`` is null for women only."""
    rng = np.random.default_rng(4)
    male, age = rng.random(1000) < 0.5, rng.integers(18, 80, 1000)
    inputs = pd.DataFrame({
        "tells": rng.normal(0, 1, 1000) + 1.5 * male,
        "curved": np.where(age > 50, rng.choice([-3.0, 3.0], 1000), 0.0) + rng.normal(0, 0.5, 1000),
        "hidden": np.where(male | (rng.random(1000) < 0.3), rng.normal(0, 1, 1000), np.nan),
        "noise": rng.normal(0, 1, 1000),
    })  # fmt: skip
    return inputs, pd.DataFrame({"sex": np.where(male, "male", "female"), "age": age})


def test_proxies_are_found_whatever_their_shape_and_a_null_tells_too(world):
    found = scanned(*world)
    sex = found[found["attribute"] == "sex"].set_index("features")
    # Two normals 1.5 apart: AUC is the normal distribution function of 1.5 / sqrt(2), 0.856
    assert sex.loc["tells", "value"] == pytest.approx(0.856, abs=0.03)
    assert sex.loc["tells", "finding"] == "review"
    assert sex.loc["hidden", "value"] == pytest.approx(0.85, abs=0.04)  # 0.5 + 0.7 / 2
    assert sex.loc[ALL, "value"] > sex.loc["tells", "value"]
    assert sex.loc["noise", "finding"] == ""
    assert sex.loc["noise", "low"] < 0.5
    age = found[found["attribute"] == "age"].set_index("features")
    assert set(age["measure"]) == {"R2"}
    assert age.loc["curved", "value"] > 0.4
    assert age.loc["curved", "low"] > 0
    assert age.loc["noise", "value"] < 0.02


def test_inputs_come_in_the_order_in_which_they_tell_and_without_those_that_do_not(world):
    inputs, protected = world
    groupings = groupings_of(protected, np.arange(1000), OPTIONS)
    order = proxies_in_order(inputs, protected, groupings, np.arange(1000), OPTIONS, 0)
    assert set(order) == {"tells", "hidden", "curved"}


def test_a_members_rows_are_never_on_both_sides(world):
    # Every row five times, with an id-like input: it would tell a member's sex perfectly if their rows were split.
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], 100)
    members = np.repeat(np.arange(100), 5)
    inputs = pd.DataFrame({"like_an_id": members.astype(float)})
    found = scanned(inputs, pd.DataFrame({"sex": sex[members]}), members, FairnessOptions(resamples=20, fewest_rows=20))
    assert found["value"].max() < 0.75  # a leak would be 1


def test_too_few_of_a_group_are_insufficient():
    protected = pd.DataFrame({"sex": ["f"] * 20 + ["m"] * 200})
    found = scanned(pd.DataFrame({"x": np.arange(220.0)}), protected)
    assert found["finding"].tolist() == ["INSUFFICIENT"]
    assert "fewer than 50 rows" in found["why"].iloc[0]


def test_members_who_stated_nothing_are_left_out_of_the_question(world):
    inputs, protected = world
    silent = protected.assign(sex=protected["sex"].where(np.arange(1000) % 4 > 0))
    found = scanned(inputs, silent[["sex"]])
    assert set(found["rows"]) == {750}
