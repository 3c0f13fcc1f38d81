"""The ledger: what was chosen stands, until it is withdrawn or runs out, and every act is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from benne.errors import CategoryError, ConsentRecordError, StoreError
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import ConsentMask
from benne.scoring import ConsentRequest, Notice, NoticeRef

DAY = timedelta(days=1)
TWO = ("credit_history", "ability")


def _microseconds(moment):
    return np.array([pd.Timestamp(moment).value // 1000])


def _masked(mask: ConsentMask, subject_id: str, moment) -> set[str]:
    subject = np.array([subject_id], dtype=object)
    return {c for c in CATEGORIES if mask.granted(subject, _microseconds(moment), c)[0]}


def test_nothing_is_consented_to_before_anybody_asked(platform):
    assert platform.ledger.active(platform.member(1), "lending", "shop") == frozenset()


def test_a_grant_is_kept_whole(platform):
    request = platform.request(1, TWO)
    record = platform.ledger.grant(request)
    assert record.request.subject_id == platform.member(1)
    assert set(record.request.categories) == set(TWO)
    assert record.request.capture == request.capture
    assert replace(record.request.terms, necessity={}) == request.terms
    assert record.given_at == record.recorded_at == platform.clock()
    assert record.valid_until == platform.clock() + 365 * DAY
    assert (record.supersedes, record.receipt_id, record.signature) == (None, None, None)
    assert record.prev_hash == "0" * 64
    assert platform.ledger.active(platform.member(1), "lending", "shop") == set(TWO)


def test_consent_for_one_recipient_or_purpose_is_none_for_another(platform):
    member = platform.grant(1)
    assert platform.ledger.active(member, "lending", "shop") == set(CATEGORIES)
    assert platform.ledger.active(member, "lending", "bank") == frozenset()
    assert platform.ledger.active(member, "rental", "shop") == frozenset()
    assert platform.ledger.active(member, "model_training", "shop") == frozenset()
    platform.ledger.withdraw(member, "rental", "shop")
    assert platform.ledger.active(member, "lending", "shop") == set(CATEGORIES)


def test_a_withdrawal_needs_no_reason_and_may_be_repeated(platform):
    member = platform.grant(1)
    assert set(platform.ledger.withdraw(member, "lending", "shop")) == set(CATEGORIES)
    assert platform.ledger.active(member, "lending", "shop") == frozenset()
    assert platform.ledger.withdraw(member, "lending", "shop") == ()
    assert [row["state"] for row in platform.rows("consent_events")].count("withdrawn") == 5


def test_withdrawing_some_categories_leaves_the_rest(platform):
    member = platform.grant(1)
    assert platform.ledger.withdraw(member, "lending", "shop", ["social"]) == ("social",)
    assert platform.ledger.active(member, "lending", "shop") == set(CATEGORIES) - {"social"}


def test_an_unknown_category_is_not_quietly_withdrawn(platform):
    with pytest.raises(CategoryError, match="got another"):
        platform.ledger.withdraw(platform.grant(1), "lending", "shop", ["sociall"])


def test_consent_runs_out_by_itself(platform):
    member = platform.grant(1, validity=30 * DAY)
    platform.clock.turn(30 * DAY - timedelta(microseconds=1))
    assert platform.ledger.active(member, "lending", "shop") == set(CATEGORIES)
    platform.clock.turn(timedelta(microseconds=1))
    assert platform.ledger.active(member, "lending", "shop") == frozenset()


def test_giving_again_renews_and_supersedes(platform):
    member = platform.grant(1, TWO)
    platform.clock.turn(DAY)
    platform.grant(1, ("ability", "social"))
    (first, _), (second, events) = platform.ledger.history(member)
    assert second.supersedes == first.record_id
    assert {e.category: e.state for e in events} == {"ability": "renewed", "social": "given"}
    assert platform.ledger.active(member, "lending", "shop") == {"credit_history", "ability", "social"}


def test_a_refusal_is_kept_and_gives_nothing(platform):
    platform.ledger.refuse(platform.request(1))
    assert platform.ledger.active(platform.member(1), "lending", "shop") == frozenset()
    ((_, events),) = platform.ledger.history(platform.member(1))
    assert {(e.state, e.valid_until) for e in events} == {("refused", None)}


def test_a_clock_set_back_cannot_revive_what_was_withdrawn(platform):
    member = platform.grant(1)
    platform.clock.turn(2 * DAY)
    platform.grant(1)
    platform.clock.turn(-DAY)
    platform.ledger.withdraw(member, "lending", "shop")
    assert platform.ledger.active(member, "lending", "shop") == frozenset()
    assert platform.decide(1).denials[0].reason == "consent-withdrawn"


def test_the_past_is_answered_as_it_was(platform):
    member, start = platform.grant(1), platform.clock()
    platform.clock.turn(DAY)
    platform.ledger.withdraw(member, "lending", "shop", ["social"])
    assert platform.ledger.active(member, "lending", "shop", at=start) == set(CATEGORIES)
    assert platform.ledger.active(member, "lending", "shop", at=start - DAY) == frozenset()


def test_the_notice_shown_can_be_shown_again(platform):
    record = platform.ledger.grant(platform.request(1))
    assert platform.ledger.notice_text(record.request.terms.notice).startswith("May we compute")


def test_a_notice_does_not_change_under_its_version(platform):
    changed = Notice(notice_id="score", version="1", language="en", text="We compute your score.")
    with pytest.raises(ConsentRecordError, match="Register a new version"):
        platform.ledger.register_notice(changed)
    assert platform.ledger.register_notice(replace(changed, version="2")).version == "2"


def test_consent_to_a_text_nobody_registered_is_refused(platform):
    unseen = NoticeRef(notice_id="score", version="9", language="en", hash="0" * 64)
    with pytest.raises(ConsentRecordError, match="registered with this very text"):
        platform.ledger.grant(platform.request(1, notice=unseen))
    wrong_text = replace(platform.terms.notice, hash="0" * 64)
    with pytest.raises(ConsentRecordError, match="registered with this very text"):
        platform.ledger.grant(platform.request(1, notice=wrong_text))


def test_many_grants_are_one_transaction(platform):
    ids = platform.ledger.grant_many(platform.request(n) for n in range(2_000))
    assert len(set(ids)) == 2_000
    assert platform.ledger.verify_chain().events == 10_000
    assert platform.ledger.active(platform.member(1_999), "lending", "shop") == set(CATEGORIES)


def test_a_crash_in_mid_grant_leaves_nothing_half_written(platform):
    # The last of three requests has an id the ledger has used: the database refuses it.
    fresh = iter(["a", "b", "a"])
    platform.ledger._ids = lambda: next(fresh)
    with pytest.raises(StoreError, match="got IntegrityError"):
        platform.ledger.grant_many(platform.request(n) for n in range(3))
    for table in ("consent_records", "consent_record_categories", "consent_events"):
        assert platform.rows(table) == []
    assert platform.ledger.verify_chain().intact


def test_two_choices_of_one_member_in_one_call_are_refused(platform):
    with pytest.raises(ConsentRecordError, match="at most one choice"):
        platform.ledger.grant_many([platform.request(1, TWO), platform.request(1, ("social",))])


def test_the_mask_holds_every_period(platform):
    member, start = platform.grant(1, TWO), platform.clock()
    platform.clock.turn(2 * DAY)
    platform.ledger.withdraw(member, "lending", "shop", ["ability"])
    platform.clock.turn(2 * DAY)
    platform.grant(1, ("ability",))
    mask = platform.ledger.mask(purpose="lending", recipient="shop")
    seen = [_masked(mask, member, start + k * DAY) for k in (-1, 0, 1, 2, 3, 4, 365, 369)]
    history, both = {"credit_history"}, set(TWO)
    assert seen == [set(), both, both, history, history, both, {"ability"}, set()]


def test_the_mask_can_be_read_as_it_was_known(platform):
    member, start = platform.grant(1), platform.clock()
    platform.clock.turn(DAY)
    platform.ledger.withdraw(member, "lending", "shop")
    before = platform.ledger.mask(purpose="lending", recipient="shop", known_at=start)
    assert _masked(before, member, start + 2 * DAY) == set(CATEGORIES)
    after = platform.ledger.mask(purpose="lending", recipient="shop")
    assert _masked(after, member, start + 2 * DAY) == set()


def test_the_mask_can_leave_out_what_has_ended_since(platform):
    member, start = platform.grant(1), platform.clock()
    platform.clock.turn(DAY)
    platform.ledger.withdraw(member, "lending", "shop", ["social"])
    mask = platform.ledger.mask(purpose="lending", recipient="shop", include_ended=False)
    assert _masked(mask, member, start) == set(CATEGORIES) - {"social"}


def test_the_mask_of_an_empty_ledger_grants_nothing(platform):
    mask = platform.ledger.mask(purpose="model_training", recipient="shop")
    assert _masked(mask, platform.member(1), platform.clock()) == set()
    assert mask.reason == "consent ledger: model_training for shop"
    with pytest.raises(ConsentRecordError, match="A purpose must be one of"):
        platform.ledger.mask(purpose="dating_profile", recipient="shop")


def test_raw_member_ids_are_refused_and_not_repeated(platform):
    for ask in (platform.ledger.history, platform.ledger.denials):
        with pytest.raises(ConsentRecordError, match="keyed pseudonym") as refusal:
            ask("anna@example.org")
        assert "anna" not in str(refusal.value)


def test_a_naive_clock_is_refused(platform):
    platform.clock.now = platform.clock.now.replace(tzinfo=None)
    with pytest.raises(ConsentRecordError, match="The clock must be timezone-aware"):
        platform.grant(1)


TAMPERINGS = {
    "a changed category": "UPDATE consent_record_categories SET category = 'social' WHERE category = 'ability'",
    "an added category": "INSERT INTO consent_record_categories VALUES ('id-00000002', 'social', 'optional')",
    "a changed recipient": "UPDATE consent_records SET recipient = 'bank' WHERE seq = 1",
    "a longer validity": "UPDATE consent_events SET valid_until_us = valid_until_us + 1 WHERE seq = 2",
    "a withdrawal undone": "DELETE FROM consent_events WHERE state = 'withdrawn'",
    "a record deleted": "DELETE FROM consent_records WHERE seq = 2",
    "two events swapped": "UPDATE consent_events SET seq = CASE seq WHEN 1 THEN -2 WHEN 2 THEN -1 END WHERE seq < 3;"
    "UPDATE consent_events SET seq = -seq WHERE seq < 0",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_breaks_the_chain(platform, tampering):
    for number in (1, 2, 3):
        platform.grant(number, TWO)
        if number == 1:
            platform.ledger.withdraw(platform.member(1), "lending", "shop", ["ability"])
    assert platform.ledger.verify_chain().intact
    platform.tamper(*filter(None, map(str.strip, TAMPERINGS[tampering].split(";"))))
    report = platform.ledger.verify_chain()
    assert not report.intact
    assert report.broken_at.startswith("consent_")


def test_requests_cannot_be_made_for_known_minors(platform):
    with pytest.raises(ConsentRecordError, match="under 18"):
        ConsentRequest(
            subject_id=platform.member(1),
            terms=platform.terms,
            capture=platform.capture,
            categories=TWO,
            minor=True,
        )
