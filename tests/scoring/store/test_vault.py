"""The vault: what is put comes out for its member alone, and for nobody once the key is gone."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from benne.errors import Erased, KeyRingError, VaultError
from benne.scoring import open_store
from benne.scoring.erasure.forgetting import delete_payloads, destroy_key
from benne.scoring.store.file_keyring import FileKeyRing
from benne.scoring.store.member_tables import erasures, legal_hold_ends, legal_holds, member_payloads, members
from benne.scoring.store.payloads import PAYLOAD_KINDS, NewPayload
from benne.scoring.store.vault import MemberVault

ANNA, BERT, CARL = (f"{n:032x}" for n in (1, 2, 3))


@pytest.fixture
def kept(platform, vault, payload):
    """Two decisions and a features vector of anna's, one decision of bert's."""
    payloads = [
        payload("a-1", b"first"),
        payload("a-2", b"second", retention_until_us=50),
        payload("a-3", b"vector", kind="features"),
        payload("b-1", b"bert's", subject_id=BERT),
    ]
    with platform.store.write() as connection:
        vault.put_many(connection, payloads, 7)
    return platform.store


def erase(connection, subject_id, now_us=9):
    destroy_key(connection, subject_id, now_us)
    delete_payloads(connection, subject_id)


def test_what_was_put_is_got_again(kept, vault):
    with kept.read() as connection:
        found = vault.get(connection, "a-2")
    assert (found.payload_ref, found.subject_id, found.kind) == ("a-2", ANNA, "decision")
    assert (found.created_at_us, found.retention_until_us, found.content) == (7, 50, b"second")


def test_what_was_never_put_is_unknown_and_not_erased(kept, vault):
    with kept.read() as connection, pytest.raises(VaultError, match="got a reference to none") as unknown:
        vault.get(connection, "a-9")
    assert not isinstance(unknown.value, Erased)


@given(contents=st.lists(st.tuples(st.sampled_from([ANNA, BERT, CARL]), st.binary(max_size=300)), max_size=12))
def test_any_bytes_come_out_as_they_went_in(open_store_in_memory, contents):
    store, vault = open_store_in_memory
    payloads = [NewPayload(f"p-{n}", who, "decision", content) for n, (who, content) in enumerate(contents)]
    with store.write() as connection:
        vault.put_many(connection, payloads, 7)
        found = [vault.get(connection, payload.payload_ref).content for payload in payloads]
        mine = [p.content for p in vault.everything(connection, ANNA)]
        connection.execute(delete(member_payloads))
    assert found == [content for _, content in contents]
    assert mine == [content for who, content in contents if who == ANNA]


def test_nothing_readable_is_stored(kept, platform):
    rows = [row for table in ("members", "member_payloads") for row in platform.rows(table)]
    assert len(rows) == 6
    stored = b"".join(value for row in rows for value in row.values() if isinstance(value, bytes))
    assert [word for word in (b"first", b"second", b"vector", b"bert's") if word in stored] == []


def test_a_payload_is_put_whole_with_its_transaction_or_not_at_all(kept, platform, vault, payload):
    with pytest.raises(ZeroDivisionError, match="by zero"):
        put_and_fail(kept, vault, payload("c-1", subject_id=CARL))
    assert {row["subject_id"] for row in platform.rows("members")} == {ANNA, BERT}
    assert {row["payload_ref"] for row in platform.rows("member_payloads")} == {"a-1", "a-2", "a-3", "b-1"}


def put_and_fail(store, vault, new):
    with store.write() as connection:
        vault.put(connection, new, 8)
        1 / 0  # noqa: B018 - the power cut


def test_a_reference_in_use_is_refused(kept, vault, payload):
    with pytest.raises(VaultError, match="reference must be new, got one in use"), kept.write() as connection:
        vault.put(connection, payload("a-1", b"another"), 8)
    with kept.read() as connection:
        assert vault.get(connection, "a-1").content == b"first"


def test_putting_nothing_draws_no_key(platform, vault):
    with platform.store.write() as connection:
        vault.put_many(connection, [], 8)
    assert platform.rows("members") == []


def test_the_newest_of_a_kind_is_the_one_put_last_even_in_the_same_moment(kept, vault, payload):
    with kept.write() as connection:
        vault.put_many(connection, [payload("a-0", b"third"), payload("b-0", b"newer", subject_id=BERT)], 7)
    with kept.read() as connection:
        assert vault.latest(connection, ANNA, "decision").content == b"third"
        assert vault.latest(connection, ANNA, "features").content == b"vector"
        assert vault.latest(connection, ANNA, "report") is None
        assert vault.latest(connection, CARL, "decision") is None
        found = vault.latest_many(connection, [ANNA, BERT, CARL, ANNA], "decision")
        assert {who: payload.content for who, payload in found.items()} == {ANNA: b"third", BERT: b"newer"}
        assert vault.latest_many(connection, [], "decision") == {}


def test_everything_of_a_member_is_there_in_order_however_much_it_is(kept, vault, payload):
    many = [payload(f"m-{n}", str(n).encode(), kind=PAYLOAD_KINDS[n % len(PAYLOAD_KINDS)]) for n in range(450)]
    with kept.write() as connection:
        vault.put_many(connection, many, 8)
    with kept.read() as connection:
        contents = [found.content for found in vault.everything(connection, ANNA)]
        assert contents == [b"first", b"second", b"vector", *(str(n).encode() for n in range(450))]
        assert list(vault.everything(connection, CARL)) == []


def test_keys_are_drawn_once_and_only_where_asked_for(platform, vault):
    with platform.store.write() as connection:
        assert vault.keys_of(connection, [ANNA, BERT], create=False, now_us=7) == {}
        first = vault.keys_of(connection, [ANNA, ANNA, BERT], create=True, now_us=7)
        again = vault.keys_of(connection, (who for who in [BERT, CARL]), create=True, now_us=8)
        found = vault.keys_of(connection, [ANNA, BERT, CARL], create=False, now_us=9)
    subjects = {who: key.audit_subject() for who, key in {**first, **again}.items()}
    assert {who: key.audit_subject() for who, key in found.items()} == subjects
    assert len(set(subjects.values())) == 3
    assert again[BERT].audit_subject() == first[BERT].audit_subject()
    assert {row["subject_id"]: row["created_at_us"] for row in platform.rows("members")} == {ANNA: 7, BERT: 7, CARL: 8}


def test_payloads_can_be_put_with_keys_that_were_asked_for_before(platform, vault, payload):
    with platform.store.write() as connection:
        keys = vault.keys_of(connection, [ANNA], create=True, now_us=7)
        vault.put_many(connection, [payload("a-1")], 7, keys=keys)
        assert vault.get(connection, "a-1").content == b"612"


@pytest.mark.parametrize(
    ("column", "statement"),
    [
        ("payload_ref", "UPDATE member_payloads SET payload_ref = 'a-9' WHERE payload_ref = 'a-1'"),
        ("kind", "UPDATE member_payloads SET kind = 'report' WHERE payload_ref = 'a-1'"),
        ("created_at_us", "UPDATE member_payloads SET created_at_us = 8 WHERE payload_ref = 'a-1'"),
        ("subject_id", f"UPDATE member_payloads SET subject_id = '{BERT}' WHERE payload_ref = 'a-1'"),
        (
            "ciphertext",
            "UPDATE member_payloads SET ciphertext = (SELECT p.ciphertext FROM member_payloads p "
            "WHERE p.payload_ref = 'a-2') WHERE payload_ref = 'a-1'",
        ),
    ],
)
def test_a_row_that_somebody_changed_does_not_open(kept, platform, vault, column, statement):
    platform.behind_our_back(statement)
    ref = "a-9" if column == "payload_ref" else "a-1"
    with kept.read() as connection, pytest.raises(VaultError, match="got one damaged or exchanged"):
        vault.get(connection, ref)


def test_a_members_key_does_not_open_as_anothers(kept, platform, vault):
    with kept.write() as connection:
        row = connection.execute(members.select().where(members.c.subject_id == BERT)).one()
        connection.execute(update(members).where(members.c.subject_id == ANNA).values(wrapped_key=row.wrapped_key))
    with kept.read() as connection, pytest.raises(KeyRingError, match="opened for what it was wrapped for"):
        vault.get(connection, "a-1")


def test_an_erased_member_has_no_key_and_nothing_can_be_got_or_put(kept, platform, vault, payload):
    with kept.write() as connection:
        erase(connection, ANNA)
    with kept.write() as connection:
        for ref in ("a-1", "a-2", "a-3"):
            with pytest.raises(Erased, match=r"got a member who was\. Nothing of them is left"):
                vault.get(connection, ref)
        assert vault.latest(connection, ANNA, "decision") is None
        assert list(vault.everything(connection, ANNA)) == []
        assert set(vault.keys_of(connection, [ANNA, BERT], create=True, now_us=10)) == {BERT}
        with pytest.raises(Erased, match="got a member who was"):
            vault.put(connection, payload("a-4"), 10)
        assert vault.get(connection, "b-1").content == b"bert's"
    assert {row["payload_ref"] for row in platform.rows("member_payloads")} == {"b-1"}
    assert {tuple(row) for row in platform.rows("erased_payloads")} == {("payload_ref",)}, "and not whose they were"


def test_what_is_still_there_without_its_key_reads_as_erased(kept, vault):
    with kept.write() as connection:
        destroy_key(connection, ANNA, 9)
    with kept.read() as connection:
        with pytest.raises(Erased, match="got a member who was"):
            vault.get(connection, "a-1")
        assert vault.latest_many(connection, [ANNA, BERT], "decision").keys() == {BERT}
        assert list(vault.everything(connection, ANNA)) == []


def test_one_who_was_never_there_can_be_forgotten_too(platform, vault, payload):
    with platform.store.write() as connection:
        erase(connection, CARL)
        with pytest.raises(Erased, match="got a member who was"):
            vault.put(connection, payload("c-1", subject_id=CARL), 10)


def test_who_comes_back_has_a_new_key_and_nothing_from_before(kept, platform, vault, payload):
    with kept.write() as connection:
        before = vault.keys_of(connection, [ANNA], create=False, now_us=8)[ANNA].audit_subject()
        erase(connection, ANNA)
        vault.readmit(connection, ANNA, 20)
        vault.put(connection, payload("a-5", b"anew"), 20)
        assert vault.keys_of(connection, [ANNA], create=False, now_us=21)[ANNA].audit_subject() != before
        assert [found.content for found in vault.everything(connection, ANNA)] == [b"anew"]
        with pytest.raises(Erased, match="got a member who was"):
            vault.get(connection, "a-1")


def test_only_who_is_wholly_erased_comes_back(kept, vault):
    with kept.write() as connection:
        for nobody in (ANNA, CARL):
            with pytest.raises(VaultError, match="must be wholly erased, got somebody who is not"):
                vault.readmit(connection, nobody, 20)
        connection.execute(insert(erasures).values(erasure_id="e-1", subject_id=ANNA, requested_at_us=8, parts=""))
        erase(connection, ANNA)
        with pytest.raises(VaultError, match="must be wholly erased, got somebody who is not"):
            vault.readmit(connection, ANNA, 20)


def test_one_kind_of_some_members_is_dropped(kept, platform, vault):
    with kept.write() as connection:
        assert vault.drop(connection, [ANNA, CARL], "decision") == 2
        assert vault.drop(connection, [ANNA, CARL], "decision") == 0
        assert vault.drop(connection, [], "decision") == 0
        with pytest.raises(VaultError, match="It was never put, or was dropped"):
            vault.get(connection, "a-1")
    assert {row["payload_ref"] for row in platform.rows("member_payloads")} == {"a-3", "b-1"}


def test_what_has_expired_is_dropped_and_what_has_no_end_stays(kept, platform, vault, payload):
    with kept.write() as connection:
        vault.put_many(connection, [payload(f"x-{n}", retention_until_us=60 + n) for n in range(5)], 8)
        assert vault.drop_expired(connection, 49) == 0
        assert vault.drop_expired(connection, 50) == 1
        assert [vault.drop_expired(connection, 64, at_most=2) for _ in range(4)] == [2, 2, 1, 0]
    assert {row["payload_ref"] for row in platform.rows("member_payloads")} == {"a-1", "a-3", "b-1"}


def test_a_legal_hold_keeps_what_would_be_dropped_until_it_is_lifted(kept, vault):
    hold = {"hold_id": "h-1", "subject_id": ANNA, "ground": "court_order", "reference": "case-1", "placed_at_us": 8}
    with kept.write() as connection:
        connection.execute(insert(legal_holds).values(placed_by="counsel-1", **hold))
        assert vault.drop(connection, [ANNA, BERT], "decision") == 1
        assert vault.drop_expired(connection, 100) == 0
        connection.execute(insert(legal_hold_ends).values(hold_id="h-1", lifted_at_us=9, lifted_by="counsel-1"))
        assert vault.drop_expired(connection, 100) == 1
        assert vault.drop(connection, [ANNA, BERT], "decision") == 1


@pytest.mark.parametrize("wrong", ["anna", "A" * 32, "0" * 31, "0" * 33, None, 7])
def test_a_raw_id_never_reaches_the_store(kept, vault, wrong):
    with kept.write() as connection:
        for act in (
            lambda: vault.keys_of(connection, [ANNA, wrong], create=True, now_us=8),
            lambda: vault.latest(connection, wrong, "decision"),
            lambda: list(vault.everything(connection, wrong)),
            lambda: vault.drop(connection, [wrong], "decision"),
            lambda: NewPayload("p", wrong, "decision", b""),
        ):
            with pytest.raises(VaultError, match="must be 32 hexadecimal digits, got something else"):
                act()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"payload_ref": "x" * 37}, "payload_ref must be a name"),
        ({"payload_ref": "my decision"}, "payload_ref must be a name"),
        ({"payload_ref": ""}, "payload_ref must be a name"),
        ({"kind": "scores"}, "kind must be one of features, decision"),
        ({"content": "612"}, "content must be bytes, got str"),
        ({"retention_until_us": 1.5}, "retention_until_us must be whole microseconds since 1970, got float"),
        ({"retention_until_us": True}, "retention_until_us must be whole microseconds since 1970, got bool"),
        ({"retention_until_us": -1}, "retention_until_us must be whole microseconds since 1970"),
    ],
)
def test_what_is_no_payload_is_refused(payload, changes, said):
    with pytest.raises(VaultError, match=said):
        payload(changes.pop("payload_ref", "p-1"), changes.pop("content", b""), **changes)


def test_neither_whom_it_is_about_nor_what_it_says_is_in_a_repr(kept, vault, payload):
    with kept.read() as connection:
        shown = repr((payload("p-1", b"canary"), vault.get(connection, "a-1")))
        key = vault.keys_of(connection, [ANNA], create=False, now_us=0)
    assert [secret for secret in (ANNA, "canary", "first") if secret in shown] == []
    assert repr(key[ANNA]) == "MemberKey(...)"


def test_a_digest_is_the_members_own_and_its_labels(platform, vault):
    with platform.store.write() as connection:
        anna, bert = vault.keys_of(connection, [ANNA, BERT], create=True, now_us=7).values()
    digests = [key.digest(label, b"612") for key in (anna, bert) for label in ("answer", "input")]
    assert len({*digests, anna.digest("answer", b"613"), anna.audit_subject(), bert.audit_subject()}) == 7
    assert anna.digest("answer", b"612") == digests[0]
    assert all(len(one) == 64 and int(one, 16) for one in digests)


@pytest.fixture(scope="module")
def open_store_in_memory():
    chance = random.Random(5).randbytes
    with tempfile.TemporaryDirectory() as folder:
        ring = FileKeyRing.create(Path(folder, "ring.json"), random_bytes=chance, now_us=0)
        store = open_store("sqlite://")
        yield store, MemberVault(ring, random_bytes=chance)
        store.close()
