"""A batch from features to files: what is told, what is refused, what is on record."""

from __future__ import annotations

import pandas as pd
import pytest

from benne.errors import BatchChanged, ConsentRequired, InsufficientEvidence
from benne.features.categories import CATEGORIES
from benne.scoring.batch import score_frame
from tests.scoring.batch.conftest import ASKED

TWO = ("credit_history", "ability")


def test_a_batch_gives_what_a_frame_in_memory_gives(batches):
    platform = batches.platform
    for number, granularity in enumerate(("exact", "band", "threshold", "exact", "exact")):
        platform.grant(number, granularity=granularity)
    platform.grant(5, TWO, granularity="exact")
    frame = platform.features({**dict.fromkeys(range(5), CATEGORIES), 5: TWO, 6: ()})
    path = batches.write(frame)
    platform.ledger.withdraw(platform.member(3), "lending", "shop", None)
    platform.ledger.withdraw(platform.member(4), "lending", "shop", ["social"])
    summary = batches.run(path)
    expected = score_frame(frame, platform.model, platform.ledger, ASKED)
    pd.testing.assert_frame_equal(batches.scores(), expected.as_permitted().reset_index(), check_exact=True)
    assert batches.refusals() == dict(zip(expected.refused["subject_id"], expected.refused["reason"], strict=True))
    assert summary.refused == expected.reasons
    assert (summary.rows, summary.scored) == (7, len(expected.scores))


def test_each_chunk_is_one_record_and_no_row_of_decisions(batches, five):
    before = batches.platform.rows("decisions")
    summary = batches.run(five)
    assert summary.records == len(batches.records()) == 3
    assert [row["outcome"] for row in batches.records()] == ["scored:2/refused:0"] * 2 + ["scored:1/refused:0"]
    assert {row["model_id"] for row in batches.records()} == {batches.model.model_id}
    assert batches.platform.rows("decisions") == before
    assert batches.chain_is_intact()


def test_nothing_is_left_behind_but_the_files(batches, five):
    batches.run(five)
    names = sorted(path.name for path in batches.folder.iterdir())
    assert names == [
        "features.parquet",
        "refused.parquet",
        "scores.leaves.parquet",
        "scores.parquet",
        "scores.proofs.parquet",
    ]


def test_the_files_do_not_depend_on_the_size_of_the_chunks(batches, five):
    batches.run(five, chunk_rows=1)
    one = batches.scores()
    batches.run(five, chunk_rows=100)
    pd.testing.assert_frame_equal(batches.scores(), one, check_exact=True)


def test_nobody_who_consents_is_an_error_without_a_file_and_every_denial_is_on_record(batches):
    path = batches.write(batches.platform.features(dict.fromkeys(range(3), CATEGORIES)))
    with pytest.raises(ConsentRequired, match="got consent-required"):
        batches.run(path)
    assert [path.name for path in batches.folder.iterdir()] == ["features.parquet"]
    assert [row["outcome"] for row in batches.records()] == ["scored:0/refused:2", "scored:0/refused:1"]


def test_nobody_at_all_is_an_error_too(batches):
    path = batches.write(batches.platform.features({1: CATEGORIES}).iloc[:0])
    with pytest.raises(ConsentRequired, match="got an empty frame"):
        batches.run(path)
    assert batches.records() == []


def test_files_too_thin_are_not_a_question_of_consent(batches, real_model):
    batches.platform.grant(1, granularity="exact")
    frame = batches.platform.features({1: CATEGORIES})
    frame[[f"x_{c}" for c in CATEGORIES]] = float("nan")
    with pytest.raises(InsufficientEvidence, match="got insufficient-evidence"):
        batches.run(batches.write(frame), model=real_model)


def test_a_purpose_that_may_only_benefit_tells_neither_score_nor_band(batches):
    batches.platform.grant(1, purpose="deposit_waiver", granularity="exact")
    path = batches.write(batches.platform.features({1: CATEGORIES}))
    batches.run(path, asked=ASKED.__class__("deposit_waiver", "shop", "nightly"))
    told = batches.scores()
    assert told["granularity"].tolist() == ["threshold"]
    assert told.drop(columns=["subject_id", "as_of", "granularity", "withheld"]).isna().all(axis=None)


def test_what_no_policy_allows_is_refused_to_everybody(batches):
    batches.platform.grant(1, purpose="model_training")
    path = batches.write(batches.platform.features({1: CATEGORIES}))
    with pytest.raises(ConsentRequired, match="got purpose-not-allowed"):
        batches.run(path, asked=ASKED.__class__("model_training", "shop", "nightly"))


def test_to_go_on_takes_something_to_go_on_with(batches, five):
    with pytest.raises(BatchChanged, match="got none there"):
        batches.run(five, must_resume=True)
    assert batches.records() == []


def test_progress_is_told_in_rows(batches, five):
    told = []
    from benne.scoring.batch.run import score_batch
    from benne.scoring.policy import default_policies

    score_batch(
        batches.batch(five), batches.model, batches.live, default_policies(), lambda done, of: told.append((done, of))
    )
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
