import dataclasses

import numpy as np
import pandas as pd
import pytest

from benne.errors import GamingError, WeightContractError
from benne.experiments.gaming.capping import cap_cheap
from benne.experiments.labelling import LabelledRows
from benne.models import CreditScoreModel

from .conftest import AS_OF, CATEGORIES, QUICK, WEIGHTS, made

MIXED = CATEGORIES | {"social": ["friends", "fans", "old"]}


@pytest.fixture(scope="module")
def rows():
    """The made-up members, with a social feature that is not cheap beside the cheap ones."""
    drawn = made(1500, 5)
    noise = np.random.default_rng(6).normal(size=1500)
    old = np.where(drawn.X["friends"].isna(), np.nan, noise - drawn.X["late"])
    index = pd.MultiIndex.from_arrays([[f"m{k}" for k in range(1500)], [pd.Timestamp(AS_OF)] * 1500],
                                      names=["subject_id", "as_of"])  # fmt: skip
    return LabelledRows(drawn.X.assign(old=old).set_axis(index, axis=0), drawn.bad, {})


def new(categories):
    return CreditScoreModel(categories, WEIGHTS, booster=QUICK, own_booster_gap=None, unconstrained_price=False)


def test_a_cap_that_holds_already_asks_for_no_penalty(rows, options):
    capped = cap_cheap(rows, new(MIXED), 600.0, gaming=options)
    assert (capped.penalty, len(capped.trials), capped.price) == (1.0, 1, 0.0)


@pytest.fixture(scope="module")
def capped(rows, options):
    """The cap found, and every penalty that was told of."""
    heard = []
    return cap_cheap(rows, new(MIXED), 5.0, gaming=options, on_trial=heard.append), heard


def test_cheap_features_are_held_down_until_the_cap_holds(capped):
    found, heard = capped
    assert found.cheap == ("friends", "fans")
    assert found.trials["penalty"].tolist() == heard
    assert found.trials["cheap_points"].iloc[0] > 5.0
    assert (found.trials["cheap_points"].iloc[:-1] > 5.0).all()
    assert found.trials["cheap_points"].iloc[-1] <= 5.0
    assert found.options.extra["feature_contri"] == [1.0, 1.0, found.penalty, found.penalty, 1.0]


def test_the_contract_holds_under_a_cap(rows, capped):
    model = new(MIXED).set_params(booster=capped[0].options).fit(rows.features, rows.bad)
    shares = model.contract_report_.shares
    np.testing.assert_allclose(shares["reference"], shares["target"], atol=1e-9)


def test_a_category_of_cheap_features_alone_cannot_be_capped_away(rows, options):
    bare = dataclasses.replace(rows, features=rows.features.drop(columns="old"))
    with pytest.raises(WeightContractError, match="cannot hold with cheap features held down"):
        cap_cheap(bare, new(CATEGORIES), 0.0, gaming=options)


@pytest.mark.parametrize("cap", [-1.0, float("nan")])
def test_a_cap_that_is_no_number_of_points_is_refused(rows, options, cap):
    with pytest.raises(GamingError, match="A cap must be points from 0 up"):
        cap_cheap(rows, new(MIXED), cap, gaming=options)


def test_too_few_members_to_attack_is_said(rows, options):
    few = rows.part(np.arange(200), {})
    with pytest.raises(GamingError, match="At least 100 members must be held out to attack"):
        cap_cheap(few, new(MIXED), 5.0, gaming=options)
