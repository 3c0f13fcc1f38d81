"""The folder of a batch that runs, or ran and was interrupted: what it is about, and its parts."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benne.errors import BatchChanged, BatchDamaged
from benne.scoring.batch.part import flush_file, flush_folder

__all__ = ["Job", "Terms", "begun", "job_folder", "locked"]

_FILE: Final = "job.json"
_LOCK: Final = "lock"
_FORM: Final = 1
_OWNER_ONLY: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a batch is about; with other terms it is another batch.

    Parameters
    ----------
    input_digest : str
        SHA-256 of what it reads.
    config_hash : str
        Of the model.
    purpose, recipient, actor, policy_version : str
    chunk_rows : int
    """

    input_digest: str
    config_hash: str
    purpose: str
    recipient: str
    actor: str
    policy_version: str
    chunk_rows: int


_CALLED: Final = {
    "input_digest": "features", "config_hash": "model", "purpose": "purpose", "recipient": "recipient",
    "actor": "actor", "policy_version": "policies", "chunk_rows": "rows in a chunk",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """A batch in its folder.

    Parameters
    ----------
    folder : Path
    job_id : str
        A UUID, from which the ids of its audit records follow.
    """

    folder: Path
    job_id: str

    @classmethod
    def found(cls, folder: Path, terms: Terms) -> Job | None:
        """The batch that is there to go on with, if there is one.

        Raises
        ------
        BatchChanged
            If the one that is there is about something else.
        BatchDamaged
            If what is there cannot be read.
        """
        file = folder / _FILE
        if not file.exists():
            return None
        said = _read(file)
        _require_same(said["terms"], terms, folder)
        return cls(folder, said["job_id"])

    @classmethod
    def begin(cls, folder: Path, terms: Terms, new_id: Callable[[], str]) -> Job:
        """Begin a batch; it is there from now on, whatever happens."""
        for left in folder.glob("part-*"):  # by a run that was interrupted while it removed them
            left.unlink()
        file = folder / _FILE
        job_id = str(uuid.UUID(new_id()))
        beside = file.with_name(f".{file.name}")
        beside.write_text(json.dumps({"form": _FORM, "job_id": job_id, "terms": asdict(terms)}), encoding="utf-8")
        flush_file(beside)
        beside.replace(file)
        flush_folder(folder)
        return cls(folder, job_id)

    def event_id(self, number: int) -> str:
        """Id of the audit record of a chunk; the same whenever it is asked for."""
        return str(uuid.uuid5(uuid.UUID(self.job_id), f"chunk {number}"))

    def place(self, number: int) -> Path:
        """Where the part of a chunk belongs."""
        return self.folder / f"part-{number:07}.parquet"

    def remove(self) -> None:
        """The batch is done, from the moment at which nothing says what it is about."""
        (self.folder / _FILE).unlink()
        flush_folder(self.folder)
        shutil.rmtree(self.folder)


def job_folder(out: Path) -> Path:
    """Where the batch that makes a file keeps its parts."""
    return out.with_name(f"{out.name}.job")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder, made if need be, for this process alone; whoever is killed lets go of it.

    Raises
    ------
    BatchDamaged
        If another process is at it.
    """
    folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _alone(folder, handle):
            raise BatchDamaged(f"{folder} must be one run's at a time, got another at it. Wait for that one.")
        try:
            yield
        finally:
            if not begun(folder):  # what was copied or spilled before it began is nobody's
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def begun(folder: Path) -> bool:
    """Whether a batch is there to go on with."""
    return (folder / _FILE).is_file()


def _alone(folder: Path, handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(handle).st_ino == (folder / _LOCK).stat().st_ino  # else its owner ended and removed it
    except OSError:
        return False


def _read(file: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if said["form"] == _FORM and set(said["terms"]) == set(_CALLED):
            return said
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise BatchDamaged(f"{file} must say what the batch is about, and does not. Remove its folder to begin anew.")


def _require_same(before: dict[str, Any], terms: Terms, folder: Path) -> None:
    now = asdict(terms)
    changed = [called for name, called in _CALLED.items() if before[name] != now[name]]
    if changed:
        raise BatchChanged(
            f"The batch in {folder} must go on as it began, got another {' and another '.join(changed)}. "
            "Give it what it began with, or remove the folder to begin anew."
        )
