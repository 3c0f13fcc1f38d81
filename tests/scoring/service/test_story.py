"""One member's whole story over HTTP: opt in, score, explain, withdraw, refused, erased, and the chain verifies."""

from __future__ import annotations

import hashlib

from tests.scoring.service.conftest import bearer


def test_from_opting_in_to_being_erased(running, client):
    shop, anna = bearer(running.register()), bearer(running.member_key("anna"))
    staff = bearer(running.key("compliance")) | {"Benne-Access-Purpose": "dispute:4711"}
    question = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}

    before = client.post("/v1/scores", json=question, headers=shop)
    assert (before.status_code, before.json()["type"]) == (403, "/problems/consent-required")

    offer = next(o for o in client.get("/v1/consent-offers", headers=anna).json() if o["offer"] == "lending")
    assert not any(offer["switches"].values())
    assert hashlib.sha256(offer["text"].encode()).hexdigest() == offer["notice_hash"]
    choice = {"offer": "lending", "notice_hash": offer["notice_hash"], "categories": list(offer["switches"]),
              "channel": "app", "method": "toggle_switched_on", "steps": 1}  # fmt: skip
    given = client.post("/v1/members/me/consents", json=choice, headers=anna)
    assert given.status_code == 201, given.text
    receipt = client.get(f"/v1/members/me/consents/{given.json()['record_id']}/receipt", headers=anna)
    assert receipt.json()["receipt"].count(".") == 2

    running.know("anna", 0.5)
    answer = client.post("/v1/scores", json=question, headers=shop)
    assert answer.status_code == 200, answer.text
    told = client.get("/v1/members/me/explanation", headers=anna).json()
    assert told["decision_id"] == answer.json()["decision_id"]
    explanation = told["explanation"]
    points = explanation["base"] + sum(c["points"] for c in explanation["categories"]) + explanation["clipped"]
    assert abs(points - answer.json()["score"]) < 1e-9

    history = client.get("/v1/members/anna/history", headers=staff).json()
    assert [one["decision_id"] for one in history["decisions"]] == [answer.json()["decision_id"]]
    replay = client.get(f"/v1/decisions/{answer.json()['decision_id']}/replay", headers=staff).json()
    assert (replay["outcome"], replay["differs_in"]) == ("identical", [])

    ended = client.delete("/v1/members/me/consents", params={"purpose": "lending", "recipient": "shop"}, headers=anna)
    assert sorted(ended.json()["ended"]) == sorted(offer["switches"])
    after = client.post("/v1/scores", json=question, headers=shop)
    assert (after.status_code, after.json()["type"]) == (403, "/problems/consent-withdrawn")

    erased = client.delete("/v1/members/me", headers=anna)
    assert erased.status_code == 202, erased.text
    replay = client.get(f"/v1/decisions/{answer.json()['decision_id']}/replay", headers=staff).json()
    assert replay["outcome"] == "erased"
    chain = client.get("/v1/audit/verify", headers=staff).json()
    assert chain["intact"], chain
    assert chain["records"] == len(running.rows("audit_records"))
