"""Consents run out by themselves; the sweep puts that on record, once, and never ends what stands."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benne.errors import ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.scoring.consent.moments import to_microseconds

DAY = timedelta(days=1)
TWO = ("credit_history", "ability")


def events(platform, number=1, state="expired"):
    history = platform.ledger.history(platform.member(number))
    return [event for _, acts in history for event in acts if event.state == state]


def test_a_consent_that_ran_out_is_marked_by_the_system_at_the_moment_it_ended(platform):
    platform.grant(1, TWO, validity=30 * DAY)
    end = platform.clock() + 30 * DAY
    platform.clock.turn(40 * DAY)
    assert platform.ledger.expire() == 2
    found = events(platform)
    assert {(e.category, e.time, e.entity, e.valid_until) for e in found} == {(c, end, "system", None) for c in TWO}
    assert platform.ledger.verify_chain().intact
    assert [d.reason for d in platform.decide(1).denials] == ["consent-expired"]


def test_what_was_swept_is_not_swept_again(platform):
    platform.grant(1, TWO, validity=DAY)
    platform.clock.turn(2 * DAY)
    assert [platform.ledger.expire(), platform.ledger.expire()] == [2, 0]
    assert len(events(platform)) == 2


def test_what_stands_is_left_alone(platform):
    platform.grant(1, TWO, validity=DAY)
    platform.clock.turn(DAY - timedelta(microseconds=1))
    assert platform.ledger.expire() == 0
    platform.clock.turn(timedelta(microseconds=1))
    assert platform.ledger.expire() == 2


def test_a_consent_renewed_in_time_does_not_end_with_the_old_record(platform):
    member = platform.grant(1, TWO, validity=2 * DAY)
    platform.clock.turn(DAY)
    platform.grant(1, TWO, validity=10 * DAY)
    platform.clock.turn(5 * DAY)
    assert platform.ledger.expire() == 0
    assert platform.ledger.active(member, "lending", "shop") == set(TWO)
    platform.clock.turn(10 * DAY)
    assert platform.ledger.expire() == 2


def test_only_what_was_not_renewed_runs_out(platform):
    member = platform.grant(1, TWO, validity=2 * DAY)
    platform.clock.turn(DAY)
    platform.grant(1, ("ability",), validity=10 * DAY)
    platform.clock.turn(5 * DAY)
    assert platform.ledger.expire() == 1
    assert [event.category for event in events(platform)] == ["credit_history"]
    assert platform.ledger.active(member, "lending", "shop") == {"ability"}


@pytest.mark.parametrize("end", ["withdraw", "refuse"])
def test_what_a_member_ended_is_not_said_to_have_run_out(platform, end):
    platform.grant(1, TWO, validity=2 * DAY)
    platform.clock.turn(DAY)
    if end == "withdraw":
        platform.ledger.withdraw(platform.member(1), "lending", "shop")
    else:
        platform.ledger.refuse(platform.request(1, TWO))
    platform.clock.turn(5 * DAY)
    assert platform.ledger.expire() == 0
    assert events(platform) == []


def test_consent_to_automated_decisions_runs_out_by_itself(platform):
    automated = {"consent_type": "automated_decision", "lawful_basis": "explicit_consent", "reliance": "sole"}
    platform.grant(1, TWO, reliance="sole", validity=9 * DAY)
    platform.grant(1, TWO, **automated, validity=2 * DAY)
    platform.clock.turn(3 * DAY)
    assert platform.ledger.expire() == 2
    assert {event.type for event in events(platform)} == {"automated_decision"}
    assert platform.decide(1).subject_ids == (platform.member(1),)


def test_consent_to_automated_decisions_keeps_nothing_else_from_running_out(platform):
    automated = {"consent_type": "automated_decision", "lawful_basis": "explicit_consent", "reliance": "sole"}
    platform.grant(1, TWO, reliance="sole", validity=2 * DAY)
    platform.grant(1, TWO, **automated, validity=9 * DAY)
    platform.clock.turn(3 * DAY)
    assert platform.ledger.expire() == 2
    assert {event.type for event in events(platform)} == {"expressed"}


def test_batches_are_bounded_and_together_everything(platform):
    for number in range(7):
        platform.grant(number, TWO, validity=DAY)
        platform.clock.turn(timedelta(minutes=1))
    platform.clock.turn(2 * DAY)
    swept, after = [], None
    while True:
        with platform.store.write() as connection:
            sweep = platform.ledger.expire_within(connection, to_microseconds(platform.clock(), "now"), 4, after)
        swept.append(sweep.expired)
        after = sweep.after
        if after is None:
            break
    assert swept == [4, 4, 4, 2]
    assert platform.ledger.expire(batch=3) == 0
    assert platform.ledger.verify_chain().intact


def test_a_batch_that_ends_exactly_is_followed_by_an_empty_one(platform):
    platform.grant(1, TWO, validity=DAY)
    platform.clock.turn(2 * DAY)
    assert platform.ledger.expire(batch=1) == 2


@pytest.mark.parametrize("batch", [0, -1, True, 1.5])
def test_a_batch_of_nothing_is_refused(platform, batch):
    with pytest.raises(ConsentRecordError, match="whole number from 1"):
        platform.ledger.expire(batch)


def test_a_clock_set_back_after_a_sweep_revives_nothing(platform):
    member = platform.grant(1, TWO, validity=DAY)
    platform.clock.turn(2 * DAY)
    platform.ledger.expire()
    platform.clock.turn(-2 * DAY)
    assert platform.ledger.active(member, "lending", "shop") == frozenset()
    assert platform.decide(1).denials[0].reason == "consent-expired"


def test_the_past_is_answered_as_it_was_also_after_a_sweep(platform):
    member, start = platform.grant(1, TWO, validity=DAY), platform.clock()
    platform.clock.turn(2 * DAY)
    platform.ledger.expire()
    assert platform.ledger.active(member, "lending", "shop", at=start + DAY / 2) == set(TWO)
    assert platform.ledger.active(member, "lending", "shop", at=start + DAY) == frozenset()


def test_those_whose_consent_soon_ends_are_listed_soonest_first(platform):
    start = platform.clock()
    platform.grant(1, TWO, validity=20 * DAY)
    platform.grant(2, TWO, validity=10 * DAY)
    platform.grant(3, TWO, validity=40 * DAY)
    platform.grant(4, TWO, validity=5 * DAY)
    platform.ledger.withdraw(platform.member(4), "lending", "shop", ["ability"])
    listed = platform.ledger.ending_before(start + 30 * DAY)
    assert [(one.subject_id, one.categories, one.valid_until - start) for one in listed] == [
        (platform.member(4), ("credit_history",), 5 * DAY),
        (platform.member(2), ("ability", "credit_history"), 10 * DAY),
        (platform.member(1), ("ability", "credit_history"), 20 * DAY),
    ]
    assert {(one.purpose, one.recipient) for one in listed} == {("lending", "shop")}


def test_what_has_ended_or_was_renewed_is_not_about_to_end(platform):
    start = platform.clock()
    platform.grant(1, TWO, validity=2 * DAY)
    platform.grant(2, TWO, validity=2 * DAY)
    platform.clock.turn(DAY)
    platform.grant(1, TWO, validity=100 * DAY)
    assert [one.subject_id for one in platform.ledger.ending_before(start + 9 * DAY)] == [platform.member(2)]
    platform.clock.turn(5 * DAY)
    assert platform.ledger.ending_before(start + 9 * DAY) == []
    with pytest.raises(ConsentRecordError, match="timezone-aware"):
        platform.ledger.ending_before(datetime(2026, 3, 1))  # noqa: DTZ001 - that is what is refused


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "withdraw", "refuse", "sweep"]),
        st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True),
        st.integers(1, 6),
        st.integers(0, 4),
    ),
    max_size=12,
)


@given(acts=ACTS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_sweep_never_changes_what_is_permitted_now_or_was_then(open_a_platform, acts):
    """Two ledgers live the same life; one is swept at every turn."""
    swept, left = open_a_platform(), open_a_platform()
    moments = [swept.clock()]
    try:
        for act, categories, days, pause in acts:
            for platform in (swept, left):
                if act == "grant":
                    platform.grant(1, tuple(categories), validity=days * DAY)
                elif act == "withdraw":
                    platform.ledger.withdraw(platform.member(1), "lending", "shop", categories)
                elif act == "refuse":
                    platform.ledger.refuse(platform.request(1, tuple(categories)))
                platform.clock.turn(pause * DAY)
            swept.ledger.expire(batch=1 + days)
            moments.append(swept.clock())
            for at in (None, *moments):
                one, other = (p.ledger.active(p.member(1), "lending", "shop", at) for p in (swept, left))
                assert one == other
        assert swept.ledger.verify_chain().intact
    finally:
        swept.store.close()
        left.store.close()
