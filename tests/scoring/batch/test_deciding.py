"""What is told about each row of a chunk, given what the ledger answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benne.errors import ExplanationError, InsufficientEvidence
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS
from benne.scoring.batch import Asked
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.chunk import Chunk
from benne.scoring.batch.deciding import decide_rows
from benne.scoring.batch.rules import rules_of
from benne.scoring.batch.told import outcome_schema
from benne.scoring.consent.decision import Permission
from benne.scoring.policy import default_policies
from tests.scoring.conftest import HandMadeModel

RULES = rules_of(Asked("lending", "shop", "nightly"), default_policies())
ALL = frozenset(CATEGORIES)


def chunk_of(*computed: frozenset[str]) -> Chunk:
    rows = len(computed)
    values = {f"x_{c}": [1.0 if c in one else np.nan for one in computed] for c in CATEGORIES}
    mask = {MASK_COLUMNS[c]: [c in one for one in computed] for c in CATEGORIES}
    subjects = pa.array([f"{row:032x}" for row in range(rows)], pa.large_string())
    return Chunk(0, subjects, np.arange(rows), pd.DataFrame({**values, **mask}))


def decided(chunk, answers, model=None, rules=RULES):
    held = BatchModel(model or HandMadeModel(), "benne/1", "ab" * 32, CATEGORIES)
    table = decide_rows(chunk, answers, held, rules)
    assert table.schema.equals(outcome_schema(CATEGORIES))
    assert table.num_rows == len(chunk)
    return table.to_pandas()


def test_a_row_is_scored_or_has_a_reason():
    two = frozenset({"credit_history", "ability"})
    table = decided(
        chunk_of(ALL, two, ALL, frozenset()),
        [Permission(ALL, "exact"), Permission(two, "exact"), "consent-withdrawn", "consent-required"],
    )
    assert table["score"].tolist()[:2] == [650.0, 620.0]
    assert table["withheld"].tolist()[:2] == ["", "behaviour,personal_information,social"]
    assert table["reason"].tolist()[2:] == ["consent-withdrawn", "consent-required"]
    assert table.loc[2:].drop(columns=["subject_id", "as_of", "reason"]).isna().all(axis=None)
    assert table["reason"].notna().tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("computed", "permitted", "reason"),
    [
        (ALL, ALL - {"social"}, "consent-changed"),  # withheld since it was computed
        (ALL - {"social"}, ALL, None),  # given since: scored without it
        (ALL - {"ability"}, ALL, "consent-changed"),  # a required one given since: to be built again
    ],
)
def test_features_must_fit_the_consent_there_is_now(computed, permitted, reason):
    table = decided(chunk_of(computed), [Permission(permitted, "exact")])
    assert (table["reason"].iloc[0] if reason else None) == reason
    assert table["score"].isna().tolist() == [reason is not None]


def test_nobody_is_told_more_than_the_purpose_allows():
    rules = rules_of(Asked("rental", "shop", "nightly"), default_policies())
    granularities = ("exact", "band", "threshold")
    table = decided(chunk_of(ALL, ALL, ALL), [Permission(ALL, g) for g in granularities], rules=rules)
    assert table["granularity"].tolist() == ["band", "band", "threshold"]
    assert table["score"].isna().all()
    assert table["band"].notna().tolist() == [True, True, False]


def test_a_chunk_of_which_nobody_consents_is_a_table_of_the_same_columns():
    assert decided(chunk_of(ALL, ALL), ["consent-required"] * 2)["score"].isna().all()


def test_no_row_is_scored_where_nobody_may_be():
    model = HandMadeModel()
    rules = rules_of(Asked("model_training", "shop", "nightly"), default_policies())
    table = decided(chunk_of(ALL), [Permission(ALL, "exact")], model, rules)
    assert table["reason"].tolist() == ["purpose-not-allowed"]
    assert model.rows_seen == 0


def test_the_model_is_asked_about_nobody_who_does_not_consent():
    model = HandMadeModel()
    decided(chunk_of(ALL, ALL, ALL), ["consent-required", Permission(ALL, "exact"), "consent-expired"], model)
    assert model.rows_seen == 1


def test_a_score_that_does_not_add_up_ends_the_chunk():
    model = HandMadeModel()
    model.error = 1e-6
    with pytest.raises(ExplanationError, match="must add up"):
        decided(chunk_of(ALL), [Permission(ALL, "exact")], model)


class Contrary(HandMadeModel):
    """Refuses a table, and none of its rows."""

    def explain(self, X, withheld=()):
        raise InsufficientEvidence("no")

    def predict_score(self, X, withheld=()):
        return np.zeros(len(X))


def test_a_model_that_refuses_for_no_row_is_not_asked_for_ever():
    with pytest.raises(ExplanationError, match="refuses none of them"):
        decided(chunk_of(ALL), [Permission(ALL, "exact")], Contrary())
