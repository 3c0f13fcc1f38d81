"""Scores and benefits: what is answered, what is refused, and what is on record."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benne.features.categories import CATEGORIES
from tests.scoring.service.conftest import DAY, TWO, bearer

ASKED = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}


def ask(client, key, **changes):
    return client.post("/v1/scores", json={**ASKED, **changes}, headers=bearer(key))


def test_a_score_is_the_models_own_to_the_bit(running, client):
    key = running.register()
    running.grant("anna")
    running.know("anna", 0.25)
    answer = ask(client, key)
    assert answer.status_code == 200, answer.text
    row = pd.DataFrame([[0.25] * 5], columns=[f"x_{c}" for c in CATEGORIES])
    model = running.service.models.current.model
    assert answer.json()["score"] == model.predict_score(row)[0]
    assert answer.json()["band"] == model.predict_band(row)[0]
    assert answer.json()["categories"] == list(CATEGORIES)


def test_what_a_member_withholds_does_not_enter_though_it_is_on_hand(running, client):
    key = running.register()
    running.grant("anna", TWO)
    running.know("anna", 0.25)
    answer = ask(client, key).json()
    row = pd.DataFrame([[0.25 if c in TWO else np.nan for c in CATEGORIES]], columns=[f"x_{c}" for c in CATEGORIES])
    model = running.service.models.current.model
    assert answer["score"] == model.predict_score(row, withheld=[frozenset(CATEGORIES) - set(TWO)])[0]
    assert answer["categories"] == list(TWO)


def test_an_answer_is_no_finer_than_member_policy_and_question_allow(running, client):
    key = running.register()
    running.grant("anna", granularity="band")
    running.know("anna")
    coarse = ask(client, key).json()
    assert (coarse["granularity"], coarse["score"]) == ("band", None)
    running.grant("anna", granularity="exact")
    told = ask(client, key, granularity="threshold", threshold=650).json()
    assert (told["score"], told["band"], told["threshold"]) == (None, None, 650)
    assert isinstance(told["reached"], bool)
    running.grant("anna", granularity="threshold")
    missing = ask(client, key)
    assert (missing.status_code, missing.json()["type"]) == (422, "/problems/threshold-missing")


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"purpose": "rental", "granularity": "band"}, 403, "recipient-not-allowed"),
        ({"context": "nightclub"}, 403, "context-not-allowed"),
        ({"reliance": "sole"}, 403, "reliance-not-allowed"),
        ({"threshold": 601}, 422, "threshold-not-allowed"),
        ({"reliance": "strong"}, 403, "reliance-not-consented"),
        ({"member_id": "nobody"}, 403, "consent-required"),
        ({"purpose": "deposit_waiver", "granularity": "threshold"}, 422, "benefit-required"),
    ],
)
def test_a_refusal_says_why_and_is_on_record(running, client, changes, status, kind):
    key = running.register()
    running.grant("anna")
    running.know("anna")
    refused = ask(client, key, **changes)
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")
    assert refused.headers["content-type"] == "application/problem+json"
    (last,) = [row for row in running.rows("audit_records") if row["event_id"] == refused.json()["decision_id"]]
    assert (last["decision"], last["deny_reason"]) == ("denied", kind)
    assert "anna" not in json.dumps(last)


def test_an_answer_is_on_record_before_it_is_given_and_holds_nothing_of_the_member(running, client):
    key = running.register()
    running.grant("anna")
    running.know("anna")
    answer = ask(client, key).json()
    (row,) = [row for row in running.rows("audit_records") if row["event_id"] == answer["decision_id"]]
    assert (row["decision"], row["model_id"], row["payload_ref"]) == ("granted", answer["model_id"], row["event_id"])
    assert row["subject_hmac"] not in (running.member("anna"), None)
    assert str(answer["score"]) not in json.dumps(row)
    assert all(row[name] for name in ("input_digest", "output_digest", "reasons_digest", "config_hash"))


def test_features_that_are_too_old_are_not_used(running, client):
    key = running.register()
    running.grant("anna")
    assert ask(client, key).json()["type"] == "/problems/features-missing"
    running.know("anna", ago=8 * DAY)
    assert ask(client, key).json()["type"] == "/problems/features-missing"
    running.know("anna", ago=6 * DAY)
    assert ask(client, key).status_code == 200


def test_features_for_another_recipient_or_purpose_are_not_used(running, client):
    key = running.register()
    running.grant("anna")
    running.know("anna", recipient="bank")
    running.know("anna", purpose="rental")
    assert ask(client, key).json()["type"] == "/problems/features-missing"


def test_what_was_computed_of_a_withdrawn_category_is_gone_though_it_be_given_again(running, client):
    key, anna = running.register(), bearer(running.member_key("anna"))
    running.grant("anna")
    running.know("anna", 0.25)
    where = {"purpose": "lending", "recipient": "shop"}
    ended = client.delete("/v1/members/me/consents", params={**where, "category": "social"}, headers=anna)
    assert ended.json() == {"ended": ["social"]}
    assert "social" not in ask(client, key).json()["categories"]
    running.grant("anna")
    assert "social" not in ask(client, key).json()["categories"]
    client.delete("/v1/members/me/consents", params=where, headers=anna)
    running.grant("anna")
    assert ask(client, key).json()["type"] == "/problems/features-stale"


def test_the_same_request_under_one_key_is_one_decision(running, client):
    key = running.register()
    running.grant("anna")
    running.know("anna")
    headers = bearer(key) | {"Idempotency-Key": "order-1"}
    first = client.post("/v1/scores", json=ASKED, headers=headers).json()
    running.know("anna", -1.0)
    again = client.post("/v1/scores", json=ASKED, headers=headers).json()
    assert again == first
    assert len(running.rows("member_payloads")) == 2  # features, and one decision
    other = client.post("/v1/scores", json={**ASKED, "granularity": "band"}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    anew = client.post("/v1/scores", json=ASKED, headers=bearer(key) | {"Idempotency-Key": "order-2"}).json()
    assert anew["decision_id"] != first["decision_id"]
    assert anew["score"] != first["score"]


def test_a_request_sent_again_after_the_withdrawal_gets_nothing(running, client):
    key, anna = running.register(), bearer(running.member_key("anna"))
    running.grant("anna")
    running.know("anna")
    headers = bearer(key) | {"Idempotency-Key": "order-1"}
    assert client.post("/v1/scores", json=ASKED, headers=headers).status_code == 200
    client.delete("/v1/members/me/consents", params={"purpose": "lending", "recipient": "shop"}, headers=anna)
    again = client.post("/v1/scores", json=ASKED, headers=headers)
    assert (again.status_code, again.json()["type"]) == (403, "/problems/consent-withdrawn")


def test_two_recipients_know_a_member_by_names_that_cannot_be_matched(running, client):
    shop, bank = running.register("shop"), running.register("bank")
    running.grant("anna")
    running.grant("anna", recipient="bank")
    running.know("anna")
    running.know("anna", recipient="bank")
    first, second = ask(client, shop).json()["member"], ask(client, bank).json()["member"]
    assert first != second
    assert first == ask(client, shop).json()["member"]
    assert running.member("anna") not in (first, second)


def test_a_benefit_is_granted_or_everybody_goes_the_ordinary_way(running, client):
    """A low score, no consent and no data look the same to the recipient, and nothing of the score is told."""
    key = running.register()
    asked = {"benefit": "deposit_waiver"}
    for member, value in (("high", -2.0), ("low", 2.0)):
        running.grant(member, offer="deposit_waiver")
        running.know(member, value, purpose="deposit_waiver")
    running.grant("unknown", offer="deposit_waiver")
    told = {
        member: client.post("/v1/eligibility", json={**asked, "member_id": member}, headers=bearer(key)).json()
        for member in ("high", "low", "unknown", "nobody")
    }
    ids = {one.pop("decision_id") for one in told.values()}
    assert len(ids) == 4
    assert told["high"]["outcome"] == "granted"
    assert told["low"] == told["unknown"] == told["nobody"]
    assert told["low"] == {"benefit": "deposit_waiver", "outcome": "ordinary_way", "grants": None, "valid_until": None}


def test_a_stream_of_questions_is_answered_line_by_line(running, client):
    key = running.register()
    for member in ("anna", "berta"):
        running.grant(member)
        running.know(member)
    lines = [json.dumps({**ASKED, "member_id": m}) for m in ("anna", "nobody", "berta")]
    lines.insert(1, '{"member_id": 7}')
    lines.insert(2, "not json at all")
    headers = bearer(key) | {"Content-Type": "application/x-ndjson"}
    answer = client.post("/v1/scores:batch", content="\n".join(lines), headers=headers)
    assert answer.status_code == 200, answer.text
    got = [json.loads(line) for line in answer.text.splitlines()]
    assert [next(iter(one)) for one in got] == ["answer", "problem", "problem", "problem", "answer"]
    assert got[3]["problem"]["type"] == "/problems/consent-required"
    alone = ask(client, key).json()
    assert got[0]["answer"]["score"] == alone["score"]
    assert client.post("/v1/scores:batch", content=b"{}", headers=bearer(key)).status_code == 415
