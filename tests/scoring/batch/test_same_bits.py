"""Online, in a frame, in a file and from the model itself: the same features and consents give the same bits."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS
from benne.features.engines.online import FeatureVector
from benne.models import CreditScoreModel, withheld_of
from benne.scoring.batch import Asked, score_frame
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.live import Live
from benne.scoring.batch.parquet_source import open_parquet
from benne.scoring.batch.run import Batch, score_batch
from benne.scoring.decisions.request import Actor, Refusal, ScoreAnswer, ScoreRequest
from benne.scoring.policy import Asked as AskedOnline
from tests.scoring.batch.conftest import Entropy, values_of
from tests.scoring.service.conftest import model_folder, running, terms_folder, verdicts

__all__ = ["model_folder", "running", "terms_folder", "verdicts"]

PATTERNS = (
    CATEGORIES,
    CATEGORIES[:4],
    ("credit_history", "behaviour", "ability"),
    ("credit_history", "ability"),
    ("credit_history", "ability", "social"),
    ("credit_history",),
    (),
)
MEMBERS = 56
ASKED = Asked("lending", "shop", "nightly")


@pytest.fixture
def scene(running, tmp_path):
    """A service whose members differ in what they consent to; the features of all of them as a frame."""
    running.register()
    values = values_of(MEMBERS, seed=3, missing=0.0)
    names = [f"member-{number}" for number in range(MEMBERS)]
    for number, name in enumerate(names):
        if PATTERNS[number % len(PATTERNS)]:
            running.grant(name, PATTERNS[number % len(PATTERNS)])
    now = datetime.now(UTC)
    consented = np.array([[c in PATTERNS[n % len(PATTERNS)] for c in CATEGORIES] for n in range(MEMBERS)])
    known = np.where(consented, values.to_numpy(), np.nan)
    columns = tuple(values.columns)
    vectors = [
        FeatureVector(running.member(name), now, columns, known[n], dict(zip(CATEGORIES, consented[n], strict=True)))
        for n, name in enumerate(names)
    ]
    with running.service.store.write() as connection:
        now_us = int(now.timestamp() * 1e6)
        running.service.vectors.keep(connection, vectors, purpose="lending", recipient="shop", now_us=now_us)
    subjects = [vector.subject_id for vector in vectors]
    index = pd.MultiIndex.from_arrays(
        [subjects, pd.DatetimeIndex([now] * MEMBERS).as_unit("us")], names=["subject_id", "as_of"]
    )
    frame = pd.DataFrame(known, columns=list(columns), index=index)
    frame[list(MASK_COLUMNS.values())] = consented
    return running, frame


def online(running, subjects):
    """Score of each member by the service, or the reason there is none."""
    asked = AskedOnline(
        recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact"
    )
    requests = [
        ScoreRequest(subject_id=s, asked=asked, actor=Actor("shop", "recipient"), registered_for=frozenset({"lending"}))
        for s in subjects
    ]
    answers = running.service.maker.decide(requests)
    return {s: a.score if isinstance(a, ScoreAnswer) else a for s, a in zip(subjects, answers, strict=True)}


def in_a_batch(running, frame, folder, model):
    frame.reset_index().to_parquet(folder / "features.parquet")
    entropy = Entropy()
    live = Live(running.service.store, lambda: datetime.now(UTC), entropy.bytes, entropy.id)
    batch = Batch(
        features=lambda _: open_parquet(folder / "features.parquet"), out=folder / "scores.parquet", asked=ASKED,
        refused=folder / "refused.parquet", chunk_rows=9,
    )  # fmt: skip
    score_batch(batch, model, live, running.service.policies)
    scores, refused = (pd.read_parquet(folder / f"{name}.parquet") for name in ("scores", "refused"))
    return scores.set_index("subject_id"), dict(zip(refused["subject_id"], refused["reason"], strict=True))


def bits(numbers):
    return np.asarray(numbers, dtype=np.float64).tobytes()


def test_every_way_to_a_score_gives_the_same_bits(scene, model_folder, tmp_path):
    running, frame = scene
    model = BatchModel.load(model_folder)
    scores, refused = in_a_batch(running, frame, tmp_path, model)
    memory = score_frame(frame, model.model, running.service.ledger, ASKED)
    told = online(running, list(frame.index.get_level_values("subject_id")))
    members = scores.index.tolist()
    assert len(members) == 5 * MEMBERS // len(PATTERNS)
    assert {s for s, answer in told.items() if isinstance(answer, Refusal)} == set(refused)
    assert bits(scores["score"]) == bits([told[member] for member in members])
    in_memory = memory.scores.reset_index("as_of", drop=True).loc[members]
    for name in scores.columns.drop(["as_of", "band", "withheld", "granularity", "thin_file", "rare"]):
        assert bits(scores[name]) == bits(in_memory[name]), name
    rows = frame[frame.index.get_level_values("subject_id").isin(members)]
    alone = [
        CreditScoreModel.load(model_folder).predict_score(rows.iloc[[k]], withheld_of(rows.iloc[[k]]))[0]
        for k in range(9)
    ]
    assert bits(scores["score"].iloc[:9]) == bits(alone)


def test_refusals_online_and_in_a_batch_have_the_same_reasons(scene, model_folder, tmp_path):
    running, frame = scene
    _, refused = in_a_batch(running, frame, tmp_path, BatchModel.load(model_folder))
    told = online(running, list(refused))
    assert {member: answer.reason for member, answer in told.items()} == refused
    assert set(refused.values()) == {"consent-required", "insufficient-categories"}


def test_the_model_is_on_record_under_the_same_name(scene, model_folder, tmp_path):
    running, frame = scene
    in_a_batch(running, frame, tmp_path, BatchModel.load(model_folder))
    online(running, [frame.index[0][0]])
    named = {
        (row["type"], row["model_id"], row["config_hash"]) for row in running.rows("audit_records") if row["model_id"]
    }
    assert {kind for kind, _, _ in named} >= {"scores_batched", "score_decided"}
    assert len({model_id for kind, model_id, _ in named if kind in ("scores_batched", "score_decided")}) == 1
