"""Copies of the embedded service's folder, made while it serves, and the way back from them."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benne.errors import SettingsError, StoreError
from benne.scoring.audit.chain import verify
from benne.scoring.settings import FILE_NAME, Settings
from benne.scoring.store.database import open_store

__all__ = ["BackedUp", "back_up", "restore"]

_KEYS: Final = ("keyring", "subject_key", "signing_key", "proof_keys")
_OTHERS: Final = ("policies", "terms", "models")
_OWNER_ONLY: Final = 0o700


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What is in a copy: audit records, all verified, and the hash of the last."""

    records: int
    head: str


def back_up(settings: Settings, target: Path, *, with_keys: bool) -> BackedUp:
    """Copy a service's folder; the database as it is at one moment, whatever is being written.

    Parameters
    ----------
    settings : Settings
    target : Path
        A folder that is not there yet; it is whole or it is not there.
    with_keys : bool
        Without them the copy can be verified, but no payload in it can be read.

    Raises
    ------
    SettingsError
        If the target is there already, or the database is a server's.
    StoreError
        If the copy's audit chain does not verify.
    """
    if "://" in settings.database_address:
        raise SettingsError("A backup must be of the embedded database, got a server's. Use pg_dump for PostgreSQL.")
    if target.exists():
        raise SettingsError(f"A backup must be a new folder, got {target}, which is there. Name another.")
    names = _OTHERS + (_KEYS if with_keys else ())
    return _in_a_new_folder(target, lambda folder: _copy(settings, Settings(home=folder), names))


def restore(backup: Path, home: Path, *, keys: Path | None = None) -> BackedUp:
    """Make a service's folder from a backup.

    Parameters
    ----------
    backup, home : Path
    keys : Path, optional
        Folder with the keys, where the backup is without them.

    Raises
    ------
    SettingsError
        If ``home`` holds anything, or a part is missing.
    StoreError
        If the backup's audit chain does not verify.
    """
    if home.exists() and any(home.iterdir()):
        raise SettingsError(f"A service must be restored into an empty folder, got {home}. Name another.")

    def fill(folder: Path) -> BackedUp:
        found, made = Settings(home=backup), Settings(home=folder)
        done = _copy(found, made, _OTHERS)
        holder = found if keys is None else Settings(home=keys)
        for name in _KEYS:
            _copy_part(holder.path(name), made.path(name))
        return done

    return _in_a_new_folder(home, fill)


def _copy(found: Settings, made: Settings, names: tuple[str, ...]) -> BackedUp:
    _copy_part(found.home / FILE_NAME, made.home / FILE_NAME)
    for name in names:
        _copy_part(found.path(name), made.path(name))
    source = Path(found.database_address)
    if not source.is_file():
        raise SettingsError(f"A service's folder must hold its database, got none at {source}. Name another folder.")
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(made.database_address)) as new,
    ):
        old.backup(new)
    return _verified(made.database_address)


def _verified(address: str) -> BackedUp:
    store = open_store(address, migrate=False)
    try:
        with store.read() as connection:
            report = verify(connection)
    finally:
        store.close()
    if not report.intact:
        raise StoreError(
            f"A copy's audit chain must verify, got a break at record {report.broken_at}. Nothing was kept of the copy."
        )
    return BackedUp(report.records, report.head.hash)


def _copy_part(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        shutil.copy2(source, target)
    else:
        raise SettingsError(f"A service's folder must hold {source.name}, got none. Restore it, or name its folder.")


def _in_a_new_folder(target: Path, fill: Callable[[Path], BackedUp]) -> BackedUp:
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=_OWNER_ONLY)
    try:
        done = fill(partial)
        if target.exists():
            target.rmdir()
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return done
