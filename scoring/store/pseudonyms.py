"""What a recipient may call a member: an id of its own, which leads to no other recipient's."""

from __future__ import annotations

import hmac
from typing import Final

from benne.scoring.store.keyring import KeyRing
from benne.scoring.store.payloads import validate_subjects

__all__ = ["Pseudonyms"]

_DIGITS: Final = 32
_PREFIX: Final = b"benne pseudonym\n"


class Pseudonyms:
    """Keyed ids of members, one set for each domain.

    A domain is a recipient's name. Its key is made from the ring's secrets: without them nobody can tell whose id
    one is, or that two ids of two recipients are the same member's.

    Parameters
    ----------
    keyring : KeyRing

    Examples
    --------
    >>> import secrets, tempfile
    >>> from pathlib import Path
    >>> from benne.scoring.store.file_keyring import FileKeyRing
    >>> folder = tempfile.TemporaryDirectory()
    >>> ring = FileKeyRing.create(Path(folder.name, "ring.json"), random_bytes=secrets.token_bytes, now_us=0)
    >>> pseudonyms, anna = Pseudonyms(ring), "0" * 32
    >>> known_as = pseudonyms.of("shop", anna)
    >>> len(known_as), known_as == pseudonyms.of("bank", anna)
    (32, False)
    >>> ring.rotate_domain("shop")
    2
    >>> known_as == pseudonyms.of("shop", anna), pseudonyms.matches("shop", anna, known_as)
    (False, True)
    >>> pseudonyms.of("shop", "anna")
    Traceback (most recent call last):
    ...
    benne.errors.VaultError: A subject id must be 32 hexadecimal digits, got something else. ...
    >>> folder.cleanup()
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    def of(self, domain: str, subject_id: str, *, version: int | None = None) -> str:
        """A member's id in a domain: 32 hexadecimal digits.

        Parameters
        ----------
        domain, subject_id : str
        version : int, optional
            Of the domain's key; by default the one in use.

        Raises
        ------
        VaultError
            If ``subject_id`` is none.
        KeyRingError
            If the domain is no name, or has no such version.
        """
        validate_subjects((subject_id,))
        key = self._keyring.derive(domain, version)
        return key.digest(_PREFIX + subject_id.encode()).hex()[:_DIGITS]

    def ever(self, domain: str, subject_id: str) -> tuple[str, ...]:
        """Every id the member had in a domain, oldest first: what older exports may call them."""
        newest = self._keyring.derive(domain).version
        return tuple(self.of(domain, subject_id, version=version) for version in range(1, newest + 1))

    def matches(self, domain: str, subject_id: str, pseudonym: str) -> bool:
        """Whether it is this member's id in a domain, under the key in use or an older one; in constant time."""
        given, found = pseudonym.encode("utf-8", "surrogatepass"), 0
        for one in self.ever(domain, subject_id):  # all of them, whichever fits
            found |= hmac.compare_digest(one.encode(), given)
        return bool(found)
