"""Any decision is made again to the bit, by the model that made it; and what was tampered with shows."""

from __future__ import annotations

import json

import pytest

from benne.errors import DecisionUnknown, ModelDirectoryError
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.store.vault import NewPayload
from tests.scoring.service.conftest import TWO, bearer

QUESTION = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}


@pytest.fixture
def decided(running, client):
    key = running.register()
    running.grant("anna", TWO)
    running.know("anna", 0.3)
    return client.post("/v1/scores", json=QUESTION, headers=bearer(key)).json()


def replay(running, decision_id):
    with running.service.store.read() as connection:
        return running.service.replayer.replay(connection, decision_id)


def test_years_and_models_later_it_is_the_same_to_the_bit(running, decided, another_model):
    running.promote(another_model)
    running.know("anna", -2.0)
    made = replay(running, decided["decision_id"])
    assert (made.outcome, made.differs_in, made.model_id) == ("identical", (), decided["model_id"])
    with running.service.store.read() as connection:
        remade = running.service.replayer.remake(connection, decided["decision_id"])
    assert float(remade.explanation.score[0]) == decided["score"]
    assert remade.kept.answer["score"] == decided["score"]


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"values": [-3.0, 0.3, 0.3, 0.3, 0.3]}, ("input", "output", "reasons")),
        ({"answer": {"decided_at_us": 7}}, ("output",)),
        ({"asked": {"recipient": "bank"}}, ("input",)),
        ({"answer": {"valid_until_us": 1}}, ("output",)),
        ({"answer": {"score": 949.0}}, ("output",)),
        ({"answer": {"band": "excellent"}}, ("output",)),
        ({"answer": {"score": None}}, ("output",)),
    ],
)
def test_what_was_changed_in_what_is_kept_shows(running, decided, change, differs):
    """By somebody who has the member's own key, which takes the key ring."""
    service = running.service
    with service.store.write() as connection:
        payload = service.vault.get(connection, decided["decision_id"])
        kept = json.loads(KeptDecision.from_bytes(payload.content).to_bytes())
        for name, value in change.items():
            kept[name] = {**kept[name], **value} if isinstance(value, dict) else value
        if "values" in change:
            kept["values"] = encoded(change["values"])
        forged = NewPayload(payload.payload_ref, payload.subject_id, "decision", json.dumps(kept).encode())
        service.vault.replace_many(connection, [forged], payload.created_at_us)
    made = replay(running, decided["decision_id"])
    assert made.outcome == "different"
    assert set(made.differs_in) == set(differs)


def encoded(values):
    import base64

    import numpy as np

    return base64.b64encode(np.array(values, dtype="<f8").tobytes()).decode()


def test_a_refusal_replays_as_one_and_what_is_none_is_unknown(running, client, decided):
    key = running.key("recipient", recipient="shop")
    refused = client.post("/v1/scores", json={**QUESTION, "member_id": "nobody"}, headers=bearer(key)).json()
    assert replay(running, refused["decision_id"]).outcome == "denied"
    with pytest.raises(DecisionUnknown, match="must be on record"):
        replay(running, "never-made")


def test_a_payload_kept_long_enough_replays_as_expired(running, decided):
    service = running.service
    with service.store.write() as connection:
        assert service.vault.drop_expired(connection, 2**62) >= 1
    assert replay(running, decided["decision_id"]).outcome == "expired"


def test_a_model_that_is_no_longer_the_one_its_id_says_makes_nothing_again(running, decided):
    folder = running.service.settings.path("models") / decided["model_id"].removeprefix("benne/")
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + " ")
    running.service.shelf._loaded.clear()
    with pytest.raises(ModelDirectoryError, match="must be the one its name is the hash of"):
        replay(running, decided["decision_id"])
