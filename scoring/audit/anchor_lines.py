"""One anchor: what is signed, how it is written, and whether it goes on from the one before.

A line is a JSON object with the place and hash of a record, the time, the SHA-256 of the line before (64 zeros
in the first) and an Ed25519 signature over ``"benne audit anchor\\n"`` and the object without its signature;
in ASCII, names sorted, without spaces.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benne.scoring.audit.links import START, Head, Link
from benne.scoring.consent.moments import from_microseconds, to_microseconds

__all__ = ["Anchor", "goes_on", "parsed", "problem", "signed"]

_VERSION: Final = 1
_PREFIX: Final = b"benne audit anchor\n"  # no other signature of ours is of something that begins so
_LONGEST_LINE: Final = 512  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A signed statement that a chain's last record was this one at that moment.

    Attributes
    ----------
    seq, hash : int, str
        The record; place 0 is a chain without records.
    time_us : int
        When, in microseconds since 1970-01-01 UTC.
    previous : str
        SHA-256 of the anchor before; 64 zeros in the first.
    signature : str
        Ed25519, in hexadecimal.
    """

    seq: int
    hash: str
    time_us: int
    previous: str
    signature: str

    @property
    def head(self) -> Head:
        """The record, to verify a chain from."""
        return START if self.seq == 0 else Head(self.seq, self.hash, 0)

    @property
    def line(self) -> bytes:
        """The anchor as written, without the line's end."""
        return _encoded({**_content(self, self.time_us, self.previous), "signature": self.signature})

    @property
    def digest(self) -> str:
        """SHA-256 of the line."""
        return hashlib.sha256(self.line).hexdigest()


def signed(key: Ed25519PrivateKey, last: Anchor | None, head: Link, now_us: int) -> Anchor:
    """The anchor of ``head`` that follows ``last``; time stands still where the clock runs backwards."""
    time_us = now_us if last is None else max(now_us, last.time_us)
    previous = START.hash if last is None else last.digest
    signature = key.sign(_PREFIX + _encoded(_content(head, time_us, previous))).hex()
    return Anchor(seq=head.seq, hash=head.hash, time_us=time_us, previous=previous, signature=signature)


def parsed(line: bytes) -> Anchor | None:
    """The anchor in a line; None where that is not, byte for byte, what this module writes."""
    if len(line) > _LONGEST_LINE:
        return None
    try:
        said = json.loads(line)
        time_us = to_microseconds(datetime.fromisoformat(said["time"]), "time")
        names = ("seq", "hash", "previous", "signature")
        anchor = Anchor(time_us=time_us, **{name: said[name] for name in names})
        return (
            anchor if anchor.line == line and isinstance(anchor.seq, int) and bytes.fromhex(anchor.signature) else None
        )
    except (ValueError, KeyError, TypeError):
        return None


def problem(anchor: Anchor, last: Anchor | None, key: Ed25519PublicKey) -> str | None:
    """What an anchor must be and is not; None if it was signed with the key and goes on from ``last``."""
    content = _encoded(_content(anchor, anchor.time_us, anchor.previous))
    try:
        key.verify(bytes.fromhex(anchor.signature), _PREFIX + content)
    except InvalidSignature:
        return "signed with this key"
    if anchor.previous != (START.hash if last is None else last.digest):
        return "the one that follows the line before it"
    if last is not None and not (goes_on(last, anchor) and anchor.time_us >= last.time_us):
        return "later than the line before it"
    return None


def goes_on(last: Anchor, link: Link) -> bool:
    """Whether a record is the anchored one, or comes after it."""
    return link.seq > last.seq or (link.seq, link.hash) == (last.seq, last.hash)


def _content(link: Link, time_us: int, previous: str) -> dict[str, Any]:
    """What is signed."""
    time = from_microseconds(time_us).isoformat()
    return {"version": _VERSION, "seq": link.seq, "hash": link.hash, "time": time, "previous": previous}


def _encoded(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
