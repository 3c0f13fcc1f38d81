"""Key factors in an answer where policy and member grant them, and reasons beside an explanation."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from benne.explain.reasons import Method, key_factors_of, reasons_of
from benne.features.categories import CATEGORIES
from benne.scoring.decisions.request import ScoreAnswer
from benne.scoring.policy.policy_file import parse_policies
from benne.scoring.store.vault import NewPayload
from tests.scoring.service.conftest import TWO, bearer

ASKED = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
WITH_FACTORS = """
jurisdiction = "default"

[purposes.lending]
contexts = ["platform"]
granularity = "exact"
marks = [650]
key_factors = true

[purposes.deposit_waiver]
contexts = ["platform"]

[benefits.deposit_waiver]
purpose = "deposit_waiver"
threshold = 620
grants = "No deposit."

[recipients."*"]
purposes = ["lending", "deposit_waiver"]
"""


@pytest.fixture
def granting(running):
    """The same service, whose policy grants key factors."""
    maker = running.service.maker
    policies = parse_policies(WITH_FACTORS, "with factors")
    maker._parts = dataclasses.replace(maker._parts, policies=lambda: policies)
    return running


def ask(client, key, **changes):
    return client.post("/v1/scores", json={**ASKED, **changes}, headers=bearer(key)).json()


def table(values):
    return pd.DataFrame([values], columns=[f"x_{c}" for c in CATEGORIES])


def replay(running, decision_id):
    with running.service.store.read() as connection:
        return running.service.replayer.replay(connection, decision_id)


def test_key_factors_are_those_of_the_model_and_tell_no_value(granting, client):
    key = granting.register()
    granting.grant("anna")
    granting.know("anna", 1.0)
    headers = bearer(key) | {"Idempotency-Key": "once"}
    answer, again = (client.post("/v1/scores", json=ASKED, headers=headers).json() for _ in range(2))
    (wanted,) = key_factors_of(granting.service.models.current.model, table([1.0] * 5))
    assert wanted, "else this test says nothing"
    assert answer["key_factors"] == [{"code": w.code, "feature": w.feature, "rank": w.rank} for w in wanted]
    assert again == answer


def test_what_is_withheld_is_no_key_factor_and_a_coarser_answer_has_none(granting, client):
    key = granting.register()
    granting.grant("anna", TWO)
    granting.know("anna", 1.0)
    told = {factor["feature"] for factor in ask(client, key)["key_factors"]}
    assert told
    assert told <= {f"x_{category}" for category in TWO}
    for granularity in ("band", "threshold"):
        assert "key_factors" not in ask(client, key, granularity=granularity, threshold=650)
        granting.grant("anna", granularity=granularity)
        assert "key_factors" not in ask(client, key, threshold=650)


def test_key_factors_are_kept_bound_and_replayed(granting, client, another_model):
    key = granting.register()
    granting.grant("anna")
    granting.know("anna", 1.0)
    answer = ask(client, key)
    granting.promote(another_model)
    assert replay(granting, answer["decision_id"]).outcome == "identical"
    service = granting.service
    with service.store.write() as connection:
        payload = service.vault.get(connection, answer["decision_id"])
        kept = json.loads(payload.content)
        assert kept["answer"]["key_factors"] == answer["key_factors"]
        assert ScoreAnswer.from_dict(kept["answer"]).as_dict() == kept["answer"]
        del kept["answer"]["key_factors"]
        forged = NewPayload(payload.payload_ref, payload.subject_id, "decision", json.dumps(kept).encode())
        service.vault.replace_many(connection, [forged], payload.created_at_us)
    assert replay(granting, answer["decision_id"]).differs_in == ("output",)


# ------------------------------------------------------------------ beside an explanation


def explanation(client, running, decision_id):
    found = client.get(
        "/v1/members/me/explanation", params={"decision_id": decision_id}, headers=bearer(running.member_key("anna"))
    )
    assert found.status_code == 200, found.text
    return found.json()["explanation"]


def reasons_in(running, decision_id):
    with running.service.store.read() as connection:
        return running.service.replayer.remake(connection, decision_id).reasons()


def test_an_explanation_gives_reasons_against_everybody_or_those_just_above_the_mark(running, client):
    key = running.register()
    running.grant("anna", TWO)
    running.know("anna", 0.7)
    answer = ask(client, key)
    assert "key_factors" not in answer, "nobody is told them unless a policy says so"
    withheld = frozenset(CATEGORIES) - set(TWO)
    row = table([0.7 if c in TWO else np.nan for c in CATEGORIES])
    model = running.service.models.current.model
    (wanted,) = reasons_of(model, row, withheld, method=Method("everybody"))
    assert wanted.reasons
    assert reasons_in(running, answer["decision_id"]) == wanted
    shown = explanation(client, running, answer["decision_id"])["reasons"]
    assert [one["code"] for one in shown["reasons"]] == [one.code for one in wanted.reasons]
    assert shown["reference_hash"] == wanted.reference_hash
    of_a_mark = ask(client, key, granularity="threshold", threshold=650)["decision_id"]
    assert reasons_in(running, of_a_mark).method == Method("just_above", 650.0)


def test_of_a_benefit_the_mark_stays_the_one_there_was_then(granting, client):
    key = granting.register()
    granting.grant("anna", offer="deposit_waiver")
    granting.know("anna", 0.7, purpose="deposit_waiver")
    asked = {"member_id": "anna", "benefit": "deposit_waiver"}
    decided = client.post("/v1/eligibility", json=asked, headers=bearer(key)).json()["decision_id"]
    assert reasons_in(granting, decided).method == Method("just_above", 620.0), "not 650, as policies say by now"


def test_a_model_that_knows_no_reference_sample_explains_without_reasons(running, client):
    key = running.register()
    running.grant("anna")
    running.know("anna", 0.7)
    decision_id = ask(client, key)["decision_id"]
    model = running.service.shelf.get(running.service.models.current.model_id).model
    known = model.reference_
    model.reference_ = type(known)(known._columns, known._layout, {})
    try:
        assert reasons_in(running, decision_id) is None
        assert explanation(client, running, decision_id)["reasons"] is None
    finally:
        model.reference_ = known
