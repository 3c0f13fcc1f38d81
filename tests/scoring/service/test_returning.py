"""Members who are erased, come back, and are erased again."""

from __future__ import annotations

from benne.features.categories import CATEGORIES
from benne.scoring.decisions.stored_vectors import vector_ref
from benne.scoring.housekeeping import tidy
from tests.scoring.service.conftest import bearer
from tests.scoring.service.test_members import choice


def test_who_came_back_can_be_erased_again_and_come_back_again(running, client):
    shop = running.register()
    decisions = []
    for _ in range(3):
        anna = bearer(running.member_key("anna"))
        given = client.post("/v1/members/me/consents", json=choice(client, anna), headers=anna)
        assert given.status_code == 201, given.text
        running.know("anna")
        asked = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
        scored = client.post("/v1/scores", json=asked, headers=bearer(shop)).json()
        assert scored["categories"] == list(CATEGORIES)
        decisions.append(scored["decision_id"])
        erased = client.delete("/v1/members/me", headers=anna)
        assert erased.status_code == 202, erased.text
        assert client.post("/v1/scores", json=asked, headers=bearer(shop)).status_code == 403
        tidy(running.service, compacting=True)
    staff = bearer(running.key("compliance")) | {"Benne-Access-Purpose": "dispute:1"}
    for decision in decisions:
        assert client.get(f"/v1/decisions/{decision}/replay", headers=staff).json()["outcome"] == "erased"
    remembered = {row["payload_ref"] for row in running.rows("erased_payloads")}
    assert remembered == set(decisions)  # and not the vectors, whose references can be worked out from the member's id
    assert vector_ref(running.member("anna"), "lending", "shop") not in str(running.rows("erased_payloads"))


def test_what_was_computed_under_a_consent_that_ended_is_not_used_under_the_next(running, client):
    shop = bearer(running.register())
    asked = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
    running.grant("anna")
    running.know("anna")
    assert client.post("/v1/scores", json=asked, headers=shop).status_code == 200
    # As `benne consent withdraw` does, which knows nothing of the features on hand.
    running.service.ledger.withdraw(running.member("anna"), "lending", "shop")
    running.grant("anna")
    refused = client.post("/v1/scores", json=asked, headers=shop)
    assert refused.json()["type"] == "/problems/features-stale"
    running.know("anna")
    assert client.post("/v1/scores", json=asked, headers=shop).status_code == 200


def test_only_the_category_that_was_withdrawn_in_between_has_to_be_computed_anew(running, client):
    shop = bearer(running.register())
    asked = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
    running.grant("anna")
    running.know("anna")
    running.service.ledger.withdraw(running.member("anna"), "lending", "shop", categories=["social"])
    running.grant("anna", categories=("social",))
    scored = client.post("/v1/scores", json=asked, headers=shop).json()
    assert scored["categories"] == [category for category in CATEGORIES if category != "social"]


def test_a_consent_that_is_given_anew_in_time_goes_on_with_what_was_computed(running, client):
    shop = bearer(running.register())
    running.grant("anna")
    running.know("anna")
    running.grant("anna")
    asked = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
    assert client.post("/v1/scores", json=asked, headers=shop).status_code == 200
