"""Merkle trees against RFC 6962's own words, its known values, and forged proofs."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.scoring.audit.merkle import inclusion_proof, inclusion_proofs, is_included, leaf_hash, node_hash, root

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=70)

# Of the Certificate Transparency project, whose logs made RFC 6962.
KNOWN_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
KNOWN_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def root_in_the_words_of_the_rfc(leaves: list[bytes]) -> bytes:
    """Split at the largest power of two that is smaller than the number of leaves."""
    if len(leaves) <= 1:
        return hashlib.sha256(b"\x00" + leaves[0] if leaves else b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = (root_in_the_words_of_the_rfc(part) for part in (leaves[:split], leaves[split:]))
    return hashlib.sha256(b"\x01" + left + right).digest()


def proof_in_the_words_of_the_rfc(leaves: list[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*proof_in_the_words_of_the_rfc(leaves[:split], index), root_in_the_words_of_the_rfc(leaves[split:])]
    rest = proof_in_the_words_of_the_rfc(leaves[split:], index - split)
    return [*rest, root_in_the_words_of_the_rfc(leaves[:split])]


@pytest.mark.parametrize("count", KNOWN_ROOTS)
def test_roots_are_those_of_certificate_transparency(count):
    assert root(KNOWN_LEAVES[:count]).hex() == KNOWN_ROOTS[count]


@given(LEAVES)
def test_the_root_is_what_the_rfc_says(leaves):
    assert root(iter(leaves)) == root_in_the_words_of_the_rfc(leaves)


@given(LEAVES, st.data())
def test_a_proof_is_what_the_rfc_says_and_holds(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = inclusion_proof(leaves, index)
    assert list(proof) == proof_in_the_words_of_the_rfc(leaves, index)
    assert is_included(leaves[index], index, len(leaves), proof, root(leaves))


@given(LEAVES)
def test_all_proofs_at_once_are_those_of_each_leaf(leaves):
    assert list(inclusion_proofs(iter(leaves))) == [inclusion_proof(leaves, index) for index in range(len(leaves))]


@given(LEAVES, st.data())
def test_a_proof_is_no_longer_than_the_tree_is_high(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert len(inclusion_proof(leaves, index)) <= (len(leaves) - 1).bit_length()


@given(LEAVES, st.binary(max_size=40), st.data())
def test_another_leaf_has_no_proof(leaves, other, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    if other != leaves[index]:
        assert not is_included(other, index, len(leaves), inclusion_proof(leaves, index), root(leaves))


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=70, unique=True), st.data())
def test_a_proof_holds_for_its_own_place_alone(leaves, data):
    index, other = (data.draw(st.integers(-1, len(leaves))) for _ in range(2))
    if 0 <= index < len(leaves) and other != index:
        assert not is_included(leaves[index], other, len(leaves), inclusion_proof(leaves, index), root(leaves))


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=70), st.data())
def test_a_changed_shortened_or_lengthened_proof_does_not_hold(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = list(inclusion_proof(leaves, index))
    at = data.draw(st.integers(0, len(proof) - 1))
    changed = [*proof[:at], bytes(32), *proof[at + 1 :]]
    for forged in (changed, proof[:-1], proof[1:], [*proof, bytes(32)], proof[::-1] if proof != proof[::-1] else []):
        assert not is_included(leaves[index], index, len(leaves), forged, root(leaves))


@given(LEAVES, LEAVES)
def test_other_leaves_have_another_root(leaves, others):
    assert (root(leaves) == root(others)) == (leaves == others)


def test_a_node_is_no_leaf():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    whole = root([b"a", b"b", b"c", b"d"])
    assert not is_included(left + right, 0, 2, [node_hash(leaf_hash(b"c"), leaf_hash(b"d"))], whole)
    assert is_included(b"a", 0, 4, inclusion_proof([b"a", b"b", b"c", b"d"], 0), whole)


def test_nothing_is_in_a_tree_of_no_leaves():
    assert not is_included(b"", 0, 0, [], root([]))
    assert list(inclusion_proofs([])) == []


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_that_is_not_there_has_no_proof(index):
    with pytest.raises(IndexError, match=f"index must be from 0 to 2, got {index}"):
        inclusion_proof([b"a", b"b", b"c"], index)
