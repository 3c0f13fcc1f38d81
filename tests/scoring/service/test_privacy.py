"""Canaries driven through every route, in success and failure, and then looked for where nobody should find them."""

from __future__ import annotations

import json
import logging
import re

import pytest

from benne.scoring.api.access import ACCESS
from tests.scoring.service.conftest import bearer
from tests.scoring.service.test_members import choice

MEMBER, VALUE = "canary-7f3a9", -0.13129846
WITH_SUBJECT_IDS = {
    "consent_records", "consent_events", "consent_categories", "decisions", "members", "member_payloads", "erasures",
    "legal_holds", "api_keys",
}  # fmt: skip
"""Tables that hold members' pseudonyms, as docs/keys-and-erasure.md says."""
BODIES = {
    "/v1/scores": {"member_id": MEMBER, "purpose": "lending", "granularity": "exact"},
    "/v1/scores:batch": {"member_id": MEMBER, "purpose": "lending", "granularity": "exact"},
    "/v1/eligibility": {"member_id": MEMBER, "benefit": "deposit_waiver"},
    "/v1/disputes": {"topic": "personal_data", "text": f"I am {MEMBER}."},
    "/v1/reviews": {"decision_id": MEMBER, "text": f"I am {MEMBER}."},
    "/v1/notices": {
        "kind": "disclosure_compelled",
        "member_id": MEMBER,
        "legal_basis": "court_order",
        "reference": "1",
        "authority": MEMBER,
        "scope": MEMBER,
        "disclosed_at": "2026-03-01T00:00:00Z",
    },
    "/v1/members/{member}/proofs": {
        "kind": "exact",
        "audience": "https://canary.example",
        "nonce": "canary-nonce-0001",
    },
}


NAMED = ("member", "record_id", "decision_id", "dispute_id", "review_id", "notice_id", "case_id", "slug")
"""What stands in the paths of routes."""


@pytest.fixture
def driven(running, client, caplog):
    """Every route, with good, bad and foreign credentials; what was answered, and the secrets there are."""
    caplog.set_level(logging.DEBUG)
    secrets = {"member": running.member_key(MEMBER), "recipient": running.register(), "admin": running.key("admin"),
               "compliance": running.key("compliance")}  # fmt: skip
    anna, answers = bearer(secrets["member"]), []
    chosen = choice(client, anna)
    for offer, purpose, recipient in (
        ("lending", "lending", "shop"), ("deposit_waiver", "deposit_waiver", "shop"),
        ("own_report", "own_report", "platform"),
    ):  # fmt: skip
        client.post("/v1/members/me/consents", json=choice(client, anna, offer), headers=anna)
        running.know(MEMBER, VALUE, purpose=purpose, recipient=recipient)
    for rounds in ("ask", "withdraw", "erase"):
        for method, path in ACCESS:
            if (method, path) == ("DELETE", "/v1/members/{member}") or (method == "DELETE" and rounds == "ask"):
                continue
            url = path.format_map(dict.fromkeys(NAMED, MEMBER))
            where = {"purpose": "lending", "recipient": "shop"} if method == "DELETE" else None
            kind = "application/x-ndjson" if path.endswith("batch") else "application/json"
            for key in (*secrets.values(), "benne_" + MEMBER):
                for body in (BODIES.get(path, chosen), {"member_id": [MEMBER], MEMBER: MEMBER}):
                    headers = bearer(key) | {"Benne-Access-Purpose": "dispute:1", "Content-Type": kind,
                                             "Idempotency-Key": f"{MEMBER}-{rounds}"}  # fmt: skip
                    sent = None if method in ("GET", "DELETE") else json.dumps(body)
                    answers.append(client.request(method, url, params=where, content=sent, headers=headers))
        if rounds == "withdraw":
            client.delete("/v1/members/me", headers=anna)
    return answers, secrets


def test_nothing_of_anybody_is_where_it_should_not_be(running, client, driven, caplog):
    answers, secrets = driven
    assert {200, 201, 401, 403, 404, 422} <= {one.status_code for one in answers}
    assert not [one for one in answers if one.status_code >= 500]
    subject = running.member(MEMBER)
    shown = (one.text for one in answers if one.status_code == 200)
    scores = {score for text in shown for score in re.findall(r'"score": ?(\d{3}\.\d{3,})', text)}
    assert scores
    never = {MEMBER, subject, str(VALUE), *secrets.values(), *(key.split("_")[2] for key in secrets.values()), *scores,
             "canary-nonce-0001"}  # fmt: skip

    def found(text):
        return {one for one in never if one in text}

    for one in answers:
        if one.headers["content-type"] == "application/problem+json":
            assert not found(one.text), one.text
        assert not found(str(one.headers)), one.headers
    assert not found(caplog.text)
    assert not found(client.get("/metrics").text)
    assert not found(client.get("/openapi.json").text)
    with running.service.store.read() as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if connection.dialect.name == "postgresql":
            query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        tables = connection.exec_driver_sql(query).scalars().all()
    assert {"audit_records", "idempotency_keys"} <= set(tables)
    for table in tables:
        rows = "\n".join(str({k: bytes(v).hex() if isinstance(v, bytes | memoryview) else v for k, v in row.items()})
                         for row in running.rows(table))  # fmt: skip
        allowed = {subject} if table in WITH_SUBJECT_IDS else set()
        assert found(rows) <= allowed, (table, found(rows))
        assert not {one for one in never if one.encode().hex() in rows}, table


def test_what_is_shown_of_a_service_holds_no_secret(running):
    shown = repr(running.service) + repr(running.service.settings) + str(running.service.settings)
    address = running.service.settings.database_address
    assert running.admin not in shown
    if "://" in address:
        assert address not in shown


# ------------------------------------------------------------------ what a recipient can find out by asking


@pytest.fixture
def four(running):
    """Members who differ in what nobody who asks for a benefit may find out."""
    for member, value in (("high", -2.0), ("low", 2.0)):
        running.grant(member, offer="deposit_waiver")
        running.know(member, value, purpose="deposit_waiver")
    running.grant("no-data", offer="deposit_waiver")
    running.grant("left", offer="deposit_waiver")
    running.service.ledger.withdraw(running.member("left"), "deposit_waiver", "shop")
    return running.register()


def shape(answer):
    """Everything of an answer but the decision's own number."""
    body = {name: value for name, value in answer.json().items() if name != "decision_id"}
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, json.dumps(body, sort_keys=True), json.dumps(headers, sort_keys=True)


def test_who_gets_no_benefit_looks_the_same_whatever_the_reason(client, four):
    told = {
        member: {
            shape(client.post("/v1/eligibility", json={"member_id": member, "benefit": "deposit_waiver"},
                              headers=bearer(four)))
            for _ in range(3)
        }
        for member in ("low", "no-data", "left", "nobody")
    }  # fmt: skip
    assert len(set.union(*told.values())) == 1


@pytest.mark.parametrize(
    "more",
    [{"reliance": "strong"}, {"reliance": "sole"}, {"context": "nowhere"}, {"benefit": "x"}, {"benefit": "fast_lane"}],
)
def test_what_is_refused_of_the_question_is_refused_for_everybody_alike(client, four, more):
    asked = {"benefit": "deposit_waiver", **more}
    shapes = {
        shape(client.post("/v1/eligibility", json={**asked, "member_id": member}, headers=bearer(four)))
        for member in ("high", "low", "no-data", "left", "nobody")
    }
    assert len(shapes) <= 2
    assert {status for status, _, _ in shapes} in ({200}, {403}, {422})


def test_every_refusal_of_a_benefit_is_on_record_also_of_one_that_is_none(running, client, four):
    refused = client.post("/v1/eligibility", json={"member_id": "high", "benefit": "free_lunch"}, headers=bearer(four))
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/benefit-unknown")
    last = running.rows("audit_records")[-1]
    assert (last["event_id"], last["deny_reason"]) == (refused.json()["decision_id"], "benefit-unknown")


def test_counters_say_nothing_about_the_last_member_asked_for(client, four):
    """They are open to whoever reaches them, a recipient too."""

    def counted():
        lines = client.get("/metrics").text.splitlines()
        return {
            line.rpartition(" ")[0]: line.rpartition(" ")[2]
            for line in lines
            if not line.startswith("#") and "_bucket" not in line and "_sum" not in line and "created" not in line
        }

    changes = set()
    for member in ("low", "no-data", "nobody"):
        before = counted()
        client.post("/v1/eligibility", json={"member_id": member, "benefit": "deposit_waiver"}, headers=bearer(four))
        after = counted()
        changes.add(frozenset(name for name in after if before.get(name) != after[name] and "/metrics" not in name))
    assert len(changes) == 1


def test_a_mark_can_only_be_asked_where_policy_names_it(running, client):
    key = running.register()
    running.grant("anna", granularity="threshold")
    running.know("anna")
    got = {}
    for mark in range(350, 951, 10):
        asked = {"member_id": "anna", "purpose": "lending", "granularity": "threshold", "threshold": mark}
        got[mark] = client.post("/v1/scores", json=asked, headers=bearer(key))
    answered = {mark for mark, one in got.items() if one.status_code == 200}
    assert answered == {m for m in running.service.policies.purposes["lending"].marks if m in got}
    for mark in answered:
        told = got[mark].json()
        assert (told["score"], told["band"], told["threshold"]) == (None, None, mark)
