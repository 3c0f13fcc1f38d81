"""What members do and see over HTTP: consents, receipts, records, own scores, proofs, erasure."""

from __future__ import annotations

import json

import pytest

from benne.features.categories import CATEGORIES
from benne.scoring.consent.receipts import RECEIPT_TYP
from benne.scoring.proof.verifying import verify as verify_proof
from benne.scoring.signing import verify
from benne.scoring.wiring import system_clock
from tests.scoring.service.conftest import bearer

NONCE = "n" * 16


def choice(client, headers, offer="lending", **changes):
    offers = {one["offer"]: one for one in client.get("/v1/consent-offers", headers=headers).json()}
    return {
        "offer": offer,
        "notice_hash": offers[offer]["notice_hash"],
        "categories": list(CATEGORIES),
        "channel": "app",
        "method": "toggle_switched_on",
        "steps": 1,
        **changes,
    }


def test_a_consent_and_its_record_in_the_chain_are_one(running, client):
    anna = bearer(running.member_key("anna"))
    given = client.post("/v1/members/me/consents", json=choice(client, anna), headers=anna)
    assert given.status_code == 201, given.text
    last = running.rows("audit_records")[-1]
    assert (last["type"], last["consent_id"]) == ("consent_given", given.json()["record_id"])
    assert last["actor_role"] == "member"
    assert last["actor_id"] == last["subject_hmac"]
    assert running.member("anna") not in json.dumps(last)


def test_a_receipt_is_signed_and_verifies_with_the_published_keys(running, client):
    anna, berta = bearer(running.member_key("anna")), bearer(running.member_key("berta"))
    record = client.post("/v1/members/me/consents", json=choice(client, anna), headers=anna).json()["record_id"]
    receipt = client.get(f"/v1/members/me/consents/{record}/receipt", headers=anna).json()["receipt"]
    keys = client.get("/.well-known/jwks.json").json()
    assert verify(receipt, keys, RECEIPT_TYP)["record_id"] == record
    other = client.get(f"/v1/members/me/consents/{record}/receipt", headers=berta)
    assert (other.status_code, other.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"method": "pre_ticked"}, 422, "request-invalid"),
        ({"method": "scrolled"}, 422, "request-invalid"),
        ({"categories": []}, 422, "request-invalid"),
        ({"categories": ["religion"]}, 422, "request-invalid"),
        ({"categories": ["social", "social"]}, 422, "consent-not-valid"),
        ({"notice_hash": "0" * 64}, 422, "consent-not-valid"),
        ({"offer": "unheard-of"}, 422, "consent-not-valid"),
        ({"steps": 0}, 422, "request-invalid"),
        ({"steps": True}, 422, "request-invalid"),
        ({"extra": 1}, 422, "request-invalid"),
    ],
)
def test_what_is_no_consent_is_not_recorded(running, client, changes, status, kind):
    anna = bearer(running.member_key("anna"))
    asked = choice(client, anna) | changes
    refused = client.post("/v1/members/me/consents", json=asked, headers=anna)
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")
    assert running.rows("consent_records") == []


def test_withdrawing_takes_one_request_without_a_body_and_twice_is_as_good_as_once(running, client):
    anna = bearer(running.member_key("anna"))
    client.post("/v1/members/me/consents", json=choice(client, anna), headers=anna)
    where = {"purpose": "lending", "recipient": "shop"}
    first = client.delete("/v1/members/me/consents", params=where, headers=anna)
    again = client.delete("/v1/members/me/consents", params=where, headers=anna)
    assert sorted(first.json()["ended"]) == sorted(CATEGORIES)
    assert (again.status_code, again.json()["ended"]) == (200, [])


def test_the_history_comes_in_pages_newest_first_and_whole(running, client):
    shop, anna = bearer(running.register()), bearer(running.member_key("anna"))
    running.grant("anna")
    running.know("anna")
    made = [
        client.post("/v1/scores", json={"member_id": "anna", "purpose": "lending"}, headers=shop).json()["decision_id"]
        for _ in range(5)
    ]
    seen, after = [], None
    while True:
        asked = {"limit": 2} | ({"after": after} if after else {})
        page = client.get("/v1/members/me/history", params=asked, headers=anna).json()
        seen += [one["decision_id"] for one in page["decisions"]]
        after = page["next"]
        if after is None:
            break
    assert seen == made[::-1]


def test_an_export_holds_everything_and_a_report_its_outline(running, client):
    shop, anna = bearer(running.register()), bearer(running.member_key("anna"))
    running.grant("anna")
    running.know("anna", 0.5)
    question = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
    answer = client.post("/v1/scores", json=question, headers=shop).json()
    client.post("/v1/scores", json={**question, "purpose": "rental", "granularity": "band"}, headers=shop)
    export = client.get("/v1/members/me/export", headers=anna).json()
    assert export["decisions"][0]["told"]["score"] == answer["score"]
    assert export["decisions"][0]["features"] == {f"x_{c}": 0.5 for c in CATEGORIES}
    assert export["features"][0]["values"] == {f"x_{c}": 0.5 for c in CATEGORIES}
    report = client.get("/v1/members/me/report", headers=anna).json()
    assert report["recipients"] == ["shop"]
    assert report["held"] == ["decision", "features"]
    assert [one["purpose"] for one in report["consents"]] == ["lending"]


def test_an_explanation_is_of_what_was_scored_though_a_newer_model_serves(running, client, another_model):
    shop, anna = bearer(running.register()), bearer(running.member_key("anna"))
    running.grant("anna")
    running.know("anna", 0.5)
    question = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
    first = client.post("/v1/scores", json=question, headers=shop).json()
    running.promote(another_model)
    second = client.post("/v1/scores", json=question, headers=shop).json()
    assert first["model_id"] != second["model_id"]
    for answer in (first, second):
        told = client.get("/v1/members/me/explanation", params={"decision_id": answer["decision_id"]}, headers=anna)
        assert told.json()["explanation"]["score"] == answer["score"]
    berta = bearer(running.member_key("berta"))
    other = client.get("/v1/members/me/explanation", params={"decision_id": first["decision_id"]}, headers=berta)
    assert (other.status_code, other.json()["type"]) == (404, "/problems/decision-unknown")


def test_a_member_learns_their_own_score_and_proves_it_to_somebody_benne_never_met(running, client):
    anna = bearer(running.member_key("anna"))
    refused = client.post("/v1/members/me/score", headers=anna)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/consent-required")
    running.grant("anna", offer="own_report")
    running.know("anna", -1.0, purpose="own_report", recipient="platform")
    told = client.post("/v1/members/me/score", headers=anna)
    assert told.status_code == 200, told.text
    score = told.json()["score"]
    asked = {"kind": "at_least", "mark": int(score) - 1, "audience": "https://landlord.example", "nonce": NONCE}
    made = client.post("/v1/members/me/proofs", json=asked, headers=anna)
    assert made.status_code == 201, made.text
    keys = client.get("/.well-known/jwks.json").json()
    proof = verify_proof(
        made.json()["proof"], keys, audience="https://landlord.example", nonce=NONCE, now=system_clock()
    )
    assert (proof.statement.kind, proof.statement.mark) == ("at_least", int(score) - 1)
    never = client.post("/v1/members/me/proofs", json={**asked, "mark": int(score) + 2}, headers=anna)
    assert (never.status_code, never.json()["type"]) == (409, "/problems/proof-not-issued")
    types = [row["type"] for row in running.rows("audit_records")]
    assert types.count("proof_issued") == 1


def test_an_erased_member_is_gone_from_every_answer(running, client):
    shop, anna = bearer(running.register()), bearer(running.member_key("anna"))
    staff = bearer(running.key("compliance")) | {"Benne-Access-Purpose": "erasure:1"}
    running.grant("anna")
    running.know("anna")
    question = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
    decided = client.post("/v1/scores", json=question, headers=shop | {"Idempotency-Key": "order-1"}).json()
    assert client.delete("/v1/members/anna", headers=staff).json()["status"] == "key_destroyed"
    assert client.get("/v1/members/me/report", headers=anna).status_code == 401
    assert client.post("/v1/scores", json=question, headers=shop | {"Idempotency-Key": "order-1"}).status_code == 403
    export = client.get("/v1/members/anna/export", headers=staff).json()
    assert (export["decisions"], export["features"], export["held"]) == ([], [], [])
    replay = client.get(f"/v1/decisions/{decided['decision_id']}/replay", headers=staff).json()
    assert replay["outcome"] == "erased"
    assert client.get("/v1/audit/verify", headers=staff).json()["intact"]


def test_a_zero_character_in_an_address_is_refused_and_no_failure_of_the_database(running, client):
    """PostgreSQL takes none in a text."""
    anna, staff = bearer(running.member_key("anna")), bearer(running.key("compliance"))
    for path in (
        "explanation?decision_id=%00",
        "history?after=a%00",
        "consents/a%00b/receipt",
        "score-change?from=%00",
    ):
        assert client.get(f"/v1/members/me/{path}", headers=anna).status_code == 422, path
    purpose = {"Benne-Access-Purpose": "dispute:1"}
    for path in ("decisions/%00/replay", "notices/%00", "members/%00/history"):
        assert client.get(f"/v1/{path}", headers=staff | purpose).status_code == 422, path
