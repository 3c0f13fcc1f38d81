"""Machine code on disk: where nobody else can write, each file behind a checksum, what is not used removed."""

from __future__ import annotations

import logging
import os
import re
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

__all__ = ["CodeCache"]

_log = logging.getLogger(__name__)

_UNUSED_SECONDS: Final = 30 * 86_400
_FOLDER: Final = re.compile(r"(\w+-[0-9a-f]{16})(\.gone-\w+)?")
_DIGEST_BYTES: Final = 32


class CodeCache:
    """Pieces of machine code by name, in a folder of this user's alone.

    Whatever is wrong with the folder or with a file, the code is not there and must be compiled:
    a cache is never the reason why something fails.

    Parameters
    ----------
    folder : path
        Made when it is first needed, for nobody else to enter. Its neighbours, for other states
        of the sources, are removed when nobody has used them for 30 days.

    Notes
    -----
    What is read here is executed. So nothing is read where somebody else could have written:
    the folder, the one it lies in and each file must belong to this user (or to root, who needs
    no cache to run code) and be closed to others for writing. A file begins with the SHA-256 of
    its own name and of what follows, so that one cut short, changed or put in another's place is
    noticed before it runs.

    Processes share a folder without locks: a file appears whole, under its name at once, and
    what another process removes is compiled anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._usable: bool | None = None

    def read(self, name: str) -> bytes | None:
        """What was written under a name; None where there is nothing, or nothing that can be trusted."""
        if not self._is_usable():
            return None
        try:
            with (self.folder / name).open("rb") as file:
                closed, stored = _is_closed(os.fstat(file.fileno())), file.read()
        except OSError:
            return None
        content = stored[_DIGEST_BYTES:]
        if closed and stored[:_DIGEST_BYTES] == _digest(name, content):
            return content
        _log.warning("Machine code in %s is damaged or open to others; it is compiled anew.", self.folder)
        self.drop(name)
        return None

    def write(self, name: str, content: bytes) -> None:
        """Keep a piece of code, whole or not at all."""
        if not self._is_usable():
            return
        with suppress(OSError):  # no room, or no right to write: the next process compiles anew
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=".")  # closed to everybody else
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_digest(name, content) + content)
                Path(partial).replace(self.folder / name)
            finally:
                Path(partial).unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """Remove what is kept under a name, if it is there and can be removed."""
        with suppress(OSError):
            (self.folder / name).unlink()

    def _is_usable(self) -> bool:
        if self._usable is None:
            self._usable = self._open()
        return self._usable

    def _open(self) -> bool:
        neighbours = self.folder.parent
        try:
            _make(self.folder)
            open_to_others = [one for one in (self.folder, neighbours) if not _is_closed(one.stat())]
            open_to_others += [one for one in (neighbours.parent,) if _is_open_to_all(one.stat())]
        except OSError:
            return False
        if open_to_others:
            _log.warning(
                "A folder of machine code must be this user's and closed to others for writing, got one that is not: "
                "%s. Every process compiles anew. Run chmod go-w on it, or name another folder in BENNE_CACHE.",
                open_to_others[-1],
            )
            return False
        with suppress(OSError):
            os.utime(self.folder)  # used today
        _remove_unused(neighbours, time.time() - _UNUSED_SECONDS)
        return True


def _digest(name: str, content: bytes) -> bytes:
    return sha256(name.encode() + b"\0" + content).digest()


def _make(folder: Path) -> None:
    """Make a folder and those above it that are missing, closed to everybody else."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=stat.S_IRWXU, exist_ok=True)


def _is_closed(found: os.stat_result) -> bool:
    """Whether only this user, and root, can have written here."""
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_open_to_all(found: os.stat_result) -> bool:
    """Whether anybody could put another folder in the place of one that is here; not where it is as in /tmp."""
    return bool(found.st_mode & stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX


def _remove_unused(neighbours: Path, before: float) -> None:
    """Remove folders of machine code that nobody has opened since a moment."""
    with suppress(OSError):
        for one in list(neighbours.iterdir()):
            _remove_if_unused(one, before)


def _remove_if_unused(folder: Path, before: float) -> None:
    named = _FOLDER.fullmatch(folder.name)
    with suppress(OSError):  # another process was faster, or it is not ours to remove
        found = folder.lstat()
        if named is None or not stat.S_ISDIR(found.st_mode) or found.st_mtime >= before:
            return
        # Out of the way at once: whoever opens it in this moment finds all of it, or nothing. One that a
        # process left half removed is as old as it was, and goes the next time.
        gone = folder.with_name(f"{named[1]}.gone-{os.getpid()}_{time.time_ns()}")
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
