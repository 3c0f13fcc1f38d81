"""A decision looked at again by a person who had no part in it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from benne.errors import DecisionUnknown, ReviewerNotIndependent, ReviewUnknown, RightsError, StateChanged
from benne.scoring.decisions.request import Actor
from benne.scoring.disputes.dispute import Answer, Disputed
from benne.scoring.members.recording import Doing
from benne.scoring.reviews.reviewing import ReviewAsked, Verdict
from benne.scoring.reviews.statistics import OverturnRate, Period
from benne.scoring.store.rights_tables import rights_cases
from tests.scoring.rights.conftest import ANNA, BERT, MEMBER, OFFICER, REVIEWER

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""Of tests to which it makes no difference; what may depend on the database runs on both."""
UPHELD = Verdict(outcome="upheld", text="The figures are right.")


def overturned(instead: Any) -> Verdict:
    return Verdict(outcome="overturned", text="A payment was booked late.", instead=instead)


def requested(desk: Any, **changes: Any) -> Any:
    decision_id = desk.answered(ANNA, **changes)
    return desk.reviews.request(ANNA, ReviewAsked(decision_id=decision_id, text="Please look again."), MEMBER)


@SQLITE
def test_a_review_that_is_upheld_is_answered_and_the_recipient_hears_nothing(desk):
    case = requested(desk)
    assert desk.reviews.read(case.case_id, MEMBER, ANNA).said["text"] == "Please look again."
    done = desk.reviews.decide(case.case_id, case.version, UPHELD, REVIEWER)
    assert (done.state, done.handler, done.is_open) == ("upheld", "key:reviewer", False)
    (told,) = desk.told("review_answer")
    assert (told.content["outcome"], told.content["text"]) == ("upheld", "The figures are right.")
    assert desk.told("review_overturned") == []
    assert [row["outcome"] for row in desk.recorded("review_decided")] == ["upheld"]


@SQLITE
def test_overturned_into_a_new_decision_both_are_told(desk):
    case = requested(desk)
    done = desk.reviews.decide(case.case_id, case.version, overturned("decided_anew"), REVIEWER)
    (new,) = desk.maker.known.values()
    assert done.result == new
    (to_member,), (to_shop,) = desk.told("review_answer"), desk.told("review_overturned")
    assert to_member.content["new_decision"] == to_shop.content["new_decision"] == new
    assert to_shop.content["member"] == desk.pseudonyms.of("shop", ANNA)
    assert (to_shop.recipient, to_shop.audience) == ("shop", "recipient")
    assert "booked" not in repr(to_shop.content), "the reviewer's words are the member's"


@pytest.mark.parametrize("instead", ["benefit_granted", "not_to_be_used"])
@SQLITE
def test_overturned_without_a_new_score(desk, instead):
    case = requested(desk)
    desk.reviews.decide(case.case_id, case.version, overturned(instead), REVIEWER)
    (told,) = desk.told("review_overturned")
    assert told.content["new_decision"] is None
    assert desk.maker.asked == []


@SQLITE
def test_a_denial_for_want_of_consent_is_not_overturned_into_a_score(desk):
    decision_id = desk.answered(ANNA, denied="consent-withdrawn")
    case = desk.reviews.request(ANNA, ReviewAsked(decision_id=decision_id), MEMBER)
    desk.maker.refusal = "consent-withdrawn"
    with pytest.raises(RightsError, match="got a refusal"):
        desk.reviews.decide(case.case_id, case.version, overturned("decided_anew"), REVIEWER)
    assert desk.case(case.case_id, "review").state == "requested"
    assert desk.told("review_answer") == []


def test_whoever_had_a_part_in_it_does_not_review(desk):
    original = Doing(Actor("key:shop", "compliance"), "review:1")
    case = requested(desk)
    with pytest.raises(ReviewerNotIndependent, match="must have had no part"):
        desk.reviews.decide(case.case_id, case.version, UPHELD, original)
    dispute = desk.disputes.open(
        ANNA, Disputed(topic="decision", text="No.", decision_id=str(case.decision_id)), MEMBER
    )
    desk.disputes.answer(dispute.case_id, 1, Answer(outcome="not_corrected", text="Right."), OFFICER)
    with pytest.raises(ReviewerNotIndependent, match="must have had no part"):
        desk.reviews.decide(case.case_id, case.version, UPHELD, OFFICER)
    desk.reviews.decide(case.case_id, case.version, UPHELD, REVIEWER)
    again = desk.reviews.request(ANNA, ReviewAsked(decision_id=str(case.decision_id)), MEMBER)
    with pytest.raises(ReviewerNotIndependent, match="must have had no part"):
        desk.reviews.decide(again.case_id, again.version, UPHELD, REVIEWER)


@SQLITE
def test_a_decision_is_under_one_review_at_a_time(desk):
    case = requested(desk)
    with pytest.raises(StateChanged, match="got one under way"):
        desk.reviews.request(ANNA, ReviewAsked(decision_id=str(case.decision_id)), MEMBER)
    desk.reviews.withdraw(case.case_id, 1, ANNA, MEMBER)
    desk.reviews.request(ANNA, ReviewAsked(decision_id=str(case.decision_id)), MEMBER)


@SQLITE
def test_others_can_neither_ask_nor_see(desk):
    case = requested(desk)
    with pytest.raises(DecisionUnknown, match="must be about this member"):
        desk.reviews.request(BERT, ReviewAsked(decision_id=str(case.decision_id)), MEMBER)
    with pytest.raises(ReviewUnknown, match="must be on record for whoever asks"):
        desk.reviews.read(case.case_id, MEMBER, BERT)


def test_of_two_reviewers_at_once_one_wins(desk):
    case = requested(desk)
    begin, outcomes = threading.Barrier(2), []

    def decide(who: str, verdict: Verdict) -> None:
        begin.wait()
        try:
            desk.reviews.decide(case.case_id, case.version, verdict, Doing(Actor(who, "compliance"), "review:1"))
            outcomes.append("decided")
        except StateChanged:
            outcomes.append("late")

    threads = [
        threading.Thread(target=decide, args=("key:r1", UPHELD)),
        threading.Thread(target=decide, args=("key:r2", overturned("decided_anew"))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["decided", "late"]
    assert len(desk.told("review_answer")) == 1


@SQLITE
def test_the_overturn_rate_is_counted_by_hand(desk):
    """March: 25 of the shop's, 10 overturned: 0.4; 19 of the bank's, too few; April: one. Two outside."""
    march, april, may = (int(datetime(2026, m, 2, tzinfo=UTC).timestamp() * 1e6) for m in (3, 4, 5))
    lines = [
        (march, "shop", "upheld", 15), (march, "shop", "overturned", 10), (march, "bank", "overturned", 19),
        (april, "shop", "upheld", 1), (may, "shop", "overturned", 2), (march, "shop", "withdrawn", 3),
    ]  # fmt: skip
    numbers = iter(range(1_000))
    rows = [
        {"case_id": f"r-{next(numbers)}", "kind": "review", "topic": "granted", "state": state, "version": 2,
         "jurisdiction": "us", "recipient": recipient, "policy_version": "p-1", "opened_at_us": 0,
         "opened_by_role": "member", "due_at_us": 1, "ended_at_us": at}
        for at, recipient, state, count in lines
        for _ in range(count)
    ]  # fmt: skip
    with desk.store.write() as connection:
        connection.execute(insert(rights_cases), rows)
    rates = desk.reviews.statistics(Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)))
    told = {"policy_version": "p-1"}
    assert rates == [
        OverturnRate(month=None, policy_version=None, recipient=None, decided=45, overturned=29),
        OverturnRate(month="2026-03", recipient="bank", decided=19, overturned=19, **told),
        OverturnRate(month="2026-03", recipient="shop", decided=25, overturned=10, **told),
        OverturnRate(month="2026-04", recipient="shop", decided=1, overturned=0, **told),
    ]
    assert [rate.rate for rate in rates] == [29 / 45, None, 0.4, None]


@pytest.mark.parametrize(
    ("given", "must"),
    [
        ({"outcome": "upheld", "instead": "not_to_be_used"}, "exactly where a decision is overturned"),
        ({"outcome": "overturned"}, "exactly where a decision is overturned"),
        ({"outcome": "overturned", "instead": "money"}, "instead must be one of"),
        ({"outcome": "maybe"}, "must be upheld or overturned"),
        ({"outcome": "upheld", "text": ""}, "must say something"),
    ],
)
def test_a_verdict_that_is_none_is_refused(given, must):
    with pytest.raises(RightsError, match=must):
        Verdict(**{"text": "Because.", **given})


def test_a_period_must_end_after_it_begins():
    with pytest.raises(RightsError, match="must end after it begins"):
        Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
