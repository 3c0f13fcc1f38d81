"""Whatever is sent: a typed refusal of the sender's own making, and never a 5xx."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest

from benne.scoring.api.access import ACCESS
from benne.scoring.api.app import create_app
from benne.scoring.api.edge import Edge
from benne.scoring.api.line_stream import lines_of
from benne.scoring.api.measuring import Measures
from benne.scoring.api.problems import MEDIA_TYPE
from tests.scoring.service.conftest import bearer

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

GOOD = {
    "/v1/scores": {"member_id": "anna", "purpose": "lending"},
    "/v1/eligibility": {"member_id": "anna", "benefit": "deposit_waiver"},
    "/v1/members/me/consents": {
        "offer": "lending", "notice_hash": "0" * 64, "categories": ["social"], "channel": "app",
        "method": "toggle_switched_on", "steps": 1,
    },
    "/v1/members/me/proofs": {"kind": "exact", "audience": "https://landlord.example", "nonce": "n" * 16},
}  # fmt: skip
BAD = {
    "empty": b"",
    "not json": b"{",
    "invalid utf-8": b'{"member_id": "\xff\xfe"}',
    "utf-16": '{"member_id": "anna"}'.encode("utf-16"),
    "deep list": b"[" * 30_000 + b"]" * 30_000,
    "deep object": b'{"member_id":' * 4_000 + b"1" + b"}" * 4_000,
    "huge number": b'{"member_id": ' + b"9" * 20_000 + b"}",
    "not a number": b'{"member_id": NaN, "threshold": NaN}',
    "infinity": b'{"member_id": "anna", "purpose": "lending", "threshold": Infinity}',
    "half a surrogate": b'{"member_id": "\\ud800", "purpose": "lending"}',
    "a list": b"[]",
    "a text": b'"member_id"',
    "null": b"null",
    "nul in an id": b'{"member_id": "an\\u0000na", "purpose": "lending"}',
    "long id": b'{"member_id": "' + b"a" * 60_000 + b'"}',
}


@pytest.fixture
def keys(running):
    """Credentials for the routes that take a body."""
    shop, anna = running.register(), running.member_key("anna")
    return {path: bearer(anna if "members" in path else shop) for path in GOOD}


@pytest.mark.parametrize("path", GOOD)
def test_a_body_that_is_no_question_is_refused_by_place_and_not_repeated(client, keys, path):
    headers = keys[path] | {"Content-Type": "application/json"}
    for name, body in BAD.items():
        refused = client.post(path, content=body, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (422, MEDIA_TYPE), (name, refused.text[:300])
        assert len(refused.content) < 2_000


def test_a_body_of_another_kind_is_no_server_error(client, keys):
    for path, kind in itertools.product(GOOD, ("text/plain", "application/xml", "multipart/form-data", None)):
        headers = keys[path] | ({} if kind is None else {"Content-Type": kind})
        sent = client.post(path, content=json.dumps(GOOD[path]).encode(), headers=headers)
        assert sent.status_code < 500, (path, kind)


def test_of_a_name_given_twice_the_last_counts_however_the_question_comes_in(running, client, keys):
    """Two ways lead to a score, with two readers of JSON: they must not see different members."""
    running.grant("berta")
    running.know("berta")
    text = '{"member_id": "anna", "purpose": "lending", "member_id": "berta"}'
    for kind in ("application/json", "application/json;charset=UTF-8"):
        answered = client.post("/v1/scores", content=text, headers=keys["/v1/scores"] | {"Content-Type": kind})
        assert answered.status_code == 200, answered.text


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(client, keys):
    for path, declared in itertools.product(GOOD, (True, False)):
        body = json.dumps(GOOD[path] | {"context": "x" * 70_000}).encode()
        parts = (body[k : k + 8_192] for k in range(0, len(body), 8_192))
        headers = keys[path] | {"Content-Type": "application/json"}
        refused = client.post(path, content=body if declared else parts, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (413, "/problems/body-too-large"), (path, declared)


def test_a_length_that_is_none_is_refused(client, keys):
    for length in ("-1", "+5", "1e3", "9" * 5_000, "9" * 19, "0x10", "five"):
        headers = keys["/v1/scores"] | {"Content-Type": "application/json", "Content-Length": length}
        assert client.post("/v1/scores", content=b"{}", headers=headers).status_code == 413, length


def test_a_method_or_an_address_that_is_none_is_no_server_error(client, keys):
    methods = ("GET", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW")
    for method, path in itertools.product(methods, ("/v1/scores", "/v1/members/me", "/healthz", "/nowhere", "//")):
        assert client.request(method, path, headers=keys["/v1/scores"]).status_code < 500, (method, path)


def test_a_member_of_any_name_is_no_server_error(running, client):
    staff = bearer(running.key("compliance")) | {"Benne-Access-Purpose": "dispute:1"}
    names = ("%00", "%ff", "%ED%A0%80", "a" * 5_000, "..%2f..", "%0a", "é", "%F0%9F%92%A9", " ")
    for member, ((method, path), roles) in itertools.product(names, ACCESS.items()):
        if roles is not None and "{member}" in path and "compliance" in roles:
            url = path.format(member=member, record_id="r")
            assert client.request(method, url, headers=staff).status_code < 500, (method, url)


def test_a_query_of_any_kind_is_no_server_error(running, client):
    anna = bearer(running.member_key("anna"))
    queries = ("purpose=lending", "purpose=x&recipient=shop", "purpose=lending&recipient=%00", "category=x", "limit=0",
               "limit=99999999999999999999", "after=" + "x" * 37, "decision_id=%00", "after=%ff")  # fmt: skip
    asked = (("DELETE", "consents"), ("GET", "history"), ("GET", "explanation"))
    for query, (method, path) in itertools.product(queries, asked):
        url = f"/v1/members/me/{path}?{query}"
        assert client.request(method, url, headers=anna).status_code < 500, (method, url)


def test_credentials_of_any_kind_are_no_server_error(client):
    for text in ("Bearer", "Bearer ", "bearer x", "Basic eDp5", "Bearer \xe9", "Bearer " + "a" * 9_000, "Bearer a.b.c",
                 "Bearer benne_" + "0" * 16 + "_" + "0" * 64):  # fmt: skip
        refused = client.get("/v1/policies", headers={"Authorization": text.encode("latin-1")})
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/credentials-required"), text[:20]


def test_lines_of_a_stream_that_are_none_have_their_own_problem_each(running, client):
    running.grant("anna")
    running.know("anna")
    headers = bearer(running.register()) | {"Content-Type": "application/x-ndjson"}
    lines = [body.replace(b"\n", b" ") for body in BAD.values() if body.strip()]
    good = json.dumps(GOOD["/v1/scores"]).encode()
    sent = b"\n".join(part for line in lines for part in (line, good)) + b"\n" + b"x" * 70_000 + b"\r\n" + good
    got = [json.loads(line) for line in client.post("/v1/scores:batch", content=sent, headers=headers).iter_lines()]
    assert len(got) == 2 * len(lines) + 2
    assert ["problem" in one for one in got[::2]] == [True] * (len(lines) + 1)
    assert ["answer" in one for one in got[1::2]] == [True] * (len(lines) + 1)


def test_a_line_without_end_takes_no_memory_and_no_time(database):
    async def body():
        for _ in range(1_000):
            yield b"x" * 65_536
        yield b"\n{}"

    async def read():
        return [line async for line in lines_of(body(), 65_536)]

    assert [len(line) for line in asyncio.run(read())] == [1, 2]


def test_a_stream_that_is_too_large_says_so_in_its_last_line(running, client):
    headers = bearer(running.register()) | {"Content-Type": "application/x-ndjson"}
    good = json.dumps(GOOD["/v1/scores"]).encode() + b"\n"
    parts = iter([{"type": "http.request", "body": good * 100, "more_body": True}] * 9)
    sent = []

    async def receive():
        return next(parts)

    async def send(message):
        sent.append(message)

    app = Edge(create_app(running.service, close=False), body_limit=100, batch_body_limit=len(good) * 450, seconds=5,
               measures=Measures(running.service))  # fmt: skip
    scope = {"type": "http", "method": "POST", "path": "/v1/scores:batch", "query_string": b"", "raw_path": b"",
             "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
             "http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1)}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    lines = [json.loads(line) for line in b"".join(one.get("body", b"") for one in sent).splitlines()]
    assert (sent[0]["status"], len(lines)) == (200, 401)
    assert lines[-1]["problem"]["type"] == "/problems/body-too-large"
    assert {one["problem"]["type"] for one in lines[:-1]} == {"/problems/consent-required"}


def test_a_body_that_does_not_come_is_waited_for_no_longer_than_a_request_may_take(running):
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    app = Edge(create_app(running.service, close=False), body_limit=100, batch_body_limit=100, seconds=0.05,
               measures=Measures(running.service))  # fmt: skip
    for path, kind in (("/v1/scores", "json"), ("/v1/eligibility", "json"), ("/v1/scores:batch", "x-ndjson")):
        headers = bearer(running.register(f"shop-{len(path)}")) | {"content-type": f"application/{kind}"}
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "raw_path": b"",
                 "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
                 "http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1)}  # fmt: skip
        sent.clear()
        asyncio.run(app(scope, receive, send))
        told = json.loads(sent[1]["body"])
        assert told.get("problem", told)["type"] == "/problems/body-too-slow", path


def test_a_misspelt_filter_is_refused_and_not_taken_for_none(running, client):
    anna = bearer(running.member_key("anna"))
    refused = client.get("/v1/members/me/history?limitt=1", headers=anna)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/request-invalid")
    assert "after, limit" in refused.json()["detail"]
    assert client.get("/v1/members/me/history?limit=1", headers=anna).status_code == 200
    shop = bearer(running.register())
    assert (
        client.post("/v1/scores?fast=1", json={"member_id": "anna", "purpose": "lending"}, headers=shop).status_code
        == 422
    )
