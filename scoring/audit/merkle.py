"""Merkle trees as in RFC 6962: one digest for many decisions, and a short proof for each of them.

A chunk of a batch is one record of the chain, with the root over its decisions. Whoever is told their own
decision and its proof can check that it is among them, and learns nothing about the others.
Leaves and nodes are hashed with different prefixes, so that no node can be passed off as a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

__all__ = ["inclusion_proof", "inclusion_proofs", "is_included", "leaf_hash", "node_hash", "root"]

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf."""
    return hashlib.sha256(_LEAF + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two hashes below."""
    return hashlib.sha256(_NODE + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Root hash over leaves in their order, in memory that grows with the tree's height alone.

    Parameters
    ----------
    leaves : iterable of bytes
        None at all gives the SHA-256 of nothing.

    Examples
    --------
    >>> root([b"a", b"b"]) == node_hash(leaf_hash(b"a"), leaf_hash(b"b"))
    True
    """
    peaks: list[bytes] = []  # roots of full subtrees, from the largest
    for count, leaf in enumerate(leaves):
        merged = leaf_hash(leaf)
        while count & 1:
            merged = node_hash(peaks.pop(), merged)
            count >>= 1
        peaks.append(merged)
    if not peaks:
        return hashlib.sha256().digest()
    whole = peaks.pop()
    while peaks:
        whole = node_hash(peaks.pop(), whole)
    return whole


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Hashes that lead from one leaf to the root, from the bottom.

    Raises
    ------
    IndexError
        If there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"index must be from 0 to {len(leaves) - 1}, got {index}. Name a leaf that is there.")
    return _proof(_levels(leaves), index)


def inclusion_proofs(leaves: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    """The proof of every leaf, in their order; the tree is built once."""
    levels = _levels(leaves)
    for index in range(len(levels[0])):
        yield _proof(levels, index)


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf is in the tree, by the algorithm of RFC 9162, section 2.1.3.2.

    Parameters
    ----------
    leaf : bytes
    index, size : int
        Its place from 0, and the number of leaves.
    proof : sequence of bytes
        From :func:`inclusion_proof`.
    root : bytes
        From a source that is trusted: the chain, not whoever gave the proof.

    Examples
    --------
    >>> leaves = [b"a", b"b", b"c"]
    >>> is_included(b"b", 1, 3, inclusion_proof(leaves, 1), root(leaves))
    True
    >>> is_included(b"x", 1, 3, inclusion_proof(leaves, 1), root(leaves))
    False
    """
    if not 0 <= index < size:
        return False
    here, last, merged = index, size - 1, leaf_hash(leaf)
    for other in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            merged = node_hash(other, merged)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            merged = node_hash(merged, other)
        here, last = here >> 1, last >> 1
    return last == 0 and merged == root


def _levels(leaves: Iterable[bytes]) -> list[list[bytes]]:
    """Hashes from the leaves up; a last one without a neighbour moves up as it is."""
    levels = [[leaf_hash(leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        paired = [node_hash(left, right) for left, right in zip(below[::2], below[1::2], strict=False)]
        levels.append(paired + below[len(paired) * 2 :])
    return levels


def _proof(levels: list[list[bytes]], index: int) -> tuple[bytes, ...]:
    proof = []
    for level in levels[:-1]:
        neighbour = index ^ 1
        if neighbour < len(level):
            proof.append(level[neighbour])
        index >>= 1
    return tuple(proof)
