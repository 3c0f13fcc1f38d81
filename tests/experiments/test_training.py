from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import ConsentRequired, LabelError
from benne.experiments.training import LabelledRows, label_rows, require_training_consent, train_model
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


def test_a_member_is_on_one_side_of_the_split_only(rows, new_model):
    later = rows.features.rename(index={AS_OF: AS_OF + pd.Timedelta(days=90)}, level="as_of")
    twice = LabelledRows(pd.concat([rows.features, later]), np.concatenate([rows.bad, rows.bad]), {})
    run = train_model(twice, new_model())
    sides = [set(side.features.index.get_level_values("subject_id")) for side in (run.train, run.test)]
    assert not sides[0] & sides[1]
    assert len(run.train.bad) + len(run.test.bad) == 2 * len(rows.bad)


def test_the_same_seed_gives_the_same_run(rows, new_model, training_run):
    again = train_model(rows, new_model())
    assert again.evaluation.metrics == training_run.evaluation.metrics


def test_test_rows_that_the_model_must_refuse_are_left_out_and_counted(rows, new_model, training_run):
    frame = rows.features.copy()
    chosen = training_run.test.features.index[:3]
    frame.loc[chosen, "income"] = np.nan  # training never had a null there
    run = train_model(LabelledRows(frame, rows.bad, {}), new_model())
    assert run.test.left_out == {"value-not-scorable": 3}
    assert run.evaluation.rows == training_run.evaluation.rows - 3


def test_what_is_being_done_is_said(rows, new_model):
    said: list[str] = []
    train_model(rows, new_model(), on_step=said.append)
    assert said == ["fitting booster, contract and calibration", "evaluating on members not trained on"]
