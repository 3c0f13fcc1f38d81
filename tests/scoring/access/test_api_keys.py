"""Keys of access: shown once, kept as hashes, and denied with one message whatever is wrong with them."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from benne.errors import AccessDenied, CredentialError, RecipientError, StoreError
from benne.scoring import open_store
from benne.scoring.access import ApiKeys, NewApiKey, Recipient
from benne.scoring.access.recipients import register, retire, set_purposes

NEXT_YEAR = 31_536_000_000_000
SUBJECT = f"{7:032x}"


def make(store: Any, keys: ApiKeys, role: str = "recipient", now_us: int = 1, **more: Any) -> NewApiKey:
    if role == "recipient":
        more.setdefault("recipient", "shop")
    with store.write() as connection:
        return keys.new(connection, role, now_us=now_us, **more)


def who(store: Any, keys: ApiKeys, text: str, now_us: int = 2) -> Any:
    with store.read() as connection:
        return keys.authenticate(connection, text, now_us)


def refused(store: Any, keys: ApiKeys, text: str, now_us: int = 2) -> str:
    with pytest.raises(AccessDenied, match="Credentials must be known and current") as caught:
        who(store, keys, text, now_us)
    assert str(caught.value) == str(AccessDenied("anything"))
    return caught.value.reason


def test_a_recipients_key_brings_the_purposes_it_is_registered_for(store, keys):
    made = make(store, keys)
    principal = who(store, keys, made.text)
    assert (principal.role, principal.recipient) == ("recipient", "shop")
    assert principal.purposes == {"lending", "rental"}
    assert principal.id == f"key:{made.key_id}"


def test_a_members_key_is_for_themselves_and_does_not_show_who_they_are(store, keys):
    principal = who(store, keys, make(store, keys, "member", subject_id=SUBJECT).text)
    assert principal.is_member(SUBJECT)
    assert not principal.is_member(f"{8:032x}")
    assert SUBJECT not in repr(principal)
    assert SUBJECT not in principal.id


def test_staff_have_a_role_and_no_purposes(store, keys):
    for role in ("compliance", "data_scientist", "admin"):
        principal = who(store, keys, make(store, keys, role).text)
        assert (principal.role, principal.purposes, principal.recipient) == (role, frozenset(), None)


def test_the_key_has_256_random_bits_and_a_form_that_scanners_can_find(store):
    asked: list[int] = []

    def noted(length: int) -> bytes:
        asked.append(length)
        return bytes(range(length))

    made = make(store, ApiKeys(noted))
    assert sorted(asked) == [8, 16, 32]
    assert re.fullmatch(r"benne_[0-9a-f]{16}_[0-9a-f]{64}", made.text)


def test_neither_the_secret_nor_a_plain_hash_of_it_is_in_the_store(store, keys, platform):
    made = make(store, keys)
    secret = made.text.split("_")[2]
    (row,) = platform.rows("api_keys")
    held = " ".join(map(str, row.values()))
    assert secret not in held
    assert hashlib.sha256(bytes.fromhex(secret)).hexdigest() not in held
    assert row["secret_hash"] == hashlib.sha256(bytes.fromhex(row["salt"] + secret)).hexdigest()
    assert secret not in repr(made)


def test_equal_secrets_have_different_hashes(store, platform):
    parts = iter([b"1" * 8, b"a" * 16, b"s" * 32, b"2" * 8, b"b" * 16, b"s" * 32])
    keys = ApiKeys(lambda _: next(parts))
    make(store, keys)
    make(store, keys)
    assert len({row["secret_hash"] for row in platform.rows("api_keys")}) == 2


def test_another_secret_and_another_id_are_unknown(store, keys):
    text = make(store, keys).text
    assert refused(store, keys, text[:-1] + ("0" if text[-1] != "0" else "1")) == "unknown"
    assert refused(store, keys, f"benne_{'f' * 16}_{text.split('_')[2]}") == "unknown"


def test_the_secret_of_one_key_does_not_open_another(store, keys):
    first, second = make(store, keys), make(store, keys)
    mixed = f"benne_{first.key_id}_{second.text.split('_')[2]}"
    assert refused(store, keys, mixed) == "unknown"


def test_an_unknown_id_is_compared_too_so_that_it_takes_no_less_time(store, keys, monkeypatch):
    compared = []
    monkeypatch.setattr("benne.scoring.access.api_keys.hmac.compare_digest", lambda a, b: compared.append(a) or False)
    assert refused(store, keys, f"benne_{'f' * 16}_{'0' * 64}") == "unknown"
    assert len(compared) == 1


def test_the_stand_in_for_an_unknown_key_opens_for_nobody(store, keys, monkeypatch):
    monkeypatch.setattr("benne.scoring.access.api_keys.hmac.compare_digest", lambda *_: True)
    assert refused(store, keys, f"benne_{'f' * 16}_{'0' * 64}") == "unknown"


ID, SECRET = "0" * 16, "0" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "benne_",
        "benne_1_2",
        f"Benne_{ID}_{SECRET}",
        f"benne_{ID}_{SECRET[1:]}",
        f"benne_{ID}_{SECRET}\n",
        f"benne_{'G' * 16}_{SECRET}",
        f"benne_{'٠' * 16}_{SECRET}",
    ],
)
def test_what_has_not_the_form_of_a_key_is_malformed(stocked, text):
    opened, keys, _ = stocked
    assert refused(opened, keys, text) == "malformed"


def test_a_key_ends_on_the_microsecond_it_was_said_to(store, keys):
    text = make(store, keys, expires_at_us=NEXT_YEAR).text
    assert who(store, keys, text, NEXT_YEAR - 1).recipient == "shop"
    assert refused(store, keys, text, NEXT_YEAR) == "expired"


def test_a_key_that_would_have_ended_already_is_not_made(store, keys):
    with pytest.raises(CredentialError, match="must end later than now"):
        make(store, keys, now_us=5, expires_at_us=5)


def test_a_revoked_key_opens_nothing_from_the_next_request_on(store, keys):
    made, other = make(store, keys), make(store, keys)
    with store.write() as connection:
        keys.revoke(connection, made.key_id, 3)
    assert refused(store, keys, made.text) == "revoked"
    assert who(store, keys, other.text).recipient == "shop"
    with pytest.raises(CredentialError, match="must be there and not revoked"), store.write() as connection:
        keys.revoke(connection, made.key_id, 4)
    with pytest.raises(CredentialError, match="must be there and not revoked"), store.write() as connection:
        keys.revoke(connection, "f" * 16, 4)


def test_the_keys_of_a_retired_recipient_open_nothing(store, keys):
    text = make(store, keys).text
    with store.write() as connection:
        retire(connection, "shop", 3)
    assert refused(store, keys, text) == "recipient-retired"
    with pytest.raises(RecipientError, match="must be registered and not retired"):
        make(store, keys)


def test_changed_purposes_hold_from_the_next_request_on(store, keys):
    text = make(store, keys).text
    with store.write() as connection:
        set_purposes(connection, "shop", ["rental"])
    assert who(store, keys, text).purposes == {"rental"}


@pytest.mark.parametrize(
    ("role", "more"),
    [
        ("recipient", {"recipient": None}),
        ("recipient", {"recipient": "shop", "subject_id": SUBJECT}),
        ("member", {}),
        ("member", {"subject_id": "anna"}),
        ("admin", {"recipient": "shop"}),
        ("admin", {"subject_id": SUBJECT}),
        ("system", {}),
    ],
)
def test_a_key_is_of_one_role_and_what_goes_with_it(stocked, role, more):
    opened, keys, made = stocked
    with pytest.raises(CredentialError, match="must"):
        make(opened, keys, role, **more)
    with opened.read() as connection:
        assert [one.key_id for one in keys.every(connection)] == [made.key_id]


def test_the_database_holds_the_same_rules(store, keys, platform):
    make(store, keys)
    for statement in (
        "UPDATE api_keys SET role = 'admin'",
        "UPDATE api_keys SET role = 'god', recipient = NULL",
        "UPDATE api_keys SET recipient = 'nobody'",
        "UPDATE api_keys SET expires_at_us = 0",
    ):
        with pytest.raises(StoreError, match="got IntegrityError"), store.write() as connection:
            connection.exec_driver_sql(statement)


def test_an_erased_members_keys_go_with_them(store, keys):
    text, other = make(store, keys, "member", subject_id=SUBJECT).text, make(store, keys).text
    with store.write() as connection:
        assert keys.forget(connection, SUBJECT) == 1
    assert refused(store, keys, text) == "unknown"
    assert who(store, keys, other).recipient == "shop"


def test_keys_are_listed_without_what_could_open_or_name(store, keys):
    made = make(store, keys, "member", subject_id=SUBJECT, expires_at_us=NEXT_YEAR)
    with store.read() as connection:
        (listed,) = keys.every(connection)
    assert listed.key_id == made.key_id
    assert listed.opens(NEXT_YEAR - 1)
    assert not listed.opens(NEXT_YEAR)
    assert SUBJECT not in repr(listed)
    assert not {"salt", "secret_hash"} & set(type(listed).__dataclass_fields__)


def test_knowing_somebody_takes_one_query_and_writes_nothing(store, keys):
    text = make(store, keys).text
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        who(store, keys, text)
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    assert [s.split()[0] for s in statements if s != "BEGIN"] == ["SELECT"]


@pytest.fixture(scope="module")
def stocked():
    """A store in memory with one key, for what no kind of database can change."""
    opened, keys = open_store("sqlite://"), ApiKeys(secrets.token_bytes)
    with opened.write() as connection:
        register(connection, Recipient(name="shop", contact="x", purposes=frozenset({"lending"}), created_at_us=0))
        made = keys.new(connection, "recipient", recipient="shop", now_us=1)
    yield opened, keys, made
    opened.close()


@given(text=st.text(max_size=120) | st.from_regex(r"benne_[0-9a-f]{16}_[0-9a-f]{64}", fullmatch=True))
def test_no_text_but_the_key_itself_opens(stocked, text):
    opened, keys, made = stocked
    if text != made.text:
        with opened.read() as connection, pytest.raises(AccessDenied, match="known and current"):
            keys.authenticate(connection, text, 2)
