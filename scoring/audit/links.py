"""One link of the audit chain: where it is, what its hash covers, and whether it follows another.

A record's hash covers every column of its row, the hash of the record before it included:

    SHA-256("benne audit record\\n" + the columns but the last, in their order, as a JSON array)

in ASCII and without spaces. The version of this rule is one of the columns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

from benne.scoring.consent.chain import GENESIS

__all__ = ["SCHEMA_VERSION", "START", "Head", "Link", "digest", "fault", "is_record"]

SCHEMA_VERSION: Final = 1
_PREFIX: Final = b"benne audit record\n"  # no other hash of ours is of something that begins so
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


class Link(Protocol):
    """A record's place and hash, as an anchor holds them."""

    @property
    def seq(self) -> int:
        """Place in the chain; 0 is before the first."""

    @property
    def hash(self) -> str:
        """Hash of the record there."""


class Head(NamedTuple):
    """The last record of a chain, or any other one to go on from."""

    seq: int
    hash: str
    time_us: int


START: Final = Head(0, GENESIS, 0)
"""What the first record follows."""


def digest(columns: Sequence[Any]) -> str:
    """SHA-256 of a record's columns, in the table's order and without ``hash``.

    Raises
    ------
    TypeError
        If a column holds what is neither text, a whole number nor null.

    Examples
    --------
    >>> import hashlib
    >>> digest([1, "7f1c", None]) == hashlib.sha256(b'benne audit record\\n[1,"7f1c",null]').hexdigest()
    True
    """
    return hashlib.sha256(_PREFIX + _ENCODE(columns).encode()).hexdigest()


def fault(row: Sequence[Any], last: Head) -> str | None:
    """What is wrong with the row that comes after ``last``; None if it follows."""
    seq, version, previous, own = row[0], row[1], row[-2], row[-1]
    if seq != last.seq + 1:
        return "it is missing" if isinstance(seq, int) and seq > last.seq else "something stands before it"
    if version != SCHEMA_VERSION:
        return "its version is not one that this Benne knows"
    if previous != last.hash:
        return "it does not follow the record before it"
    return None if _is_its_hash(row, own) else "its content is not what was hashed"


def is_record(row: Sequence[Any] | None, known: Head) -> bool:
    """Whether a row is the record that is known."""
    return row is not None and (row[0], row[-1]) == (known.seq, known.hash) and _is_its_hash(row, known.hash)


def _is_its_hash(row: Sequence[Any], own: str) -> bool:
    try:
        return digest(row[:-1]) == own
    except TypeError:  # bytes, put where no column of ours holds any
        return False
