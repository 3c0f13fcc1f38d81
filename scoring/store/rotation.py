"""Changing master keys: a new one for what is to come, the members' keys moved under it, the old one destroyed.

Copies of the database made before, such as backups, hold members' keys as they were wrapped then. Once the
master key of that time is destroyed, nobody can read in them of anybody, of the erased in particular.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from benne.scoring.store.database import Store
from benne.scoring.store.file_keyring import FileKeyRing
from benne.scoring.store.vault import MemberVault

__all__ = ["retire", "rewrap_all"]


def rewrap_all(
    store: Store, vault: MemberVault, *, batch: int = 1_000, progress: Callable[[int], object] | None = None
) -> int:
    """Move every member's key under the current master key, a batch to a transaction; gives how many were moved.

    Parameters
    ----------
    store : Store
    vault : MemberVault
    batch : int, default=1000
        Keys in one transaction; nobody else writes meanwhile.
    progress : callable, optional
        Told after each how many are moved.

    Notes
    -----
    One that was interrupted is taken up where it was by calling it again.
    """
    moved = 0
    while True:
        with store.write() as connection:
            in_this_one = vault.rewrap(connection, batch)
        if not in_this_one:
            return moved
        moved += in_this_one
        if progress is not None:
            progress(moved)


def retire(connection: Connection, vault: MemberVault, ring: FileKeyRing, master_key_id: str) -> None:
    """Destroy an older master key that nothing is under any more.

    Parameters
    ----------
    connection : Connection
        From ``Store.write()``: nobody puts anything under it between the counting and the destroying.
    vault : MemberVault
    ring : FileKeyRing
        The vault's own.
    master_key_id : str

    Raises
    ------
    KeyRingError
        If it is current, is not in the ring, or anything is under it.

    Notes
    -----
    Every store whose members' keys are under the ring must be asked; a ring serves one store.
    """
    ring.retire(master_key_id, wrapped_under=vault.wrapped_under(connection, master_key_id))
