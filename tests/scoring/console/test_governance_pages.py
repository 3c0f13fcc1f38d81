"""Governance on pages: verdict and documents of a model, live monitoring, a roll-out; for three roles, read-only."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import numpy as np
import pytest

from benne.scoring.console.documents_shown import document_shown
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import file_document
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.shadow_counts import Lines, count_pair
from benne.scoring.store.governance_tables import model_documents, model_rollouts
from benne.scoring.wiring import random_id
from tests.scoring.console.conftest import Browser, words
from tests.scoring.monitoring.conftest import refused, scored_pass
from tests.scoring.service.conftest import Running
from tests.scoring.validated import validated, validated_bare

_STEPS = count(100)


def file(running: Running, **more: Any) -> str:
    """A document about the model that serves."""
    served, event_id = running.service.models.current, random_id()
    content = {
        "format": 1, "kind": "fairness", "model": {"model_id": served.model_id, "config_hash": served.config_hash},
        "made_at": "2026-03-01T00:00:00Z", "by": "ann", "notes": ["Seen on <b>simulated</b> members."],
        "measures": {
            "fairness.adverse_impact_ratio": {
                "value": 0.9123456, "low": 0.85, "high": 0.97, "n": 1200, "state": "measured", "note": "sex: female",
            }
        },
        "tables": {"by_group": [{"group": "female", "n": 600, "rate": 0.5}, {"group": "male", "n": 600, "rate": None}]},
        **more,
    }  # fmt: skip
    work = file_document(content, actor=Actor("ann", "data_scientist"), event_id=event_id, policy_version="1")
    running.service.group.submit(work)
    return event_id


def model_page(running: Running) -> str:
    return f"/console/models/{running.service.models.current.config_hash}"


def test_the_model_page_says_who_validated_it_and_leads_to_the_verdict(running: Running, browser: Browser) -> None:
    browser.staff()
    page = browser.get("/console/model")
    assert "It passed its validation. Validated by bob Trained by ann" in words(page)
    assert "Gates approved by carol" in words(page)
    reference = running.service.models.current.model.reference_
    assert f"Reference population {reference.hash()} Members in it {reference.size():,}" in words(page)
    assert f'href="{model_page(running)}"' in page.text
    verdict = words(browser.get(model_page(running)))
    assert "points.largest_gap" in verdict
    assert "passed 0 – 800" in verdict
    assert "As it was filed" in verdict


def test_a_bare_copy_that_somebody_validates_does_not_make_a_model_look_failed(
    running: Running, browser: Browser
) -> None:
    store, group, another = running.service.store, running.service.group, ("benne/" + "ab" * 8, "ab" * 32)
    validated(store, group, another)
    bare = validated_bare(store, group, another)
    browser.staff()
    page = browser.get(f"/console/models/{another[1]}")
    assert "It passed its validation. Validated by bob" in words(page)
    assert f"/console/models/{another[1]}/{bare.validation_id}" in page.text  # listed all the same


def test_a_document_is_shown_with_its_figures_tables_and_notes_whatever_its_kind(
    running: Running, browser: Browser
) -> None:
    filing_id = file(running, cutoffs=[550, 600], kind="fairness")
    browser.staff()
    listed = browser.get(model_page(running))
    assert f"{model_page(running)}/{filing_id}" in listed.text
    page = browser.get(f"{model_page(running)}/{filing_id}")
    said = words(page)
    assert "fairness.adverse_impact_ratio 0.9123 (0.85 … 0.97) 1200 measured sex: female" in said
    assert "female 600 0.5 male 600 –" in said
    assert "cutoffs 550, 600" in said
    assert "<b>simulated</b>" not in page.text
    assert "As it was filed" in said


def test_a_document_is_downloaded_as_it_was_filed(running: Running, browser: Browser) -> None:
    filing_id = file(running, seed=7)
    browser.staff()
    sent = browser.get(f"{model_page(running)}/{filing_id}?as=json")
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["content-disposition"].startswith('attachment; filename="fairness-')
    assert json.loads(sent.text)["seed"] == 7


def test_what_is_not_on_the_chain_is_shown_in_red(running: Running, browser: Browser) -> None:
    served = running.service.models.current
    with running.service.store.write() as connection:
        connection.execute(model_documents.insert(), {
            "seq": next(_STEPS), "document_id": "slipped-in", "model_id": served.model_id,
            "config_hash": served.config_hash, "kind": "gaming", "content_hash": "ab" * 32, "content": "{}",
            "filed_at_us": 1, "filed_by": "mallory",
        })  # fmt: skip
    browser.staff()
    assert "Changed since it was filed" in words(browser.get(model_page(running)))
    page = browser.get(f"{model_page(running)}/slipped-in")
    assert 'class="wrong" role="alert"' in page.text
    assert "Trust nothing on it" in words(page)


@pytest.mark.parametrize("path", ["/console/models/nonsense", f"/console/models/{'ee' * 32}"])
def test_of_a_model_that_nobody_knows_there_is_no_page(browser: Browser, path: str) -> None:
    browser.staff()
    assert browser.get(path).status_code == 404


def test_a_data_scientist_sees_models_and_no_member(running: Running, browser: Browser) -> None:
    assert browser.sign_in(running.key("data_scientist")).url.path == "/console/model"
    page = words(browser.get("/console/monitoring"))
    assert "Monitoring" in page
    assert "Work queue" not in page
    assert {browser.get(path).status_code for path in ("/console/queue", "/console/audit", "/console/members")} == {403}


def test_monitoring_shows_what_moved_in_pictures_and_words_of_both_languages(
    running: Running, browser: Browser
) -> None:
    monitoring, served = running.service.monitoring, running.service.models.current
    monitoring.watch(scored_pass(served, [(9.0,) * 5] * 400, score=420.0, band="poor"))
    monitoring.watch([refused("consent-required")] * 60)
    monitoring.evaluate()
    browser.staff()
    page = browser.get("/console/monitoring")
    said = words(page)
    assert "Scores have moved: index" in said
    assert "x_ability: values have moved" in said
    assert page.text.count("<svg") == 3
    assert "consent-required" in said
    chinese = words(browser.get("/console/monitoring?lang=zh"))
    assert "信用分发生偏移" in chinese


def test_a_roll_out_is_shown_with_its_swap_sets_at_a_cut_off_of_ones_own(running: Running, browser: Browser) -> None:
    browser.staff()
    rollout_id = f"r-{next(_STEPS)}"
    step = {
        "seq": 1, "rollout_id": rollout_id, "state": "shadow", "model_id": "benne/2222222222222222",
        "config_hash": "2" * 64, "share_basis_points": 0, "salt": "ab" * 16, "promotion_seq": 1, "reason": None,
        "changed_at_us": 7, "actor_id": "ops",
    }  # fmt: skip
    counts = LiveCounts(running.service.store, running.service.clock)
    before, after = (np.array([620.0] * 30 + [590.0] * 20), np.array([660.0] * 30 + [610.0] * 20))
    parts = {"base": np.full(50, 600.0), "ability": before - 600}
    others = {"base": np.full(50, 590.0), "ability": after - 590}
    count_pair(counts, rollout_id, Lines(before, np.full(50, 0.1), parts), Lines(after, np.full(50, 0.2), others))
    counts.flush()
    with running.service.store.write() as connection:
        connection.execute(model_rollouts.insert(), step)
    said = words(browser.get("/console/rollout?cutoff=600"))
    assert "600 Let in by both 30 60.0 % 10.0 % 20.0 %" in said
    assert "600 By the challenger only 20 40.0 %" in said
    assert "In the shadow" in said
    assert "compared on" not in said
    steps = [{"seq": 2, "compared": 120, "least_compared": 100}, {"seq": 3, "compared": 0, "least_compared": 0}]
    with running.service.store.write() as connection:
        for staged in steps:
            shared = {"state": "staged", "share_basis_points": 100 * staged["seq"]}
            connection.execute(model_rollouts.insert(), step | shared | staged)
    said = words(browser.get("/console/rollout?cutoff=600"))
    assert "compared on 120 answers or more; asked for: 100" in said
    assert "compared on fewer than 10 answers; asked for: 0" in said
    wrong = browser.get("/console/rollout?cutoff=605")
    assert wrong.status_code == 200
    assert "A cut-off must be a whole ten from 360 to 950." in words(wrong)
    part = browser.get("/console/rollout?cutoff=600", **{"HX-Request": "true", "HX-Target": "rollout-swaps"})
    assert part.text.strip().startswith('<section class="card" id="rollout-swaps"')


def test_a_part_of_another_form_than_agreed_is_left_to_the_file() -> None:
    shown = document_shown({"measures": [1], "tables": {"a": "b", "c": [1, 2]}, "notes": "x", "results": {"d": 1}})
    assert (shown.measures, shown.sections, shown.notes) == (None, [], [])
    assert shown.facts == [("results", "d: 1")]


def test_a_long_table_is_shown_in_part() -> None:
    shown = document_shown({"tables": {"rows": [{"n": k} for k in range(250)]}})
    (table,) = shown.sections[0].tables
    assert (len(table.rows), table.left_out) == (200, 50)


def test_a_table_begins_with_what_its_lines_are_of_and_shows_intervals_beside_their_figures() -> None:
    filed = {"auc": 0.7, "auc_high": 0.75, "auc_low": 0.65, "group": "men", "rows": 40, "why": "–"}
    (table,) = document_shown({"tables": {"groups": [filed]}}).sections[0].tables
    assert table.columns == ["group", "auc", "rows", "why"]
    assert table.rows == [["men", "0.7\n(0.65 … 0.75)", "40", "–"]]
    assert table.numeric == [False, True, True, False]
    unsure = document_shown({"tables": {"groups": [filed | {"auc": None, "auc_low": None}]}})
    assert unsure.sections[0].tables[0].rows[0][1] == "–"


def test_a_documents_own_sections_say_what_its_tables_mean_and_what_they_leave_out_follows() -> None:
    shown = document_shown({
        "tables": {"a.b_c": [{"n": 1}], "cutoffs": [{"n": 2}]},
        "sections": [{"key": "passes", "title": "Who passes", "text": ["A rate."], "tables": ["cutoffs", "absent"]}],
    })  # fmt: skip
    assert [(one.title, one.text, [table.name for table in one.tables]) for one in shown.sections] == [
        ("Who passes", ["A rate."], ["cutoffs"]), ("a: b c", [], ["a.b_c"]),
    ]  # fmt: skip
    assert shown.facts == []


@pytest.mark.parametrize("sections", ["x", [{"title": 1}], [{"tables": "cutoffs", "text": {}}], [7]])
def test_sections_of_another_form_hide_no_table(sections: Any) -> None:
    shown = document_shown({"tables": {"cutoffs": [{"n": 2}]}, "sections": sections})
    assert [one.title for one in shown.sections] == ["cutoffs"]
