from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import ConsentRequired, LabelError
from benne.experiments.labelling import LabelledRows, label_rows, require_training_consent
from benne.features.consent_mask import MASK_COLUMNS
from benne.features.frames import FeatureFile, Provenance

AS_OF = pd.Timestamp("2025-07-01", tz="UTC")


def features_of(consents: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """One feature, and who withholds what."""
    index = pd.MultiIndex.from_tuples([(name, AS_OF) for name in consents], names=["subject_id", "as_of"])
    mask = {column: [c not in withheld for withheld in consents.values()] for c, column in MASK_COLUMNS.items()}
    return pd.DataFrame({"x": np.arange(len(consents), dtype=float), **mask}, index=index)


def outcomes_of(**bad: float | None) -> pd.DataFrame:
    return pd.DataFrame({"subject_id": list(bad), "as_of": AS_OF, "bad": pd.array(list(bad.values()), dtype="boolean")})


def test_rows_without_consent_or_outcome_are_left_out_and_counted():
    features = features_of({"anna": (), "bert": ("ability",), "carl": (), "dora": ("social",)})
    rows = label_rows(features, outcomes_of(dora=True, anna=False, bert=True, carl=None))
    assert rows.features.index.get_level_values("subject_id").tolist() == ["anna", "dora"]
    assert rows.bad.tolist() == [0.0, 1.0]
    assert rows.left_out == {
        "no consent to training": 0,
        "outcome not known": 1,
        "no consent to ability, without which there is no score": 1,
    }


def test_every_row_that_may_not_train_is_counted_under_its_own_reason():
    withheld = {
        "all": tuple(MASK_COLUMNS), "history": ("credit_history",), "ability": ("ability", "social"),
        "both": ("credit_history", "ability"), "gone": ("ability",), "censored": (), "fit": ("behaviour",),
    }  # fmt: skip
    features = features_of(withheld)
    stands = features.index.get_level_values("subject_id") != "gone"
    outcomes = outcomes_of(**{name: None if name == "censored" else True for name in withheld})
    rows = label_rows(features, outcomes, stands=stands)
    assert rows.features.index.get_level_values("subject_id").tolist() == ["fit"]
    assert rows.left_out == {
        "no consent to training": 1,
        "outcome not known": 1,
        "consent to training has ended": 1,
        "no consent to credit_history, without which there is no score": 1,
        "no consent to ability, without which there is no score": 1,
        "no consent to credit_history and ability, without which there is no score": 1,
    }


def test_training_where_nobody_consents_is_refused_for_want_of_consent_with_the_reasons():
    features = features_of({"anna": tuple(MASK_COLUMNS), "bert": ("ability",)})
    with pytest.raises(
        ConsentRequired, match=r"got none \(no consent to training: 1; no consent to ability, .* no score: 1\)"
    ):
        label_rows(features, outcomes_of(anna=True, bert=False))


def test_two_outcomes_of_one_observation_are_refused():
    twice = pd.concat([outcomes_of(anna=True), outcomes_of(anna=False)])
    with pytest.raises(LabelError, match="each observation once"):
        label_rows(features_of({"anna": ()}), twice)


def test_outcomes_of_other_members_are_refused():
    with pytest.raises(LabelError, match=r"\(outcome not known: 1\)\. Check .* share subject ids"):
        label_rows(features_of({"anna": ()}), outcomes_of(bert=True))


def provenance(purpose: str | None) -> Provenance:
    return Provenance("the ledger", purpose, "platform", "e", "k")


def test_only_features_made_for_training_may_train():
    frame = features_of({"anna": ()})
    with pytest.raises(ConsentRequired, match="computed for model_training, got some computed for lending"):
        require_training_consent(FeatureFile(frame, provenance("lending")))
    with pytest.raises(ConsentRequired, match="got a file that does not"):
        require_training_consent(FeatureFile(frame, None))
    kept = FeatureFile(frame, provenance("model_training"))
    assert require_training_consent(kept) is kept
    assert require_training_consent(FeatureFile(frame, provenance(None))).provenance.purpose is None


def test_weights_come_from_a_column_of_the_outcomes():
    outcomes = outcomes_of(anna=True, bert=False, carl=None).assign(stands_for=[2.0, 0.5, np.nan])
    rows = label_rows(features_of({"bert": (), "anna": (), "carl": ()}), outcomes, weight="stands_for")
    assert rows.weight is not None
    assert rows.weight.tolist() == [0.5, 2.0]
    assert label_rows(features_of({"anna": ()}), outcomes).weight is None


def test_a_weight_that_cannot_be_is_refused():
    features = features_of({"anna": (), "bert": ()})
    outcomes = outcomes_of(anna=True, bert=False)
    with pytest.raises(LabelError, match="got no 'stands_for'"):
        label_rows(features, outcomes, weight="stands_for")
    with pytest.raises(LabelError, match="finite and not negative"):
        label_rows(features, outcomes.assign(stands_for=[1.0, np.nan]), weight="stands_for")


def test_what_a_member_is_like_is_in_no_log():
    rows = LabelledRows(features_of({"anna": ()}), np.array([1.0]), {"outcome not known": 2}, np.array([0.25]))
    assert repr(rows) == "LabelledRows(left_out={'outcome not known': 2})"
