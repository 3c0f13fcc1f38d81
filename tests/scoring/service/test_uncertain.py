"""An exact answer says where it is less certain: a thin file, a member like few of those learned from."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benne.features.categories import CATEGORIES
from benne.features.engines.online import FeatureVector
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring.decisions.request import ScoreAnswer
from benne.scoring.decisions.telling import uncertain_of
from benne.scoring.store.vault import NewPayload
from tests.scoring.service.conftest import bearer

NAMES = [f"x_{c}" for c in CATEGORIES]
ORDINARY, FAR, THIN = [0.5] * 5, [30.0] * 5, [0.5, 0.5, 0.5, 0.5, np.nan]


@pytest.fixture(scope="module")
def nulls_known(tmp_path_factory):
    """A model that has seen members with nothing on record in the social category."""
    folder, rng = tmp_path_factory.mktemp("nulls") / "model", np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(800, 5)), columns=NAMES)
    y = (rng.random(800) < 1.0 / (1.0 + np.exp(1.0 - X.sum(axis=1)))).astype(np.int64)
    X.loc[::7, "x_social"] = np.nan
    quick = BoosterOptions(max_trees=20, learning_rate=0.3, patience=10, folds=2, threads=1)
    CreditScoreModel(categories={c: [f"x_{c}"] for c in CATEGORIES}, booster=quick).fit(X, y).save(folder)
    return folder


@pytest.fixture
def asking(running, client, nulls_known):
    """Asks about a member with these values, who consents to everything."""
    running.promote(nulls_known)
    key = running.register()
    running.grant("anna")

    def ask(values, at=None, **changes):
        now = running.service.clock()
        vector = FeatureVector(
            running.member("anna"), now, tuple(NAMES), np.array(values), dict.fromkeys(CATEGORIES, True)
        )
        with running.service.store.write() as connection:
            kept_for = at or {"purpose": "lending", "recipient": "shop"}
            running.service.vectors.keep(connection, [vector], now_us=int(now.timestamp() * 1e6), **kept_for)
        asked = {"member_id": "anna", "purpose": "lending", "granularity": "exact"} | changes
        return client.post("/v1/scores", json=asked, headers=bearer(key)).json()

    return ask


def replay(running, decision_id):
    with running.service.store.read() as connection:
        return running.service.replayer.replay(connection, decision_id)


def test_an_exact_answer_says_so_and_is_kept_and_replayed(asking, running):
    cases = [(ORDINARY, []), (THIN, ["thin_file"]), (FAR, ["rare"]), ([*FAR[:4], np.nan], ["thin_file", "rare"])]
    for values, uncertain in cases:
        answer = asking(values)
        assert answer["uncertain"] == uncertain
        assert replay(running, answer["decision_id"]).outcome == "identical"
        with running.service.store.read() as connection:
            kept = json.loads(running.service.vault.get(connection, answer["decision_id"]).content)["answer"]
        assert kept["uncertain"] == uncertain
        assert ScoreAnswer.from_dict(kept).as_dict() == kept


def test_a_coarser_answer_does_not_say(asking, running):
    assert "uncertain" not in asking(THIN, granularity="band")
    assert "uncertain" not in asking(THIN, granularity="threshold", threshold=650)
    running.grant("anna", granularity="band")
    assert asking(THIN)["granularity"] == "band"
    assert "uncertain" not in asking(THIN)


def test_a_member_is_told_with_their_own_score(asking, running, client):
    running.grant("anna", offer="own_report")
    asking(THIN, at={"purpose": "own_report", "recipient": "platform"})
    told = client.post("/v1/members/me/score", headers=bearer(running.member_key("anna")))
    assert told.status_code == 200, told.text
    assert told.json()["uncertain"] == ["thin_file"]


def test_an_answer_from_before_it_was_told_stays_as_it_was(asking, running):
    """As an older Benne kept it: without the word, and bound by a digest of that."""
    service, answer = running.service, asking(THIN)
    with service.store.read() as connection:
        payload = service.vault.get(connection, answer["decision_id"])
        remade = service.replayer.remake(connection, answer["decision_id"])
    kept = json.loads(payload.content)
    del kept["answer"]["uncertain"]
    older = type(remade.kept).from_bytes(json.dumps(kept).encode())
    again = older.with_score(float(remade.explanation.score[0]), str(remade.explanation.band[0]), (), ("thin_file",))
    assert again.answer_content() == older.answer_content()
    assert ScoreAnswer.from_dict(kept["answer"]).uncertain is None
    assert ScoreAnswer.from_dict(kept["answer"]).as_dict() == kept["answer"]


def test_a_forged_word_does_not_replay(asking, running):
    service, answer = running.service, asking(THIN)
    with service.store.write() as connection:
        payload = service.vault.get(connection, answer["decision_id"])
        kept = json.loads(payload.content)
        kept["answer"]["uncertain"] = []
        forged = NewPayload(payload.payload_ref, payload.subject_id, "decision", json.dumps(kept).encode())
        service.vault.replace_many(connection, [forged], payload.created_at_us)
    assert replay(running, answer["decision_id"]).differs_in == ("output",)


def test_a_model_that_cannot_tell_a_rare_file_names_thin_ones_alone(nulls_known):
    explanation = CreditScoreModel.load(nulls_known).explain(pd.DataFrame([[*FAR[:4], np.nan]], columns=NAMES))
    assert uncertain_of(explanation, 0) == ("thin_file", "rare")
    object.__setattr__(explanation, "rare", None)  # as of a model saved before format 5
    assert uncertain_of(explanation, 0) == ("thin_file",)
