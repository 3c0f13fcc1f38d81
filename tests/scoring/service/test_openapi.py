"""The OpenAPI document is the truth: whatever it lets a caller send is answered as it says, and never by a 5xx."""

from __future__ import annotations

import json
import re
from contextlib import suppress

import pytest
import schemathesis
import schemathesis.specs.openapi.checks as openapi_checks
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from benne.scoring.api import bodies, rights_bodies, what_if_bodies
from benne.scoring.api.access import ACCESS
from benne.scoring.api.app import create_app
from benne.scoring.api.examples import EXAMPLES
from benne.scoring.api.problems import MEDIA_TYPE, PROBLEMS
from tests.scoring.service.conftest import bearer

ROLE_OF = {
    "as_recipient": "recipient", "own": "member", "themselves": "member", "with_purpose": "compliance", "all": "admin",
}  # fmt: skip
CHECKS = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.missing_required_header,
    openapi_checks.ignored_auth,
]
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


@schemathesis.serializer("application/x-ndjson")
def as_lines(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture
def headers(running):
    """Credentials of each role; the member's own key and id are anna's."""
    running.grant("anna")
    running.know("anna")
    keys = {
        "recipient": running.register(),
        "member": running.member_key("anna"),
        "compliance": running.key("compliance"),
        "admin": running.key("admin"),
    }
    return {role: bearer(key) | {"Benne-Access-Purpose": "dispute:1"} for role, key in keys.items()}


def walk(running, headers, mode, examples):
    app = create_app(running.service, close=False)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    walked = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        name = (operation.method.upper(), operation.path)
        if name == ("DELETE", "/v1/members/{member}"):
            continue  # erasing the member would leave the others nothing to ask about; it has tests of its own
        roles = ACCESS[name]
        auth = {} if roles is None else headers[ROLE_OF[next(iter(roles.values()))]]

        with suppress(Unsatisfiable):  # nothing can be sent wrong to a route that takes nothing
            attempt(operation, mode, examples, auth)
        walked.add(name)
    return walked


def attempt(operation, mode, examples, auth):
    """Send what the operation's description lets anybody send (or, negatively, what it does not)."""

    @seed(5)
    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=QUIET,
        phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        if case.path_parameters and "member" in case.path_parameters:
            case.path_parameters["member"] = "anna"
        # A stream is answered line by line, so whatever is sent as one has a 200 and a problem in it.
        # And a name of no value at all, such as an empty list, never comes to be in the address.
        unsent = any(value in ([], {}, None) for value in (case.query or {}).values())
        anything = unsent or operation.path == "/v1/scores:batch"
        checks = [check for check in CHECKS if not (anything and check is openapi_checks.negative_data_rejection)]
        own = {name: value for name, value in auth.items() if name not in (case.headers or {})}
        case.call_and_validate(headers=own, checks=checks)

    ask()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_a_sample_of_requests_of_every_route(running, headers, mode):
    assert len(walk(running, headers, mode, examples=8)) == len(ACCESS) - 2


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_many_requests_of_every_route(running, headers, mode):
    walk(running, headers, mode, examples=200)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_part_of_every_path_is_described(client):
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        for operation in operations.values():
            described = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert described == set(re.findall(r"\{(\w+)\}", path)), path


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_question_has_an_example_that_is_as_it_is_described(client):
    document = client.get("/openapi.json").json()
    asked = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            asked |= {one["$ref"].rpartition("/")[2] for one in schema.get("oneOf", [schema]) if "$ref" in one}
    assert asked == set(EXAMPLES)
    for name, example in EXAMPLES.items():
        assert document["components"]["schemas"][name]["examples"] == [example]
        model = next(
            getattr(module, name) for module in (bodies, rights_bodies, what_if_bodies) if hasattr(module, name)
        )
        model.model_validate_json(json.dumps(example))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_problem_of_every_route_is_one_that_is_described(client):
    document = client.get("/openapi.json").json()
    named = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                if int(status) < 400:
                    continue
                assert list(answer["content"]) == [MEDIA_TYPE], (method, path, status)
                slugs = {slug.strip(" `") for slug in answer["description"].split(";")}
                assert {PROBLEMS[slug].status for slug in slugs} == {int(status)}
                named |= slugs
            if ACCESS[method.upper(), path] is not None:
                assert operation["security"] == [{"bearer": []}]
                assert {"401", "403", "429", "500", "503"} <= set(operation["responses"])
    for slug in named:
        told = client.get(f"/problems/{slug}").json()
        assert told == {"slug": slug, "status": PROBLEMS[slug].status, "title": PROBLEMS[slug].title}
