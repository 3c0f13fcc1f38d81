"""A key ring as a file: closed to everybody else, written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from benne.errors import KeyRingError
from benne.scoring.store.sealing import KEY_BYTES

__all__ = ["MasterKey", "Ring", "create", "locked", "read", "replace", "signature"]

_FORMAT: Final = "benne key ring 1"
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = 0o077

Signature = tuple[int, int, int]
"""Which file is at a path: it changes whenever the file is replaced."""


class MasterKey(NamedTuple):
    """One master key, and when it was drawn."""

    secret: bytes
    made_at_us: int


@dataclass(frozen=True)
class Ring:
    """What is in the file.

    Parameters
    ----------
    master_keys : dict of str to MasterKey
        By id, oldest first; the last one is current.
    secret : bytes
        From which the first key of every domain is derived.
    domains : dict of str to tuple of bytes
        Secrets of the later versions of a domain, from version 2.
    """

    master_keys: dict[str, MasterKey] = field(repr=False)
    secret: bytes = field(repr=False)
    domains: dict[str, tuple[bytes, ...]] = field(repr=False)

    @property
    def current(self) -> str:
        """Id of the newest master key."""
        return next(reversed(self.master_keys))

    def to_json(self) -> bytes:
        """As it is written."""
        return json.dumps(
            {
                "format": _FORMAT,
                "master_keys": [
                    {"id": name, "key": key.secret.hex(), "made_at_us": key.made_at_us}
                    for name, key in self.master_keys.items()
                ],
                "secret": self.secret.hex(),
                "domains": {name: [one.hex() for one in secrets] for name, secrets in self.domains.items()},
            },
            indent=1,
        ).encode()


def create(path: Path, ring: Ring, random_bytes: Callable[[int], bytes]) -> None:
    """Write a new ring; what is there already is never replaced.

    Raises
    ------
    KeyRingError
        If there is anything at ``path``: what is under a lost ring is lost too.
    """
    beside = path.with_name(f".{path.name}.{random_bytes(8).hex()}")
    _write(beside, ring)
    try:
        os.link(beside, path)  # unlike a rename, it fails where something is
    except FileExistsError:
        raise KeyRingError(
            f"{path} must not exist yet: whatever is under its keys would be lost with it. Name another file."
        ) from None
    finally:
        beside.unlink()
    _sync_folder(path)


def read(path: Path) -> tuple[Ring, Signature]:
    """Read a ring, and which file it was.

    Raises
    ------
    KeyRingError
        If there is none, it is damaged, or others on the machine can reach it.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            _refuse_open_to_others(path, status)
            text = file.read()
    except (FileNotFoundError, IsADirectoryError):
        raise _missing(path) from None
    return _parse(path, text), _signature(status)


def signature(path: Path) -> Signature:
    """Which file is there now.

    Raises
    ------
    KeyRingError
        If there is none.
    """
    try:
        return _signature(path.stat())
    except FileNotFoundError:
        raise _missing(path) from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else changes the ring meanwhile, in whichever process."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            raise _missing(path) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _signature(os.fstat(descriptor)) == signature(path):  # else it was replaced while we waited
                yield
                return
        finally:
            os.close(descriptor)


def replace(path: Path, ring: Ring) -> None:
    """Put another ring in the place of the one that is there, at once; the caller holds the lock."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # of somebody who was killed meanwhile
    _write(beside, ring)
    beside.replace(path)
    _sync_folder(path)


def _write(path: Path, ring: Ring) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(ring.to_json())
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _signature(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _refuse_open_to_others(path: Path, status: os.stat_result) -> None:
    if stat.S_IMODE(status.st_mode) & _OTHERS:
        raise KeyRingError(f"{path} must be closed to others on this machine, and is not. Close it: chmod 600 {path}")


def _missing(path: Path) -> KeyRingError:
    return KeyRingError(f"{path} must be a key ring, got no file. Make one: benne keyring new {path}")


def _parse(path: Path, text: bytes) -> Ring:
    try:
        found = json.loads(text)
        ring = _ring(found) if found["format"] == _FORMAT else None
    except (ValueError, TypeError, KeyError, AttributeError):  # its text is the secret, so nothing of it is said
        ring = None
    if ring is None:
        raise KeyRingError(f"{path} must be a whole key ring of this Benne's form, got none. Restore it from a copy.")
    return ring


def _ring(found: Any) -> Ring:
    masters = {str(one["id"]): MasterKey(_secret(one["key"]), int(one["made_at_us"])) for one in found["master_keys"]}
    if not masters:
        raise ValueError
    domains = {str(name): tuple(_secret(one) for one in secrets) for name, secrets in found["domains"].items()}
    return Ring(masters, _secret(found["secret"]), domains)


def _secret(text: str) -> bytes:
    secret = bytes.fromhex(text)
    if len(secret) != KEY_BYTES:
        raise ValueError
    return secret
