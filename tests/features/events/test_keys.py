"""Keyed ids: HMAC-SHA-256, apart by domain and by key."""

from __future__ import annotations

import hmac

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import EventSchemaError
from benne.features import SubjectKey


@given(st.binary(min_size=32, max_size=150), st.text(min_size=1, max_size=200), st.sampled_from(["member", "due"]))
def test_an_id_is_the_first_half_of_the_standard_hmac(secret: bytes, raw: str, domain: str) -> None:
    keyed = SubjectKey(secret).key_column(pa.array([raw]), domain).to_pylist()
    assert keyed == [hmac.digest(secret, domain.encode() + b"\0" + raw.encode(), "sha256").hex()[:32]]


def test_nulls_stay_and_repeated_ids_repeat(key: SubjectKey) -> None:
    keyed = key.key_column(pa.chunked_array([["a", None], ["a", "b"]]), "due").to_pylist()
    assert keyed[1] is None
    assert keyed[0] == keyed[2] != keyed[3]
    assert key.key_column(pa.array([], type=pa.string()), "due").to_pylist() == []


def test_numbers_are_keyed_as_their_text(key: SubjectKey) -> None:
    assert key.subject_ids([7]).tolist() == key.subject_ids(["7"]).tolist()
    assert key.key_column(pa.array([7]), "member").to_pylist() == key.subject_ids(["7"]).tolist()


def test_a_key_shows_neither_itself_nor_another(key: SubjectKey) -> None:
    other = SubjectKey.generate()
    assert other.fingerprint != key.fingerprint
    assert b"secret".decode() not in repr(key)


@pytest.mark.parametrize("ids", [[1, 2.0], [None], [float("nan")], [True], ["anna", b"ben"]])
def test_ids_that_are_neither_text_nor_whole_numbers_are_refused(key: SubjectKey, ids: list[object]) -> None:
    with pytest.raises(EventSchemaError, match="must be strings or whole numbers, got 1 of"):
        key.subject_ids(ids)


def test_a_single_id_is_not_taken_for_its_letters(key: SubjectKey) -> None:
    with pytest.raises(EventSchemaError, match="a sequence of ids, got a single one"):
        key.subject_ids("anna")


def test_a_weak_secret_is_refused() -> None:
    with pytest.raises(EventSchemaError, match="at least 32 bytes of secret, got 31"):
        SubjectKey(b"k" * 31)
    with pytest.raises(EventSchemaError, match="at least 32 bytes of secret, got str"):
        SubjectKey("k" * 40)  # type: ignore[arg-type]
