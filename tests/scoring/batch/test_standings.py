"""What the database writes down of a member's events is judged as the events themselves are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benne.features.categories import CATEGORIES
from benne.scoring.batch import Asked
from benne.scoring.batch.rules import rules_of
from benne.scoring.batch.standings import Judge, Watermark, changed_members, standings, watermark
from benne.scoring.consent.deciding import answers_of
from benne.scoring.consent.decision import Permission
from benne.scoring.consent.gate import judge, standing
from benne.scoring.consent.timeline import Event
from benne.scoring.policy import default_policies
from tests.scoring.conftest import DAY

QUESTION = rules_of(Asked("lending", "shop", "nightly"), default_policies()).question
TIMES = st.integers(0, 12)


@st.composite
def histories(draw):
    """Events of one member, in order of time, some of them at the same moment."""
    events = []
    for seq, time_us in enumerate(sorted(draw(st.lists(TIMES, max_size=8)))):
        state = draw(
            st.sampled_from(["requested", "refused", "given", "renewed", "withdrawn", "expired", "invalidated"])
        )
        until = time_us + draw(st.integers(1, 8)) if state in ("given", "renewed") else None
        events.append(
            Event(
                subject_id="m",
                category=draw(st.sampled_from(CATEGORIES[:3])),
                consent_type=draw(st.sampled_from(["expressed", "automated_decision"])),
                state=state,
                time_us=time_us,
                valid_until_us=until,
                reliance=draw(st.sampled_from(["advisory", "strong", "sole"])),
                granularity=draw(st.sampled_from(["threshold", "band", "exact"])),
                record_id="r",
                jurisdiction=draw(st.sampled_from(["default", "eu", "cn"])),
                seq=seq,
            )
        )
    return events


def written(events, as_of_us, now_us):
    """What the database makes of them, in Python."""
    acts = []
    for e in events:
        until = -1 if e.valid_until_us is None else e.valid_until_us
        flags = f"{int(e.time_us <= as_of_us)}{int(until > as_of_us)}{int(until > now_us)}"
        acts.append(
            f"{e.category},{e.consent_type},{e.state},{flags},{e.reliance},{e.granularity},{e.jurisdiction},{e.purpose_class}"
        )
    return ";".join(acts)


@settings(max_examples=1500)
@given(histories(), TIMES, TIMES, st.sampled_from(["advisory", "strong", "sole"]), st.sampled_from([None, "eu"]))
def test_a_text_is_judged_as_the_events_are(events, one, other, reliance, jurisdiction):
    as_of_us, now_us = sorted((one, other))
    question = replace(QUESTION, reliance=reliance, review_route="/v1/reviews", jurisdiction=jurisdiction)
    exact = replace(question, as_of_us=as_of_us)
    expected = judge(standing(events).get("m", {}), exact, now_us)
    assert Judge(question).answer(written(events, as_of_us, now_us)) == expected


def test_the_database_writes_what_the_ledger_answers(platform):
    """Histories with withdrawals, renewals, refusals and ends, asked about at several moments of each."""
    clock, ledger = platform.clock, platform.ledger
    moments = [clock()]
    for number in range(12):
        platform.grant(number, CATEGORIES[: 2 + number % 4], granularity=("exact", "band")[number % 2],
                       validity=(3 + number) * DAY)  # fmt: skip
    for day in range(8):
        clock.turn(DAY)
        moments.append(clock())
        for number in range(day % 3, 12, 3):
            if day % 2:
                ledger.withdraw(platform.member(number), "lending", "shop", CATEGORIES[day % 2 : 2])
            else:
                platform.grant(number, CATEGORIES[: 2 + day % 4], validity=4 * DAY)
    ledger.refuse(platform.request(11))
    members = [platform.member(number) for number in range(14)]
    now_us = int(clock().timestamp() * 1e6)
    judge_them = Judge(QUESTION)
    with platform.store.read() as connection:
        for moment in moments:
            as_of_us = int(moment.timestamp() * 1e6)
            acts = standings(connection, QUESTION, members, np.full(14, as_of_us), now_us)
            expected = answers_of(connection, tuple(members), replace(QUESTION, as_of_us=as_of_us), now_us)
            assert list(map(judge_them.answer, acts)) == [expected[member] for member in members]
    assert len({str(judge_them.answer(text)) for text in acts}) > 3, "the histories must differ"


def test_each_row_is_asked_about_at_its_own_moment(platform):
    before = int(platform.clock().timestamp() * 1e6)
    platform.clock.turn(DAY)
    member = platform.grant(1)
    after = int(platform.clock().timestamp() * 1e6)
    with platform.store.read() as connection:
        acts = standings(connection, QUESTION, [member] * 2, np.array([before, after]), after)
    first, second = map(Judge(QUESTION).answer, acts)
    assert first == "consent-given-later"
    assert isinstance(second, Permission)


def test_members_come_back_in_order_across_slices(platform, monkeypatch):
    from benne.scoring.batch import standings as module

    monkeypatch.setattr(module, "_SLICE", 3)
    for number in range(0, 10, 2):
        platform.grant(number)
    now_us = int(platform.clock().timestamp() * 1e6)
    members = [platform.member(number) for number in (9, 8, 7, 6, 5, 4, 3, 2)]
    with platform.store.read() as connection:
        acts = standings(connection, QUESTION, members, np.full(8, now_us), now_us)
    assert [bool(text) for text in acts] == [False, True] * 4


def test_who_was_changed_since_is_found_and_nobody_else(platform):
    for number in range(4):
        platform.grant(number, validity=(2 if number == 3 else 30) * DAY)
    now_us = int(platform.clock().timestamp() * 1e6)
    with platform.store.read() as connection:
        seen = watermark(connection, now_us)
    platform.clock.turn(3 * DAY)
    platform.ledger.withdraw(platform.member(1), "lending", "shop", ["social"])
    platform.grant(2, recipient="other")
    later_us = int(platform.clock().timestamp() * 1e6)
    with platform.store.read() as connection:
        pages = list(changed_members(connection, QUESTION, seen, later_us))
        nothing = list(changed_members(connection, QUESTION, watermark(connection, later_us), later_us))
    assert sorted(member for page in pages for member in page) == [platform.member(1), platform.member(3)]
    assert nothing == []
    assert seen == Watermark(seen.seq, now_us)


def test_what_may_not_be_asked_is_refused_to_everybody():
    question = replace(QUESTION, reliance="strong")
    assert Judge(question).answer("") == "review-route-missing"


def test_texts_that_were_forgotten_are_judged_again(monkeypatch):
    from benne.scoring.batch import standings as module

    monkeypatch.setattr(module, "_KNOWN", 1)
    judge_them = Judge(QUESTION)
    act = "ability,expressed,withdrawn,100,advisory,exact,default,credit"
    assert [judge_them.answer(text) for text in ("", act, "", act)] == ["consent-required", "consent-withdrawn"] * 2


def test_a_text_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="unpack"):
        Judge(QUESTION).answer("nonsense")
