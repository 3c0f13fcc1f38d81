"""Copies of the embedded service's folder, made while it serves, and the way back from them."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tomllib
from collections.abc import Callable, Mapping
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
_PLACES: Final[dict[str, Path]] = {name: Settings.model_fields[name].default for name in (*_KEYS, *_OTHERS)}
_DATABASE: Final = "benne.db"
"""In a copy everything is where it is by default, whatever settings and environment say of the original."""


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
    found = {name: settings.path(name) for name in _OTHERS + (_KEYS if with_keys else ())}

    def fill(folder: Path) -> BackedUp:
        _copy_parts(found, folder)
        _copy_settings(settings.home, folder)
        return _copy_database(Path(settings.database_address), folder)

    return _in_a_new_folder(target, fill)


def restore(backup: Path, home: Path, *, keys: Path | None = None) -> BackedUp:
    """Make a service's folder from a backup.

    Parameters
    ----------
    backup, home : Path
    keys : Path, optional
        Folder with the keys under the names they have by default, where the backup is without them.

    Raises
    ------
    SettingsError
        If ``home`` holds anything, or a part is missing.
    StoreError
        If the backup's audit chain does not verify.
    """
    if home.exists() and any(home.iterdir()):
        raise SettingsError(f"A service must be restored into an empty folder, got {home}. Name another.")

    found = {name: backup / _PLACES[name] for name in _OTHERS}
    found |= {name: (backup if keys is None else keys) / _PLACES[name] for name in _KEYS}

    def fill(folder: Path) -> BackedUp:
        _copy_parts(found, folder)
        _copy_settings(backup, folder)
        return _copy_database(backup / _DATABASE, folder)

    return _in_a_new_folder(home, fill)


def _copy_parts(found: Mapping[str, Path], folder: Path) -> None:
    for name, source in found.items():
        _copy_part(source, folder / _PLACES[name])


def _copy_settings(source: Path, folder: Path) -> None:
    """Everything but where things are: a copy must never lead back to its original."""
    _copy_part(source / FILE_NAME, folder / FILE_NAME)
    lines = (folder / FILE_NAME).read_text(encoding="utf-8").splitlines()
    elsewhere = re.compile(rf"\s*[\"']?({'|'.join((*_PLACES, 'database'))})[\"']?\s*=")
    text = "\n".join(line for line in lines if not elsewhere.match(line)) + "\n"
    if tomllib.loads(text).keys() & {*_PLACES, "database"}:
        raise SettingsError(f"{FILE_NAME} must say where things are on a line each, got it otherwise. Rewrite it.")
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def _copy_database(source: Path, folder: Path) -> BackedUp:
    if not source.is_file():
        raise SettingsError("A service's folder must hold its database, got none. Name another folder.")
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(folder / _DATABASE)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise StoreError(f"A database must be readable to be copied, got {type(error).__name__}. Check it.") from None
    return _verified(folder / _DATABASE)


def _verified(file: Path) -> BackedUp:
    store = open_store(file, migrate=False)
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
    target = target.resolve()
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
