"""A sustained dispute: the data, the scores made anew, everybody who was told; once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from benne.errors import BenneError, RightsError
from benne.scoring.disputes.dispute import Answer, Disputed
from benne.scoring.erasure.forgetting import destroy_key, forget_rights
from benne.scoring.rights.marks import marks_of
from benne.scoring.store.vault import NewPayload
from tests.scoring.rights.conftest import ANNA, BERT, DAY, MEMBER, OFFICER

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""Of tests to which it makes no difference; what may depend on the database runs on both."""

RIGHT = Answer(outcome="corrected", text="You are right.")


class Killed(BaseException):
    """What a process does not survive."""


def features(desk: Any, subject_id: str = ANNA) -> None:
    with desk.store.write() as connection:
        ref = f"v{subject_id[:30]}"
        desk.vault.replace_many(
            connection, [NewPayload(ref, subject_id, "features", b"wrong")], desk.deadlines.now_us()
        )


def held(desk: Any, kind: str, subject_id: str = ANNA) -> int:
    with desk.store.read() as connection:
        return sum(one.kind == kind for one in desk.vault.everything(connection, subject_id))


def flagged(desk: Any) -> bool:
    with desk.store.read() as connection:
        return ANNA in marks_of(connection, [ANNA], desk.vault)


def disputed(desk: Any, decision_id: str) -> str:
    return str(desk.disputes.open(ANNA, Disputed(topic="decision", text="Wrong.", decision_id=decision_id), MEMBER)
               .case_id)  # fmt: skip


def test_what_is_corrected_is_scored_anew_for_everybody_who_was_told(desk):
    old = desk.answered(ANNA, "shop", score=600.0)
    newer = desk.answered(ANNA, "shop", score=601.0)
    bank = desk.answered(ANNA, "bank", score=600.0)
    desk.answered(BERT, "bank")
    lent = desk.answered(ANNA, "platform")  # for a purpose of the platform's own
    desk.answered(ANNA, "platform", purpose="own_report")  # they asked themselves
    features(desk)
    desk.turn(timedelta(minutes=1))
    case_id = disputed(desk, newer)
    answered = desk.disputes.answer(case_id, 1, RIGHT, OFFICER)
    assert answered.state == "corrected"
    assert held(desk, "features") == 0, "what was loaded must be loaded anew"

    told = {one.recipient: one.content for one in desk.told("correction_notice")}
    assert set(told) == {"shop", "bank", "platform"}
    assert told["platform"]["decisions"] == [lent]
    assert told["shop"]["decisions"] == [old, newer]
    assert told["bank"]["decisions"] == [bank]
    assert told["shop"]["member"] == desk.pseudonyms.of("shop", ANNA) != told["bank"]["member"]
    assert {one["new_decision"] for one in told.values()} == set(desk.maker.known.values())
    assert len(desk.maker.asked) == 3

    answer, done = desk.told("dispute_answer"), desk.told("correction_done")
    assert (len(answer), len(done)) == (1, 1)
    assert len(done[0].content["corrected"]) == 3
    assert done[0].issued_at_us <= done[0].due_at_us
    assert not flagged(desk)
    assert [row["outcome"] for row in desk.recorded("correction_made")] == ["loaded", "features_dropped", "done"]
    assert len(desk.recorded("recipient_told")) == 3
    assert desk.intact()


@SQLITE
def test_the_flag_stays_while_a_correction_waits_for_features_and_recipients_know_in_time(desk):
    old = desk.answered(ANNA)
    desk.turn(timedelta(minutes=1))
    case_id = disputed(desk, old)
    desk.maker.refusal = "features-missing"
    desk.disputes.answer(case_id, 1, RIGHT, OFFICER)
    assert flagged(desk)
    assert desk.told("correction_notice") == []
    assert len(desk.corrections.run().waiting) == 1
    desk.turn(2 * DAY)
    assert len(desk.corrections.run().done) == 1
    (told,) = desk.told("correction_notice")
    assert told.content["new_decision"] is None
    assert told.issued_at_us <= told.due_at_us
    assert not flagged(desk)


@pytest.mark.parametrize("refusal", ["consent-withdrawn", "consent-required", "recipient-not-allowed"])
@SQLITE
def test_without_consent_they_are_told_only_not_to_use_what_they_have(desk, refusal):
    old = desk.answered(ANNA)
    desk.turn(timedelta(minutes=1))
    desk.maker.refusal = refusal
    desk.disputes.answer(disputed(desk, old), 1, RIGHT, OFFICER)
    (told,) = desk.told("correction_notice")
    assert (told.content["decisions"], told.content["new_decision"]) == ([old], None)
    assert desk.maker.known == {}


@SQLITE
def test_answers_older_than_the_look_back_are_left_alone(desk):
    desk.answered(ANNA, "bank")
    desk.turn(timedelta(days=31))
    recent = desk.answered(ANNA, "shop")
    desk.turn(timedelta(days=730))
    desk.disputes.answer(disputed(desk, recent), 1, RIGHT, OFFICER)
    assert [one.recipient for one in desk.told("correction_notice")] == ["shop"]


@SQLITE
def test_rows_are_for_those_who_compute_from_events(desk):
    case_id = disputed(desk, desk.answered(ANNA))
    rows = {"adverse_items": [{"record_id": "r-1", "member_id": "anna"}]}
    with pytest.raises(RightsError, match="where features are computed from events"):
        desk.disputes.answer(case_id, 1, Answer(outcome="corrected", text="Yes.", rows=rows), OFFICER)
    assert desk.case(case_id).state == "opened"


@SQLITE
def test_features_that_a_legal_hold_keeps_do_not_pass_for_corrected(desk):
    old = desk.answered(ANNA)
    features(desk)
    desk.platform.behind_our_back(
        f"INSERT INTO legal_holds VALUES ('hold-1', '{ANNA}', 'court_order', 'case-1', 0, 'counsel-1')"
    )
    desk.turn(timedelta(minutes=1))
    desk.disputes.answer(disputed(desk, old), 1, RIGHT, OFFICER)
    (failed,) = desk.corrections.run().failed.values()
    assert "that a legal hold keeps" in failed
    assert flagged(desk)
    desk.turn(timedelta(minutes=1))
    features(desk)  # the platform has loaded corrected ones
    assert len(desk.corrections.run().done) == 1


def points_of(desk: Any, killed_at: int) -> Callable[..., Any]:
    """A group commit whose process dies before a commit, or (a thousand less) after it."""
    submit, counted = desk.group.submit, iter(range(1_000))

    def dying(work: Any) -> Any:
        number = next(counted)
        if number == killed_at:
            raise Killed("died")
        committed = submit(work)
        if number == killed_at + 1_000:
            raise Killed("died")
        return committed

    return dying


@SQLITE
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("killed_at", range(7))
def test_killed_at_any_step_it_is_gone_on_with_and_nobody_is_told_twice(desk, monkeypatch, killed_at, after):
    shop, _ = desk.answered(ANNA, "shop"), desk.answered(ANNA, "bank")
    features(desk)
    desk.turn(timedelta(minutes=1))
    case_id = disputed(desk, shop)
    with monkeypatch.context() as patched:
        patched.setattr(desk.group, "submit", points_of(desk, killed_at - 1_000 if after else killed_at))
        with pytest.raises(Killed, match="died"):
            desk.disputes.answer(case_id, 1, RIGHT, OFFICER)
    if desk.case(case_id).state != "corrected":
        desk.disputes.answer(case_id, 1, RIGHT, OFFICER)
    desk.corrections.run()
    desk.corrections.run()
    assert sorted(str(one.recipient) for one in desk.told("correction_notice")) == ["bank", "shop"]
    assert len(desk.told("correction_done")) == len(desk.told("dispute_answer")) == 1
    assert len(desk.maker.known) == 2
    assert not flagged(desk)
    assert desk.intact()


@SQLITE
def test_a_member_who_is_erased_meanwhile_is_owed_nothing_more(desk):
    old = desk.answered(ANNA)
    desk.turn(timedelta(minutes=1))
    desk.maker.refusal = "features-missing"
    case_id = disputed(desk, old)
    desk.disputes.answer(case_id, 1, RIGHT, OFFICER)
    with desk.store.write() as connection:
        destroy_key(connection, ANNA, 9)
        forget_rights(connection, ANNA, 9)
    report = desk.corrections.run()
    assert (report.done, report.waiting, report.failed) == ((), (), {})
    assert desk.deadlines.duties() == []
    assert desk.platform.rows("correction_steps") == desk.platform.rows("notice_members") == []
    states = {row["kind"]: (row["state"], row["subject_id"]) for row in desk.platform.rows("rights_cases")}
    assert states == {"dispute": ("corrected", None), "correction": ("erased", None)}
    assert ANNA not in repr([desk.platform.rows(t) for t in ("rights_cases", "rights_case_events", "notices")])


@SQLITE
def test_a_failure_of_one_correction_does_not_hold_up_another(desk, monkeypatch):
    for subject_id in (ANNA, BERT):
        decision_id = desk.answered(subject_id)
        desk.turn(timedelta(minutes=1))
        disputes = Disputed(topic="decision", text="Wrong.", decision_id=decision_id)
        case = desk.disputes.open(subject_id, disputes, MEMBER)
        with monkeypatch.context() as patched:
            patched.setattr(type(desk.corrections), "run", lambda *_, **__: None)
            desk.disputes.answer(case.case_id, 1, RIGHT, OFFICER)
    decide = desk.maker.decide

    def failing(requests: Any) -> Any:
        if requests[0].subject_id == ANNA:
            raise BenneError("The model must answer, got nothing. Try again.")
        return decide(requests)

    desk.maker.decide = failing
    report = desk.corrections.run()
    assert (len(report.done), list(report.failed.values())) == (1, ["The model must answer, got nothing. Try again."])
