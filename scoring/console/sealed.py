"""What the console gives a browser to keep: sealed under the key ring, so that it says nothing and cannot be made up.

AES-256-GCM under a key of the ring's domain ``console``; every kind of content has a key of its own and is bound to
what it belongs to. The version of the domain's key stands in front, so that turning it ends nothing that is open.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final, Literal

from benne.errors import KeyRingError
from benne.scoring.store.keyring import KeyRing
from benne.scoring.store.sealing import NONCE_BYTES, binding, cipher_of, expand, open_sealed, seal

__all__ = ["DOMAIN", "Sealer"]

DOMAIN: Final = "benne/console"
"""Of the key ring; with a stroke, so that no recipient has the same."""

Kind = Literal["session", "member", "typed"]
_LONGEST: Final = 65_536  # characters; more is nothing that was sealed here
_MOST_DIGITS: Final = 6


class Sealer:
    """Seals for browsers and opens again what they send back.

    Parameters
    ----------
    keyring : KeyRing
    random_bytes : callable
        Takes a number and gives as many bytes that nobody can guess.

    Examples
    --------
    >>> import secrets, tempfile
    >>> from pathlib import Path
    >>> from benne.scoring.store.file_keyring import FileKeyRing
    >>> folder = tempfile.TemporaryDirectory()
    >>> ring = FileKeyRing.create(Path(folder.name, "ring.json"), random_bytes=secrets.token_bytes, now_us=0)
    >>> sealer = Sealer(ring, secrets.token_bytes)
    >>> sealed = sealer.seal("member", b"whose", "session 1")
    >>> sealer.open("member", sealed, "session 1"), sealer.open("member", sealed, "session 2")
    (b'whose', None)
    >>> folder.cleanup()
    """

    def __init__(self, keyring: KeyRing, random_bytes: Callable[[int], bytes]) -> None:
        self._keyring = keyring
        self._random_bytes = random_bytes

    def seal(self, kind: Kind, content: bytes, *bound_to: str) -> str:
        """Content as text that may stand in a cookie, a form or a path."""
        key = self._keyring.derive(DOMAIN)
        cipher = cipher_of(expand(key.secret, kind.encode()))
        sealed = seal(cipher, self._random_bytes(NONCE_BYTES), content, binding(kind, *bound_to))
        return f"{key.version}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    def open(self, kind: Kind, text: str, *bound_to: str) -> bytes | None:
        """What was sealed; None where it was not sealed here, or for something else."""
        version, stop, sealed = text.partition(".")
        if not stop or len(text) > _LONGEST or not (version.isascii() and version.isdigit()):
            return None
        try:
            key = self._keyring.derive(DOMAIN, int(version) if len(version) <= _MOST_DIGITS else 0)
            content = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
        except (KeyRingError, binascii.Error, ValueError):
            return None
        return open_sealed(cipher_of(expand(key.secret, kind.encode())), content, binding(kind, *bound_to))

    def secret(self, label: str, *bound_to: str) -> bytes:
        """32 bytes that this service alone can tell, always the same for the same label and binding."""
        return self._keyring.derive(DOMAIN, 1).digest(binding(label, *bound_to))
