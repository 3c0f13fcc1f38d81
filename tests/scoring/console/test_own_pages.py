"""A member's own pages: consents with every switch off, withdrawal in one press, proofs, copies, erasure."""

from __future__ import annotations

import json
import re

import pytest

from benne.features.categories import CATEGORIES
from tests.scoring.console.conftest import Tags, words


def offer_of(page, name):
    form = next(part for part in page.text.split("<form")[1:] if f'name="offer" value="{name}"' in part)
    return {"offer": name, "notice": re.search(r'name="notice" value="([0-9a-f]{64})"', form).group(1)}


@pytest.fixture
def newcomer(browser, running):
    browser.member("newcomer")
    return running.member("newcomer")


def test_every_switch_is_off_and_nothing_is_given_by_pressing_the_button_alone(browser, newcomer):
    page = browser.get("/me/consents")
    boxes = [box for box in Tags(page.text).named("input") if box.get("type") == "checkbox"]
    assert len(boxes) == 2 * len(CATEGORIES)
    assert not [box for box in boxes if "checked" in box]
    sent = browser.post("/me/consents", offer_of(page, "lending"))
    assert sent.status_code == 422
    assert "Switch on at least one category" in words(sent)


def test_consent_is_given_to_the_text_that_was_shown_and_taken_back_in_one_press(browser, running, newcomer):
    page = browser.get("/me/consents")
    for line in running.service.terms["lending"].notice.text.splitlines():
        assert line in page.text
    sent = browser.post("/me/consents", offer_of(page, "lending") | {"category": ["credit_history", "ability"]})
    assert "Your consent is on record" in words(sent)
    assert set(running.service.ledger.active(newcomer, "lending", "shop")) == {"credit_history", "ability"}
    withdrawing = next(part for part in sent.text.split("<form")[1:] if "/withdraw" in part and "category" not in part)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', withdrawing.split("</form>")[0]))
    gone = browser.client.post("/me/consents/withdraw", data=fields)
    assert "Withdrawn" in words(gone)
    assert not running.service.ledger.active(newcomer, "lending", "shop")


def test_one_category_can_be_switched_off_alone(browser, running, anna):
    browser.member(anna)
    browser.post("/me/consents/withdraw", {"purpose": "lending", "recipient": "shop", "category": "social"})
    assert set(running.service.ledger.active(running.member(anna), "lending", "shop")) == set(CATEGORIES) - {"social"}


def test_a_text_that_has_changed_since_is_asked_for_anew(browser, newcomer):
    offer = offer_of(browser.get("/me/consents"), "lending") | {"notice": "0" * 64, "category": "ability"}
    sent = browser.post("/me/consents", offer)
    assert sent.status_code == 422
    assert "The text has changed" in words(sent)


@pytest.mark.parametrize(
    "fields",
    [
        {"purpose": "payroll", "recipient": "shop"},
        {},
        {"purpose": "lending", "recipient": "shop", "category": "religion"},
    ],
)
def test_a_withdrawal_of_nothing_changes_nothing(browser, running, anna, fields):
    browser.member(anna)
    browser.post("/me/consents/withdraw", fields)
    assert set(running.service.ledger.active(running.member(anna), "lending", "shop")) == set(CATEGORIES)


def test_a_member_takes_everything_with_them(browser, scored):
    browser.member(scored)
    sent = browser.get("/me/export")
    assert sent.headers["content-disposition"] == 'attachment; filename="benne-export.json"'
    assert {"consents", "decisions", "features"} <= set(json.loads(sent.text))
    assert browser.get("/me/report?as=pdf").content.startswith(b"%PDF-")
    receipt = re.search(r"/me/consents/[0-9a-f-]+/receipt", browser.get("/me/consents").text).group(0)
    assert browser.get(receipt).text.count(".") == 2


def test_a_proof_is_made_for_one_recipient_and_only_of_what_is_so(browser, scored):
    browser.member(scored)
    asked = {"kind": "at_least", "mark": "350", "audience": "https://landlord.example", "nonce": "n" * 20}
    made = browser.post("/me/proofs", asked)
    assert re.search(r"<textarea[^>]*readonly[^>]*>[\w-]+\.[\w-]+\.[\w-]+</textarea>", made.text)
    for change, told in (({"mark": "950"}, "does not bear this statement out"), ({"mark": "12"}, "from 350 to 950"),
                         ({"nonce": "short"}, "16 signs or more"), ({"audience": "a b"}, "no spaces"),
                         ({"kind": "everything"}, "Choose one")):  # fmt: skip
        refused = browser.post("/me/proofs", asked | change)
        assert refused.status_code == 422
        assert told in words(refused)
        assert 'value="' + (change.get("nonce") or "n" * 20) in refused.text


def test_erasing_is_explained_confirmed_and_ends_everything(browser, running, scored):
    key = browser.member(scored)
    assert "cannot be undone" in words(browser.get("/me/erase"))
    assert browser.post("/me/erase").status_code == 422
    done = browser.post("/me/erase", {"understood": "yes"})
    assert "You have been erased" in words(done)
    assert "benne_me" not in browser.client.cookies
    assert browser.sign_in(key, "me").status_code == 401
    row = next(row for row in running.rows("members") if row["subject_id"] == running.member(scored))
    assert row["wrapped_key"] is None


def test_a_score_that_cannot_be_made_says_why_in_the_members_own_words(browser, newcomer):
    for language, told in (("en", "You have not consented to have your score made"), ("zh", "您还没有授权")):
        sent = browser.post(f"/me?lang={language}")
        assert sent.status_code == 422
        assert told in words(sent)


def test_who_received_what_is_shown_and_a_change_is_split_where_it_can_be(browser, running, scored):
    running.know(scored, value=0.2, purpose="own_report", recipient="platform")
    browser.member(scored)
    browser.post("/me")
    page = browser.get("/me/history")
    ids = re.findall(r'<option value="([0-9a-f-]{36})"', page.text)
    assert "history-title" in {tag.get("id") for tag in Tags(page.text).named("title")}
    split = browser.get(f"/me/history?first={ids[1]}&second={ids[0]}")
    assert split.status_code == 200
    assert "What happened since, or became known" in words(split)
    assert "Two different decisions" in words(browser.get(f"/me/history?first={ids[0]}&second={ids[0]}"))


def test_what_if_says_what_is_in_the_way_where_nothing_can_be_tried(browser, scored):
    browser.member(scored)
    assert "no events on top of which" in words(browser.get("/me/what-if"))
    sent = browser.post("/me/what-if", {"until": "2020-01-01", "action": '{"action": "pay_overdue"}'})
    assert sent.status_code == 422
    assert "Choose a day after today" in words(sent)
