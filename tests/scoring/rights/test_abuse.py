"""What somebody who means ill tries with cases and notices: guessing ids, linking members, judging their own work."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from benne.errors import DeadlineNotExtendable, NoticeUnknown, ReviewerNotIndependent, RightsError
from benne.scoring.decisions.request import Actor
from benne.scoring.disputes.dispute import Answer, Disputed
from benne.scoring.disputes.disputing import MOST_OPEN
from benne.scoring.members.recording import Doing
from benne.scoring.notices.asked_notices import Withheld
from benne.scoring.reviews.reviewing import ReviewAsked, Verdict
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.rows import CaseQuery
from tests.scoring.rights.conftest import ANNA, BERT, MEMBER, OFFICER, REVIEWER, RightsDesk

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
UPHELD = Verdict(outcome="upheld", text="It is as it should be.")
DATA = Disputed(topic="personal_data", text="I moved in May.")


def review_of(desk: RightsDesk, decision_id: str) -> RightsCase:
    return desk.reviews.request(ANNA, ReviewAsked(decision_id=decision_id), MEMBER)


def test_the_id_of_anothers_case_or_notice_says_nothing_as_a_place_in_a_list(desk: RightsDesk) -> None:
    theirs = desk.disputes.open(BERT, DATA, MEMBER)
    desk.turn(timedelta(days=1))
    own = desk.disputes.open(ANNA, DATA, MEMBER)
    assert desk.disputes.find(CaseQuery(subject_id=ANNA), MEMBER) == [own]
    for guessed in (theirs.case_id, "0" * 36):
        assert desk.disputes.find(CaseQuery(subject_id=ANNA, after=guessed), MEMBER) == []
    first = desk.notices.disclose_score(ANNA, desk.answered(ANNA), "en", OFFICER)
    desk.turn(timedelta(days=1))
    others = desk.notices.disclose_score(BERT, desk.answered(BERT), "en", OFFICER)
    for guessed in (others.notice_id, "0" * 36):
        assert desk.notices.find(MEMBER, subject_id=ANNA, after=guessed) == []
    assert [one.notice_id for one in desk.notices.find(OFFICER, after=others.notice_id)] == [first.notice_id]


def test_two_recipients_of_one_correction_have_nothing_alike_that_says_whom_it_is_about(desk: RightsDesk) -> None:
    shop, bank = desk.answered(ANNA, "shop"), desk.answered(ANNA, "bank")
    desk.turn(timedelta(minutes=1))
    case = desk.disputes.open(ANNA, Disputed(topic="decision", text="Wrong.", decision_id=shop), MEMBER)
    desk.disputes.answer(case.case_id, 1, Answer(outcome="corrected", text="You are right."), OFFICER)
    told = {one.recipient: one for one in desk.told("correction_notice")}
    assert {name: one.decision_id for name, one in told.items()} == {"shop": shop, "bank": bank}
    to_shop, to_bank = (json.dumps((told[name].content or {}) | {"issued_at": None}) for name in ("shop", "bank"))
    alike = {word for word in to_shop.split('"') if len(word) > 20 and word in to_bank.split('"')}
    assert not any(character.isdigit() for word in alike for character in word), alike
    assert told["shop"].content["due_at"] is None


@SQLITE
def test_whoever_corrected_does_not_review_the_decision_that_came_of_it(desk: RightsDesk) -> None:
    old = desk.answered(ANNA)
    desk.turn(timedelta(minutes=1))
    case = desk.disputes.open(ANNA, Disputed(topic="decision", text="Wrong.", decision_id=old), MEMBER)
    desk.disputes.answer(case.case_id, 1, Answer(outcome="corrected", text="You are right."), OFFICER)
    anew = desk.told("correction_notice")[0].content["new_decision"]
    asked = review_of(desk, anew)
    with pytest.raises(ReviewerNotIndependent, match="must have had no part"):
        desk.reviews.decide(asked.case_id, 1, UPHELD, OFFICER)
    desk.reviews.decide(asked.case_id, 1, UPHELD, REVIEWER)


@SQLITE
def test_whoever_overturned_a_decision_does_not_review_the_one_in_its_place(desk: RightsDesk) -> None:
    asked = review_of(desk, desk.answered(ANNA))
    verdict = Verdict(outcome="overturned", text="It rests on an error.", instead="decided_anew")
    anew = desk.reviews.decide(asked.case_id, 1, verdict, REVIEWER).result
    again = review_of(desk, str(anew))
    with pytest.raises(ReviewerNotIndependent, match="must have had no part"):
        desk.reviews.decide(again.case_id, 1, UPHELD, REVIEWER)
    desk.reviews.decide(again.case_id, 1, UPHELD, OFFICER)


@SQLITE
def test_whoever_withheld_a_part_of_an_explanation_does_not_review_that(desk: RightsDesk) -> None:
    decision = desk.answered(ANNA)
    desk.notices.withhold(ANNA, Withheld(decision_id=decision, part="points", text="It names somebody else."), OFFICER)
    asked = review_of(desk, decision)
    with pytest.raises(ReviewerNotIndependent, match="must have had no part"):
        desk.reviews.decide(asked.case_id, 1, UPHELD, OFFICER)
    desk.reviews.decide(asked.case_id, 1, UPHELD, REVIEWER)


@SQLITE
def test_a_deadline_that_was_escalated_is_not_extended_by_a_clock_that_was_put_back(desk: RightsDesk) -> None:
    case = desk.disputes.open(ANNA, DATA, MEMBER)
    desk.turn(timedelta(days=31))
    assert desk.deadlines.escalate() == 1
    desk.turn(timedelta(days=-30))
    with pytest.raises(DeadlineNotExtendable, match="must be extended once and before it has passed"):
        desk.disputes.extend(case.case_id, 1, "More time.", OFFICER)


@SQLITE
def test_one_member_cannot_fill_the_queue_and_staff_still_open_one_for_them(desk: RightsDesk) -> None:
    opened = [desk.disputes.open(ANNA, DATA, MEMBER) for _ in range(MOST_OPEN)]
    with pytest.raises(RightsError, match=f"must have at most {MOST_OPEN} disputes open at once"):
        desk.disputes.open(ANNA, DATA, MEMBER)
    desk.disputes.open(BERT, DATA, MEMBER)
    desk.disputes.open(ANNA, DATA, OFFICER)
    for case in opened[:2]:
        desk.disputes.withdraw(case.case_id, 1, ANNA, MEMBER)
    desk.disputes.open(ANNA, DATA, MEMBER)


@SQLITE
def test_looking_at_a_notice_that_is_owed_is_on_record_whoever_looks(desk: RightsDesk) -> None:
    with pytest.raises(NoticeUnknown, match="must be owed to be looked at"):
        desk.owed.read("0" * 36, OFFICER)
    desk.facts.reasons, desk.facts.reference_hash = (), ""
    owed = desk.owed.ask_reasons(ANNA, desk.answered(ANNA), "en", MEMBER)
    looking = Doing(Actor("key:officer", "compliance"), f"notice:{owed.case.case_id}")
    before = len(desk.recorded("member_looked_up"))
    case, events = desk.owed.read(owed.case.case_id, looking)
    assert (case, events[0].act) == (owed.case, "opened")
    (last,) = desk.recorded("member_looked_up")[before:]
    assert (last["actor_id"], last["context"]) == ("key:officer", f"notice:{owed.case.case_id}")
    assert last["subject_hmac"] is not None
