"""Disputes, reviews and notices on pages: each step by whoever saw the newest version, and nothing typed is lost."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from benne.explain.texts import texts_of
from benne.features.events.tables import TABLES
from benne.scoring.console.pages.event_tables import EXAMPLE
from benne.scoring.decisions.request import Actor, ScoreRequest
from benne.scoring.notices.asked_notices import AdverseAction
from benne.scoring.policy import Asked
from tests.scoring.console.conftest import Tags, words
from tests.scoring.console.test_member_pages import running_doing


def opened_by(browser, member, **fields):
    """A dispute that a member opens; gives its id."""
    browser.member(member)
    sent = browser.post("/me/disputes", {"topic": "personal_data", "text": "I moved in May.", **fields})
    assert "done=dispute_opened" in str(sent.url), words(sent)
    return sent.url.path.rsplit("/", 1)[1]


def decision_of(running, member):
    return running.service.explanations.explain(running.member(member), running_doing())[0]


def owed(running, member):
    """A notice that waits for what becomes of another offer; gives the id of its case."""
    action = AdverseAction(decision_id=decision_of(running, member), action_taken="refused", counter_offer="made")
    reported = running.service.rights.owed_notices.report_action(None, action, running_doing())
    return reported.case.case_id


def lent(running, member):
    """A score that the shop asked for; gives the decision's id."""
    asked = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact")
    request = ScoreRequest(
        subject_id=running.member(member), asked=asked, actor=Actor("key:shop", "recipient"),
        registered_for=frozenset({"lending"}),
    )  # fmt: skip
    return running.service.rights.corrections.maker.decide([request])[0].decision_id


def version_of(page):
    return re.search(r'name="version" value="(\d+)"', page.text).group(1)


@pytest.fixture
def case(browser, scored):
    case = opened_by(browser, scored)
    browser.staff()
    return f"/console/disputes/{case}"


def test_a_dispute_is_in_the_queue_by_its_deadline_with_a_link_to_it(browser, case):
    page = browser.get("/console/queue?kind=dispute")
    assert case in page.text
    assert "20 days left" in words(page)
    assert case not in browser.get("/console/queue?kind=review").text
    assert case not in browser.get("/console/queue?whose=mine").text


def test_looking_at_a_case_is_on_record_for_that_case(browser, running, case):
    browser.get(case)
    last = running.rows("audit_records")[-1]
    assert (last["type"], last["context"]) == ("member_looked_up", f"dispute:{case.rsplit('/', 1)[1]}")


def test_looking_into_the_queue_is_on_record(browser, running, case):
    browser.get("/console/queue?kind=dispute")
    last = running.rows("audit_records")[-1]
    assert (last["type"], last["context"], last["outcome"]) == ("member_looked_up", "queue", "queue")


def test_looking_at_a_notice_that_is_owed_is_on_record_for_that_notice(browser, running, scored):
    browser.staff()
    duty = owed(running, scored)
    page = browser.get(f"/console/duties/{duty}")
    assert page.status_code == 200
    looked = [(row["type"], row["context"]) for row in running.rows("audit_records")[-2:]]
    assert looked == [("member_looked_up", f"notice:{duty}"), ("explanation_decided", f"notice:{duty}")]
    assert running.rows("audit_records")[-1]["subject_hmac"] is not None


def test_a_notice_that_is_owed_is_issued_and_can_be_read_from_there(browser, running, scored):
    browser.staff()
    path = f"/console/duties/{owed(running, scored)}"
    vague = browser.post(path, {"version": 1, "own_reason": "Score too low"})
    assert vague.status_code == 422
    assert "each reason must name a fact" in words(vague)
    assert "Score too low" in vague.text
    issued = browser.post(path, {"version": 1, "own_reason": "The rent would be half of your income"})
    assert "The notice was issued." in words(issued)
    (link,) = re.findall(r'href="(/console/members/[^"]+/notices/[^"]+)"', issued.text)
    notice = words(browser.get(link))
    assert "The main reasons that platform gives for its decision: 1. The rent would be half of your income" in notice


def test_every_form_of_a_page_is_sent_to_an_address_that_takes_it(browser, scored, case):
    at = browser.look_up(scored)
    own = f"/me/disputes/{case.rsplit('/', 1)[1]}"
    for path in (case, own, f"{at}/disputes", f"{at}/reviews", "/me/disputes", "/me/consents", "/me/proofs", "/me"):
        forms = [form for form in Tags(browser.get(path).text).named("form") if form.get("method") == "post"]
        assert forms
        for form in forms:
            sent = browser.client.post(form["action"], data={"form_token": "none"}, follow_redirects=False)
            assert sent.status_code == 403, (path, form["action"], sent.status_code)


def test_a_dispute_is_taken_answered_and_put_away(browser, running, case):
    assert "I moved in May." in words(browser.get(case))
    taken = browser.post(case, {"act": "look_into", "version": 1})
    assert "You look into this dispute now" in words(taken)
    assert case in browser.get("/console/queue?whose=mine").text
    answer = {"act": "answer", "version": version_of(taken), "outcome": "not_corrected", "answer": "We found no error."}
    answered = browser.post(case, answer)
    assert "Not corrected" in words(answered)
    assert case not in browser.get("/console/queue").text
    closed = browser.post(case, {"act": "close", "version": version_of(answered)})
    assert "The dispute is closed" in words(closed)


def test_a_dispute_that_is_right_is_corrected(browser, running, scored):
    case = f"/console/disputes/{opened_by(browser, scored, topic='decision', decision_id=decision_of(running, scored))}"
    browser.staff()
    answered = browser.post(case, {"act": "answer", "version": 1, "outcome": "corrected", "answer": "You are right."})
    assert "done=dispute_corrected" in str(answered.url), words(answered)
    assert "Corrected" in words(answered)
    assert "Nobody had received an answer" in words(answered)


def test_a_correction_says_who_was_told_and_what_stands_instead(browser, running, anna):
    wrong = lent(running, anna)
    case = f"/console/disputes/{opened_by(browser, anna, topic='decision', decision_id=wrong)}"
    browser.staff()
    browser.post(case, {"act": "answer", "version": 1, "outcome": "corrected", "answer": "You are right."})
    assert "It goes on by itself" in words(browser.get(case))
    running.know(anna)  # corrected features are loaded
    running.service.rights.corrections.run(of_case=case.rsplit("/", 1)[1])
    page = browser.get(case)
    told = re.search(r"<td>shop</td>(.*?)</tr>", page.text, re.S).group(1)
    old, new = re.findall(r'href="([^"]+)"', told)
    assert wrong in old
    assert "Ready, not yet read" in told
    assert "Lending · shop" in words(browser.get(new))


def test_of_two_at_once_the_second_is_told_so_and_keeps_what_they_typed(browser, open_browser, case):
    other = open_browser()
    other.staff()
    other.get(case)
    browser.post(case, {"act": "look_into", "version": 1})
    late = other.post(case, {"act": "answer", "version": 1, "outcome": "not_corrected", "answer": "My long answer."})
    assert late.status_code == 422
    assert "Somebody else has changed this" in words(late)
    assert "My long answer." in late.text
    assert version_of(late) == "2"
    again = other.post(case, {"act": "answer", "version": 2, "outcome": "not_corrected", "answer": "My long answer."})
    assert "done=dispute_answered" in str(again.url)


def test_a_deadline_that_gives_no_more_time_is_told_so(browser, case):
    sent = browser.post(case, {"act": "extend", "version": 1, "reason": "We need the bank's answer."})
    assert sent.status_code == 422
    assert "cannot be extended" in words(sent)
    assert "We need the bank&#39;s answer." in sent.text


def test_a_deadline_in_the_past_is_first_in_the_queue_in_words(browser, running, case):
    case_id = case.rsplit("/", 1)[1]
    late = int((running.service.clock() - timedelta(days=3)).timestamp() * 1e6)
    with running.service.store.write() as connection:
        connection.exec_driver_sql("UPDATE rights_cases SET due_at_us = ? WHERE case_id = ?", (late, case_id))
    page = browser.get("/console/queue")
    rows = re.findall(r"<tr><td>.*?</tr>", page.text, re.S)
    assert case in rows[0]
    assert "3 days overdue" in rows[0]
    assert "Escalated" in rows[0]
    assert texts_of("zh").say("common.overdue_by", days=3) in words(browser.get("/console/queue?lang=zh"))


@pytest.mark.parametrize("rows", ["{", "[]", "{}", '{"payments": 3}', '{"payments": [1]}', "[" * 5_000, "null"])
def test_rows_that_are_none_answer_nothing(browser, case, rows):
    sent = browser.post(case, {"act": "answer", "version": 1, "outcome": "corrected", "answer": "Yes.", "rows": rows})
    assert sent.status_code == 422
    assert "Nothing was answered" in words(sent)
    assert "Open" in words(browser.get(case))


def test_whoever_writes_rows_is_told_what_is_wrong_with_them(browser, case):
    answer = {"act": "answer", "version": 1, "outcome": "corrected", "answer": "Yes."}
    assert "line 2, column 3" in words(browser.post(case, answer | {"rows": "{\n  payments: []}"}))
    sent = browser.post(case, answer | {"rows": '{"payments": [{"member_id": "anna"}]}'})
    assert "Rows must be given where features are computed from events" in words(sent)


def test_the_example_of_rows_is_as_the_event_tables_take_them(browser, case):
    page = words(browser.get("/console/event-tables"))
    for name, rows in json.loads(EXAMPLE).items():
        columns = {column.name: column for column in TABLES[name].all_columns}
        for row in rows:
            assert set(row) <= set(columns)
            assert {name for name, column in columns.items() if column.required} <= set(row)
    assert all(name in page for name in TABLES if name != "members")
    assert all(column.name in page for table in TABLES.values() for column in table.columns if table.name != "members")


@pytest.mark.parametrize("fields", [{"act": "dance"}, {"act": "look_into", "version": "x"}, {"act": "look_into"}, {},
                                    {"act": "answer", "version": 1, "outcome": "maybe", "answer": "x"}])  # fmt: skip
def test_a_step_that_is_none_changes_nothing(browser, running, case, fields):
    assert browser.post(case, fields).status_code == 422
    row = next(row for row in running.rows("rights_cases") if row["case_id"] == case.rsplit("/", 1)[1])
    assert row["version"] == 1


def test_staff_open_a_dispute_and_ask_for_a_review_on_a_members_behalf(browser, running, scored):
    browser.staff()
    at, decision = browser.look_up(scored), decision_of(running, scored)
    opened = browser.post(f"{at}/disputes", {"topic": "decision", "decision_id": decision, "text": "By telephone."})
    assert opened.url.path.startswith("/console/disputes/")
    asked = browser.post(f"{at}/reviews", {"review_decision": decision, "why": ""})
    assert asked.url.path.startswith("/console/reviews/")
    twice = browser.post(f"{at}/reviews", {"review_decision": decision})
    assert twice.status_code == 422
    for tab, path in (("disputes", opened.url.path), ("reviews", asked.url.path)):
        assert path in browser.get(f"{at}/{tab}").text


def test_a_review_is_decided_once_and_by_nobody_who_had_a_part_in_it(browser, open_browser, running, scored):
    decision = decision_of(running, scored)
    browser.member(scored)
    assert "done=review_requested" in str(browser.post("/me/reviews", {"review_decision": decision}).url)
    dispute = browser.post("/me/disputes", {"topic": "decision", "decision_id": decision, "text": "And wrong."})
    case = next(row["case_id"] for row in running.rows("rights_cases")[::-1] if row["kind"] == "review")
    path, verdict = f"/console/reviews/{case}", {"act": "decide", "version": 1, "outcome": "overturned"}
    verdict |= {"instead": "not_to_be_used", "reason": "Not our member's loan."}
    browser.staff()
    browser.post(f"/console/disputes/{dispute.url.path.rsplit('/', 1)[1]}", {"act": "look_into", "version": 1})
    refused = browser.post(path, verdict)
    assert refused.status_code == 422
    assert "Somebody else has to decide" in words(refused)
    assert "Not our member&#39;s loan." in refused.text
    other, third = open_browser(), open_browser()
    other.staff(), third.staff()
    assert other.post(path, verdict | {"instead": ""}).status_code == 422
    assert "Overturned" in words(other.post(path, verdict))
    late = third.post(path, verdict | {"outcome": "upheld"})
    assert late.status_code == 422
    assert "Somebody else has changed this" in words(late)


def test_a_member_sees_states_and_deadlines_adds_a_statement_and_gives_up(browser, running, scored):
    case = f"/me/disputes/{opened_by(browser, scored)}"
    assert "20 days left" in words(browser.get("/me/disputes"))
    stated = browser.post(case, {"act": "statement", "version": 1, "statement": "I paid.", "travels": "yes"})
    assert "It goes to recipients" in words(stated)
    given_up = browser.post(case, {"act": "withdraw", "version": version_of(stated)})
    assert "Withdrawn" in words(given_up)


def test_a_member_opens_nobody_elses_dispute(browser, open_browser, scored, running):
    case = opened_by(browser, scored)
    other = open_browser()
    other.member("a-stranger")
    assert other.get(f"/me/disputes/{case}").status_code == 404
    sent = other.post(f"/me/disputes/{case}", {"act": "withdraw", "version": 1})
    assert sent.status_code == 404
    assert "Open" in words(browser.get(f"/me/disputes/{case}"))


def test_a_notice_is_read_word_for_word_and_noted_as_delivered_once(browser, scored, case):
    browser.post(case, {"act": "answer", "version": 1, "outcome": "not_corrected", "answer": "We <looked> at it."})
    at = browser.look_up(scored)
    listed = browser.get(f"{at}/notices")
    notice = re.search(rf"{re.escape(at)}/notices/([0-9a-f-]+)", listed.text).group(0)
    page = browser.get(notice)
    assert "We &lt;looked&gt; at it." in page.text
    sent = browser.post(notice, {"state": "delivered", "channel": "post"})
    assert "Delivered" in words(sent)
    mine = browser.get("/me/notices")
    assert "Our answer to what you disputed" in words(mine)
    own = re.search(r"/me/notices/[0-9a-f-]+", mine.text).group(0)
    assert "We &lt;looked&gt; at it." in browser.get(own).text
