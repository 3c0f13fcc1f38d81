"""Grant, withdraw, expire, grant again and score in any order, against a truth kept by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benne.errors import ConsentRequired
from benne.features.categories import CATEGORIES

MEMBERS = st.integers(1, 3)
RECIPIENTS = st.sampled_from(["shop", "bank"])
PURPOSES = st.sampled_from(["lending", "deposit_waiver"])
CHOICES = st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True).map(tuple)
MANY = st.one_of(st.just(CATEGORIES), CHOICES)
REQUIRED = {"credit_history", "ability"}


class ConsentLife(RuleBasedStateMachine):
    """The truth is one dictionary: until when each (member, purpose, recipient, category) holds."""

    open_a_platform = None

    @initialize()
    def begin(self) -> None:
        self.platform = self.open_a_platform()
        self.until: dict[tuple[int, str, str, str], datetime] = {}
        self.scored = self.denied = 0
        self.decision = None

    def teardown(self) -> None:
        if hasattr(self, "platform"):
            self.platform.store.close()

    def truth(self, member: int, purpose: str, recipient: str) -> set[str]:
        now = self.platform.clock()
        key = (member, purpose, recipient)
        return {c for c in CATEGORIES if self.until.get((*key, c), now) > now}

    @rule(member=MEMBERS, purpose=PURPOSES, recipient=RECIPIENTS, categories=MANY, days=st.integers(1, 5))
    def grant(self, member, purpose, recipient, categories, days):
        validity = timedelta(days=days)
        request = self.platform.request(member, categories, purpose=purpose, recipient=recipient)
        self.platform.ledger.grant(replace(request, terms=replace(request.terms, validity=validity)))
        for category in categories:
            self.until[member, purpose, recipient, category] = self.platform.clock() + validity

    @rule(member=MEMBERS, purpose=PURPOSES, recipient=RECIPIENTS, categories=st.none() | CHOICES)
    def withdraw(self, member, purpose, recipient, categories):
        before = self.truth(member, purpose, recipient)
        ended = self.platform.ledger.withdraw(self.platform.member(member), purpose, recipient, categories)
        assert set(ended) == before & set(categories or CATEGORIES)
        for category in ended:
            self.until[member, purpose, recipient, category] = self.platform.clock()

    @rule(hours=st.integers(1, 60))
    def time_goes_by(self, hours):
        self.platform.clock.turn(timedelta(hours=hours))
        self.decision = None

    @rule(member=MEMBERS, purpose=PURPOSES, recipient=RECIPIENTS)
    def decide(self, member, purpose, recipient):
        self.decision = self.platform.decide(member, purpose=purpose, recipient=recipient)
        self.asked = (member, purpose, recipient)
        consented = self.truth(*self.asked)
        permitted = self.platform.member(member) in self.decision.permissions
        assert permitted == (consented >= REQUIRED)
        self.denied += not permitted
        self.granted_then = frozenset(consented)
        if permitted:
            assert self.decision.permissions[self.platform.member(member)].categories == consented

    @rule()
    def score_on_the_last_decision(self):
        """However old the decision: what has ended since is never scored."""
        if self.decision is None or not self.decision.permissions:
            return
        member = self.asked[0]
        features = self.platform.features({member: tuple(self.granted_then)})
        if self.granted_then <= self.truth(*self.asked):
            result = self.platform.scorer.score(features, self.decision)
            assert result.scores["score"].tolist() == [600.0 + 10.0 * len(self.granted_then)]
            self.scored += 1
        else:
            seen = self.platform.model.rows_seen
            with pytest.raises(ConsentRequired, match="got consent-"):
                self.platform.scorer.score(features, self.decision)
            assert self.platform.model.rows_seen == seen
            self.denied += 1

    @invariant()
    def the_ledger_agrees_with_the_truth(self):
        for member, purpose, recipient in itertools.product((1, 2, 3), ("lending",), ("shop", "bank")):
            active = self.platform.ledger.active(self.platform.member(member), purpose, recipient)
            assert active == self.truth(member, purpose, recipient)

    @invariant()
    def every_denial_is_recorded_once_and_the_chain_holds(self):
        denials = [row for row in self.platform.rows("decisions") if row["decision"] == "denied"]
        assert len(denials) == self.denied
        assert self.platform.ledger.verify_chain().intact


def test_no_score_ever_follows_a_withdrawal(open_a_platform):
    from hypothesis.stateful import run_state_machine_as_test

    life = type("Life", (ConsentLife,), {"open_a_platform": staticmethod(open_a_platform)})
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
