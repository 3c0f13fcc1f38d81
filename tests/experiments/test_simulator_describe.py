"""What features carry is described by category and feature; a constant one fails the build."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import SimulationError
from benne.experiments.simulator import describe
from benne.features import MASK_COLUMNS

GROUPS = {"ability": ["income"], "social": ["ratings", "flat"]}


def table(n: int = 600) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Income decides the outcome; ratings are noise, null for every third; one column says nothing."""
    rng = np.random.default_rng(1)
    keys = pd.DataFrame({"subject_id": [f"s{i:04d}" for i in range(n)], "as_of": pd.Timestamp("2025-07-01", tz="UTC")})
    income = rng.normal(size=n)
    ratings = np.where(np.arange(n) % 3 == 0, np.nan, rng.normal(size=n))
    features = pd.DataFrame({"income": income, "ratings": ratings, "flat": 1.0}, index=pd.MultiIndex.from_frame(keys))
    return features, keys.assign(bad=income < -0.5)


def test_a_category_that_decides_the_outcome_separates_and_noise_does_not() -> None:
    described = describe(*table(), categories=GROUPS)
    assert described.categories.loc["ability", "auc"] > 0.95
    assert described.categories.loc["social", "auc"] == pytest.approx(0.5, abs=0.08)


def test_coverage_and_distinct_values_are_counted() -> None:
    features = describe(*table(), categories=GROUPS).features
    assert features.loc["ratings", "coverage"] == pytest.approx(2 / 3)
    assert features.loc["ratings", "distinct"] == 400
    assert features.loc["flat", "distinct"] == 1


def test_a_constant_feature_fails_the_build() -> None:
    described = describe(*table(), categories=GROUPS)
    assert described.constant == ["flat"]
    with pytest.raises(SimulationError, match="Every feature must vary in the simulated world, got a constant flat"):
        described.refuse_constant()


def test_features_that_all_vary_pass() -> None:
    describe(*table(), categories={"ability": ["income"]}).refuse_constant()


def test_a_category_is_judged_on_those_who_share_it() -> None:
    features, outcomes = table()
    consented = {column: np.arange(len(features)) < 450 for column in MASK_COLUMNS.values()}
    described = describe(features.assign(**consented), outcomes, categories=GROUPS)
    assert described.categories["observations"].tolist() == [450, 450]
    assert described.features.loc["flat", "coverage"] == 1.0


def test_the_order_of_the_outcomes_does_not_matter() -> None:
    features, outcomes = table()
    shuffled = outcomes.sample(frac=1.0, random_state=3)
    one = describe(features, outcomes, categories=GROUPS)
    other = describe(features, shuffled, categories=GROUPS)
    pd.testing.assert_frame_equal(one.categories, other.categories)


def test_censored_outcomes_are_left_out_of_the_judgement() -> None:
    features, outcomes = table()
    censored = outcomes.assign(bad=outcomes["bad"].astype("boolean").where(np.arange(len(outcomes)) % 2 == 0))
    assert describe(features, censored, categories=GROUPS).categories.loc["ability", "auc"] > 0.9


def test_too_few_of_a_class_give_no_figure() -> None:
    features, outcomes = table(40)
    outcomes = outcomes.assign(bad=np.arange(40) < 3)
    assert np.isnan(describe(features, outcomes, categories=GROUPS).categories.loc["ability", "auc"])


def test_outcomes_of_other_members_are_refused() -> None:
    features, outcomes = table()
    with pytest.raises(SimulationError, match="Outcomes must belong to the observations"):
        describe(features, outcomes.assign(subject_id="x" + outcomes["subject_id"]), categories=GROUPS)


def test_two_outcomes_of_one_observation_are_refused() -> None:
    features, outcomes = table()
    with pytest.raises(SimulationError, match="one row per subject_id and as_of, got repeats"):
        describe(features, pd.concat([outcomes, outcomes]), categories=GROUPS)
