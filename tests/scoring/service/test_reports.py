"""A member's report and explanation over HTTP: as page, PDF and text, in both languages, with a score and without."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from benne.errors import ServiceBusy
from benne.explain.report import FreeReports
from benne.explain.report.style import CONTENT_SECURITY_POLICY
from benne.scoring.decisions.request import Actor
from benne.scoring.members.recording import Doing
from benne.scoring.members.reports import Reports
from tests.scoring.service.conftest import TWO, bearer

ANNA = Doing(Actor("test", "member"))
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGES = re.compile(rb"/Type\s*/Page[^s]")


@pytest.fixture
def anna(running, client):
    """A member who was scored, for a shop and for themselves."""
    shop, anna = bearer(running.register()), bearer(running.member_key("anna"))
    running.grant("anna")
    running.grant("anna", offer="own_report")
    for of in ({}, {"purpose": "own_report", "recipient": "platform"}):
        running.know("anna", -0.5, **of)
    question = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
    assert client.post("/v1/scores", json=question, headers=shop).status_code == 200
    assert client.post("/v1/members/me/score", headers=anna).status_code == 200
    return anna


def page(client, headers, **params):
    return client.get("/v1/members/me/report.html", params=params, headers=headers)


@SQLITE
def test_a_report_shows_the_score_its_recipients_and_consents(running, client, anna):
    told = page(client, anna)
    assert told.status_code == 200
    score = client.get("/v1/members/me/explanation", headers=anna).json()["explanation"]["shown"]
    assert f"Score {score} of 350 to 950" in told.text
    assert "<td>shop</td><td>Lending</td><td>The exact score</td>" in told.text
    assert "<td>platform</td>" not in told.text  # what they asked for themselves
    assert "Lending: shop" in told.text
    assert "/me/consents" in told.text
    assert told.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
    assert told.headers["content-type"] == "text/html; charset=utf-8"
    assert told.headers["cache-control"] == "no-store"
    plain = client.get("/v1/members/me/report", headers=anna).headers
    assert plain.get_list("content-security-policy") == ["default-src 'none'; frame-ancestors 'none'"]


@SQLITE
def test_it_comes_in_both_languages_as_page_and_pdf(running, client, anna, monkeypatch):
    for language, title in (("en", "Your credit report"), ("zh", "您的信用报告")):
        assert f"<h1>{title}</h1>" in page(client, anna, language=language).text
        pdf = client.get("/v1/members/me/report.pdf", params={"language": language}, headers=anna)
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.headers["content-disposition"] == 'attachment; filename="benne-report.pdf"'
        assert pdf.content.startswith(b"%PDF-1.7")
        assert len(PAGES.findall(pdf.content)) == 2
    assert page(client, anna, language="xx").status_code == 422
    monkeypatch.setitem(sys.modules, "typst", None)
    refused = client.get("/v1/members/me/report.pdf", headers=anna)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    assert "pip install 'benne[pdf]'" in refused.json()["detail"]
    assert page(client, anna).status_code == 200


def test_each_report_is_on_record_and_a_members_own_are_counted(running, client, anna):
    assert "before this one: 0. 2 a year are free." in page(client, anna).text
    client.get("/v1/members/me/report.pdf", headers=anna)
    client.get("/v1/members/me/report", headers=anna)
    staff = bearer(running.key("compliance")) | {"Benne-Access-Purpose": "access:12"}
    assert client.get("/v1/members/anna/report.pdf", headers=staff).status_code == 200
    given = [row for row in running.rows("audit_records") if row["type"] == "report_given"]
    assert [(row["outcome"], row["actor_role"], row["context"]) for row in given] == [
        ("html", "member", None), ("pdf", "member", None), (None, "member", None), ("pdf", "compliance", "access:12"),
    ]  # fmt: skip
    content = running.service.reports.content(running.member("anna"), "en")
    assert content.free_reports == FreeReports(3, 2)
    a_year_later = replace(running.service.reports, clock=lambda: content.made_at + timedelta(days=366))
    assert a_year_later.content(running.member("anna"), "en").free_reports == FreeReports(0, 2)
    (told,) = content.received
    assert (told.recipient, told.told, told.times) == ("shop", "exact", 1)
    assert timedelta(0) <= content.made_at - told.last < timedelta(minutes=5)


@SQLITE
def test_the_score_shown_is_of_a_consent_that_stands_and_without_one_none_is(running, client, anna):
    newest = client.get("/v1/members/me/explanation", headers=anna).json()["decision_id"]
    assert newest in page(client, anna).text
    client.delete("/v1/members/me/consents", params={"purpose": "own_report", "recipient": "platform"}, headers=anna)
    told = page(client, anna).text
    assert newest not in told  # it was made for themselves
    assert "of 350 to 950" in told
    client.delete("/v1/members/me/consents", params={"purpose": "lending", "recipient": "shop"}, headers=anna)
    told = page(client, anna).text
    assert "No consent of yours stands under which a score was made." in told
    assert "of 350 to 950" not in told
    assert "<td>shop</td>" in told
    assert "Consents that have ended: 2." in told


@SQLITE
def test_without_any_decision_it_still_comes(running, client):
    berta = bearer(running.member_key("berta"))
    told = page(client, berta)
    assert "No score has been made of you that is still kept." in told.text
    assert "Nobody has received anything." in told.text
    assert client.get("/v1/members/me/report.pdf", headers=berta).content.startswith(b"%PDF")


@SQLITE
def test_with_its_model_gone_it_says_so(running, client, anna):
    fresh = running.service.replayer._shelf
    fresh._loaded.clear()
    shutil.rmtree(running.service.settings.path("models"))
    told = page(client, anna)
    assert (told.status_code, "model that is no longer kept here" in told.text) == (200, True)
    assert "<td>shop</td>" in told.text


def test_damaged_records_hide_only_themselves(running, client, anna):
    with running.service.store.write() as connection:
        connection.exec_driver_sql(f"UPDATE member_payloads SET ciphertext = {_zeros(running)} WHERE kind = 'decision'")
    told = page(client, anna)
    assert (told.status_code, "cannot be read at the moment" in told.text) == (200, True)
    assert "Lending: shop" in told.text


def _zeros(running) -> str:
    """Forty bytes of nothing, as the database writes them."""
    sqlite = "://" not in running.service.settings.database_address
    return f"x'{'00' * 40}'" if sqlite else f"'\\x{'00' * 40}'::bytea"


@SQLITE
def test_of_an_erased_member_nothing_is_told(running, client, anna):
    staff = bearer(running.key("compliance")) | {"Benne-Access-Purpose": "erasure:1"}
    assert client.delete("/v1/members/anna", headers=staff).status_code == 202
    told = client.get("/v1/members/anna/report.html", headers=staff)
    assert (told.status_code, "of 350 to 950" in told.text) == (200, False)
    assert "Everything known of this member was erased." in told.text


@SQLITE
def test_an_explanation_comes_as_text_where_that_is_asked_for(running, client, anna):
    path = "/v1/members/me/explanation"
    plain = client.get(path, params={"format": "text", "language": "zh"}, headers=anna)
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert plain.text.startswith("信用分 ")
    assert client.get(path, headers=anna | {"Accept": "text/plain"}).text.startswith("Score ")
    for accept in ("application/json", "*/*", "text/plain, application/json;q=0.5", "text/html"):
        assert client.get(path, headers=anna | {"Accept": accept}).json()["explanation"]["language"] == "en"
    assert client.get(path, params={"language": "zh"}, headers=anna).json()["explanation"]["language"] == "zh"


@SQLITE
def test_an_explanation_holds_dates_model_consent_and_what_others_have(running, client):
    shop, anna = bearer(running.register()), bearer(running.member_key("anna"))
    running.grant("anna", TWO)
    running.know("anna", 0.3, TWO)
    answer = client.post("/v1/scores", json={"member_id": "anna", "purpose": "lending"}, headers=shop).json()
    told = client.get("/v1/members/me/explanation", headers=anna).json()["explanation"]
    assert (told["decision_id"], told["model_id"]) == (answer["decision_id"], answer["model_id"])
    assert told["as_of"] == answer["as_of"].replace("Z", "+00:00")
    assert sorted(told["consent"]["used"]) == sorted(TWO)
    reach = {line["name"]: line["reach"] for line in told["categories"]}
    assert all((reach[name] is not None) == (name in TWO) for name in reach)
    assert told["reasons"]["method"]["against"] == "everybody"


@SQLITE
def test_pdfs_wait_for_one_another_and_not_for_ever(running, client, anna, monkeypatch):
    monkeypatch.setattr("benne.scoring.members.room._PATIENCE", 0.05)
    reports: Reports = running.service.reports
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*_):
        begun.set()
        assert go_on.wait(10)
        return b"%PDF"

    monkeypatch.setattr("benne.scoring.members.reports.report_pdf", slowly)
    subject = running.member("anna")
    busy = [threading.Thread(target=reports.pdf, args=(subject, ANNA, "en")) for _ in range(2)]
    for thread in busy:
        thread.start()
    assert begun.wait(10)
    time.sleep(0.2)
    try:
        with pytest.raises(ServiceBusy, match="waited too long"):
            reports.pdf(subject, ANNA, "en")
        refused = client.get("/v1/members/me/report.pdf", headers=anna)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
        assert page(client, anna).status_code == 503  # a page waits with them
    finally:
        go_on.set()
        for thread in busy:
            thread.join()
    monkeypatch.undo()
    assert reports.pdf(subject, ANNA, "en").startswith(b"%PDF-1.7")
