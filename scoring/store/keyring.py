"""What Benne asks of whoever keeps its keys: a file by default, a cloud's key service by an adapter.

A ring holds master keys, under which every member's own key is wrapped, and secrets from which the keys of
domains are derived. One master key is current and wraps; older ones only unwrap, until nothing is left under
them.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from benne.errors import KeyRingError

__all__ = ["DomainKey", "KeyRing", "Wrapped", "validate_domain"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")


class Wrapped(NamedTuple):
    """A key under a master key.

    Parameters
    ----------
    master_key_id : str
        At most 36 characters.
    content : bytes
        What only that master key can open.
    """

    master_key_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DomainKey:
    """The key of one domain, such as a recipient's.

    Parameters
    ----------
    domain : str
    version : int
        From 1; the newest is the one in use.
    secret : bytes
        32 bytes; not in ``repr``.
    """

    domain: str
    version: int
    secret: bytes = field(repr=False)

    def digest(self, content: bytes) -> bytes:
        """HMAC-SHA-256 of content: 32 bytes."""
        return hmac.digest(self.secret, content, "sha256")


class KeyRing(Protocol):
    """Whoever keeps the keys.

    A ring is asked many times a second. An adapter to a key service should therefore have it open the master
    keys once, when the process starts, and hold them in memory as the file ring does.
    """

    @property
    def current(self) -> str:
        """Id of the master key that wraps now, whichever process made it so."""

    def wrap(self, key: bytes, *, purpose: str, owner: str) -> Wrapped:
        """Put a key under the current master key, so that it opens for this purpose and owner alone."""

    def unwrap(self, wrapped: Wrapped, *, purpose: str, owner: str) -> bytes:
        """Open a wrapped key.

        Raises
        ------
        KeyRingError
            If its master key is not in the ring, it was wrapped for another purpose or owner, or is damaged.
        """

    def derive(self, domain: str, version: int | None = None) -> DomainKey:
        """The key of a domain: the one in use, or that of an older version.

        Raises
        ------
        KeyRingError
            If the domain is no name, or has no such version.
        """


def validate_domain(domain: str) -> None:
    """Refuse what is no name.

    Raises
    ------
    KeyRingError

    Examples
    --------
    >>> validate_domain("shop")
    >>> validate_domain("anna@example.org")
    Traceback (most recent call last):
    ...
    benne.errors.KeyRingError: A key's domain must be a name of letters, digits and any of _.:/- ...
    """
    if not isinstance(domain, str) or not _NAME.fullmatch(domain):
        raise KeyRingError(
            "A key's domain must be a name of letters, digits and any of _.:/- up to 64 characters, "
            "got something else. Name the recipient or the use."
        )
