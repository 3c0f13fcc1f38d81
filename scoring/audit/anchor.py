"""Anchors outside the store: a file of signed lines that only grows.

It is worth as much as its distance from whoever can write to the store: another machine, a medium that is
written once, somebody else's mailbox. The newest line proves all the lines before it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benne.errors import AnchorError
from benne.scoring.audit.anchor_lines import Anchor, goes_on, parsed, problem, signed
from benne.scoring.audit.links import Link

__all__ = ["Anchor", "AnchorFile"]


class AnchorFile:
    """A file of anchors.

    Parameters
    ----------
    path : Path
    key : Ed25519PublicKey or Ed25519PrivateKey
        Reading takes the public key, writing the private one.

    Notes
    -----
    A last line without its end is what a crash while writing leaves behind: it was never reported as written,
    and reading stops before it. :meth:`torn_bytes` tells of it, :meth:`repair` cuts it off, and until then
    nothing is appended.
    """

    def __init__(self, path: Path, key: Ed25519PublicKey | Ed25519PrivateKey) -> None:
        self.path = path
        self._private = key if isinstance(key, Ed25519PrivateKey) else None
        self._public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key

    def read(self) -> Iterator[Anchor]:
        """Every anchor in order; each is checked before it is given.

        Raises
        ------
        AnchorError
            If there is no file, or a line is not as Benne wrote it, was not signed with the key, goes back, or
            follows another line than the one before it.
        """
        with self._open("rb") as file:
            yield from self._checked(file)

    def last(self) -> Anchor | None:
        """The newest anchor, after checking all of them; None if there is none."""
        newest = None
        for anchor in self.read():
            newest = anchor
        return newest

    def append(self, head: Link, *, now_us: int) -> Anchor:
        """Sign and write an anchor; it is on the disk when this returns. The file is made if it is not there.

        Parameters
        ----------
        head : Link
            The chain's last record.
        now_us : int
            Microseconds since 1970-01-01 UTC. If the clock runs backwards, the file's time stands still.

        Raises
        ------
        AnchorError
            If the key is the public one, the file has a torn line or one that does not verify, or ``head``
            lies before what is anchored or contradicts it.
        """
        if self._private is None:
            raise AnchorError("Anchors must be signed with the private key, got the public one. Pass the private key.")
        is_new = not self.path.exists()
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _torn_bytes(file):
                raise AnchorError(f"{self.path} must end with a whole line, got a torn one. Repair it first.")
            last = self.last()
            self._require_going_on(last, head)
            anchor = signed(self._private, last, head, now_us)
            file.write(anchor.line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self.path.parent)
        return anchor

    def torn_bytes(self) -> int:
        """Length of a last line that has no end; 0 if every line is whole."""
        with self._open("rb") as file:
            return _torn_bytes(file)

    def repair(self) -> int:
        """Cut off a torn last line, which never was an anchor; returns its length, 0 if there is none."""
        with self._open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            torn = _torn_bytes(file)
            if torn:
                file.truncate(file.seek(0, os.SEEK_END) - torn)
                os.fsync(file.fileno())
        return torn

    def _open(self, mode: str) -> BinaryIO:
        if not self.path.is_file():
            raise AnchorError(f"{self.path} must be a file of anchors, got none. Name it, or anchor the chain first.")
        file: BinaryIO = self.path.open(mode)  # type: ignore[assignment]
        return file

    def _checked(self, file: BinaryIO) -> Iterator[Anchor]:
        last = None
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            anchor = parsed(line[:-1])
            wanted = "one that Benne wrote" if anchor is None else problem(anchor, last, self._public)
            if anchor is None or wanted is not None:
                raise AnchorError(
                    f"Line {number} of {self.path} must be {wanted}, and is not. Compare the file with its copies."
                )
            yield anchor
            last = anchor

    def _require_going_on(self, last: Anchor | None, head: Link) -> None:
        if last is not None and not goes_on(last, head):
            raise AnchorError(
                f"The chain must go on from record {last.seq} as it was anchored, got one that ends with {head.seq} "
                "or holds another there. Do not anchor it: find out what became of its records."
            )


def _torn_bytes(file: BinaryIO) -> int:
    file.seek(0)
    text = file.read()
    return len(text) - (text.rfind(b"\n") + 1)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
