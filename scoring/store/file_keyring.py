"""A key ring in a file: for machines that have no key service."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from benne.errors import KeyRingError
from benne.scoring.store import ring_file
from benne.scoring.store.keyring import DomainKey, Wrapped, validate_domain
from benne.scoring.store.ring_file import MasterKey, Ring, Signature
from benne.scoring.store.sealing import KEY_BYTES, NONCE_BYTES, binding, cipher_of, expand, open_sealed, seal

__all__ = ["SUBJECT_IDS", "FileKeyRing"]

SUBJECT_IDS: Final = "subject-ids"
"""The domain whose key turns raw ids into subject ids; it stays, for every stored id was made with it."""

_ID_BYTES: Final = 4


class _Opened(NamedTuple):
    signature: Signature
    ring: Ring
    ciphers: dict[str, Any]
    derived: dict[tuple[str, int], DomainKey]


class FileKeyRing:
    """Master keys and secrets of domains in one file that only its owner can read.

    Parameters
    ----------
    path : Path
    random_bytes : callable
        Takes a number and gives as many bytes that nobody can guess.

    Raises
    ------
    KeyRingError
        If there is no ring at ``path``, it is damaged, or others on the machine can reach it.

    Notes
    -----
    Every process holds the file in memory and looks whether it was replaced before it wraps, so that a rotation
    by another process is seen at once. Wrapping belongs into the transaction that stores what was wrapped: then
    no master key can be retired in between.

    Examples
    --------
    >>> import secrets, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> ring = FileKeyRing.create(Path(folder.name, "ring.json"), random_bytes=secrets.token_bytes, now_us=0)
    >>> wrapped = ring.wrap(bytes(32), purpose="member", owner="0" * 32)
    >>> ring.rotate(now_us=1) == wrapped.master_key_id
    False
    >>> ring.unwrap(wrapped, purpose="member", owner="0" * 32) == bytes(32)
    True
    >>> ring.unwrap(wrapped, purpose="member", owner="1" * 32)
    Traceback (most recent call last):
    ...
    benne.errors.KeyRingError: A wrapped key must be whole and opened for what it was wrapped for, ...
    >>> folder.cleanup()
    """

    def __init__(self, path: Path, *, random_bytes: Callable[[int], bytes]) -> None:
        self._path = path.absolute()
        self._random_bytes = random_bytes
        self._opened = self._read()

    @classmethod
    def create(cls, path: Path, *, random_bytes: Callable[[int], bytes], now_us: int) -> FileKeyRing:
        """Draw a new ring and write it.

        Raises
        ------
        KeyRingError
            If there is anything at ``path``.
        """
        master = MasterKey(random_bytes(KEY_BYTES), now_us)
        ring = Ring({_new_id(1, random_bytes): master}, random_bytes(KEY_BYTES), {})
        ring_file.create(path, ring, random_bytes)
        return cls(path, random_bytes=random_bytes)

    def __repr__(self) -> str:
        """Where it is; nothing of what is in it."""
        return f"FileKeyRing({os.fspath(self._path)!r})"

    @property
    def current(self) -> str:
        """Id of the master key that wraps now."""
        return self._newest().ring.current

    @property
    def master_keys(self) -> dict[str, int]:
        """Ids of the master keys, oldest first, with the microseconds since 1970 UTC at which they were drawn."""
        return {name: key.made_at_us for name, key in self._newest().ring.master_keys.items()}

    def wrap(self, key: bytes, *, purpose: str, owner: str) -> Wrapped:
        """As :meth:`benne.scoring.store.keyring.KeyRing.wrap`: AES-256-GCM."""
        opened = self._newest()
        name = opened.ring.current
        nonce = self._random_bytes(NONCE_BYTES)
        return Wrapped(name, seal(opened.ciphers[name], nonce, key, _bound_to(purpose, owner)))

    def unwrap(self, wrapped: Wrapped, *, purpose: str, owner: str) -> bytes:
        """As :meth:`benne.scoring.store.keyring.KeyRing.unwrap`."""
        cipher = self._opened.ciphers.get(wrapped.master_key_id)
        if cipher is None:
            cipher = self._newest().ciphers.get(wrapped.master_key_id)
        if cipher is None:
            raise KeyRingError(
                "A wrapped key's master key must be in the ring, got one that is not. Open the database's own ring."
            )
        key = open_sealed(cipher, wrapped.content, _bound_to(purpose, owner))
        if key is None:
            raise KeyRingError(
                "A wrapped key must be whole and opened for what it was wrapped for, got another. "
                "Restore it from a copy."
            )
        return key

    def derive(self, domain: str, version: int | None = None) -> DomainKey:
        """As :meth:`benne.scoring.store.keyring.KeyRing.derive`: HKDF with SHA-256."""
        validate_domain(domain)
        opened = self._newest() if version is None else self._opened
        if version is not None and version > _versions(opened.ring, domain):
            opened = self._newest()
        newest = _versions(opened.ring, domain)
        asked = newest if version is None else version
        if not 1 <= asked <= newest:
            raise KeyRingError(f"A domain's version must be one of 1 to {newest}, got {asked}. Leave it out.")
        known = opened.derived.get((domain, asked))
        if known is None:
            secret = opened.ring.secret if asked == 1 else opened.ring.domains[domain][asked - 2]
            known = DomainKey(domain, asked, expand(secret, binding("benne domain key", domain, str(asked))))
            opened.derived[domain, asked] = known
        return known

    def rotate(self, *, now_us: int) -> str:
        """Draw a new master key, current from now on; gives its id.

        What is under older ones stays there until :meth:`benne.scoring.store.vault.MemberVault.rewrap`.
        """
        with ring_file.locked(self._path):
            ring = self._newest().ring
            number = int(ring.current.removeprefix("mk").partition("-")[0]) + 1
            name = _new_id(number, self._random_bytes)
            made = MasterKey(self._random_bytes(KEY_BYTES), now_us)
            self._replace(replace(ring, master_keys={**ring.master_keys, name: made}))
        return name

    def rotate_domain(self, domain: str) -> int:
        """Draw a new secret for one domain, in use from now on; gives its version. Older ones can still be asked for.

        Raises
        ------
        KeyRingError
            If the domain is no name, or is that of subject ids.
        """
        validate_domain(domain)
        if domain == SUBJECT_IDS:
            raise KeyRingError(
                f"The key of {SUBJECT_IDS} must stay, for every stored id was made with it. Rotate another domain."
            )
        with ring_file.locked(self._path):
            ring = self._newest().ring
            secrets = (*ring.domains.get(domain, ()), self._random_bytes(KEY_BYTES))
            self._replace(replace(ring, domains={**ring.domains, domain: secrets}))
        return 1 + len(secrets)

    def retire(self, master_key_id: str, *, wrapped_under: int) -> None:
        """Destroy an older master key. Use :func:`benne.scoring.store.rotation.retire`, which counts.

        Parameters
        ----------
        master_key_id : str
        wrapped_under : int
            How many keys are under it, counted in a transaction that keeps others from adding to them.

        Raises
        ------
        KeyRingError
            If it is not in the ring, is current, or anything is under it.
        """
        with ring_file.locked(self._path):
            self.check_retirable(master_key_id, wrapped_under=wrapped_under)
            ring = self._newest().ring
            rest = {name: key for name, key in ring.master_keys.items() if name != master_key_id}
            self._replace(replace(ring, master_keys=rest))

    def check_retirable(self, master_key_id: str, *, wrapped_under: int) -> None:
        """Refuse where :meth:`retire` would, and change nothing.

        Raises
        ------
        KeyRingError
        """
        older = [name for name in self.master_keys if name != self.current]
        if master_key_id not in older:
            raise KeyRingError(
                f"A master key to retire must be one of the older ones ({', '.join(older) or 'there are none'}), "
                "got another. Rotate first."
            )
        if wrapped_under:
            raise KeyRingError(
                f"A master key to retire must have nothing under it, got {wrapped_under} keys. "
                "Rewrap them first: benne keyring rotate --resume"
            )

    def _replace(self, ring: Ring) -> None:
        ring_file.replace(self._path, ring)
        self._opened = self._read()

    def _newest(self) -> _Opened:
        if ring_file.signature(self._path) != self._opened.signature:
            self._opened = self._read()
        return self._opened

    def _read(self) -> _Opened:
        ring, signature = ring_file.read(self._path)
        ciphers = {name: cipher_of(key.secret) for name, key in ring.master_keys.items()}
        return _Opened(signature, ring, ciphers, {})


def _versions(ring: Ring, domain: str) -> int:
    return 1 + len(ring.domains.get(domain, ()))


def _bound_to(purpose: str, owner: str) -> bytes:
    return binding("benne wrapped key", purpose, owner)


def _new_id(number: int, random_bytes: Callable[[int], bytes]) -> str:
    return f"mk{number}-{random_bytes(_ID_BYTES).hex()}"
