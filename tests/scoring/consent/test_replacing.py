"""A notice that comes to mean something else ends what was agreed to under the old one; members are asked again."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from benne.errors import ConsentRecordError, ConsentRequired
from benne.features.categories import CATEGORIES
from benne.scoring import Notice
from benne.scoring.consent.importing import import_history
from benne.scoring.consent.terms_file import TermsFile

DAY = timedelta(days=1)
TWO = ("credit_history", "ability")


def version(number: str, language: str = "en", notice_id: str = "score") -> Notice:
    return Notice(notice_id=notice_id, version=number, language=language, text=f"May we? {number} {language}")


def asked_again(platform, notice_id="score"):
    return {
        (one.subject_id, one.purpose, one.recipient, one.categories)
        for one in platform.ledger.must_be_asked_again(notice_id)
    }


def test_consents_under_the_old_version_end_at_once(platform):
    member = platform.grant(1, TWO)
    decision = platform.decide(1)
    platform.clock.turn(timedelta(minutes=1))
    assert platform.ledger.replace_notice(version("2"), ["meaning"]) == 2
    assert platform.ledger.active(member, "lending", "shop") == frozenset()
    assert [d.reason for d in platform.decide(1).denials] == ["consent-required"]
    with pytest.raises(ConsentRequired, match="got consent-required"):
        platform.scorer.score(platform.features({1: TWO}), decision)
    last = platform.ledger.history(member)[0][1][-2:]
    assert {(e.state, e.entity, e.time, e.valid_until) for e in last} == {
        ("invalidated", "controller", platform.clock(), None)
    }
    assert platform.ledger.verify_chain().intact


def test_who_must_be_asked_again_is_listed_until_they_choose(platform):
    for number in (1, 2, 3, 4):
        platform.grant(number, TWO)
    platform.grant(1, ("social",), purpose="rental", recipient="bank")
    platform.ledger.withdraw(platform.member(4), "lending", "shop")
    platform.clock.turn(DAY)
    platform.ledger.replace_notice(version("2"), ["purpose", "categories"])
    two = ("ability", "credit_history")
    everybody = {(platform.member(n), "lending", "shop", two) for n in (1, 2, 3)}
    assert asked_again(platform) == everybody | {(platform.member(1), "rental", "bank", ("social",))}
    ref = platform.ledger.register_notice(version("2"))
    platform.clock.turn(DAY)
    platform.grant(1, TWO, notice=ref)
    platform.grant(2, ("ability",), notice=ref)
    platform.ledger.refuse(platform.request(3, TWO, notice=ref))
    assert asked_again(platform) == {
        (platform.member(1), "rental", "bank", ("social",)),
        (platform.member(2), "lending", "shop", ("credit_history",)),
    }
    assert platform.ledger.active(platform.member(1), "lending", "shop") == set(TWO)


def test_nobody_can_agree_to_a_version_that_was_replaced(platform):
    platform.ledger.replace_notice(version("2"), ["meaning"])
    with pytest.raises(ConsentRecordError, match="to a notice that still stands, got one that was replaced"):
        platform.grant(1)
    with platform.store.write() as connection, pytest.raises(ConsentRecordError, match="that was replaced"):
        platform.ledger.grant_within(connection, platform.request(1), 0)
    assert platform.rows("consent_records") == []
    platform.grant(1, notice=version("2").ref)


def test_saying_no_to_an_old_version_is_still_a_no(platform):
    platform.grant(1, TWO)
    platform.ledger.replace_notice(version("2"), ["meaning"])
    platform.ledger.refuse(platform.request(1, TWO))
    assert asked_again(platform) == set()


def test_other_languages_of_the_new_version_stand_and_those_of_the_old_do_not(platform):
    german = platform.ledger.register_notice(version("1", "de"))
    platform.grant(1, TWO)
    platform.grant(2, TWO, notice=german)
    assert platform.ledger.replace_notice(version("2"), ["meaning"]) == 4
    new = platform.ledger.register_notice(version("2", "de"))
    platform.grant(2, TWO, notice=new)
    with pytest.raises(ConsentRecordError, match="that was replaced"):
        platform.grant(1, TWO, notice=german)
    assert platform.ledger.active(platform.member(2), "lending", "shop") == set(TWO)


def test_a_new_version_that_means_the_same_ends_nothing(platform):
    member = platform.grant(1, TWO)
    platform.ledger.register_notice(version("2"))
    assert platform.ledger.active(member, "lending", "shop") == set(TWO)
    platform.grant(2, TWO)


@pytest.mark.parametrize("changes", [[], ["spelling"], ["meaning", "spelling"]])
def test_what_changed_must_be_said(platform, changes):
    with pytest.raises(ConsentRecordError, match="must be among purpose, categories, meaning"):
        platform.ledger.replace_notice(version("2"), changes)
    assert platform.rows("consent_notice_replacements") == []


def test_what_changed_is_kept(platform):
    platform.ledger.replace_notice(version("2"), ["meaning", "purpose"])
    (row,) = platform.rows("consent_notice_replacements")
    assert (row["version"], row["replaced_by"], row["changes"]) == ("1", "2", "purpose,meaning")


def test_replacing_again_with_the_same_version_ends_nothing_new(platform):
    platform.grant(1, TWO)
    assert platform.ledger.replace_notice(version("2"), ["meaning"]) == 2
    platform.grant(1, TWO, notice=version("2").ref)
    assert platform.ledger.replace_notice(version("2"), ["meaning"]) == 0
    assert platform.ledger.active(platform.member(1), "lending", "shop") == set(TWO)


def test_an_old_version_never_comes_back(platform):
    platform.ledger.replace_notice(version("2"), ["meaning"])
    platform.grant(1, TWO, notice=version("2").ref)
    old = Notice(notice_id="score", version="1", language="en", text=platform.ledger.notice_text(platform.terms.notice))
    with pytest.raises(ConsentRecordError, match="by a new version, got an old one"):
        platform.ledger.replace_notice(old, ["meaning"])
    assert platform.ledger.active(platform.member(1), "lending", "shop") == set(TWO)


def test_the_third_version_replaces_the_second(platform):
    platform.ledger.replace_notice(version("2"), ["meaning"])
    platform.grant(1, TWO, notice=version("2").ref)
    assert platform.ledger.replace_notice(version("3"), ["categories"]) == 2
    assert {(row["version"], row["replaced_by"]) for row in platform.rows("consent_notice_replacements")} == {
        ("1", "2"),
        ("2", "3"),
    }


def test_other_notices_are_left_alone(platform):
    other = platform.ledger.register_notice(version("1", notice_id="other"))
    member = platform.grant(1, TWO, notice=other)
    platform.ledger.replace_notice(version("2"), ["meaning"])
    assert platform.ledger.active(member, "lending", "shop") == set(TWO)
    assert asked_again(platform, "other") == set()


def test_what_had_ended_before_is_not_ended_again(platform):
    platform.grant(1, TWO, validity=DAY)
    platform.grant(2, TWO)
    platform.ledger.withdraw(platform.member(2), "lending", "shop")
    platform.clock.turn(2 * DAY)
    assert platform.ledger.replace_notice(version("2"), ["meaning"]) == 0


def test_many_are_ended_a_stretch_at_a_time(platform, monkeypatch):
    monkeypatch.setattr("benne.scoring.consent.replacing._STRETCH", 7)
    platform.ledger.grant_many(platform.request(number, TWO) for number in range(20))
    assert platform.ledger.replace_notice(version("2"), ["meaning"]) == 40
    assert len(asked_again(platform)) == 20
    assert platform.ledger.verify_chain().intact


def test_a_data_type_added_to_a_purpose_is_never_covered_by_an_old_consent(platform):
    """Before and after the controller asks for a category more."""
    member = platform.grant(1, TWO)
    assert [d.reason for d in platform.decide(1, required=(*TWO, "social")).denials] == ["insufficient-categories"]
    assert platform.decide(1).permissions[member].categories == set(TWO)
    ref = platform.ledger.register_notice(version("2"))
    platform.grant(2, CATEGORIES, notice=ref)
    assert platform.decide(1).permissions[member].categories == set(TWO)
    platform.ledger.replace_notice(version("3"), ["categories"])
    assert platform.decide(1).permissions == {}


def test_no_history_brings_an_old_version_back(platform):
    platform.ledger.replace_notice(version("2"), ["meaning"])
    text = platform.ledger.notice_text(platform.terms.notice)
    old = TermsFile(Notice(notice_id="score", version="1", language="en", text=text), platform.terms)
    rows = pd.DataFrame(
        {
            "subject_id": [platform.member(1)],
            "purpose": "lending",
            "recipient": "shop",
            "category": "ability",
            "event": "given",
            "time": pd.Timestamp("2026-02-01", tz="UTC"),
        }
    )
    with pytest.raises(ConsentRecordError, match="that was replaced"):
        import_history(platform.ledger, rows, [old], platform.capture)


def test_renewing_is_an_act_of_its_own_over_what_still_stands(platform):
    record = platform.ledger.grant(platform.request(1, (*TWO, "social"), validity=10 * DAY))
    platform.clock.turn(5 * DAY)
    platform.ledger.withdraw(platform.member(1), "lending", "shop", ["social"])
    renewed = platform.ledger.renew(platform.member(1), record.record_id, platform.capture)
    assert set(renewed.request.categories) == set(TWO)
    assert renewed.supersedes == record.record_id
    assert renewed.valid_until == platform.clock() + 10 * DAY
    assert {event.state for event in platform.ledger.history(platform.member(1))[1][1]} == {"renewed"}
    platform.clock.turn(8 * DAY)
    assert platform.ledger.active(platform.member(1), "lending", "shop") == set(TWO)
    assert platform.ledger.verify_chain().intact


@pytest.mark.parametrize("end", ["withdrawn", "expired", "superseded", "invalidated", "another's", "nothing"])
def test_only_what_stands_can_be_renewed_and_only_by_its_member(platform, end):
    record_id = platform.ledger.grant(platform.request(1, TWO, validity=10 * DAY)).record_id
    member, complaint = platform.member(1), "consent that stands"
    if end == "withdrawn":
        platform.ledger.withdraw(member, "lending", "shop")
    elif end == "expired":
        platform.clock.turn(11 * DAY)
    elif end == "superseded":
        platform.grant(1, TWO)
    elif end == "invalidated":
        platform.ledger.replace_notice(version("2"), ["meaning"])
    else:
        member, record_id = (platform.member(2), record_id) if end == "another's" else (member, "nothing")
        complaint = "a record of the member's own"
    with pytest.raises(ConsentRecordError, match=complaint):
        platform.ledger.renew(member, record_id, platform.capture)


def test_a_replaced_notice_cannot_be_agreed_to_by_renewing(platform):
    """Where nothing was ended because it was given while the notice was being replaced in another language."""
    record_id = platform.ledger.grant(platform.request(1, TWO)).record_id
    platform.tamper(
        "INSERT INTO consent_notice_replacements (notice_id, version, replaced_by, changes, replaced_at_us) "
        "VALUES ('score', '1', '2', 'meaning', 0)"
    )
    with pytest.raises(ConsentRecordError, match="that was replaced"):
        platform.ledger.renew(platform.member(1), record_id, platform.capture)
