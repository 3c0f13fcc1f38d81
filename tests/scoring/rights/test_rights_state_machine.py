"""Disputes and reviews in any order and at any time: nothing passes its deadline unescalated, and nothing is lost."""

from __future__ import annotations

import itertools
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from benne.errors import DeadlineNotExtendable, StateChanged
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.disputes.dispute import Answer, Disputed
from benne.scoring.members.recording import MemberRecorder
from benne.scoring.reviews.reviewing import ReviewAsked, Verdict
from benne.scoring.rights.casework import Casework
from benne.scoring.rights.marks import marks_of
from benne.scoring.rights.rows import CaseQuery, queue
from benne.scoring.store.file_keyring import FileKeyRing
from benne.scoring.store.vault import MemberVault
from benne.scoring.wiring import random_id
from tests.scoring.conftest import open_platform
from tests.scoring.rights.conftest import MEMBER, OFFICER, REVIEWER, RightsDesk

DUE = timedelta(days=30)
MORE = timedelta(days=15)
STEPS = st.sampled_from(["look_into", "answer", "extend", "withdraw", "statement", "close"])
NEXT = {
    "look_into": ({"opened", "looked_into"}, "looked_into"),
    "answer": ({"opened", "looked_into"}, "not_corrected"),
    "extend": ({"opened", "looked_into"}, None),
    "withdraw": ({"opened", "looked_into"}, "withdrawn"),
    "statement": ({"opened", "looked_into", "not_corrected", "closed"}, None),
    "close": ({"not_corrected"}, "closed"),
}
"""Of each step, the states it may be taken in, and what comes of it; None: the same."""


def open_desk(opened: ExitStack) -> RightsDesk:
    folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
    platform = open_platform(folder / "benne.db")
    opened.callback(platform.store.close)
    ring = FileKeyRing.create(folder / "ring.json", random_bytes=secrets.token_bytes, now_us=0)
    vault = MemberVault(ring, random_bytes=secrets.token_bytes)
    group = opened.enter_context(GroupCommit(platform.store, clock=platform.clock))
    casework = Casework(platform.store, group, MemberRecorder(vault, random_id, "p-1"), "us")
    return RightsDesk(platform, vault, group, casework)


@pytest.fixture(scope="module")
def shared() -> Iterator[RightsDesk]:
    with ExitStack() as opened:
        yield open_desk(opened)


class Life(RuleBasedStateMachine):
    """One member after another on the same desk; the model beside it knows states, versions and deadlines."""

    desk: RightsDesk
    members = itertools.count(10)

    def __init__(self) -> None:
        super().__init__()
        self.anna = f"{next(self.members):032x}"
        self.known: dict[str, dict[str, Any]] = {}

    @property
    def now(self) -> Any:
        return self.desk.platform.clock()

    @rule()
    def dispute(self) -> None:
        case = self.desk.disputes.open(self.anna, Disputed(topic="personal_data", text="No."), MEMBER)
        self.known[case.case_id] = {
            "state": "opened", "version": 1, "due": self.now + DUE, "extended": False, "travels": None,
        }  # fmt: skip

    @rule(days=st.sampled_from([0.5, 7, 29.9, 30, 46]))
    def time_passes(self, days: float) -> None:
        self.desk.turn(timedelta(days=days))

    @precondition(lambda self: self.known)
    @rule(data=st.data(), step=STEPS, stale=st.booleans())
    def act(self, data: Any, step: str, stale: bool) -> None:
        case_id = data.draw(st.sampled_from(sorted(self.known)))
        model = self.known[case_id]
        allowed, after = NEXT[step]
        late = self.now > model["due"]
        if stale and model["version"] > 1:
            with pytest.raises(StateChanged, match="in the version that was seen"):
                self.take(step, case_id, model["version"] - 1)
        elif model["state"] not in allowed:
            with pytest.raises(StateChanged, match="for this, got"):
                self.take(step, case_id, model["version"])
        elif step == "extend" and (late or model["extended"]):
            with pytest.raises(DeadlineNotExtendable, match="must be extended once and before"):
                self.take(step, case_id, model["version"])
        else:
            done = self.take(step, case_id, model["version"])
            model.update(state=after or model["state"], version=model["version"] + 1)
            if step == "extend":
                model.update(due=model["due"] + MORE, extended=True)
            if step == "statement":
                model["travels"] = True
            assert (done.state, done.version) == (model["state"], model["version"])

    def take(self, step: str, case_id: str, version: int) -> Any:
        disputes = self.desk.disputes
        return {
            "look_into": lambda: disputes.look_into(case_id, version, OFFICER),
            "answer": lambda: disputes.answer(
                case_id, version, Answer(outcome="not_corrected", text="It is right."), OFFICER
            ),
            "extend": lambda: disputes.extend(case_id, version, "We wait for a source.", OFFICER),
            "withdraw": lambda: disputes.withdraw(case_id, version, self.anna, MEMBER),
            "statement": lambda: disputes.state(
                case_id, version, "I say so.", travels=True, subject_id=self.anna, doing=MEMBER
            ),
            "close": lambda: disputes.close(case_id, version, OFFICER),
        }[step]()

    @rule()
    def review(self) -> None:
        decision_id = self.desk.answered(self.anna)
        case = self.desk.reviews.request(self.anna, ReviewAsked(decision_id=decision_id), MEMBER)
        decided = self.desk.reviews.decide(
            case.case_id, case.version, Verdict(outcome="upheld", text="It stands."), REVIEWER
        )
        assert decided.state == "upheld"

    @rule()
    def look(self) -> None:
        """Whoever reads the queue sees nothing that is overdue and not marked as such."""
        for case in self.desk.disputes.find(CaseQuery(subject_id=self.anna, limit=1_000), OFFICER):
            model = self.known[case.case_id]
            assert case.state == model["state"]
            if case.is_open:
                assert (case.escalated_at_us is not None) == (self.now > model["due"])

    @invariant()
    def flags_are_what_recipients_are_told(self) -> None:
        with self.desk.store.read() as connection:
            told = marks_of(connection, [self.anna], self.desk.vault)
        is_open = any(model["state"] in ("opened", "looked_into") for model in self.known.values())
        stated = any(model["travels"] and model["state"] != "withdrawn" for model in self.known.values())
        assert (self.anna in told) == (is_open or stated)
        assert bool(told.get(self.anna, (None,))[0]) == stated

    def teardown(self) -> None:
        self.desk.deadlines.escalate()
        with self.desk.store.read() as connection:
            cases = queue(connection, CaseQuery(kinds=("dispute",), subject_id=self.anna, limit=1_000))
        escalated = [row["about_event"] for row in self.desk.recorded("deadline_escalated")]
        acts = [row["case_id"] for row in self.desk.platform.rows("rights_case_events")]
        for case in cases:
            assert escalated.count(case.case_id) == (case.escalated_at_us is not None), "once, and on record"
            assert not (case.is_open and self.now > self.known[case.case_id]["due"] and case.escalated_at_us is None)
            assert acts.count(case.case_id) == case.version == self.known[case.case_id]["version"]


@pytest.mark.parametrize(("examples", "steps"), [(12, 12), pytest.param(150, 40, marks=pytest.mark.slow)])
def test_whatever_is_done_in_whatever_order(shared, examples, steps):
    Life.desk = shared
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    assert shared.intact()
