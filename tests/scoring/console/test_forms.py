"""Forms: where they come from, what is typed into them, and that nothing typed is lost or runs."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import timedelta

import pytest

from benne.explain.texts import texts_of
from benne.scoring.api.app import create_app
from benne.scoring.api.edge import Edge
from benne.scoring.api.measuring import Measures
from benne.scoring.console.access import PAGES_OF
from benne.scoring.console.forms import Form, FormRefused, read_form
from benne.scoring.console.sessions import IDLE
from tests.scoring.console.conftest import Tags, words

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</textarea></title><script>x</script>",
    "{{ 7 * 7 }}{% raw %}",
    "\N{RIGHT-TO-LEFT OVERRIDE}moc.live\N{POP DIRECTIONAL FORMATTING}",
    "javascript:alert(1)",
    "汉字 and العربية " + "é" * 50,
    "%00%0d%0aSet-Cookie: a=b",
    "x" * 1_500,
)
OWN_SCRIPTS = re.compile(r"/console/static/htmx\.min\.js\?[0-9a-f]{16}")


def is_harmless(page) -> None:
    """Nothing that a browser runs but our own file; no attribute that runs anything; no style of its own."""
    tags = Tags(page.text)
    assert all(OWN_SCRIPTS.fullmatch(script["src"] or "") for script in tags.named("script"))
    assert not [tag for tag in ("style", "iframe", "base") if tags.named(tag)]
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on") or name == "style"]
    assert {attributes.get("src") for attributes in tags.named("img")} <= {None}
    for attributes in tags.named("a"):
        assert (attributes.get("href") or "/").startswith(("/", "#"))


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_typed_into_any_form_comes_back_as_text(browser, running, scored, hostile):
    browser.staff()
    member = browser.look_up(scored).rsplit("/", 1)[1]
    browser.member(scored)
    seen = 0
    for method, path in PAGES_OF:
        if method != "POST" or path.endswith(("sign-out", "/erase", "consents/withdraw")):
            continue
        url = path.format(member=member, case_id="0-1", notice_id="0-2")
        names = ("member_id", "what_for", "case", "decision_id", "topic", "feature", "text", "why", "review_decision",
                 "act", "version", "outcome", "answer", "rows", "reason", "statement", "kind", "mark", "audience",
                 "nonce", "offer", "notice", "category", "until", "target", "action", "own_reason", "walk", "kept",
                 "state", "channel", "instead")  # fmt: skip
        sent = browser.post(url, dict.fromkeys(names, hostile))
        assert sent.status_code in (200, 400, 401, 404, 409, 422, 429), (url, sent.status_code)
        assert not re.search(r"Traceback|Error:", sent.text)
        is_harmless(sent)
        seen += 1
    assert seen > 12


@pytest.mark.parametrize("hostile", HOSTILE[:8], ids=range(8))
def test_what_is_kept_is_shown_as_it_was_written_to_everybody_who_may_see_it(browser, running, scored, hostile):
    browser.member(scored)
    opened = browser.post("/me/disputes", {"topic": "personal_data", "text": hostile})
    case = opened.url.path.rsplit("/", 1)[1]
    browser.post(f"/me/disputes/{case}", {"act": "statement", "version": 1, "statement": hostile, "travels": "yes"})
    browser.staff()
    pages = [opened, browser.get(f"/me/disputes/{case}"), browser.get(f"/console/disputes/{case}")]
    for page in pages:
        assert page.status_code == 200
        is_harmless(page)
        assert html.escape(hostile) in page.text or html.escape(hostile).replace("&#x27;", "&#39;").replace(
            "&quot;", "&#34;"
        ) in page.text  # fmt: skip


def test_a_form_that_is_too_large_is_answered_by_a_page_in_the_readers_language(browser, case_form):
    path, fields = case_form
    long = "长" * 4_000  # nine bytes each, as a form is sent
    taken = browser.post(path, fields | {"answer": long, "rows": "[" + " " * 20_000})
    assert "Nothing was answered" in words(taken)
    for language, said in (("en", "more than a page may send"), ("zh", "内容超过了页面一次可以提交的大小")):
        sent = browser.post(path, fields | {"answer": long * 8}, **{"Accept-Language": language})
        assert (sent.status_code, sent.headers["content-type"]) == (413, "text/html; charset=utf-8")
        assert said in words(sent)
        assert sent.headers["content-security-policy"].startswith("default-src 'self'")
        is_harmless(sent)
    api = browser.client.post("/v1/scores", content=b"x" * 70_000)
    assert (api.status_code, api.json()["type"]) == (413, "/problems/body-too-large")


def test_a_form_that_does_not_come_is_answered_by_a_page(running):
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    app = Edge(create_app(running.service, close=False), body_limit=100, batch_body_limit=100, seconds=0.05,
               measures=Measures(running.service))  # fmt: skip
    scope = {"type": "http", "method": "POST", "path": "/me/disputes", "query_string": b"lang=zh", "raw_path": b"",
             "headers": [(b"host", b"test")], "http_version": "1.1", "scheme": "http", "server": ("test", 80),
             "client": ("test", 1)}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 408
    assert "您提交的内容没有及时送达" in b"".join(one.get("body", b"") for one in sent).decode()


@pytest.fixture
def case_form(browser, scored):
    """A dispute's page, for staff, and the fields of an answer to it."""
    browser.member(scored)
    opened = browser.post("/me/disputes", {"topic": "personal_data", "text": "I moved."})
    browser.staff()
    case = opened.url.path.rsplit("/", 1)[1]
    return f"/console/disputes/{case}", {"act": "answer", "version": 1, "outcome": "corrected", "answer": "Yes."}


def test_words_of_the_address_are_never_written_into_a_page(browser, scored):
    browser.staff()
    for path in ("/console/queue?kind=<script>&after='\"&whose=<b>", "/console/audit?done=<script>alert(1)</script>",
                 "/console/nothing/<script>", "/console/members?lang=<script>"):  # fmt: skip
        page = browser.get(path)
        assert page.status_code in (200, 404)
        assert not re.search(r"<script>a|<b>", page.text)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403), ({"Sec-Fetch-Site": "none"}, 403),
     ({"Origin": "https://elsewhere.example"}, 403), ({"Origin": "http://["}, 403),
     ({"Origin": "http://127.0.0.1"}, 200), ({"Origin": "null"}, 200),
     ({"Sec-Fetch-Site": "same-origin"}, 200), ({}, 200)],
)  # fmt: skip
def test_a_form_from_elsewhere_does_nothing(browser, headers, status):
    browser.staff()
    assert browser.post("/console/audit", **headers).status_code == status


@pytest.mark.parametrize("token", ["", "0" * 40, "é"])
def test_a_form_without_its_token_does_nothing(browser, running, token):
    browser.staff()
    before = len(running.rows("audit_records"))
    sent = browser.client.post("/console/members", data={"form_token": token, "member_id": "x", "what_for": "audit"})
    assert sent.status_code == 403
    assert "did not come from one of our pages" in words(sent)
    assert len(running.rows("audit_records")) == before


def test_a_token_of_another_session_is_none(browser, open_browser):
    browser.staff()
    other = open_browser()
    other.staff()
    sent = browser.client.post("/console/audit", data={"form_token": other.token()})
    assert sent.status_code == 403


def test_a_zero_character_is_refused_in_words_before_any_store_sees_it(browser, scored):
    browser.member(scored)
    sent = browser.post("/me/reviews", {"review_decision": "a\x00b"})
    assert sent.status_code == 422
    assert texts_of("en").say("console.refused.control") in words(sent)
    for path in ("/me/history?first=%00&second=a", "/me/consents/a%00b/receipt", "/me/notices/%00"):
        assert browser.get(path).status_code == 404, path


def test_signing_in_from_another_site_is_refused(running, browser):
    sent = browser.client.post(
        "/console/sign-in", data={"key": running.key("compliance")}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert sent.status_code == 403
    assert "benne_console" not in browser.client.cookies


def expired_in_a_form(browser, clock, text, **fields):
    """Fill a form, let the session run out, send it; gives the sign-in page and what it keeps."""
    path, form_token = "/me/disputes", browser.token("me")
    clock.ahead += IDLE + timedelta(minutes=1)
    sent = browser.client.post(path, data={"form_token": form_token, "topic": "personal_data", "text": text, **fields})
    kept = re.search(r'name="kept" value="([^"]+)"', sent.text)
    return sent, kept.group(1) if kept else ""


def test_what_was_typed_when_a_session_ended_is_shown_again_after_signing_in_and_not_sent(
    browser, running, scored, clock
):
    key = browser.member(scored)
    text = "My rent was paid on the 3rd. <b>Look</b>\nat the bank's record."
    sent, kept = expired_in_a_form(browser, clock, text)
    assert sent.status_code == 401
    assert "What you typed is kept" in words(sent)
    assert "My rent" not in sent.text  # sealed: the page itself does not tell the next person
    shown = browser.sign_in(key, "me", kept=kept)
    assert html.unescape(re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", shown.text, re.S).group(1)) == text
    assert not [row for row in running.rows("rights_cases") if row["subject_id"] == running.member(scored)]
    fields = {one["name"]: one["value"] for one in Tags(shown.text).named("input") if one.get("type") == "hidden"}
    opened = browser.client.post("/me/disputes", data=fields | {"text": text})
    assert "done=dispute_opened" in str(opened.url)


def test_a_members_reference_goes_on_working_when_its_session_is_gone_on_with(browser, running, scored, clock):
    key = browser.staff()
    at = browser.look_up(scored)
    clock.ahead += IDLE + timedelta(minutes=1)
    sent = browser.get(f"{at}/consents")
    kept = re.search(r'name="kept" value="([^"]+)"', sent.text).group(1)
    again = browser.sign_in(key, kept=kept)
    assert again.url.path == f"{at}/consents"
    assert again.status_code == 200


def test_somebody_else_who_signs_in_does_not_see_what_was_typed(browser, running, scored, clock):
    browser.member(scored)
    _, kept = expired_in_a_form(browser, clock, "between me and you")
    other = browser.sign_in(running.member_key("somebody-else"), "me", kept=kept)
    assert "between me and you" not in other.text
    assert "belongs to somebody else" in words(other)


def test_nothing_is_kept_of_a_form_that_did_not_come_from_the_session(browser, scored, clock):
    browser.member(scored)
    clock.ahead += IDLE + timedelta(minutes=1)
    sent = browser.client.post("/me/disputes", data={"form_token": "forged", "text": "an attacker's words"})
    kept = re.search(r'name="kept" value="([^"]+)"', sent.text).group(1)
    key = browser.running.member_key(scored)
    assert "an attacker" not in browser.sign_in(key, "me", kept=kept).text


def test_a_field_is_refused_in_the_pages_language_and_everything_typed_stands(browser, scored):
    browser.member(scored)
    again = browser.post("/me/disputes?lang=zh", {"topic": "decision", "text": "请核查 <3 月> 的记录"})
    assert again.status_code == 422
    assert "请选择涉及的决定" in words(again)
    assert "请核查 &lt;3 月&gt; 的记录" in again.text
    assert '<html lang="zh-Hans"' in again.text


def test_a_form_of_more_fields_than_any_has_is_refused():
    with pytest.raises(FormRefused, match=r"console\.refused\.form"):
        read_form(b"&".join(b"a=1" for _ in range(101)))


@pytest.mark.parametrize(
    ("typed", "why"), [("", "empty"), ("x" * 11, "too_long"), ("a\x00b", "control"), ("  ", "empty")]
)
def test_text_that_cannot_be_kept_is_refused(typed, why):
    with pytest.raises(FormRefused, match=rf"console\.refused\.{why}"):
        Form([("text", typed)]).text("text", longest=10)


def test_text_is_kept_as_it_was_typed():
    assert Form([("text", " a\r\nb\tc ")]).text("text", longest=10) == "a\nb\tc"
