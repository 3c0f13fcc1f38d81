"""Keys made from keys, and contents that open only beside what they are bound to.

AES-256-GCM with a random nonce of 96 bits in front, and HKDF-Expand with SHA-256; nothing of our own.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_BYTES", "NONCE_BYTES", "binding", "cipher_of", "expand", "open_sealed", "seal"]

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16

cipher_of = AESGCM
"""The cipher of a key of 32 bytes."""


def expand(key: bytes, label: bytes) -> bytes:
    """A key of 32 bytes made from another: HKDF-Expand of RFC 5869 with SHA-256, whose first block it is.

    The key must be uniformly random already, as a drawn or an expanded one is: then there is nothing to extract.

    Examples
    --------
    >>> expand(bytes(32), b"one") != expand(bytes(32), b"two")
    True
    """
    return hmac.digest(key, label + b"\x01", "sha256")


def binding(*parts: str) -> bytes:
    """Parts in their order as bytes that no other parts give, as long as none holds a NUL.

    Examples
    --------
    >>> binding("a", "bc") == binding("ab", "c")
    False
    """
    return "\0".join(parts).encode()


def seal(cipher: AESGCM, nonce: bytes, content: bytes, bound_to: bytes) -> bytes:
    """Encrypt content; what comes out opens only with the same key and beside the same ``bound_to``.

    Parameters
    ----------
    cipher : AESGCM
    nonce : bytes
        12 bytes drawn at random, never twice under a key.
    content, bound_to : bytes
    """
    return nonce + cipher.encrypt(nonce, content, bound_to)


def open_sealed(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes | None:
    """What was sealed; None where it is damaged, or the key or what it is bound to is another.

    Examples
    --------
    >>> sealed = seal(cipher_of(bytes(32)), bytes(12), b"612", b"score of anna")
    >>> open_sealed(cipher_of(bytes(32)), sealed, b"score of anna")
    b'612'
    >>> open_sealed(cipher_of(bytes(32)), sealed, b"score of bert") is None
    True
    """
    if len(sealed) < NONCE_BYTES + _TAG_BYTES:
        return None
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except InvalidTag:
        return None
