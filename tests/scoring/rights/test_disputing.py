"""A dispute from the moment something is said to be wrong to its answer in writing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from benne.errors import (
    CaseUnknown,
    DeadlineNotExtendable,
    DecisionUnknown,
    DisputeUnknown,
    RightsError,
    StateChanged,
)
from benne.scoring.disputes.dispute import Answer, Disputed
from benne.scoring.rights.marks import marks_of
from benne.scoring.rights.rows import CaseQuery
from tests.scoring.rights.conftest import ANNA, BERT, DAY, MEMBER, OFFICER, REVIEWER

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""Of tests to which it makes no difference; what may depend on the database runs on both."""

MOVED = Disputed(topic="personal_data", text="I moved in May.")
NO_ERROR = Answer(outcome="not_corrected", text="The register says otherwise.")


def marked(desk: Any) -> dict[str, Any]:
    with desk.store.read() as connection:
        return marks_of(connection, [ANNA, BERT], desk.vault)


def test_a_dispute_is_flagged_at_once_and_no_longer_when_it_was_not_sustained(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    assert marked(desk) == {ANNA: (None,)}
    taken = desk.disputes.look_into(case.case_id, case.version, OFFICER)
    assert (taken.state, taken.handler, taken.version) == ("looked_into", "key:officer", 2)
    done = desk.disputes.answer(case.case_id, taken.version, NO_ERROR, OFFICER)
    assert (done.state, done.is_open) == ("not_corrected", False)
    assert marked(desk) == {}
    (told,) = desk.told("dispute_answer")
    assert told.content["text"] == "The register says otherwise."
    assert [row["outcome"] for row in desk.recorded("dispute_answered")] == ["not_corrected"]
    assert desk.intact()


@SQLITE
def test_what_was_said_is_in_the_vault_and_in_no_table(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    assert desk.disputes.read(case.case_id, MEMBER, ANNA).said["text"] == "I moved in May."
    for table in ("rights_cases", "rights_case_events", "audit_records", "notices", "member_payloads"):
        assert "May" not in repr(desk.platform.rows(table))
    assert "May" not in repr(MOVED) + repr(desk.disputes.read(case.case_id, MEMBER, ANNA))


def test_an_unresolved_dispute_has_the_members_statement_which_travels_only_if_they_say_so(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    silent = desk.disputes.state(case.case_id, 1, "I did move.", travels=False, subject_id=ANNA, doing=MEMBER)
    assert marked(desk) == {ANNA: (None,)}
    answered = desk.disputes.answer(case.case_id, silent.version, NO_ERROR, OFFICER)
    assert marked(desk) == {}
    spoken = desk.disputes.state(
        case.case_id, answered.version, "I did move.", travels=True, subject_id=ANNA, doing=MEMBER
    )
    assert marked(desk) == {ANNA: ("I did move.",)}
    closed = desk.disputes.close(case.case_id, spoken.version, OFFICER)
    assert (closed.state, marked(desk)) == ("closed", {ANNA: ("I did move.",)})
    assert desk.disputes.read(case.case_id, OFFICER).said["statement"] == {"text": "I did move.", "travels": True}


@SQLITE
def test_a_member_may_withdraw_and_the_flag_goes(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    assert desk.disputes.withdraw(case.case_id, 1, ANNA, MEMBER).state == "withdrawn"
    assert marked(desk) == {}
    with pytest.raises(StateChanged, match="must be opened or looked_into for this, got withdrawn"):
        desk.disputes.answer(case.case_id, 2, NO_ERROR, OFFICER)


@SQLITE
def test_members_see_and_change_their_own_alone(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    for act in (
        lambda: desk.disputes.read(case.case_id, MEMBER, BERT),
        lambda: desk.disputes.withdraw(case.case_id, 1, BERT, MEMBER),
        lambda: desk.disputes.state(case.case_id, 1, "x", travels=True, subject_id=BERT, doing=MEMBER),
        lambda: desk.disputes.look_into("no-such-case", 1, OFFICER),
    ):
        with pytest.raises(DisputeUnknown, match="must be on record for whoever asks"):
            act()
    assert desk.disputes.find(CaseQuery(subject_id=BERT), MEMBER) == []
    assert [one.case_id for one in desk.disputes.find(CaseQuery(subject_id=ANNA), MEMBER)] == [case.case_id]


@SQLITE
def test_a_decision_that_is_disputed_must_be_about_this_member(desk):
    decision_id = desk.answered(ANNA)
    disputed = Disputed(topic="decision", text="It is wrong.", decision_id=decision_id)
    with pytest.raises(DecisionUnknown, match="must be about this member"):
        desk.disputes.open(BERT, disputed, MEMBER)
    case = desk.disputes.open(ANNA, disputed, MEMBER)
    assert (case.recipient, case.policy_version, case.decision_id) == ("shop", "p-1", decision_id)


@SQLITE
def test_staff_act_on_behalf_of_members_who_are_on_record_and_say_so(desk):
    with pytest.raises(CaseUnknown, match="must be on record, got one of whom nothing is"):
        desk.disputes.open(BERT, MOVED, OFFICER)
    desk.platform.grant(2)
    case = desk.disputes.open(BERT, MOVED, OFFICER)
    assert (case.opened_by_role, case.opened_by) == ("compliance", "key:officer")
    assert desk.recorded("dispute_opened")[-1]["context"] == "dispute:1"


@pytest.mark.parametrize(
    ("jurisdiction", "days", "more"), [("cn", 20, None), ("us", 30, 45), ("default", 20, None), ("eu", 31, 92)]
)
@SQLITE
def test_deadlines_are_those_of_the_place(make_desk, jurisdiction, days, more):
    """Opened on 1 March: a month is 31 days then, and with April and May 92."""
    desk = make_desk(jurisdiction)
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    assert case.due_at_us - case.opened_at_us == days * DAY // timedelta(microseconds=1)
    if more is None:
        with pytest.raises(DeadlineNotExtendable, match="which gives no more time"):
            desk.disputes.extend(case.case_id, 1, "A source has not answered.", OFFICER)
        return
    longer = desk.disputes.extend(case.case_id, 1, "A source has not answered.", OFFICER)
    assert longer.due_at_us - case.opened_at_us == more * DAY // timedelta(microseconds=1)
    (told,) = desk.told("dispute_extension")
    assert told.content["text"] == "A source has not answered."
    with pytest.raises(DeadlineNotExtendable, match="must be extended once"):
        desk.disputes.extend(case.case_id, longer.version, "Again.", OFFICER)


@SQLITE
def test_the_sooner_deadline_of_deployment_and_recipient_holds(make_desk):
    desk = make_desk("us")
    desk.recipient("bank", "cn")
    decision_id = desk.answered(ANNA, "bank")
    case = desk.disputes.open(ANNA, Disputed(topic="decision", text="No.", decision_id=decision_id), MEMBER)
    assert (case.jurisdiction, case.due_at_us - case.opened_at_us) == ("cn", 20 * 86_400_000_000)


@SQLITE
def test_a_deadline_cannot_be_extended_once_it_has_passed(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    desk.turn(31 * DAY)
    with pytest.raises(DeadlineNotExtendable, match="before it has passed"):
        desk.disputes.extend(case.case_id, 1, "Late.", OFFICER)


def test_what_is_overdue_is_escalated_once_by_whoever_looks_first_and_by_whoever_answers(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    other = desk.disputes.open(BERT, MOVED, MEMBER)
    desk.turn(30 * DAY)
    assert desk.deadlines.escalate() == 0, "the very moment is in time"
    desk.turn(timedelta(microseconds=1))
    answered = desk.disputes.answer(other.case_id, other.version, NO_ERROR, OFFICER)
    assert answered.escalated_at_us is not None
    (found,) = desk.disputes.find(CaseQuery(only_open=True), OFFICER)
    assert (found.case_id, found.escalated_at_us is not None, found.version) == (case.case_id, True, 1)
    assert desk.deadlines.escalate() == 0
    escalated = desk.recorded("deadline_escalated")
    assert sorted(row["about_event"] for row in escalated) == sorted([case.case_id, other.case_id])
    assert desk.disputes.answer(case.case_id, 1, NO_ERROR, OFFICER).state == "not_corrected"


def test_of_two_who_answer_at_once_one_is_told_that_somebody_else_was_first(desk):
    case = desk.disputes.open(ANNA, MOVED, MEMBER)
    begin, outcomes = threading.Barrier(2), []

    def answer(who: Any) -> None:
        begin.wait()
        try:
            desk.disputes.answer(case.case_id, 1, NO_ERROR, who)
            outcomes.append("answered")
        except StateChanged as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=answer, args=(who,)) for who in (OFFICER, REVIEWER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1] == "answered"
    assert "got 1 of now 2" in sorted(outcomes)[0]
    assert len(desk.told("dispute_answer")) == 1
    assert [event.act for event in desk.disputes.read(case.case_id, OFFICER).timeline] == ["opened", "not_corrected"]


@pytest.mark.parametrize(
    ("said", "must"),
    [
        ({"topic": "weather"}, "must be about one of"),
        ({"topic": "decision"}, "must name it"),
        ({"topic": "feature"}, "exactly for topic feature"),
        ({"topic": "feature", "feature": "<script>"}, "must be a feature's name"),
        ({"feature": "late_count_30d"}, "exactly for topic feature"),
        ({"language": "fr"}, "A language must be one of"),
        ({"text": " \n "}, "must say something in up to 4000 characters, got nothing"),
        ({"text": "x" * 4_001}, "got more"),
        ({"text": "a\x00b"}, "signs that cannot be written"),
        ({"text": "\ud800"}, "signs that cannot be written"),
    ],
)
def test_what_cannot_be_disputed_is_refused_and_not_repeated(said, must):
    with pytest.raises(RightsError, match=must) as refused:
        Disputed(**{"topic": "personal_data", "text": "I moved.", **said})
    assert "<script>" not in str(refused.value)


@SQLITE
def test_hostile_words_come_back_as_they_were_written(desk):
    words = "<script>alert(1)</script>'; DROP TABLE rights_cases; -- {member.__class__} \u202e 不对"
    case = desk.disputes.open(ANNA, Disputed(topic="personal_data", text=words), MEMBER)
    assert desk.disputes.read(case.case_id, OFFICER).said["text"] == words
    desk.disputes.answer(case.case_id, 1, Answer(outcome="not_corrected", text=words), OFFICER)
    (told,) = desk.told("dispute_answer")
    assert any(words in paragraph for paragraph in told.content["paragraphs"])
