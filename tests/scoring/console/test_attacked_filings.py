"""What lies in the tables of governance may have been written by anybody: pages show it, and run nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from benne.scoring.console.documents_shown import plain
from tests.scoring.console.conftest import Browser, words
from tests.scoring.console.test_governance_pages import file, model_page
from tests.scoring.service.conftest import Running

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"


def test_markup_in_any_part_of_a_document_is_shown_as_text(running: Running, browser: Browser) -> None:
    figure = {"value": HOSTILE, "low": None, "high": [HOSTILE], "n": {"a": HOSTILE}, "state": HOSTILE, "note": HOSTILE}
    filing_id = file(
        running, made_at=HOSTILE, by=HOSTILE, notes=[HOSTILE, {"x": HOSTILE}], measures={HOSTILE: figure},
        tables={HOSTILE: [{HOSTILE: HOSTILE}]}, **{HOSTILE: HOSTILE, "listed": [{HOSTILE: 1}]},
    )  # fmt: skip
    browser.staff()
    page = browser.get(f"{model_page(running)}/{filing_id}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "{{7*7}}" in page.text
    assert page.headers["content-security-policy"]


@pytest.fixture
def edited(running: Running) -> Iterator[Callable[[str], None]]:
    """Edits the verdict as its owner could; it is put back, for others look at the same service."""

    def edit(verdict: str) -> None:
        quoted = verdict.replace("'", "''")
        with running.service.store.write() as connection:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS model_validations_no_update")
            connection.exec_driver_sql(f"UPDATE model_validations SET verdict = '{quoted}'")

    before = running.rows("model_validations")[0]["verdict"]
    yield edit
    edit(before)


@pytest.mark.parametrize(
    "verdict",
    ['{"gates": "x", "passed": 1, "author": ["' + "<script>" + '"], "results": {"a": 1}}', "[" * 5_000, "7", "",
     '{"results": [{"metric": "<script>", "state": "passed", "value": {}, "low": "x", "n": [[]]}]}',
     '{"a": ' + "[" * 700 + "]" * 700 + "}", '{"results": [{"metric": "m", "state": "passed", "value": NaN}]}'],
    ids=["other-kinds", "bottomless", "number", "nothing", "results", "deep", "nan"],
)  # fmt: skip
def test_a_verdict_edited_into_anything_is_still_shown_as_one_that_was_changed(
    running: Running, browser: Browser, edited: Callable[[str], None], verdict: str
) -> None:
    edited(verdict)
    row = running.rows("model_validations")[0]
    browser.staff()
    for address in (model_page(running), f"{model_page(running)}/{row['validation_id']}"):
        page = browser.get(address)
        assert page.status_code == 200
        assert "<script>" not in page.text
    assert "changed" in words(page).lower()
    assert browser.get(f"{model_page(running)}/{row['validation_id']}?as=json").status_code == 200
    told = browser.client.get("/v1/models/current/filings", headers={"Authorization": f"Bearer {running.admin}"})
    assert told.status_code == 200
    assert [one["whole"] for one in told.json()["filings"] if one["kind"] == "verdict"] == [False]


def test_what_lies_deep_is_left_to_the_file() -> None:
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    assert plain(deep) == "…"
    assert plain({"a": [1, {"b": 2}]}) == "a: 1, b: 2"
