"""Legal holds: placed on grounds, by whom may, and on record."""

from __future__ import annotations

import pytest

from benne.errors import ErasureError, VaultError
from benne.scoring.erasure.acts import Actor
from benne.scoring.erasure.holds import GROUNDS, standing_holds

ANNA, BERT, CARL = f"{1:032x}", f"{2:032x}", f"{3:032x}"
COUNSEL = Actor("compliance", "counsel-1")


def listed(desk, subject_id=None):
    with desk.store.read() as connection:
        return standing_holds(connection, subject_id)


def test_holds_are_listed_until_they_are_lifted(desk):
    first, second, third = desk.place(ANNA, "case-1"), desk.place(ANNA, "case-2"), desk.place(BERT, "case-3")
    assert set(listed(desk)) == {first, second, third}
    assert {hold.reference for hold in listed(desk, ANNA)} == {"case-1", "case-2"}
    assert listed(desk, CARL) == ()
    assert desk.lift(first.hold_id) == first
    assert listed(desk, ANNA) == (second,)
    assert (second.ground, second.placed_by, second.subject_id) == ("court_order", "counsel-1", ANNA)


def test_placing_and_lifting_are_in_the_chain_without_the_case(desk):
    desk.keep(ANNA)
    hold = desk.place(ANNA)
    desk.lift(hold.hold_id)
    placed, lifted = desk.records()
    assert (placed["type"], lifted["type"]) == ("legal_hold_placed", "legal_hold_lifted")
    assert (placed["event_id"], lifted["about_event"]) == (hold.hold_id, hold.hold_id)
    assert placed["outcome"] == lifted["outcome"] == "court_order"
    assert placed["subject_hmac"] == lifted["subject_hmac"]
    assert placed["key_domain"] == "member"
    assert "case-1" not in str([placed, lifted])
    assert ANNA not in str([placed, lifted])
    assert desk.verified().intact


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_ground_can_be_named(desk, ground):
    placed = desk.audit.submit(lambda c, now_us: desk.holds.place(c, now_us, ANNA, ground, "case-1", by=COUNSEL))
    assert placed.result.ground == ground


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"ground": "because"}, ErasureError, "ground must be one of court_order"),
        ({"reference": "the case of Anna"}, ErasureError, "reference must be a name"),
        ({"reference": ""}, ErasureError, "reference must be a name"),
        ({"by": Actor("member")}, ErasureError, "must be placed or lifted by one of compliance, admin"),
        ({"by": Actor("recipient", "shop")}, ErasureError, "must be placed or lifted by one of compliance, admin"),
        ({"subject_id": "anna"}, VaultError, "must be 32 hexadecimal digits"),
    ],
)
def test_what_is_no_hold_is_refused_and_nothing_is_kept(desk, changes, error, said):
    asked = {"subject_id": ANNA, "ground": "court_order", "reference": "case-1", "by": COUNSEL} | changes
    with pytest.raises(error, match=said):
        desk.audit.submit(lambda c, now_us: desk.holds.place(c, now_us, **asked))
    assert listed(desk) == ()
    assert desk.records() == []


def test_a_hold_is_lifted_once_and_by_whom_may(desk):
    hold = desk.place(ANNA)
    with pytest.raises(ErasureError, match="must be placed or lifted by one of"):
        desk.audit.submit(lambda c, now_us: desk.holds.lift(c, now_us, hold.hold_id, by=Actor("member")))
    desk.lift(hold.hold_id)
    for nothing in (hold.hold_id, "no such hold"):
        with pytest.raises(ErasureError, match="A hold to lift must stand, got the id of none"):
            desk.lift(nothing)


def test_there_is_nothing_to_hold_of_somebody_erased(desk):
    desk.keep(ANNA)
    desk.erasure.request(ANNA, by=Actor("member"))
    desk.erasure.run(compacting=False)
    with pytest.raises(ErasureError, match="must be on a member of whom something is left"):
        desk.place(ANNA)
