"""A compliance officer's day and a member's visit, in a real browser against a real service."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from benne.explain.texts import texts_of

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def kim(site):
    """A member of whom much is known, who has just consented to see their own score."""
    site.consent(site.shown.consenting)
    return site.shown.consenting


def test_a_members_visit(site, open_tab, kim):
    tab, zh = open_tab(viewport={"width": 390, "height": 844}), texts_of("zh")
    tab.sign_in(site.key("member", kim), "me")
    tab.send("Make my score now")
    assert "Your score was made as of now." in tab.says()
    assert tab.page.locator("svg#gauge, svg.chart").first.is_visible()
    assert tab.page.locator("ol.reasons li").count() >= 1
    assert sticks_out(tab) == 0

    tab.go("/me/what-if")
    before = tab.page.url
    tab.page.locator("fieldset input[type=checkbox]").first.check()
    tab.press("Try it")
    tab.page.wait_for_selector("#what-if-answer .three")
    scores = [int(text) for text in tab.page.locator(".three .big").all_inner_texts()]
    effect = re.search(r"[+−]?\d+", tab.page.locator("#what-if-answer strong").first.inner_text()).group(0)
    assert scores[2] - scores[1] == int(effect.replace("−", "-"))
    assert tab.page.url == before  # replaced in place
    assert sticks_out(tab) == 0

    tab.go("/me?lang=zh")
    assert tab.page.locator("html").get_attribute("lang") == "zh-Hans"
    tab.page.get_by_role("link", name=zh.say("member.navigation.disputes")).click()
    tab.page.locator("input[value=personal_data]").check()
    tab.page.fill("#text", "我的单位名称写错了。<b>请更正</b>")
    tab.send(zh.say("console.dispute.open_button"))
    assert "我的单位名称写错了。<b>请更正</b>" in tab.says()
    tab.page.get_by_role("link", name=zh.say("member.disputes.back")).click()
    tab.page.select_option("#review_decision", index=1)
    tab.send(zh.say("console.review.ask_button"))
    assert zh.say("console.done.review_requested") in tab.says()

    tab.go("/me/consents?lang=en")
    subject_id = site.service.subject_of(kim)
    assert site.service.ledger.active(subject_id, "lending", site.shown.recipient)
    lending = tab.page.locator("article.consent", has_text="Lending")
    with tab.page.expect_navigation():
        lending.get_by_role("button", name="Withdraw consent").click()  # one press, nothing asked
    assert "Withdrawn." in tab.says()
    assert not site.service.ledger.active(subject_id, "lending", site.shown.recipient)


def sticks_out(tab):
    """By how much a page is wider than a telephone."""
    return tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_compliance_officers_day(site, open_tab, kim):
    tab = open_tab()
    tab.sign_in(site.key("compliance"))
    assert tab.path == "/console/queue"
    assert tab.page.locator("tbody tr").count() >= 2

    tab.page.get_by_role("link", name="Look up a member").click()
    tab.page.fill("#member_id", kim)
    tab.press("Look up")  # without a purpose the browser itself asks for one
    assert tab.path == "/console/members"
    tab.page.select_option("#what_for", "dispute")
    tab.page.fill("#case", "4711")
    tab.send("Look up")
    assert kim not in tab.page.url
    assert "Looked up for Dispute 4711" in tab.says()
    for text in ("Why the score is not higher", "What the score is made of"):
        assert tab.page.get_by_role("heading", name=text).is_visible()

    tabs = tab.page.get_by_role("navigation", name="About this member")
    tabs.get_by_role("link", name="What if").click()
    tab.page.fill("#mark", "900")
    until_day = (site.service.clock() + 40 * DAY).date()
    tab.page.fill("#recourse_until", until_day.isoformat())
    tab.press("Find it")
    tab.page.wait_for_selector("#what-if-answer .three")
    assert "900" in tab.says() or "highest score" in tab.says()
    assert texts_of("en").day(until_day) in tab.page.locator("#what-if-answer").inner_text()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Report (PDF)").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")

    tab.go("/console/queue?kind=dispute")
    tab.page.locator("tbody a").first.click()
    tab.send("Take it")
    tab.page.locator("input[value=corrected]").check()
    tab.page.fill("#answer", "You are right. We have corrected the name of your employer.")
    tab.send("Send the answer")
    assert "Below is what came of it" in tab.says()

    other = open_tab()
    other.sign_in(site.key("compliance"))
    other.go("/console/queue?kind=review")
    other.page.locator("tbody a").first.click()
    other.page.locator("input[value=upheld]").check()
    other.page.fill("#reason", "The records are complete and the score follows from them.")
    other.send("Decide")
    assert "The review is decided" in other.says()

    tab.page.get_by_role("link", name="Audit chain").click()
    tab.press("Verify the chain")
    tab.page.wait_for_selector(".verdict.good")
    assert "Intact" in tab.says()
    tab.send("Sign out")
    assert "You have signed out." in tab.says()


def test_what_is_printed_is_what_was_found_and_no_forms(site, open_tab, kim):
    tab = open_tab(viewport={"width": 700, "height": 1000}, color_scheme="dark")
    tab.sign_in(site.key("member", kim), "me")
    tab.send("Make my score now")
    tab.page.emulate_media(media="print")
    for hidden in (".top nav", ".top .tools", "main form", ".on-narrow"):
        assert not tab.page.locator(hidden).first.is_visible(), hidden
    assert tab.page.locator(".printed").is_visible()
    assert tab.page.locator("details.table-behind table").is_visible()
    assert not tab.page.locator("details.features table").first.is_visible()  # as on the screen
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    tab.page.emulate_media(media="screen")
    tab.go("/me/consents")
    tab.page.emulate_media(media="print")
    top = tab.page.locator("article.consent, .card").first.bounding_box()["y"]
    assert top < 400  # not on the next sheet


def test_a_member_is_looked_up_with_the_keyboard_alone(site, open_tab):
    tab = open_tab()
    tab.go("/console/sign-in")
    keys = tab.page.keyboard
    keys.press("Tab")
    assert "Go to the content" in focused(tab)
    keys.press("Enter")
    for _ in range(2):
        keys.press("Tab")
    until(tab, "key")
    keys.type(site.key("compliance"))
    keys.press("Enter")
    tab.page.wait_for_url("**/console/queue")
    until(tab, text="Look up a member")
    keys.press("Enter")
    tab.page.wait_for_url("**/console/members")
    until(tab, "member_id")
    keys.type(site.shown.consenting)
    until(tab, "what_for")
    keys.type("Au")
    until(tab, text="Look up", tag="BUTTON")
    outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    keys.press("Enter")
    tab.page.wait_for_url("**/console/members/*")
    assert "Looked up for Audit" in tab.says()


def focused(tab):
    return tab.page.evaluate("(document.activeElement.textContent || '').trim()")


def until(tab, name="", *, text="", tag=""):
    """Press Tab until something has the focus, as somebody without a mouse does."""
    for _ in range(60):
        is_it = tab.page.evaluate(
            "([name, text, tag]) => { const e = document.activeElement; return (!name || e.id === name)"
            " && (!text || e.textContent.trim() === text) && (!tag || e.tagName === tag) }",
            [name, text, tag],
        )
        if is_it:
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"{name or text} never had the focus")


def test_everything_can_be_read_and_sent_without_javascript(site, open_tab, kim):
    tab = open_tab(java_script_enabled=False)
    tab.sign_in(site.key("member", kim), "me")
    assert tab.page.locator("svg.chart").count() >= 2
    tab.page.locator("details.lines > summary").first.click()
    assert tab.page.locator("details.lines table").first.is_visible()
    tab.go("/me/what-if")
    tab.page.locator("fieldset input[type=checkbox]").first.check()
    tab.send("Try it")
    assert tab.path == "/me/what-if"
    assert tab.page.locator(".three .big").count() == 3
    tab.sign_in(site.key("compliance"))
    tab.go("/console/audit")
    tab.send("Verify the chain")
    assert "Intact" in tab.says()
