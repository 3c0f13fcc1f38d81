"""The service's database with the key ring it belongs to, opened for commands on members' keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.errors import StoreError

if TYPE_CHECKING:
    from benne.scoring import Store
    from benne.scoring.audit.group_commit import GroupCommit
    from benne.scoring.store.file_keyring import FileKeyRing
    from benne.scoring.store.vault import MemberVault

__all__ = ["KeyRingPath", "StaffName", "Vaulted", "opened", "opened_store"]

KeyRingPath = Annotated[
    Path, typer.Option("--keyring", envvar="BENNE_KEYRING", help="Key ring, which `benne keyring new` wrote.")
]
StaffName = Annotated[str, typer.Option("--actor", help="Who does it, as the audit chain names them; no address.")]


@dataclass(frozen=True, slots=True)
class Vaulted:
    """Everything that acts on members' keys need."""

    store: Store
    ring: FileKeyRing
    vault: MemberVault
    audit: GroupCommit


@contextmanager
def opened_store(address: str) -> Iterator[Store]:
    """A database that is there."""
    from benne.scoring import open_store

    if "://" not in address and not Path(address).is_file():
        raise StoreError(f"The ledger must exist, got no file {address}. Name the service's database.")
    store = open_store(address)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened(address: str, keyring: Path) -> Iterator[Vaulted]:
    """A database that is there, with its ring; what is done in it is committed with its audit records."""
    from benne.scoring.audit.group_commit import GroupCommit
    from benne.scoring.wiring import open_keyring, open_vault, system_clock

    ring = open_keyring(keyring)
    with opened_store(address) as store, GroupCommit(store, clock=system_clock) as audit:
        yield Vaulted(store, ring, open_vault(ring), audit)
