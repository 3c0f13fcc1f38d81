"""The keys that sign proofs: one signs, the next may be announced, the last stays public until its proofs are over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from benne.errors import SigningKeyError
from benne.scoring.proof.statement import LONGEST
from benne.scoring.proof.verifying import LEEWAY
from benne.scoring.signing import Ed25519Signer

__all__ = ["ProofKey", "ProofKeyFile", "ProofKeys"]

_OWNER_ONLY: Final = 0o600
_AT_ONCE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class ProofKey:
    """A private key and the second, since 1970-01-01 UTC, from which it signs."""

    key: Ed25519PrivateKey = field(repr=False)
    active_from: int

    @property
    def signer(self) -> Ed25519Signer:
        """Signs with it, under its thumbprint (RFC 7638)."""
        return Ed25519Signer(self.key)


class ProofKeys:
    """Keys in the order they become active.

    Parameters
    ----------
    keys : iterable of ProofKey

    Raises
    ------
    SigningKeyError
        If there is none.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> first = ProofKeys([ProofKey(Ed25519PrivateKey.from_private_bytes(bytes(32)), int(noon.timestamp()))])
    >>> both = first.rotated(Ed25519PrivateKey.from_private_bytes(bytes([1] * 32)), noon, ahead=timedelta(hours=1))
    >>> both.signer(noon).kid == first.signer(noon).kid, len(both.public(noon)["keys"])
    (True, 2)
    >>> ProofKeys([])
    Traceback (most recent call last):
    ...
    benne.errors.SigningKeyError: Keys of proofs must hold one that signs, got none. ...
    """

    def __init__(self, keys: Iterable[ProofKey]) -> None:
        self.keys = tuple(sorted(keys, key=lambda key: key.active_from))
        if not self.keys:
            raise SigningKeyError("Keys of proofs must hold one that signs, got none. Make one: benne proofs keys new")

    def signer(self, now: datetime) -> Ed25519Signer:
        """The key that signs now.

        Raises
        ------
        SigningKeyError
            If none is active yet.
        """
        active = [key for key in self.keys if key.active_from <= now.timestamp()]
        if not active:
            raise SigningKeyError("A key of proofs must be active by now, got only later ones. Set the clock right.")
        return active[-1].signer

    def public(self, now: datetime) -> dict[str, Any]:
        """The public halves as a JWK set: of every key under which a proof may hold now or soon."""
        return {"keys": [jwk for key in self._needed(now) for jwk in key.signer.public_keys()["keys"]]}

    def rotated(self, key: Ed25519PrivateKey, now: datetime, *, ahead: timedelta = _AT_ONCE) -> ProofKeys:
        """These keys and one more that signs after ``ahead``, without those whose proofs are all over.

        Recipients who keep the public keys for an hour need ``ahead`` to be an hour or more.
        """
        return ProofKeys([*self._needed(now), ProofKey(key, int((now + ahead).timestamp()))])

    def _needed(self, now: datetime) -> list[ProofKey]:
        """Those that are not over: the last proof of a key ends a while after its successor took over."""
        stays = (LONGEST + LEEWAY).total_seconds()
        current = [key for key, later in pairwise(self.keys) if later.active_from + stays > now.timestamp()]
        return [*current, self.keys[-1]]


class ProofKeyFile:
    """Keys in a file that only its owner can read. A file that was changed is read anew by itself.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._read: tuple[tuple[int, int, int], ProofKeys] | None = None

    def create(self, key: Ed25519PrivateKey, now: datetime) -> ProofKeys:
        """Write the first key into a new file.

        Raises
        ------
        SigningKeyError
            If the file exists: proofs under its keys would verify no more.
        """
        keys = ProofKeys([ProofKey(key, int(now.timestamp()))])
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        except FileExistsError:
            raise SigningKeyError(
                f"{self._path} must not exist yet: proofs under its keys would verify no more. Rotate it instead."
            ) from None
        _write(descriptor, keys)
        return keys

    def rotate(self, key: Ed25519PrivateKey, now: datetime, *, ahead: timedelta = _AT_ONCE) -> ProofKeys:
        """Put one more key into the file, whole or not at all.

        Raises
        ------
        SigningKeyError
            If the file cannot be read.
        """
        keys = self.keys().rotated(key, now, ahead=ahead)
        beside = self._path.with_name(self._path.name + ".new")
        beside.unlink(missing_ok=True)  # what a crash left
        _write(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), keys)
        beside.replace(self._path)
        return keys

    def keys(self) -> ProofKeys:
        """The keys as they are now.

        Raises
        ------
        SigningKeyError
            If the file is missing, open to others, or holds no keys of proofs.
        """
        try:
            state = self._path.stat()
            if self._read is None or self._read[0] != _version(state):
                self._read = (_version(state), _parsed(self._path.read_bytes(), self._path))
        except OSError:
            raise SigningKeyError(
                f"{self._path} must be a file of keys, got none that can be read. Make one: benne proofs keys new"
            ) from None
        if state.st_mode & 0o077:
            raise SigningKeyError(
                f"{self._path} must be closed to others on this machine, and is not. Close it: chmod 600 {self._path}"
            )
        return self._read[1]


def _version(state: os.stat_result) -> tuple[int, int, int]:
    return state.st_ino, state.st_mtime_ns, state.st_size


def _write(descriptor: int, keys: ProofKeys) -> None:
    rows = [{**OKPKey.import_key(key.key).as_dict(private=True), "active_from": key.active_from} for key in keys.keys]
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump({"keys": rows}, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _parsed(content: bytes, path: Path) -> ProofKeys:
    try:
        rows = json.loads(content)["keys"]
        keys = [ProofKey(_private_key(row), int(row["active_from"])) for row in rows]
    except (
        JoseError,
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
    ):  # its text is the secret: nothing is said of it
        keys = []
    if not keys:
        raise SigningKeyError(f"{path} must hold keys of proofs, got something else. Make one: benne proofs keys new")
    return ProofKeys(keys)


def _private_key(row: dict[str, Any]) -> Ed25519PrivateKey:
    key = OKPKey.import_key({name: row[name] for name in ("kty", "crv", "x", "d")}).private_key
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("another curve")
    return key
