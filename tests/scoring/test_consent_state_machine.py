"""Every act in any order, scores in between and beside, against a truth kept by hand."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benne.errors import ConsentRecordError, ConsentRequired
from benne.features.categories import CATEGORIES
from benne.scoring import Notice

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
        self.versions = 1
        self.ref = self.platform.terms.notice
        self.old = []
        self.last: dict[tuple[int, str, str], str] = {}

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
        record = self.platform.ledger.grant(self.request(member, purpose, recipient, categories, validity))
        self.last[member, purpose, recipient] = record.record_id
        for category in categories:
            self.until[member, purpose, recipient, category] = self.platform.clock() + validity

    def request(self, member, purpose, recipient, categories=CATEGORIES, validity=timedelta(days=3)):
        request = self.platform.request(member, categories, purpose=purpose, recipient=recipient, notice=self.ref)
        return replace(request, terms=replace(request.terms, validity=validity))

    def end(self, member, purpose, recipient, categories=CATEGORIES) -> None:
        for category in categories:
            self.until[member, purpose, recipient, category] = self.platform.clock()

    @rule(member=MEMBERS, purpose=PURPOSES, recipient=RECIPIENTS)
    def renew_what_stands_of_the_last_record(self, member, purpose, recipient):
        record_id = self.last.get((member, purpose, recipient))
        if record_id is None:
            return
        old = self.platform.ledger.record(record_id)
        stands = set(old.request.categories) & self.truth(member, purpose, recipient)
        renew = (self.platform.member(member), record_id, self.platform.capture)
        if not stands:
            with pytest.raises(ConsentRecordError, match="consent that stands"):
                self.platform.ledger.renew(*renew)
            return
        renewed = self.platform.ledger.renew(*renew)
        assert set(renewed.request.categories) == stands
        self.last[member, purpose, recipient] = renewed.record_id
        for category in stands:
            self.until[member, purpose, recipient, category] = renewed.valid_until

    @rule(member=MEMBERS, purpose=PURPOSES, recipient=RECIPIENTS, categories=CHOICES)
    def refuse(self, member, purpose, recipient, categories):
        record = self.platform.ledger.refuse(self.request(member, purpose, recipient, categories))
        self.last[member, purpose, recipient] = record.record_id
        self.end(member, purpose, recipient, categories)

    @rule(batch=st.integers(1, 4))
    def sweep(self, batch):
        """Puts on record what ran out, and changes nothing."""
        self.platform.ledger.expire(batch)
        assert self.platform.ledger.expire() == 0

    @rule(member=MEMBERS)
    def erase(self, member):
        """The first thing an erasure does: every purpose and recipient ends, and no other member's."""
        ended = self.platform.ledger.withdraw_all(self.platform.member(member))
        everywhere = itertools.product(("lending", "deposit_waiver"), ("shop", "bank"))
        stood = {(p, r): self.truth(member, p, r) for p, r in everywhere}
        assert {(one.purpose, one.recipient): set(one.categories) for one in ended} == {
            key: categories for key, categories in stood.items() if categories
        }
        for purpose, recipient in stood:
            self.end(member, purpose, recipient)

    @rule(changes=st.sampled_from([["meaning"], ["purpose", "categories"]]))
    def replace_the_notice(self, changes):
        """Everybody's consent under the old version ends, and nobody can agree to it any more."""
        keys = list(itertools.product((1, 2, 3), ("lending", "deposit_waiver"), ("shop", "bank")))
        stood = sum(len(self.truth(*key)) for key in keys)
        self.versions += 1
        notice = Notice(notice_id="score", version=str(self.versions), language="en", text=f"{self.versions}?")
        assert self.platform.ledger.replace_notice(notice, changes) == stood
        self.old.append(self.ref)
        self.ref = notice.ref
        for key in keys:
            self.end(*key)

    @rule(member=MEMBERS, data=st.data())
    def agree_to_an_old_version(self, member, data):
        if not self.old:
            return
        request = replace(self.platform.request(member), terms=replace(
            self.platform.terms, notice=data.draw(st.sampled_from(self.old))))  # fmt: skip
        with pytest.raises(ConsentRecordError, match="that was replaced"):
            self.platform.ledger.grant(request)

    @rule(member=MEMBERS, recipient=RECIPIENTS, purpose=PURPOSES, everything=st.booleans())
    def withdraw_while_somebody_scores(self, member, purpose, recipient, everything):
        """A call begun after the withdrawal was acknowledged never gives a score; one before may or may not."""
        stood = self.truth(member, purpose, recipient)
        acknowledged, too_late = threading.Event(), []
        names = ("credit_history", "ability")

        def score() -> None:
            for _ in range(3):
                after = acknowledged.is_set()
                try:
                    decision = self.platform.decide(member, purpose=purpose, recipient=recipient)
                    self.denied += len(decision.denials)
                    self.platform.scorer.score(self.platform.features({member: names}), decision)
                except ConsentRequired:
                    continue
                too_late.append(after)

        thread = threading.Thread(target=score)
        thread.start()
        ledger, subject_id = self.platform.ledger, self.platform.member(member)
        if everything:
            ledger.withdraw_all(subject_id)
        else:
            ledger.withdraw(subject_id, purpose, recipient)
        acknowledged.set()
        thread.join(60)
        assert not thread.is_alive()
        assert not any(too_late)
        if not stood >= REQUIRED:
            assert too_late == []
        pairs = itertools.product(("lending", "deposit_waiver"), ("shop", "bank")) if everything else [
            (purpose, recipient)
        ]  # fmt: skip
        for pair in pairs:
            self.end(member, *pair)
        self.decision = None
        self.count_denials()

    def count_denials(self) -> None:
        """Denials of racing calls are as many as they happen to be; those of later calls are counted one by one."""
        self.denied = sum(row["decision"] == "denied" for row in self.platform.rows("decisions"))

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
