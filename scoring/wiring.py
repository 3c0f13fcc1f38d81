"""Where the live side is put together: the only place that reaches for a clock or for chance."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL

from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.store.database import Store, open_store

if TYPE_CHECKING:
    # Whoever only asks the ledger needs no cryptography; these modules are imported where they are used.
    from benne.scoring.erasure.erasing import Commits, Erasure
    from benne.scoring.erasure.exports import ExportFolder
    from benne.scoring.erasure.parts import Erasable
    from benne.scoring.signing import Signer
    from benne.scoring.store.file_keyring import FileKeyRing
    from benne.scoring.store.keyring import KeyRing
    from benne.scoring.store.vault import MemberVault

__all__ = [
    "create_keyring",
    "open_erasure",
    "open_exports",
    "open_keyring",
    "open_ledger",
    "open_vault",
    "random_bytes",
    "random_id",
    "system_clock",
]


def system_clock() -> datetime:
    """The operating system's time, in UTC."""
    return datetime.now(UTC)


def random_bytes(count: int) -> bytes:
    """Bytes that nobody can guess."""
    return secrets.token_bytes(count)


def random_id() -> str:
    """A random UUID as 36 characters."""
    return str(uuid.uuid4())


def open_ledger(
    url: str | Path | URL, *, signer: Signer | None = None, jurisdiction: Jurisdiction | None = None
) -> ConsentLedger:
    """Open (or make) a store and the ledger in it, on the system's clock.

    Parameters
    ----------
    url : str, Path or URL
    signer : Signer, optional
        Signs a receipt for every consent given.
    jurisdiction : {'cn', 'eu', 'us', 'default'}, optional
        Where the deployment is.

    Raises
    ------
    StoreError
        If the database cannot be opened, is not Benne's, or is of a newer version.
    """
    store = open_store(url)
    return ConsentLedger(store, clock=system_clock, ids=random_id, signer=signer, jurisdiction=jurisdiction)


def create_keyring(path: str | Path) -> FileKeyRing:
    """Draw a new key ring and write it to a file that only its owner can read.

    Raises
    ------
    KeyRingError
        If there is anything at ``path``.
    """
    from benne.scoring.store.file_keyring import FileKeyRing

    now_us = to_microseconds(system_clock(), "now")
    return FileKeyRing.create(Path(path), random_bytes=secrets.token_bytes, now_us=now_us)


def open_keyring(path: str | Path) -> FileKeyRing:
    """Open a key ring in a file.

    Raises
    ------
    KeyRingError
        If there is none, it is damaged, or others on the machine can reach it.
    """
    from benne.scoring.store.file_keyring import FileKeyRing

    return FileKeyRing(Path(path), random_bytes=secrets.token_bytes)


def open_vault(keyring: KeyRing) -> MemberVault:
    """The vault whose members' keys are under this ring's master keys."""
    from benne.scoring.store.vault import MemberVault

    return MemberVault(keyring, random_bytes=secrets.token_bytes)


def open_erasure(store: Store, vault: MemberVault, audit: Commits, parts: Sequence[Erasable] = ()) -> Erasure:
    """Erasures of members from a store, and from whatever else holds something about them.

    Parameters
    ----------
    store : Store
    vault : MemberVault
    audit : Commits
        A group commit on the same store.
    parts : sequence of Erasable, optional
        Event stores, folders of exports.
    """
    from benne.scoring.erasure.erasing import Erasure

    ledger = ConsentLedger(store, clock=system_clock, ids=random_id)
    return Erasure(store, vault, consents=ledger, audit=audit, ids=random_id, parts=parts)


def open_exports(folder: Path, store: Store, keyring: KeyRing) -> ExportFolder:
    """A folder of exports, in which a member may be called by their subject id, or by any recipient's pseudonym."""
    from sqlalchemy import select

    from benne.scoring.erasure.exports import ExportFolder
    from benne.scoring.store.access_tables import recipients
    from benne.scoring.store.pseudonyms import Pseudonyms

    pseudonyms = Pseudonyms(keyring)

    def names_of(subject_id: str) -> set[str]:
        with store.read() as connection:
            domains = connection.execute(select(recipients.c.name)).scalars().all()
        return {subject_id, *(one for domain in domains for one in pseudonyms.ever(domain, subject_id))}

    return ExportFolder(folder, names_of=names_of)
