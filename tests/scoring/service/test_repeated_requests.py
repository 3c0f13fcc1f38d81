"""A request sent again under its key: the first answer, and only while consent still allows all of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from benne.scoring.housekeeping import tidy
from tests.scoring.service.conftest import TWO, bearer

ASKED = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
WHERE = {"purpose": "lending", "recipient": "shop"}


@pytest.fixture
def ask(running, client):
    """Ask again and again under the same key."""
    headers = bearer(running.register()) | {"Idempotency-Key": "order-1"}
    running.grant("anna")
    running.know("anna")
    return lambda **changes: client.post("/v1/scores", json={**ASKED, **changes}, headers=headers)


def test_an_answer_that_used_a_category_withdrawn_since_is_not_given_again(running, client, ask):
    anna = bearer(running.member_key("anna"))
    assert "social" in ask().json()["categories"]
    client.delete("/v1/members/me/consents", params={**WHERE, "category": "social"}, headers=anna)
    again = ask()
    assert (again.status_code, again.json()["type"]) == (409, "/problems/consent-changed")
    assert running.rows("audit_records")[-1]["deny_reason"] == "consent-changed"


def test_an_exact_answer_is_not_given_again_to_who_may_know_a_band_only(running, ask):
    assert ask().json()["score"] is not None
    running.grant("anna", granularity="band")
    again = ask()
    assert (again.status_code, again.json()["type"]) == (409, "/problems/consent-changed")


def test_the_answer_about_somebody_erased_is_not_given_again_when_they_come_back(running, client, ask):
    first = ask().json()
    assert client.delete("/v1/members/me", headers=bearer(running.member_key("anna"))).status_code == 202
    assert ask().json()["type"] in ("/problems/consent-required", "/problems/consent-withdrawn")
    tidy(running.service, compacting=True)
    anna = bearer(running.member_key("anna"))
    offers = {one["offer"]: one for one in client.get("/v1/consent-offers", headers=anna).json()}
    choice = {
        "offer": "lending", "notice_hash": offers["lending"]["notice_hash"], "categories": list(TWO),
        "channel": "app", "method": "toggle_switched_on", "steps": 1,
    }  # fmt: skip
    assert client.post("/v1/members/me/consents", json=choice, headers=anna).status_code == 201
    running.know("anna", categories=TWO)
    again = ask()
    assert (again.status_code, again.json()["type"]) == (409, "/problems/decision-expired"), again.text
    assert again.json()["decision_id"] != first["decision_id"]


def test_an_answer_that_has_been_deleted_is_not_made_up(running, ask):
    first = ask().json()
    with running.service.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM member_payloads WHERE kind = 'decision'")
    again = ask()
    assert (again.status_code, again.json()["type"]) == (409, "/problems/decision-expired"), again.text
    assert again.json()["decision_id"] != first["decision_id"]


def test_sixteen_at_once_under_one_key_are_one_decision(running, ask):
    with ThreadPoolExecutor(16) as together:
        got = list(together.map(lambda _: ask(), range(16)))
    assert {one.status_code for one in got} == {200}
    assert len({one.json()["decision_id"] for one in got}) == 1
    assert len([row for row in running.rows("member_payloads") if row["kind"] == "decision"]) == 1


def test_two_of_one_pass_under_one_key_are_one_decision(running, ask):
    """They wait at the desk together, so the second comes before the first is kept."""
    from benne.scoring.decisions.request import Actor, Idempotency, ScoreRequest
    from benne.scoring.policy import Asked

    asked = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact")
    request = ScoreRequest(
        subject_id=running.member("anna"), asked=asked, actor=Actor("key:1", "recipient"),
        registered_for=frozenset({"lending"}), idempotency=Idempotency("a" * 64, "b" * 64),
    )  # fmt: skip
    first, second = running.service.maker.decide([request, request])
    assert first == second
