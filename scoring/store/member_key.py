"""The key of one member, for the length of a transaction."""

from __future__ import annotations

import hmac
from typing import Final

from benne.scoring.store.sealing import binding, cipher_of, expand, open_sealed, seal

__all__ = ["MEMBER_DOMAIN", "MemberKey"]

MEMBER_DOMAIN: Final = "member"
"""The key domain of subject hmacs in the audit chain that are made with members' own keys."""


class MemberKey:
    """A member's own key: what is under it, or made with it, goes with it.

    Parameters
    ----------
    secret : bytes
        32 random bytes.
    subject_id : str

    Notes
    -----
    Made by :class:`benne.scoring.store.vault.MemberVault` for one transaction. Whoever holds one any longer may hold
    the key of somebody who was erased meanwhile.

    Examples
    --------
    >>> anna, bert = MemberKey(bytes(32), "0" * 32), MemberKey(bytes([1] * 32), "1" * 32)
    >>> anna.digest("answer", b"612") == bert.digest("answer", b"612")
    False
    >>> anna
    MemberKey(...)
    """

    __slots__ = ("_secret", "_subject_id")

    def __init__(self, secret: bytes, subject_id: str) -> None:
        self._secret = secret
        self._subject_id = subject_id

    def __repr__(self) -> str:
        """Neither the key nor whose it is."""
        return "MemberKey(...)"

    def digest(self, label: str, content: bytes) -> str:
        """HMAC-SHA-256 of content in 64 hexadecimal digits, with a key for this label made from the member's.

        Nobody can guess the content from it, however few contents there are, and once the key is gone nobody can
        check a guess.
        """
        return hmac.digest(expand(self._secret, binding("benne digest", label)), content, "sha256").hex()

    def audit_subject(self) -> str:
        """The member as the audit chain knows them: 64 hexadecimal digits, the same as long as the key is."""
        return self.digest("audit subject", self._subject_id.encode())

    def seal(self, content: bytes, nonce: bytes, bound_to: bytes) -> bytes:
        """Encrypt content beside what it is bound to."""
        return seal(cipher_of(self._payload_key()), nonce, content, bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> bytes | None:
        """What :meth:`seal` encrypted; None where it is damaged or bound to something else."""
        return open_sealed(cipher_of(self._payload_key()), sealed, bound_to)

    def _payload_key(self) -> bytes:
        return expand(self._secret, b"benne payload key")
