"""Notices: what they say where, by when they are due, and the register of what was sent."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from benne.errors import CaseUnknown, DeadlinePassed, DecisionUnknown, NoticeUnknown, RightsError, StateChanged
from benne.explain.texts import LANGUAGES, texts_of
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.jurisdictions import profile_of
from benne.scoring.members.free_reports import reports_given
from benne.scoring.notices.asked_notices import AdverseAction, CompelledDisclosure, PriorItem, Withheld
from benne.scoring.notices.kinds import FIELDS, NOTICE_KINDS
from benne.scoring.notices.notice import NoticeDraft
from benne.scoring.notices.paragraphs import template_hash, template_version
from benne.scoring.reviews.statistics import Period
from benne.scoring.store.rights_tables import notices
from tests.scoring.rights.conftest import ANNA, BERT, DAY, MEMBER, OFFICER, SHOP

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""Of tests to which it makes no difference; what may depend on the database runs on both."""
DAY_US = 86_400_000_000

# By hand from design/consent-and-rights.md ("Fields: notice") and the rules named there; not from the code's table.
OF_EVERY_NOTICE = {
    "notice_id", "kind", "jurisdiction", "template_version", "language", "issued_at", "due_at", "provider",
    "title", "paragraphs",
}  # fmt: skip
OF_AN_ADVERSE_ACTION = {
    "action_taken", "action_at", "decision_maker", "reasons", "method", "reference_hash", "score", "score_range",
    "score_date", "key_factors", "model_id", "categories", "sources", "dispute_route", "review_route",
    "complaint_route", "automated_processing", "logic_summary", "counterfactuals", "consent_id", "decision_id",
    "decided_at", "audit_seq",
}  # fmt: skip
BESIDE = {
    "us": {"free_report", "equal_credit", "reasons_asked_within_days"},  # FCRA 615(a), Reg B 1002.9(a)(2), (b)(1)
    "eu": {"human_review"},  # GDPR 22(3)
    "cn": {"refuse_automated"},  # PIPL 24
    "default": {"human_review"},
}
DUE_IN_DAYS = {"us": (30, 90), "eu": (1, 1), "cn": (30, 30), "default": (30, 30)}
"""Of an adverse-action notice, and of one after an offer that was not accepted."""

TEMPLATES = {  # whoever changes a text raises the version in both languages and pins it here
    "en": ("2", "344e01b9175ddc1c"),
    "zh": ("2", "ed63c326d05c0cf9"),
}


def refused(decision_id: str, **more: Any) -> AdverseAction:
    return AdverseAction(decision_id=decision_id, action_taken="refused", **more)


@SQLITE
@pytest.mark.parametrize("jurisdiction", ["us", "eu", "cn", "default"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_adverse_action_notice_says_what_the_place_asks_for(make_desk, jurisdiction, language):
    desk = make_desk(jurisdiction)
    desk.recipient("shop", jurisdiction)
    owed = desk.owed.report_action("shop", refused(desk.answered(ANNA), language=language), SHOP)
    content = owed.notice.content
    assert set(content) == OF_EVERY_NOTICE | OF_AN_ADVERSE_ACTION | BESIDE[jurisdiction]
    assert owed.notice.due_at_us - owed.case.opened_at_us == DUE_IN_DAYS[jurisdiction][0] * DAY_US
    assert content["score_range"] == [350, 950]
    assert [one["rank"] for one in content["reasons"]] == [1, 2]
    assert (content["provider"], content["audit_seq"], content["consent_id"]) == ("Benne Ltd", 7, "consent-1")
    text = "\n".join(content["paragraphs"])
    assert "Three payments came late" in text
    assert "612" in text
    assert "ombudsman" in text
    assert "{" not in text


@SQLITE
@pytest.mark.parametrize("jurisdiction", ["us", "eu", "cn", "default"])
def test_while_another_offer_is_open_the_notice_waits_and_its_deadline_is_the_longer_one(make_desk, jurisdiction):
    desk = make_desk(jurisdiction)
    desk.recipient("shop", jurisdiction)
    decision_id = desk.answered(ANNA)
    waiting = desk.owed.report_action("shop", refused(decision_id, counter_offer="made"), SHOP)
    assert waiting.notice is None
    assert waiting.case.due_at_us - waiting.case.opened_at_us == DUE_IN_DAYS[jurisdiction][1] * DAY_US
    with pytest.raises(StateChanged, match="must be reported once"):
        desk.owed.report_action("shop", refused(decision_id, counter_offer="made"), SHOP)
    issued = desk.owed.report_action("shop", refused(decision_id, counter_offer="declined"), SHOP)
    assert (issued.case.state, issued.notice.kind) == ("issued", "adverse_action")


@SQLITE
def test_an_offer_that_was_accepted_needs_no_notice(desk):
    decision_id = desk.answered(ANNA)
    desk.owed.report_action("shop", refused(decision_id, counter_offer="made"), SHOP)
    ended = desk.owed.report_action("shop", refused(decision_id, counter_offer="accepted"), SHOP)
    assert (ended.case.state, ended.notice, desk.deadlines.duties()) == ("not_needed", None, [])


@SQLITE
def test_recipients_report_what_they_had_an_answer_of_and_once(desk):
    decision_id = desk.answered(ANNA)
    denied = desk.answered(ANNA, denied="consent-required")
    for recipient, given in (("bank", decision_id), ("shop", "no-such-decision"), ("shop", denied)):
        with pytest.raises(DecisionUnknown, match="had an answer of"):
            desk.owed.report_action(recipient, refused(given), SHOP)
    desk.owed.report_action("shop", refused(decision_id), SHOP)
    with pytest.raises(StateChanged, match="must be reported once, got one that was"):
        desk.owed.report_action("shop", refused(decision_id), SHOP)
    assert len(desk.told("adverse_action")) == 1


@SQLITE
def test_where_the_score_gives_no_reason_staff_give_the_makers_own(desk):
    decision_id = desk.answered(ANNA)
    desk.facts.reasons, desk.facts.reference_hash = (), ""
    owed = desk.owed.report_action("shop", refused(decision_id), SHOP)
    assert (owed.notice, owed.case.state) == (None, "due")
    (duty,) = desk.deadlines.duties()
    assert (duty.kind, duty.topic) == ("notice", "adverse_action")
    with pytest.raises(RightsError, match="must have a reason, got none"):
        desk.owed.fulfil(duty.case_id, duty.version, (), OFFICER)
    with pytest.raises(RightsError, match="must be specific"):
        desk.owed.fulfil(duty.case_id, duty.version, ("Score too low",), OFFICER)
    issued = desk.owed.fulfil(duty.case_id, duty.version, ("The rent would be more than half of your income",), OFFICER)
    assert [one["text"] for one in issued.notice.content["reasons"]] == [
        "The rent would be more than half of your income"
    ]
    assert issued.notice.content["method"] == "decision_maker"
    said = "\n".join(issued.notice.content["paragraphs"])
    assert "The main reasons that shop gives for its decision:" in said
    assert "why the score was not higher" not in said
    with pytest.raises(StateChanged, match="got 1 of now 2"):
        desk.owed.fulfil(duty.case_id, duty.version, (), OFFICER)


@SQLITE
def test_whoever_asks_for_reasons_is_never_told_that_there_are_none_where_the_model_cannot_know(desk):
    decision_id = desk.answered(ANNA)
    desk.facts.reasons, desk.facts.reference_hash = (), ""
    asked = desk.owed.ask_reasons(ANNA, decision_id, "en", MEMBER)
    assert (asked.notice, asked.case.state) == (None, "due")
    with pytest.raises(RightsError, match="must have a reason, got none"):
        desk.owed.fulfil(asked.case.case_id, asked.case.version, (), OFFICER)
    given = desk.owed.fulfil(asked.case.case_id, asked.case.version, ("Your rent is half of your income",), OFFICER)
    assert [one["text"] for one in given.notice.content["reasons"]] == ["Your rent is half of your income"]


@SQLITE
def test_an_owed_notice_that_nobody_issues_is_escalated(desk):
    desk.facts.reasons, desk.facts.reference_hash = (), ""
    desk.owed.report_action("shop", refused(desk.answered(ANNA)), SHOP)
    desk.turn(30 * DAY)
    none = dict.fromkeys(("dispute", "correction", "review"), (0, 0))
    assert desk.deadlines.counts() == none | {"notice": (1, 0)}, "met at its very moment"
    desk.turn(timedelta(seconds=1))
    assert desk.deadlines.counts() == none | {"notice": (1, 1)}
    assert desk.recorded("deadline_escalated") == [], "counting is no look at the queue"
    (duty,) = desk.deadlines.duties()
    assert duty.escalated_at_us is not None
    assert len(desk.recorded("deadline_escalated")) == 1


@SQLITE
def test_reasons_are_given_to_whoever_asks_in_time(desk):
    decision_id = desk.answered(ANNA)
    with pytest.raises(DecisionUnknown, match="must be about this member"):
        desk.owed.ask_reasons(BERT, decision_id, "en", MEMBER)
    desk.turn(20 * DAY)
    desk.owed.report_action("shop", refused(decision_id), SHOP)
    desk.turn(60 * DAY)  # after they were told, not after the decision
    given = desk.owed.ask_reasons(ANNA, decision_id, "en", MEMBER)
    assert (given.notice.kind, given.case.due_at_us - given.case.opened_at_us) == ("reasons_given", 30 * DAY_US)
    desk.turn(timedelta(microseconds=1))
    with pytest.raises(DeadlinePassed, match="must be asked for in time"):
        desk.owed.ask_reasons(ANNA, decision_id, "en", MEMBER)


@SQLITE
def test_the_register_keeps_what_was_sent_and_by_which_template(desk):
    decision_id = desk.answered(ANNA)
    told = desk.notices.disclose_score(ANNA, decision_id, "zh", MEMBER)
    (row,) = desk.platform.rows("notices")
    assert row["template_hash"] == template_hash("score_disclosure", texts_of("zh"))
    assert (row["template_version"], row["issued_by_role"], row["issued_by"]) == ("2", "member", None)
    assert "612.4" not in repr(row)
    assert "612.4" not in repr(told)
    assert told.content["key_factors"][0]["code"] == "repayment"
    assert "612" in "".join(told.content["paragraphs"])


def test_a_notice_is_delivered_when_whom_it_is_to_reads_it_and_only_then(desk):
    told = desk.notices.disclose_score(ANNA, desk.answered(ANNA), "en", OFFICER)
    assert desk.notices.read(told.notice_id, OFFICER).delivery.state == "queued"
    assert [one.notice_id for one in desk.notices.find(OFFICER, delivery="queued")] == [told.notice_id]
    for wrong in ({"subject_id": BERT}, {"recipient": "shop"}):
        with pytest.raises(NoticeUnknown, match="must be on record for whoever asks"):
            desk.notices.read(told.notice_id, MEMBER, **wrong)
    assert desk.notices.deliver(told.notice_id, "failed", "post", OFFICER).delivery.state == "failed"
    read = desk.notices.read(told.notice_id, MEMBER, subject_id=ANNA)
    assert (read.delivery.state, read.delivery.channel, read.delivery.by_id) == ("delivered", "in_app", None)
    with pytest.raises(StateChanged, match="must be undelivered"):
        desk.notices.deliver(told.notice_id, "delivered", "post", OFFICER)
    assert [row["state"] for row in desk.platform.rows("notice_deliveries")] == ["queued", "failed", "delivered"]


def test_the_register_is_read_a_page_at_a_time_newest_first(desk):
    decision_id = desk.answered(ANNA)
    made = []
    for number in range(5):
        desk.turn(timedelta(minutes=number // 2))  # some at the same moment
        made.append(desk.notices.disclose_score(ANNA, decision_id, "en", OFFICER).notice_id)
    found: list[str] = []
    while page := desk.notices.find(OFFICER, after=found[-1] if found else None, limit=2):
        found += [one.notice_id for one in page]
    assert sorted(found) == sorted(made)
    assert found[0] in made[-2:]


@SQLITE
def test_a_prior_notice_gives_the_row_that_lets_the_item_in(desk):
    desk.platform.grant(1)
    from_day = desk.platform.clock() + 14 * DAY
    item = PriorItem(item_id="item-7", kind="default", source="Example Bank", listed_from=from_day)
    told, row = desk.notices.announce_item(ANNA, item, OFFICER)
    assert row == {
        "record_id": f"notice-{told.notice_id}", "item_id": "item-7", "kind": "default", "event": "notified",
        "event_time": from_microseconds(told.issued_at_us).isoformat(),
    }  # fmt: skip
    assert "Example Bank" in "".join(told.content["paragraphs"])
    with pytest.raises(CaseUnknown, match="got one of whom nothing is"):
        desk.notices.announce_item(BERT, item, OFFICER)
    desk.turn(14 * DAY)
    with pytest.raises(RightsError, match="must be later than the notice"):
        desk.notices.announce_item(ANNA, item, OFFICER)


@SQLITE
def test_members_are_told_that_they_are_scored_automatically(desk):
    desk.platform.grant(1)
    (record,) = desk.platform.rows("consent_records")
    told = desk.notices.announce_scoring(ANNA, record["record_id"], "en", OFFICER)
    assert (told.content["purpose"], told.content["decision_maker"], told.recipient) == ("lending", "shop", "shop")
    with pytest.raises(CaseUnknown, match="must be this member's"):
        desk.notices.announce_scoring(BERT, record["record_id"], "en", OFFICER)


@SQLITE
def test_withholding_is_recorded_reasoned_and_told(desk):
    decision_id = desk.answered(ANNA)
    withheld = Withheld(decision_id=decision_id, part="reference", text="It would show figures of fifty others.")
    told = desk.notices.withhold(ANNA, withheld, OFFICER)
    assert "fifty others" in "".join(told.content["paragraphs"])
    assert desk.recorded("notice_issued")[-1]["outcome"] == "explanation_withheld"
    assert [one.notice_id for one in desk.notices.find(OFFICER, decision_id=decision_id)] == [told.notice_id]


def test_a_compelled_disclosure_is_shown_when_that_is_allowed_and_counted_at_once(desk):
    desk.answered(ANNA)
    now = desk.platform.clock()
    facts = {"reference": "2026-AZ-117", "authority": "District Court", "scope": "The score.", "disclosed_at": now}
    at_once = desk.disclosures.record(ANNA, CompelledDisclosure(legal_basis="court_order", **facts), OFFICER)
    barred = desk.disclosures.record(
        ANNA, CompelledDisclosure(legal_basis="criminal_investigation", barred_until=now + 90 * DAY, **facts), OFFICER
    )
    seen = [one.notice_id for one in desk.notices.find(MEMBER, subject_id=ANNA)]
    assert seen == [at_once.notice_id]
    with pytest.raises(NoticeUnknown, match="must be on record for whoever asks"):
        desk.notices.read(barred.notice_id, MEMBER, subject_id=ANNA)
    found = desk.disclosures.transparency(Period(now, now + DAY))
    assert (found.disclosures, found.barred) == (2, 1)
    assert found.by_basis == {
        "court_order": 1, "regulator_order": 0, "statutory_duty": 0, "criminal_investigation": 1,
    }  # fmt: skip
    assert desk.disclosures.transparency(Period(now - DAY, now)).disclosures == 0
    desk.turn(90 * DAY)
    assert len(desk.notices.find(MEMBER, subject_id=ANNA)) == 2
    assert "District Court" not in repr(desk.platform.rows("notices"))
    assert [row["outcome"] for row in desk.recorded("disclosure_compelled")] == [
        "court_order", "criminal_investigation",
    ]  # fmt: skip


@SQLITE
def test_a_notice_without_what_it_must_say_is_not_issued(desk):
    desk.answered(ANNA)
    draft = NoticeDraft(kind="prior_notice", subject_id=ANNA, jurisdiction="us", language="en",
                        fields={"item": "a default"})  # fmt: skip
    with pytest.raises(RightsError, match="must say listed_from, source under us, got none"):
        desk.group.submit(lambda c, now_us: desk.register.issue(c, now_us, draft, OFFICER))
    assert desk.platform.rows("notices") == []


def test_every_kind_has_fields_texts_and_a_version_in_every_language():
    assert set(FIELDS) == set(NOTICE_KINDS)
    for language in LANGUAGES:
        texts = texts_of(language)
        together = sha256("".join(template_hash(kind, texts) for kind in NOTICE_KINDS).encode()).hexdigest()
        assert (template_version(texts), together[:16]) == TEMPLATES[language], "raise the version with every change"
        assert len({template_hash(kind, texts) for kind in NOTICE_KINDS}) == len(NOTICE_KINDS)


def test_the_kinds_of_the_register_fit_their_columns():
    assert max(map(len, NOTICE_KINDS)) <= notices.c.kind.type.length


@pytest.mark.parametrize(("jurisdiction", "free"), [("cn", 2), ("us", 1), ("eu", None), ("default", 2)])
@SQLITE
def test_reports_of_a_year_are_counted_against_those_that_are_free(make_desk, jurisdiction, free):
    desk = make_desk(jurisdiction)

    def counted() -> Any:
        with desk.store.read() as connection:
            return reports_given(connection, desk.vault, ANNA, profile_of(jurisdiction), desk.deadlines.now_us())

    def given(doing: Any) -> None:
        desk.group.submit(lambda c, now_us: ([desk.recorder.entry(c, now_us, ANNA, "report_given", doing)], None))

    assert (counted().given, counted().free, counted().beyond_free) == (0, free, False)
    for _ in range(3):
        given(MEMBER)
    given(OFFICER)
    assert (counted().given, counted().beyond_free) == (3, free is not None)
    desk.turn(365 * DAY)
    assert counted().given == 0
