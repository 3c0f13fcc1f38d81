"""What every page is: in one language, with a policy that lets nothing run but our own file, kept by nobody."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

import benne.scoring.console as console
from benne.scoring.console.assets import ASSETS, address_of
from tests.scoring.console.conftest import Tags, words

FOLDER = Path(console.__file__).parent
OURS = tuple(f"/console/{name}" for name in ("sign-in", "members", "queue", "audit", "model", "policies", "decisions"))


def test_htmx_is_the_file_that_its_readme_says(repository):
    said = (FOLDER / "static" / "README.md").read_text("utf-8")
    content = (FOLDER / "static" / "htmx.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() in said
    assert b'version:"2.0.11"' in content
    assert "Zero-Clause BSD" in (FOLDER / "static" / "htmx-LICENSE.txt").read_text("utf-8")


def test_files_are_kept_for_good_under_an_address_that_changes_with_them(browser):
    for name, media_type in ASSETS.items():
        sent = browser.get(address_of(name))
        assert (sent.status_code, sent.headers["content-type"]) == (200, media_type)
        assert sent.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert browser.get(address_of(name), **{"If-None-Match": sent.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("name", ["README.md", "htmx-LICENSE.txt", "../serving.py", "..%2fserving.py", "nothing.css"])
def test_nothing_else_is_served_from_the_folder(browser, name):
    assert browser.get(f"/console/static/{name}").status_code == 404


def test_every_answer_says_what_a_browser_may_do_with_it(browser):
    browser.staff()
    for path in (*OURS, "/console/members/1.x", "/me"):
        headers = browser.client.get(path, follow_redirects=False).headers
        policy = headers["content-security-policy"]
        assert {"default-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} <= set(
            policy.split("; ")
        )
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_interface_keeps_its_own_stricter_policy(browser):
    assert browser.get("/healthz").headers["content-security-policy"].startswith("default-src 'none'")


def test_htmx_is_told_to_evaluate_nothing_and_to_keep_no_pages(browser):
    meta = {one.get("name"): one.get("content") for one in Tags(browser.get("/console/sign-in").text).named("meta")}
    config = json.loads(meta["htmx-config"])
    assert (config["allowEval"], config["includeIndicatorStyles"], config["allowScriptTags"]) == (False, False, False)
    assert (config["historyEnabled"], config["historyCacheSize"]) == (False, 0)


def test_no_template_holds_a_script_a_style_or_an_attribute_that_runs():
    for file in (FOLDER / "templates").glob("*.j2"):
        text = file.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\|\s*safe", text), file.name
        assert not re.search(r"<script(?! src=\"\{\{ asset\()", text), file.name


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "language"),
    [("zh", None, "en", "zh-Hans"), (None, "zh", "en", "zh-Hans"), (None, None, "zh-TW,en;q=0.5", "zh-Hans"),
     (None, None, "de, fr", "en"), ("en", "zh", "zh", "en"), ("xx", None, ";;q=x,", "en")],
)  # fmt: skip
def test_the_language_is_the_one_asked_for_remembered_or_preferred(browser, asked, cookie, accepted, language):
    if cookie:
        browser.client.cookies.set("benne_language", cookie)
    page = browser.get("/console/sign-in" + (f"?lang={asked}" if asked else ""), **{"Accept-Language": accepted})
    assert Tags(page.text).named("html")[0]["lang"] == language


def test_a_language_that_was_asked_for_is_remembered(browser):
    browser.get("/console/sign-in?lang=zh")
    assert "登录" in words(browser.get("/console/sign-in"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_has_one_heading_a_title_landmarks_and_labelled_fields(browser, scored, language):
    browser.staff()
    at = browser.look_up(scored)
    browser.member(scored)
    tabs = [f"{at}{tab}" for tab in ("", "/what-if", "/history", "/consents", "/disputes", "/reviews")]
    own = ["/me", "/me/what-if", "/me/consents", "/me/history", "/me/disputes", "/me/proofs", "/me/erase"]
    for path in (*OURS, *tabs, *own):
        page = browser.get(f"{path}?lang={language}")
        assert page.status_code == 200, path
        tags = Tags(page.text)
        assert len(tags.named("h1")) == len(tags.named("main")) == 1, path
        labelled = {label.get("for") for label in tags.named("label")}
        fields = [*tags.named("input"), *tags.named("select"), *tags.named("textarea")]
        for field in fields:
            if field.get("type") not in ("hidden", "checkbox", "radio"):
                assert field.get("id") in labelled, (path, field)
        ids = [attributes["id"] for _, attributes in tags.found if attributes.get("id")]
        assert len(ids) == len(set(ids)), path


@pytest.mark.parametrize(("path", "told"), [("/console/payroll", "nothing at this address"), ("/me/x/y", "这个地址")])
def test_an_address_of_nothing_is_told_in_words(browser, path, told):
    page = browser.get(f"{path}?lang={'zh' if told[0] > 'z' else 'en'}")
    assert page.status_code == 404
    assert told in words(page)


def test_the_audit_chain_is_verified_a_stretch_at_a_time(browser, running, monkeypatch):
    browser.staff()
    whole = words(browser.post("/console/audit"))
    assert "Intact" in whole
    last = len(running.rows("audit_records"))
    assert f"all {last} records" in whole.replace(",", "")


def test_a_walk_of_another_session_is_not_gone_on_with(browser, open_browser):
    browser.staff()
    sent = browser.post("/console/audit", {"walk": "1.forged"})
    assert sent.status_code == 422


def test_an_administrator_sees_operations_and_no_member(browser, running):
    assert browser.sign_in(running.key("admin")).url.path == "/console/model"
    shown = [
        a["href"]
        for a in Tags(browser.get("/console/model").text).named("a")
        if a.get("href", "").startswith("/console/")
    ]
    assert {"/console/audit", "/console/model", "/console/policies"} <= set(shown)
    assert not {"/console/queue", "/console/members", "/console/decisions"} & set(shown)


def test_policies_are_told_in_words(browser):
    browser.staff()
    for language, said in (("en", "24 hours"), ("zh", "24 小时")):
        page = words(browser.get(f"/console/policies?lang={language}"))
        assert said in page
        assert not re.search(r"answer_valid|vector_age|payload_retention|True|False|\badvisory\b", page)
