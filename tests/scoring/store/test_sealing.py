"""Keys from keys, and contents that open beside one thing only."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from benne.scoring.store.sealing import binding, cipher_of, expand, open_sealed, seal

KEYS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=12, max_size=12)
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)


@given(key=KEYS, label=st.binary(max_size=80))
def test_a_key_made_from_a_key_is_what_the_library_makes(key, label):
    assert expand(key, label) == HKDFExpand(SHA256(), 32, label).derive(key)


@given(key=KEYS, nonce=NONCES, content=st.binary(max_size=200), bound_to=st.binary(max_size=40))
def test_what_is_sealed_opens_and_shows_nothing_before(key, nonce, content, bound_to):
    sealed = seal(cipher_of(key), nonce, content, bound_to)
    assert open_sealed(cipher_of(key), sealed, bound_to) == content
    assert len(content) < 8 or content not in sealed[12:]


@given(key=KEYS, nonce=NONCES, content=st.binary(max_size=50), at=st.integers(min_value=0))
def test_one_bit_changed_anywhere_opens_nothing(key, nonce, content, at):
    sealed = bytearray(seal(cipher_of(key), nonce, content, b"anna"))
    sealed[at // 8 % len(sealed)] ^= 1 << at % 8
    assert open_sealed(cipher_of(key), bytes(sealed), b"anna") is None


@given(first=KEYS, second=KEYS)
def test_another_key_or_another_binding_opens_nothing(first, second):
    sealed = seal(cipher_of(first), bytes(12), b"612", b"anna")
    assert open_sealed(cipher_of(first), sealed, b"bert") is None
    assert first == second or open_sealed(cipher_of(second), sealed, b"anna") is None


@given(st.binary(max_size=27))
def test_what_is_too_short_opens_nothing(sealed):
    assert open_sealed(cipher_of(bytes(32)), sealed, b"") is None


@given(first=st.lists(WORDS, max_size=4), second=st.lists(WORDS, max_size=4))
def test_other_parts_bind_to_other_bytes(first, second):
    both_nothing = {*first, *second} <= {""} and max(len(first), len(second)) <= 1
    assert (binding(*first) == binding(*second)) == (first == second or both_nothing)
