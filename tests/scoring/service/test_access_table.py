"""The authorisation table: every route × role × ownership, walked."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from benne.scoring.api.access import ACCESS
from benne.scoring.api.app import create_app
from tests.scoring.service.conftest import Running, bearer

ROLES = ("recipient", "member", "compliance", "data_scientist", "admin")
ERASING = ("DELETE", "/v1/members/{member}")
NEVER_ASKED = {("GET", "/openapi.json")}
IDS = {
    "record_id": "r-1", "decision_id": "d-1", "dispute_id": "p-1", "review_id": "w-1", "notice_id": "n-1",
    "case_id": "c-1",
}  # fmt: skip
BODIES: dict[str, Any] = {
    "/v1/scores": {"member_id": "anna", "purpose": "lending"},
    "/v1/eligibility": {"member_id": "anna", "benefit": "deposit_waiver"},
}


@pytest.fixture
def keys(running: Running) -> dict[str, str]:
    running.grant("anna")
    return {
        "recipient": running.register(),
        "member": running.member_key("anna"),
        **{role: running.key(role) for role in ("compliance", "data_scientist", "admin")},
    }


def routes_of(client: TestClient) -> set[tuple[str, str]]:
    found = set()
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        found |= {(method.upper(), path) for method in operations}
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_route_is_in_the_table_and_every_line_of_it_is_a_route(running, client):
    assert routes_of(client) == set(ACCESS) - NEVER_ASKED
    served = {
        (method, route.path)
        for route in create_app(running.service, close=False).routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert served <= set(ACCESS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_role_gets_through_exactly_where_the_table_says(running, client, keys):
    """Walks all of route × role × (own member, another member) × (with, without a stated purpose)."""
    walked = 0
    for (method, path), roles in ACCESS.items():
        if roles is None:
            continue
        members = ("anna", "berta") if "{member}" in path else ("",)
        for role, member, stated in itertools.product(ROLES, members, (True, False)):
            url = path.format(member=member, **IDS)
            if role == "member" and (method, path) == ERASING:  # with the member their keys are gone
                keys["member"] = running.member_key("anna")
            headers = bearer(keys[role]) | ({"Benne-Access-Purpose": "dispute:1"} if stated else {})
            sent = client.request(method, url, headers=headers, json=BODIES.get(path))
            ownership = roles.get(role)
            allowed = {
                None: False,
                "all": True,
                "as_recipient": True,
                "own": member == "anna",
                "themselves": True,
                "with_purpose": stated,
            }[ownership]
            refused = sent.status_code == 403 and sent.json()["type"] in (
                "/problems/access-denied",
                "/problems/access-purpose-required",
            )
            assert refused != allowed, (method, url, role, stated, sent.status_code, sent.text)
            walked += 1
        keys["member"] = running.member_key("anna")
    assert walked > 250


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_gets_in_without_credentials_or_with_bad_ones(client, keys):
    good = keys["admin"]
    forged = good[:-1] + ("0" if good[-1] != "0" else "1")
    for (method, path), roles in ACCESS.items():
        url = path.format(member="anna", **IDS, slug="not-found")
        for headers in ({}, bearer(forged), bearer("benne_x"), bearer("a.b.c"), {"Authorization": good}):
            sent = client.request(method, url, headers=headers)
            if roles is None:
                assert sent.status_code in (200, 404)
            else:
                assert (sent.status_code, sent.json()["type"]) == (401, "/problems/credentials-required")
                assert sent.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing_from_the_next_request_on(running, client):
    key = running.key("admin")
    assert client.get("/v1/models/current", headers=bearer(key)).status_code == 200
    running.revoke(key)
    assert client.get("/v1/models/current", headers=bearer(key)).status_code == 401


def test_a_member_may_be_named_by_me_or_by_their_own_id_and_by_no_other(running, client):
    key = running.member_key("anna")
    assert client.get("/v1/members/me/consents", headers=bearer(key)).status_code == 200
    assert client.get("/v1/members/anna/consents", headers=bearer(key)).status_code == 200
    assert client.get("/v1/members/Anna/consents", headers=bearer(key)).status_code == 403
    staff = bearer(running.key("compliance")) | {"Benne-Access-Purpose": "dispute:1"}
    assert client.get("/v1/members/me/consents", headers=staff).json() == {"consents": []}


def test_a_look_up_by_staff_is_on_record_with_what_it_was_for(running, client):
    running.grant("anna")
    staff = running.key("compliance")
    client.get("/v1/members/anna/report", headers=bearer(staff) | {"Benne-Access-Purpose": "dispute:4711"})
    last = running.rows("audit_records")[-1]
    assert (last["type"], last["context"], last["actor_role"]) == ("report_given", "dispute:4711", "compliance")
    assert last["actor_id"] == "key:" + staff.split("_")[1]
