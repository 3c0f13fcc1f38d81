"""The folder a store of protected attributes lives in: its database, its key ring, and what it may hold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benne.errors import FairnessError
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.protected.attributes import Declared, read_declared, write_declared
from benne.scoring.protected.protected_store import ProtectedStore
from benne.scoring.store.database import Store, open_store
from benne.scoring.store.vault import MemberVault
from benne.scoring.wiring import create_keyring, open_keyring, open_vault, random_id, system_clock

__all__ = ["DATABASE", "ProtectedParts", "lay_out_protected", "opened_parts", "opened_protected"]

DATABASE: Final = "protected.db"
_KEYRING: Final = "keyring.json"
_ATTRIBUTES: Final = "attributes.toml"
_OWNER_ONLY: Final = 0o700


@dataclass(frozen=True, slots=True)
class ProtectedParts:
    """Everything that a store of protected attributes is made of, open."""

    store: Store
    vault: MemberVault
    audit: GroupCommit
    declared: Declared


def lay_out_protected(home: str | Path, declared: Declared) -> Path:
    """Make a store's folder that only its owner can read: database, key ring, declared attributes.

    Raises
    ------
    FairnessError
        If the folder holds anything.
    """
    target = Path(home)
    if target.exists() and any(target.iterdir()):
        raise FairnessError(f"A new store's folder must be empty, got {target} with something in it. Name another.")
    target = target.resolve()
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=_OWNER_ONLY)
    try:
        write_declared(declared, partial / _ATTRIBUTES)
        create_keyring(partial / _KEYRING)
        open_store(partial / DATABASE).close()
        if target.exists():
            target.rmdir()
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


@contextmanager
def opened_parts(home: str | Path) -> Iterator[ProtectedParts]:
    """Open a store's folder.

    Raises
    ------
    FairnessError
        If there is none, or its declaration is not what it must be.
    KeyRingError, StoreError
        If its key ring or database cannot be opened.
    """
    folder = Path(home)
    declared = read_declared(folder / _ATTRIBUTES)
    if not (folder / DATABASE).is_file():  # or an empty one would look like nobody of whom anything is known
        raise FairnessError(f"{folder} must hold the database {DATABASE}, got none. Restore it from a backup.")
    vault = open_vault(open_keyring(folder / _KEYRING))
    store = open_store(folder / DATABASE)
    try:
        with GroupCommit(store, clock=system_clock) as audit:
            yield ProtectedParts(store, vault, audit, declared)
    finally:
        store.close()


@contextmanager
def opened_protected(home: str | Path) -> Iterator[ProtectedStore]:
    """A store of protected attributes, for the length of a block; raises as :func:`opened_parts`."""
    with opened_parts(home) as parts:
        yield ProtectedStore(parts.store, parts.vault, parts.audit, declared=parts.declared, ids=random_id)
