"""A package on disk: a folder or a zip, opened without trusting it and written whole."""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from benne.errors import EventSchemaError
from benne.features.events.interchange.columns import WIRE_TABLES
from benne.features.events.interchange.manifest import MANIFEST_NAME, SEAL_NAME

__all__ = ["Limits", "digest_of", "opened", "read_small", "zip_folder"]

_CHUNK = 1 << 20
_SMALL_BYTES = 1 << 18
_MOST_DENSE = 200
_TABLE_FILES = frozenset(f"{table}.{form}" for table in WIRE_TABLES for form in ("parquet", "csv"))
_NAMES = _TABLE_FILES | {MANIFEST_NAME, SEAL_NAME}
_FIRST_ZIP_YEAR = 1980


@dataclass(frozen=True)
class Limits:
    """How much a package may hold: what is declared beyond is refused unread.

    Parameters
    ----------
    rows : int
        In one table.
    bytes : int
        In one file, unpacked.
    """

    rows: int = 200_000_000
    bytes: int = 1 << 35


@contextmanager
def opened(package: str | Path, limits: Limits) -> Iterator[Path]:
    """The folder that holds a package's files; that of a zip is unpacked and goes away again.

    Raises
    ------
    EventSchemaError
        If there is neither, or it holds anything but a manifest, its seal and tables.
    """
    path = Path(package)
    if path.is_dir():
        _check_folder(path)
        yield path
        return
    if not path.is_file():
        raise EventSchemaError(f"{path} must be a package (a folder or a zip), got none. Name one.")
    with tempfile.TemporaryDirectory(prefix="benne-interchange-") as unpacked:
        _unpack(path, Path(unpacked), limits)
        yield Path(unpacked)


def _check_folder(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in _NAMES or not stat.S_ISREG(path.lstat().st_mode):
            raise EventSchemaError(
                f"{folder} must hold {MANIFEST_NAME}, {SEAL_NAME} and tables as plain files, got something else. "
                "Take it away, or ask the sender for a clean package."
            )


def _unpack(path: Path, into: Path, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len({e.filename for e in entries}) < len(entries) or not {e.filename for e in entries} <= _NAMES:
                raise EventSchemaError(
                    f"{path} must hold {MANIFEST_NAME}, {SEAL_NAME} and tables, each once and in no folder, "
                    "got something else. Ask the sender for a clean package."
                )
            for entry in entries:
                _unpack_one(archive, entry, into, limits, path.stat().st_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, EventSchemaError):
            raise
        raise EventSchemaError(
            f"{path} must be a zip without password that can be unpacked, got another file. Ask the sender for another."
        ) from None


def _unpack_one(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, into: Path, limits: Limits, archive_bytes: int
) -> None:
    # What an entry says of its own length is not believed: bytes are counted as they come.
    packed_bytes = min(entry.compress_size, archive_bytes)
    room = min(limits.bytes, packed_bytes * _MOST_DENSE + _CHUNK) if entry.filename in _TABLE_FILES else _SMALL_BYTES
    with archive.open(entry) as packed, (into / entry.filename).open("xb") as plain:
        while chunk := packed.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                raise EventSchemaError(
                    f"{entry.filename} must not unpack to more than the limit, or {_MOST_DENSE} times its packed size, "
                    "got more. Ask the sender for a folder instead of a zip, if it is to be so."
                )
            plain.write(chunk)


def read_small(folder: Path, name: str) -> bytes:
    """The content of the manifest or its seal.

    Raises
    ------
    EventSchemaError
        If the file is missing or far too long.
    """
    path = folder / name
    if not path.is_file():
        raise EventSchemaError(f"A package must hold {name}, got none. Ask the sender for a whole package.")
    with path.open("rb") as file:
        content = file.read(_SMALL_BYTES + 1)
    if len(content) > _SMALL_BYTES:
        raise EventSchemaError(f"{name} must be at most {_SMALL_BYTES} bytes, got more. Ask the sender for another.")
    return content


def digest_of(path: Path) -> tuple[int, str]:
    """Length and SHA-256 of a file."""
    running, length = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            running.update(chunk)
            length += len(chunk)
    return length, running.hexdigest()


def zip_folder(folder: Path, target: Path, created_at: datetime) -> None:
    """Pack a folder's files; the zip appears whole or not at all, and the same files give the same zip.

    Raises
    ------
    EventSchemaError
        If the target exists.
    """
    if target.exists():
        raise EventSchemaError(f"{target} must not exist yet: packages are never overwritten. Name another file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                entry = zipfile.ZipInfo(path.name, date_time=_zip_time(created_at))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o600 << 16
                with path.open("rb") as plain, archive.open(entry, "w", force_zip64=True) as packed:
                    while chunk := plain.read(_CHUNK):
                        packed.write(chunk)
        os.link(name, target)  # unlike a rename, never over a file that came into being meanwhile
    finally:
        os.unlink(name)


def _zip_time(moment: datetime) -> tuple[int, int, int, int, int, int]:
    return max(moment.year, _FIRST_ZIP_YEAR), moment.month, moment.day, moment.hour, moment.minute, 0
