"""A member as a page's path names them: sealed for one session, together with what they were looked up for.

A raw id, a subject id and the purpose stand in no address, so in no log, history or referrer either; the text opens in
the session it was made in and in no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from benne.scoring.console.sealed import Sealer

__all__ = ["LookedUp", "References"]

_SUBJECT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A member who was looked up, and what for."""

    subject_id: str = field(repr=False)
    purpose: str


class References:
    """Makes references to members, and opens them.

    Parameters
    ----------
    sealer : Sealer
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def make(self, looked_up: LookedUp, session_id: str) -> str:
        """A reference for the paths of one session."""
        content = bytes.fromhex(looked_up.subject_id) + looked_up.purpose.encode()
        return self._sealer.seal("member", content, session_id)

    def open(self, reference: str, session_id: str) -> LookedUp | None:
        """Who was looked up, and what for; None where it is no reference of this session."""
        content = self._sealer.open("member", reference, session_id)
        if content is None:
            return None
        return LookedUp(content[:_SUBJECT_BYTES].hex(), content[_SUBJECT_BYTES:].decode())
