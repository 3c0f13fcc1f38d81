"""Rows unlike those that a model learned from: values beyond the training data's ends, counted by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benne.models import CreditScoreModel
from benne.models.rarity import Rarity, beyond, fewest_beyond

NAN = np.nan
ENDS = (np.array([0.0, -1.0, NAN]), np.array([1.0, 1.0, NAN]))


def test_values_beyond_their_range_are_counted_and_the_ends_are_within():
    X = np.array([[0.0, 1.0, 99.0], [-0.1, 1.1, 99.0], [2.0, NAN, NAN], [NAN, NAN, NAN]])
    assert beyond(X, *ENDS).tolist() == [0, 2, 1, 0], "what is not known, or has no range, is not beyond it"
    assert Rarity(*ENDS, fewest=2).rare(X).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("with_one", "with_two", "fewest"),
    [(2, 0, 1), (3, 0, 2), (3, 2, 2), (0, 3, 3), (0, 0, 1)],
)
def test_no_more_than_two_in_a_hundred_training_rows_are_rare(with_one, with_two, fewest):
    X = np.zeros((100, 3))
    X[:with_one, 0] = 5.0
    X[50 : 50 + with_two, :2] = 5.0
    # Rows with two values beyond also have one.
    assert fewest_beyond(X, [(0.0, 1.0), (-1.0, 1.0), None]) == fewest


def test_a_model_tells_what_it_has_seen_little_of(model, members):
    own = model.rare(members.X)
    assert 0 < own.mean() <= 0.02
    stranger = members.X.iloc[[0]].assign(income=40.0, utilisation=-40.0, friends=40.0)
    assert model.rare(stranger).tolist() == [True]
    told = model.explain(members.X)
    assert told.rare.tolist() == told.table()["rare"].tolist() == own.tolist()


def test_a_withheld_category_makes_nobody_rare(model, members):
    stranger = members.X.iloc[[0]].assign(friends=40.0, utilisation=40.0)
    assert model.rare(stranger).tolist() == [True]
    assert model.rare(stranger, {"behaviour", "social"}).tolist() == [False]


def test_a_model_saved_before_cannot_tell_and_says_so(model, members, tmp_path):
    saved = tmp_path / "model"
    model.save(saved)
    (saved / "histograms.json").unlink()
    manifest = json.loads((saved / "manifest.json").read_text())
    del manifest["files"]["histograms.json"]
    (saved / "manifest.json").write_text(json.dumps(manifest | {"format_version": 4}))
    loaded = CreditScoreModel.load(saved)
    assert loaded.rare(members.X) is None
    told = loaded.explain(members.X.head(2))
    assert told.rare is None
    assert told.table()["rare"].isna().all(), "unknown, which is not no"
