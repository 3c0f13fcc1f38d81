"""A member's pages for staff: looked up for a purpose, on record, and nowhere else."""

from __future__ import annotations

import logging
import re
import shutil

import pytest

from benne.explain.texts import LANGUAGES, texts_of
from benne.scoring.store.member_tables import member_payloads
from tests.scoring.console.conftest import Tags, words

TABS = ("", "/what-if", "/history", "/consents", "/disputes", "/reviews", "/notices")


def last_records(running, count=1):
    return running.rows("audit_records")[-count:]


@pytest.mark.parametrize(
    "fields", [{}, {"what_for": ""}, {"what_for": "curiosity"}, {"what_for": "dispute", "case": "Anna Smith"}]
)
def test_without_a_purpose_nobody_is_looked_up_and_nothing_goes_on_record(browser, running, anna, fields):
    browser.staff()
    before = len(running.rows("audit_records"))
    sent = browser.post("/console/members", {"member_id": anna, **fields})
    assert sent.status_code == 422
    assert sent.url.path == "/console/members"
    assert len(running.rows("audit_records")) == before


def test_a_look_up_is_on_record_with_who_and_what_for_whether_or_not_it_finds_somebody(browser, running, anna):
    key = browser.staff()
    browser.look_up(anna, "access-request", "2026/17")
    found = [row for row in running.rows("audit_records") if row["context"] == "access-request:2026/17"]
    assert {(row["type"], row["actor_id"]) for row in found[:1]} == {("member_looked_up", f"key:{key.split('_')[1]}")}
    missed = browser.post("/console/members", {"member_id": "nobody-of-that-name", "what_for": "audit"})
    assert missed.status_code == 422
    assert "Nobody with this id is on record" in words(missed)
    last = last_records(running)[0]
    assert (last["type"], last["context"], last["subject_hmac"]) == ("member_looked_up", "audit", None)


def test_every_page_about_a_member_is_on_record_for_the_purpose_of_the_look_up(browser, running, scored):
    browser.staff()
    at = browser.look_up(scored)
    for tab in (*(tab for tab in TABS if tab != "/what-if"), "/report?as=html"):  # without events it shows nothing
        before = len(running.rows("audit_records"))
        page = browser.get(at + tab)
        assert page.status_code == 200, tab
        added = running.rows("audit_records")[before:]
        assert added, tab
        assert {row["context"] for row in added} <= {"dispute:4711", None}
        assert "dispute:4711" in {row["context"] for row in added}, tab


def test_neither_address_nor_log_nor_page_holds_a_members_id(browser, running, scored, caplog):
    caplog.set_level(logging.DEBUG)
    browser.staff()
    at = browser.look_up(scored)
    said = [browser.get(at + tab).text for tab in TABS]
    for secret in (scored, running.member(scored)):
        assert secret not in at
        assert secret not in caplog.text
        assert not [page for page in said if secret in page]
    logged = [record.getMessage() for record in caplog.records if record.name == "benne.access"]
    assert any('"/console/members/{member}/consents"' in line for line in logged)
    assert not [line for line in logged if at in line]


def test_a_reference_opens_in_its_own_session_and_in_no_other(browser, open_browser, anna):
    browser.staff()
    at = browser.look_up(anna)
    other = open_browser()
    other.staff()
    missing = other.get(at)
    assert missing.status_code == 404
    assert "Look the member up again" in words(missing)
    assert browser.get(at[:-2] + "zz").status_code == 404
    assert browser.get(at).status_code == 200


def test_two_look_ups_of_one_member_have_two_addresses(browser, anna):
    browser.staff()
    assert browser.look_up(anna) != browser.look_up(anna)


def test_the_score_adds_up_as_it_is_shown(browser, running, scored):
    browser.staff()
    _, explanation = running.service.explanations.explain(running.member(scored), running_doing())
    page = browser.get(browser.look_up(scored))
    shown = explanation.base_shown + sum(line.shown for line in explanation.categories) + explanation.clipped_shown
    assert shown == explanation.shown
    assert f">{explanation.shown}<" in page.text
    assert {"gauge-title", "categories-title"} <= {tag.get("id") for tag in Tags(page.text).named("title")}


def test_any_decision_of_the_history_can_be_explained_and_made_again_from_there(browser, running, scored):
    browser.member(scored)
    browser.post("/me")
    browser.staff()
    at = browser.look_up(scored)
    links = re.findall(rf'href="({at}\?decision=([0-9a-f-]+))"', browser.get(f"{at}/history").text)
    assert len(links) == 2
    for path, decision_id in links:
        page = browser.get(path)
        assert decision_id in words(page)
        assert "Asked for The member's own report · platform" in words(page)
        (again,) = re.findall(r'href="(/console/decisions[^"]+)"', page.text)
        assert f'value="{decision_id}"' in browser.get(again).text
    for nothing in ("1b1bfb06-872d-4240-891c-38aafc8e32d7", "%3Cscript%3E"):
        assert browser.get(f"{at}?decision={nothing}").status_code == 404


def test_why_a_score_changed_is_answered_in_its_place_and_not_with_a_page_in_the_page(browser, scored):
    browser.member(scored)
    browser.post("/me")
    browser.staff()
    at = browser.look_up(scored)
    first, second = re.findall(r"\?decision=([0-9a-f-]+)", browser.get(f"{at}/history").text)
    ask = {"HX-Request": "true", "HX-Target": "change-answer"}
    for path in (f"{at}/history", "/me/history"):
        part = browser.get(f"{path}?first={second}&second={first}", **ask).text
        assert part.strip().startswith('<div id="change-answer"'), path
        assert "<html" not in part


def test_a_member_is_told_apart_and_what_they_were_looked_up_for_is_said_in_words(browser, running, scored):
    browser.staff()
    at = browser.look_up(scored, "access-request", "2026/17")
    page = words(browser.get(f"{at}?lang=zh"))
    assert f"会员 {running.member(scored)[:8]}" in page
    assert "查阅请求 2026/17" in page
    assert "English" in page
    assert f'{at}/report?as=pdf&amp;language=en"' in browser.get(at).text


def test_a_model_that_knows_no_averages_is_not_said_to_have_found_nothing(browser, running, scored, monkeypatch):
    monkeypatch.setattr("benne.scoring.decisions.replay.Remade.reasons", lambda remade: None)
    browser.staff()
    page = words(browser.get(browser.look_up(scored)))
    assert "No reasons can be given for this score" in page
    assert "Nothing falls short" not in page


def running_doing():
    from benne.scoring.decisions.request import Actor
    from benne.scoring.members.recording import Doing

    return Doing(Actor("key:1", "compliance"), "audit")


def test_a_member_who_consents_to_nothing_any_more_is_shown_so(browser, running, scored):
    browser.member(scored)
    for recipient, purpose in (("shop", "lending"), ("platform", "own_report")):
        browser.post("/me/consents/withdraw", {"purpose": purpose, "recipient": recipient})
    browser.staff()
    page = browser.get(browser.look_up(scored))
    assert page.status_code == 200
    assert "nobody gets a score" in words(page)
    mine = browser.get("/me")
    assert "You consent to nothing at the moment" in words(mine)
    again = browser.post("/me")
    assert again.status_code == 422
    assert "You withdrew your consent" in words(again)


def test_a_decision_whose_model_has_left_the_shelf_is_told_as_that(browser, running, scored, tmp_path):
    browser.staff()
    at = browser.look_up(scored)
    shelf = running.service.shelf
    model_id = running.service.models.current.model_id
    kept, folder = shelf._loaded.pop(model_id), shelf._path(model_id)
    shutil.move(folder, tmp_path / "away")
    try:
        for language in LANGUAGES:
            page = browser.get(f"{at}?lang={language}")
            assert page.status_code == 200
            assert texts_of(language).say("console.score.model_retired") in words(page)
    finally:
        shutil.move(tmp_path / "away", folder)
        shelf._loaded[model_id] = kept


def test_a_damaged_payload_is_told_as_that_and_everything_else_stands(browser, running, scored):
    browser.staff()
    at = browser.look_up(scored)
    columns = member_payloads.c
    mine = (columns.subject_id == running.member(scored)) & (columns.kind == "decision")
    with running.service.store.write() as connection:
        connection.execute(member_payloads.update().where(mine).values(ciphertext=b"\x00" * 60))
    page = browser.get(at)
    assert page.status_code == 200
    assert "cannot be read" in words(page)
    assert "Traceback" not in page.text
    for tab in TABS[2:]:
        assert browser.get(at + tab).status_code == 200, tab


def test_an_erased_member_is_told_as_nobody(browser, running, scored, open_browser):
    browser.staff()
    at = browser.look_up(scored)
    member = open_browser()
    member.member(scored)
    member.post("/me/erase", {"understood": "yes"})
    page = browser.get(at)
    assert page.status_code == 200
    assert "There is no score to explain" in words(page)


def test_a_report_is_a_file_and_not_a_page_among_ours(browser, scored):
    browser.staff()
    at = browser.look_up(scored)
    html_report = browser.get(f"{at}/report?as=html&language=zh")
    assert html_report.headers["content-disposition"] == 'attachment; filename="benne-report-zh.html"'
    pdf = browser.get(f"{at}/report?as=pdf&language=en")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["content-type"] == "application/pdf"


def test_a_receipt_can_be_had_and_another_members_cannot(browser, running, scored, anna):
    browser.staff()
    at = browser.look_up(scored)
    record = running.service.records.consents(running.member(scored), running_doing())[0]["record_id"]
    got = browser.get(f"{at}/consents/{record}/receipt")
    assert (got.status_code, got.text.count(".")) == (200, 2)
    running.grant("berta")
    other = running.service.records.consents(running.member("berta"), running_doing())[0]["record_id"]
    assert browser.get(f"{at}/consents/{other}/receipt").status_code == 404


def test_a_decision_is_made_again_to_the_bit_for_a_purpose(browser, running, scored):
    browser.staff()
    decision = running.service.explanations.explain(running.member(scored), running_doing())[0]
    fields = {"decision_id": decision, "what_for": "audit"}
    assert "Identical" in words(browser.post("/console/decisions", fields))
    assert browser.post("/console/decisions", {"decision_id": decision}).status_code == 422
    assert browser.post("/console/decisions", fields | {"decision_id": "nothing-like-it"}).status_code == 422


def test_pages_work_while_what_is_half_migrated_is_told_as_unavailable(browser, running, scored):
    browser.staff()
    at = browser.look_up(scored)
    with running.service.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE rights_cases RENAME TO rights_cases_away")
    try:
        page = browser.get("/console/queue")
        assert page.status_code == 503
        assert "Nothing was changed" in words(page)
        assert browser.get(at).status_code == 200
    finally:
        with running.service.store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE rights_cases_away RENAME TO rights_cases")
