"""The tables of docs/service.md are what the code says: routes, problems, settings, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from benne.scoring.api.access import ACCESS
from benne.scoring.api.app import create_app
from benne.scoring.api.describing import describe
from benne.scoring.api.measuring import Measures
from benne.scoring.api.problems import PROBLEMS
from benne.scoring.decisions.reasons import WHY
from benne.scoring.policy.checking import POLICY_DENY_REASONS
from benne.scoring.settings import Settings

WHO = {
    ("recipient", "as_recipient"): "recipient",
    ("member", "own"): "member, for themselves",
    ("member", "themselves"): "member, for themselves",
    ("compliance", "with_purpose"): "compliance, stating a purpose",
    ("compliance", "all"): "compliance",
    ("admin", "all"): "admin",
    ("data_scientist", "all"): "data scientist",
}
METRICS = re.compile(r"^# TYPE (benne_\w+) (\w+)$", re.M)


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "service.md").read_text("utf-8")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document; describing the interface asks nothing of a service but its limits."""
    return describe(create_app(pretended_service(), close=False))


def pretended_service() -> Any:
    """As much of a service as an application that nobody asks anything looks at."""
    nothing = SimpleNamespace(waiting=0, current=SimpleNamespace(model_id="benne/0123456789abcdef"))
    decided = SimpleNamespace(outcomes=dict)
    return SimpleNamespace(
        settings=Settings(home=Path(), console=False), desk=nothing, models=nothing, maker=decided,
        monitoring=SimpleNamespace(gauges=dict, filed=lambda: None),
    )  # fmt: skip


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rows_below(page: str, heading: str) -> list[str]:
    """Rows of the first table below a heading, without its head."""
    text = page.split(f"\n{heading}\n", 1)[1]
    return re.search(r"^\|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.M).group(1).splitlines()


def who(roles: dict[str, str] | None) -> str:
    if roles is None:
        return "anybody"
    if len(roles) == 5:
        return "any role"
    return "; ".join(WHO[one] for one in roles.items())


def named_in(operation: dict[str, Any]) -> set[str]:
    answers = [answer for status, answer in operation["responses"].items() if int(status) >= 400]
    return {slug for answer in answers for slug in re.findall(r"`([a-z-]+)`", answer["description"])}


def usual(document: dict[str, Any]) -> set[str]:
    """What every route may answer that asks for credentials, and any that takes something in; not repeated for each."""
    asked = [document["paths"][path][method.lower()] for (method, path), roles in ACCESS.items() if roles is not None]
    return set.intersection(*map(named_in, asked)) | {"request-invalid"}


def usual_words(document: dict[str, Any]) -> str:
    return ", ".join(f"`{slug}`" for slug in sorted(usual(document)))


def problems_of(operation: dict[str, Any], left_out: set[str]) -> str:
    rest, told = named_in(operation) - left_out, []
    for reasons, words in ((set(WHY), "every reason to refuse"), (set(POLICY_DENY_REASONS), "those of policy")):
        if reasons <= rest:
            rest, told = rest - reasons, [*told, words]
    return ", ".join([*told, *(f"`{slug}`" for slug in sorted(rest))])


def route_rows(document: dict[str, Any]) -> list[str]:
    found, left_out = [], usual(document)
    for (method, path), roles in ACCESS.items():
        operation = document["paths"].get(path, {}).get(method.lower())
        says, problems = "This interface, as OpenAPI.", ""
        if operation is not None:
            says, problems = first_sentence(operation["description"]), problems_of(operation, left_out)
        found.append(row((f"`{method} {path}`", who(roles), says, problems)))
    return found


def first_sentence(text: str) -> str:
    return re.match(r"(.*?[.:;])(\s|$)", text.replace("\n", " ")).group(1).rstrip(":;.") + "."


def problem_rows() -> list[str]:
    return [row((f"`{kind.slug}`", str(kind.status), kind.title)) for kind in PROBLEMS.values()]


def setting_rows() -> list[str]:
    return [
        row((f"`{name}`", default_of(field.default), str(field.description)))
        for name, field in Settings.model_fields.items()
    ]


def default_of(default: object) -> str:
    if default is PydanticUndefined or default is None:
        return ""
    told = default.get_secret_value() if isinstance(default, SecretStr) else default
    return f"`{str(told).lower() if isinstance(told, bool) else told}`"


def test_every_route_is_described_with_who_may_use_it_and_what_it_may_answer(page, document):
    assert rows_below(page, "## Routes") == route_rows(document)


def test_what_every_route_may_answer_is_said_once(page, document):
    assert f"may answer\n{usual_words(document)}.\n" in page


def test_every_problem_is_described(page):
    assert rows_below(page, "## Problems") == problem_rows()


def test_every_setting_is_described(page):
    assert rows_below(page, "## Settings") == setting_rows()


def test_every_metric_is_listed(page):
    served = {(name, kind) for name, kind in METRICS.findall(Measures(pretended_service()).text().decode())}
    listed = {tuple(re.findall(r"`([^`]+)`", line)[:2]) for line in rows_below(page, "### Metrics")}
    assert listed == {(name, kind) for name, kind in served if not name.endswith("_created")}
