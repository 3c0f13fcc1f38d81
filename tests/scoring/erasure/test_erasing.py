"""Erasing a member: what ends, what stays, what is recorded, and what does not stand in the way."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert

from benne.errors import ConsentRequired, Erased, ErasureError, StoreError, UnderLegalHold, VaultError
from benne.scoring.erasure.acts import Actor
from benne.scoring.erasure.steps import open_erasures
from benne.scoring.store.access_tables import api_keys

ANNA, BERT, CARL = f"{1:032x}", f"{2:032x}", f"{3:032x}"
MEMBER, COUNSEL = Actor("member"), Actor("compliance", "counsel-1")
ALL_STEPS = {"consent_withdrawn", "key_destroyed", "payloads_deleted", "files_compacted"}


class Drawer:
    """Something beside the store: remembers whom it was told to forget, and can be made to fail."""

    name = "drawer"

    def __init__(self) -> None:
        self.erased: list[str] = []
        self.problem: Exception | None = None
        self.compacts = True

    def erase(self, subject_id: str) -> None:
        if self.problem is not None:
            raise self.problem
        self.erased.append(subject_id)

    def compact(self) -> bool:
        return self.compacts


def test_an_erased_member_is_forgotten_and_nobody_else_is(desk):
    desk.platform.grant(1)
    desk.platform.grant(2)
    refs, other = [desk.keep(ANNA, kind=kind) for kind in ("decision", "features", "report")], desk.keep(BERT)
    requested = desk.erasure.request(ANNA, by=MEMBER)
    report = desk.erasure.run()
    assert (report.finished, report.held, report.waiting, report.failed) == ((requested.erasure_id,), (), (), {})
    assert desk.steps(requested.erasure_id) == ALL_STEPS
    with desk.store.read() as connection:
        for ref in refs:
            with pytest.raises(Erased, match="got a member who was"):
                desk.vault.get(connection, ref)
        assert desk.vault.get(connection, other).content == b"612"
    assert {row["subject_id"] for row in desk.platform.rows("member_payloads")} == {BERT}
    assert desk.platform.ledger.active(BERT, "lending", "shop")


def test_consent_ends_with_the_request_and_before_anything_is_run(desk):
    desk.platform.grant(1)
    desk.platform.grant(1, recipient="bank")
    desk.erasure.request(ANNA, by=MEMBER)
    for recipient in ("shop", "bank"):
        assert desk.platform.ledger.active(ANNA, "lending", recipient) == frozenset()
    with pytest.raises(ConsentRequired, match="must rest on active consent"):
        desk.platform.ledger.require(ANNA, purpose="lending", recipient="shop", actor="shop")


def test_every_step_is_in_the_chain_and_the_chain_verifies(desk):
    desk.platform.grant(1)
    desk.keep(ANNA)
    with desk.store.write() as connection:
        known_as = desk.vault.keys_of(connection, [ANNA], create=False, now_us=0)[ANNA].audit_subject()
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    desk.erasure.run()
    records = desk.records()
    assert {row["type"] for row in records} == {"member_erased"}
    assert [row["outcome"] for row in records] == [
        "consent_withdrawn", "key_destroyed", "payloads_deleted", "files_compacted",
    ]  # fmt: skip
    assert records[0]["event_id"] == erasure_id
    assert [row["about_event"] for row in records] == [None, erasure_id, erasure_id, erasure_id]
    assert [row["actor_role"] for row in records] == ["member", "system", "system", "system"]
    assert records[0]["actor_id"] == records[0]["subject_hmac"] == records[1]["subject_hmac"] == known_as
    assert [row["key_domain"] for row in records] == ["member", "member", "audit-subjects", "audit-subjects"]
    assert desk.verified().intact
    assert ANNA not in json.dumps(records)


def test_asking_again_while_it_is_under_way_gives_the_same_erasure(desk):
    desk.keep(ANNA)
    first = desk.erasure.request(ANNA, by=MEMBER)
    assert desk.erasure.request(ANNA, by=COUNSEL) == first
    assert len(desk.platform.rows("erasures")) == 1
    assert [row["outcome"] for row in desk.records()] == ["consent_withdrawn", "requested_again"]
    assert desk.erasure.run().finished == (first.erasure_id,)
    assert desk.erasure.run().finished == (), "nothing is left to run"


def test_somebody_erased_and_somebody_unknown_can_be_erased(desk):
    for subject_id in (CARL, CARL):
        erasure_id = desk.erasure.request(subject_id, by=MEMBER).erasure_id
        assert desk.erasure.run().finished == (erasure_id,)
        assert desk.steps(erasure_id) == ALL_STEPS
    assert desk.verified().intact


def test_a_key_that_cannot_be_opened_does_not_stand_in_the_way(desk):
    desk.keep(ANNA)
    desk.platform.behind_our_back("UPDATE members SET master_key_id = 'mk9-lost'")
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    assert desk.erasure.run().finished == (erasure_id,)
    assert desk.platform.rows("members")[0]["wrapped_key"] is None


def test_a_member_who_comes_back_is_not_erased_by_what_was_asked_before(desk):
    desk.keep(ANNA)
    desk.erasure.request(ANNA, by=MEMBER)
    with desk.store.read() as connection:
        (stale,) = open_erasures(connection)
    desk.erasure.run()
    with desk.store.write() as connection:
        desk.vault.readmit(connection, ANNA, 9)
    ref, drawer = desk.keep(ANNA, b"anew"), Drawer()
    desk.parts.append(drawer)
    desk.erasure._erase(stale)
    with desk.store.read() as connection:
        assert desk.vault.get(connection, ref).content == b"anew"
    assert [row["outcome"] for row in desk.records()][-3:-1] == ["done_already", "done_already"]


def test_what_lies_beside_the_store_is_erased_in_steps_of_its_own(desk):
    drawer = Drawer()
    desk.parts.append(drawer)
    desk.keep(ANNA)
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    assert desk.erasure.run().finished == (erasure_id,)
    assert drawer.erased == [ANNA]
    assert desk.steps(erasure_id) == ALL_STEPS | {"erased_from:drawer"}


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (StoreError("The event store must be there."), "The event store must be there."),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_one_that_fails_is_told_and_holds_up_no_other_and_is_taken_up_later(desk, problem, told):
    drawer = Drawer()
    desk.parts.append(drawer)
    first = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    drawer.problem = problem
    report = desk.erasure.run()
    assert report.finished == ()
    assert told in report.failed[first]
    assert desk.steps(first) == {"consent_withdrawn", "key_destroyed", "payloads_deleted"}
    desk.parts.clear()
    assert "got none named drawer. Name it, and resume" in desk.erasure.run().failed[first]
    second = desk.erasure.request(BERT, by=MEMBER).erasure_id
    with desk.store.read() as connection:
        assert {one.erasure_id for one in open_erasures(connection)} == {first, second}
    drawer.problem = None
    desk.parts.append(drawer)
    assert set(desk.erasure.run().finished) == {first, second}
    assert set(drawer.erased) == {ANNA, BERT}


def test_one_that_fails_does_not_keep_another_from_being_finished(desk):
    class Choosy(Drawer):
        def erase(self, subject_id: str) -> None:
            if subject_id == ANNA:
                raise ErasureError("A file must be taken apart by hand.")

    desk.parts.append(Choosy())
    anna, bert = (desk.erasure.request(who, by=MEMBER).erasure_id for who in (ANNA, BERT))
    report = desk.erasure.run()
    assert (report.finished, report.failed) == ((bert,), {anna: "A file must be taken apart by hand."})


def test_what_cannot_be_compacted_waits(desk):
    drawer = Drawer()
    drawer.compacts = False
    desk.parts.append(drawer)
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    assert desk.erasure.run().waiting == (erasure_id,)
    drawer.compacts = True
    assert desk.erasure.run().finished == (erasure_id,)
    assert drawer.erased == [ANNA], "once is enough"


def test_compacting_can_be_left_for_a_quieter_hour(desk):
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    assert desk.erasure.run(compacting=False).waiting == (erasure_id,)
    assert desk.steps(erasure_id) == ALL_STEPS - {"files_compacted"}
    assert desk.erasure.run().finished == (erasure_id,)


def test_a_hold_refuses_an_erasure_says_why_and_is_on_record(desk):
    desk.platform.grant(1)
    ref, hold = desk.keep(ANNA), desk.place(ANNA)
    with pytest.raises(UnderLegalHold, match="must not go against a legal hold, got 1 that stand") as refused:
        desk.erasure.request(ANNA, by=MEMBER)
    assert refused.value.holds == (hold,)
    assert ANNA not in str(refused.value)
    assert hold.reference not in str(refused.value)
    assert desk.platform.rows("erasures") == []
    last = desk.records()[-1]
    assert (last["type"], last["decision"], last["deny_reason"]) == ("member_erased", "denied", "legal-hold")
    assert desk.erasure.run().finished == ()
    assert desk.platform.ledger.active(ANNA, "lending", "shop"), "nothing was done"
    desk.lift(hold.hold_id)
    desk.erasure.request(ANNA, by=MEMBER)
    assert len(desk.erasure.run().finished) == 1
    with desk.store.read() as connection, pytest.raises(Erased, match="got a member who was"):
        desk.vault.get(connection, ref)
    assert desk.verified().intact


def test_a_hold_placed_between_the_request_and_the_run_keeps_everything(desk):
    ref, other = desk.keep(ANNA), desk.keep(BERT)
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    hold, another = desk.place(ANNA), desk.erasure.request(BERT, by=MEMBER).erasure_id
    report = desk.erasure.run()
    assert (report.finished, report.held) == ((another,), (erasure_id,))
    with desk.store.read() as connection:
        assert desk.vault.get(connection, ref).content == b"612"
        with pytest.raises(Erased, match="got a member who was"):
            desk.vault.get(connection, other)
    desk.lift(hold.hold_id)
    assert desk.erasure.run().finished == (erasure_id,)


def test_a_request_can_be_part_of_the_callers_own_unit_of_work(desk):
    desk.keep(ANNA)
    done = desk.audit.submit(lambda c, now_us: desk.erasure.request_within(c, now_us, ANNA, by=MEMBER))
    assert done.result.holds == ()
    assert done.records[0].entry.event_id == done.result.erasure_id
    assert desk.erasure.run().finished == (done.result.erasure_id,)


def test_a_request_that_fails_withdraws_nothing(desk):
    desk.platform.grant(1)

    def work(connection, now_us):
        desk.erasure.request_within(connection, now_us, ANNA, by=MEMBER)
        raise ErasureError("Something else must be so.")

    with pytest.raises(ErasureError, match="Something else must be so"):
        desk.audit.submit(work)
    assert desk.platform.rows("erasures") == []
    assert desk.platform.ledger.active(ANNA, "lending", "shop")


def test_a_raw_id_is_refused_and_whoever_asks_has_a_name(desk):
    with pytest.raises(VaultError, match="must be 32 hexadecimal digits"):
        desk.erasure.request("anna", by=MEMBER)
    with pytest.raises(ErasureError, match="must be named unless it is the member"):
        Actor("admin")
    with pytest.raises(ErasureError, match="must be asking about themselves"):
        Actor("member", "counsel-1")


def test_nothing_about_a_member_is_in_what_is_told(desk):
    desk.keep(ANNA)
    hold, requested = desk.place(BERT), desk.erasure.request(ANNA, by=MEMBER)
    with desk.store.read() as connection:
        begun = open_erasures(connection)
    shown = repr((requested, hold, begun, desk.erasure.run()))
    assert [secret for secret in (ANNA, BERT, "case-1") if secret in shown] == []


def test_errors_of_the_database_are_told_without_its_words(desk, monkeypatch):
    import sqlite3

    from sqlalchemy.exc import OperationalError

    from benne.scoring.erasure import erasing

    def fail(*_: object) -> bool:
        raise OperationalError("VACUUM", None, sqlite3.OperationalError(f"row of {ANNA}"))

    monkeypatch.setattr(erasing, "compact", fail)
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    assert desk.erasure.run().failed == {erasure_id: "The database failed: OperationalError."}
    monkeypatch.undo()
    assert desk.erasure.run().finished == (erasure_id,)


def test_what_is_unexpected_is_not_swallowed(desk):
    drawer = Drawer()
    drawer.problem = ZeroDivisionError("a defect")
    desk.parts.append(drawer)
    desk.erasure.request(ANNA, by=MEMBER)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        desk.erasure.run()


def test_whoever_lacks_a_part_cannot_finish_what_was_asked_for_with_it(desk):
    """A service that knows no exports must not declare finished what still has some."""
    drawer = Drawer()
    desk.parts.append(drawer)
    erasure_id = desk.erasure.request(ANNA, by=MEMBER).erasure_id
    desk.parts.clear()
    report = desk.erasure.run()
    assert (report.finished, list(report.failed)) == ((), [erasure_id])
    assert desk.steps(erasure_id) == {"consent_withdrawn", "key_destroyed", "payloads_deleted"}
    desk.parts.append(drawer)
    assert desk.erasure.run(compacting=False).waiting == (erasure_id,)
    desk.parts.clear()
    assert desk.erasure.run().finished == (erasure_id,), "the part is behind it"


def test_an_erased_members_keys_of_access_are_gone(desk):
    key = {"salt": "a" * 32, "secret_hash": "b" * 64, "created_at_us": 0, "role": "member"}
    with desk.store.write() as connection:
        connection.execute(insert(api_keys), [{**key, "key_id": who[-4:], "subject_id": who} for who in (ANNA, BERT)])
    desk.erasure.request(ANNA, by=MEMBER)
    desk.erasure.run()
    assert [row["subject_id"] for row in desk.platform.rows("api_keys")] == [BERT]


def test_one_erasure_alone_can_be_gone_on_with(desk):
    first, second = (desk.erasure.request(who, by=MEMBER).erasure_id for who in (ANNA, BERT))
    assert desk.erasure.run(only=second, compacting=False).waiting == (second,)
    assert desk.steps(first) == {"consent_withdrawn"}
    assert desk.erasure.run(only=second).finished == (second,)
    assert desk.erasure.run(only=second).finished == ()
    assert desk.erasure.run().finished == (first,)


@pytest.mark.parametrize("role", ["recipient", "data_scientist"])
def test_whoever_may_not_ask_for_an_erasure_is_refused(desk, role):
    with pytest.raises(ErasureError, match="must be asked for by one of member, compliance, admin, system"):
        desk.erasure.request(ANNA, by=Actor(role, "shop"))
    assert desk.platform.rows("erasures") == desk.records() == []
