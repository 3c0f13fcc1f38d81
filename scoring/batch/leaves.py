"""What the Merkle tree of a chunk is over: each row as it was told, salted, in a form any language can make again.

A leaf is the SHA-256 of these, one after the other:

==============================  =======  =====================================================================
what                            bytes    how
==============================  =======  =====================================================================
``benne batch decision 1\\n``    23       ASCII
the batch                       32       SHA-256 of canonical JSON: event id, purpose, recipient, model, figures
salt                            32       of this row alone
subject id                      16       the 32 hexadecimal digits as bytes
moment of the features          8        microseconds since 1970-01-01 UTC, signed, most significant byte first
words                           32       SHA-256 of canonical JSON: band, decision, granularity, reason, withheld
every figure                    8 each   IEEE 754, most significant byte first; null is 7ff8000000000000
==============================  =======  =====================================================================

The salt keeps anybody who sees a leaf, or a path through the tree, from guessing what is in it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benne.scoring.batch.chunk import as_microseconds
from benne.scoring.batch.told import OUTCOME
from benne.scoring.canonical import canonical_json

__all__ = ["SALT_BYTES", "Tree", "leaves_of", "salts_of"]

SALT_BYTES: Final = 32
_PREFIX: Final = b"benne batch decision 1\n"
_WORDS: Final = ("band", "granularity", OUTCOME, "withheld")
_NULL: Final = np.uint64(0x7FF8 << 48)

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Tree:
    """What the leaves of a chunk have in common.

    Parameters
    ----------
    event_id : str
        Of the audit record that holds the root.
    purpose : str or None
        None where what was asked is no purpose of ours.
    recipient, model_id, config_hash : str
    figures : tuple of str
        Names of the numbers in a leaf, in order.
    """

    event_id: str
    purpose: str | None
    recipient: str
    model_id: str
    config_hash: str
    figures: tuple[str, ...]

    def digest(self) -> bytes:
        """SHA-256 of its canonical JSON."""
        return hashlib.sha256(canonical_json(asdict(self))).digest()


def salts_of(key: bytes, rows: int) -> list[bytes]:
    """A salt for each row: HMAC-SHA-256 of its position, eight bytes, under the chunk's own key.

    Examples
    --------
    >>> one, another = salts_of(b"k" * 32, 2)
    >>> len(one), one == another
    (32, False)
    >>> salts_of(b"short", 1)
    Traceback (most recent call last):
    ...
    ValueError: A chunk's key must be 32 bytes, got 5. Draw them at random.
    """
    if len(key) != SALT_BYTES:
        raise ValueError(f"A chunk's key must be {SALT_BYTES} bytes, got {len(key)}. Draw them at random.")
    return [hmac.digest(key, row.to_bytes(8, "big"), "sha256") for row in range(rows)]


def leaves_of(outcome: pa.Table, tree: Tree, salts: Sequence[bytes]) -> list[bytes]:
    """The leaf of each row, 32 bytes each.

    Parameters
    ----------
    outcome : Table
        With the columns of :func:`benne.scoring.batch.told.outcome_schema`.
    tree : Tree
    salts : sequence of bytes, one for each row
    """
    rows = outcome.num_rows
    if rows == 0:
        return []
    head = np.frombuffer(_PREFIX + tree.digest(), np.uint8)
    parts = [
        np.broadcast_to(head, (rows, len(head))),
        np.frombuffer(b"".join(salts), np.uint8).reshape(rows, SALT_BYTES),
        _subjects(outcome),
        _big_endian(as_microseconds(outcome.column("as_of")).astype(np.uint64)),
        _words(outcome),
        *(_big_endian(_bits(outcome.column(name))) for name in tree.figures),
    ]
    whole = np.concatenate(parts, axis=1)
    content, width, sha256 = memoryview(whole.tobytes()), whole.shape[1], hashlib.sha256
    return [sha256(content[start : start + width]).digest() for start in range(0, rows * width, width)]


def _subjects(outcome: pa.Table) -> Bytes:
    digits = "".join(outcome.column("subject_id").to_pylist())
    return np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(outcome.num_rows, -1)


def _bits(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    numbers = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    bits = numbers.view(np.uint64)
    bits[np.isnan(numbers)] = _NULL
    return bits


def _big_endian(numbers: npt.NDArray[np.uint64]) -> Bytes:
    return numbers.astype(">u8").view(np.uint8).reshape(len(numbers), 8)


def _words(outcome: pa.Table) -> Bytes:
    """The digest of each row's words; there are few different rows of words."""
    columns = [_coded(outcome.column(name)) for name in _WORDS]
    together = np.zeros(outcome.num_rows, dtype=np.int64)
    for codes, values in columns:
        together = together * (len(values) + 1) + codes
    _, first, which = np.unique(together, return_index=True, return_inverse=True)
    digests = [_digest_of({n: v[c[row]] for n, (c, v) in zip(_WORDS, columns, strict=True)}) for row in first]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(digests), -1)[which]


def _coded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    chunk = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    return chunk.indices.to_numpy(zero_copy_only=False).astype(np.int64), chunk.dictionary.to_pylist()


def _digest_of(words: dict[str, Any]) -> bytes:
    decision = "granted" if words[OUTCOME] is None else "denied"
    return hashlib.sha256(canonical_json({**words, "decision": decision})).digest()
