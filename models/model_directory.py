"""The place of a saved model on disk: nothing but a saved model is replaced, and never before the new one is whole."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Final

from benne.errors import ModelDirectoryError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["FILES", "MANIFEST", "TRAINING", "files_of", "found_model", "replace_model"]

MANIFEST: Final = "manifest.json"
FILES: Final = (
    "booster.txt", "own_boosters.json", "model.json", "reports.json", "reference.parquet", "reference_points.parquet",
    "histograms.json",
)  # fmt: skip
TRAINING: Final = "training.json"
"""What the training was, beside a model and no part of it: see :mod:`benne.experiments.training_record`."""


def files_of(version: int) -> tuple[str, ...]:
    """Files of a model of a format: before 4, nothing was kept of the reference sample's points; before 5, no
    histograms."""
    return FILES if version > 4 else FILES[:-1] if version > 3 else FILES[:-2]


def replace_model(path: str | PathLike[str], write: Callable[[Path], None]) -> None:
    """Write a model beside its place and move it there; an earlier one stays until then.

    The earlier model is moved aside to ``.<name>.earlier`` for the moment between two renames.
    Should the process die in between, :func:`found_model` reads it from there, and the next
    save puts it back first.

    Parameters
    ----------
    path : path
    write : callable
        Fills an empty directory.

    Raises
    ------
    ModelDirectoryError
        If ``path`` holds anything besides a saved model, or cannot be written.
    """
    target = _resolved(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            fresh = Path(scratch) / "new"
            fresh.mkdir()
            with _alone_in(target.parent):
                _recover(target)
                _refuse_others(target)
            write(fresh)
            with _alone_in(target.parent):
                _recover(target)
                _refuse_others(target)
                _swap(fresh, target)
    except OSError as error:
        raise ModelDirectoryError(
            f"path must be a place to write to, got {type(error).__name__} ({error.strerror}). "
            "An earlier model there is as it was."
        ) from None


def _refuse_others(target: Path) -> None:
    if target.exists() and not _replaceable(target):
        raise ModelDirectoryError("path must be new, empty, or a saved model, got something else. Choose another.")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """While nobody else replaces a model in the folder; the lock goes with the process, should that die."""
    if fcntl is None:  # where there is none, savers must take turns by themselves
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def found_model(path: str | PathLike[str]) -> Path:
    """Where the model of ``path`` lies: there, or aside, if a save died before it could put the new one in.

    Raises
    ------
    ModelDirectoryError
        If ``path`` is no path.
    """
    target = _resolved(path)
    return _aside(target) if not target.exists() and _replaceable(_aside(target)) else target


def _resolved(path: str | PathLike[str]) -> Path:
    if not isinstance(path, str | PathLike):
        raise ModelDirectoryError(f"A model directory must be given as a path, got {type(path).__name__}.")
    try:
        return Path(path).resolve()
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise ModelDirectoryError(
            f"A model directory must be a path that can exist, got {type(error).__name__}."
        ) from None


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.earlier")


def _recover(target: Path) -> None:
    """Finish what a save that died has left: put the earlier model back, or drop it where a new one stands."""
    aside = _aside(target)
    if not aside.exists():
        return
    if not _replaceable(aside):
        raise ModelDirectoryError(f"{aside.name!r} beside path must be a saved model, got something else. Move it.")
    if target.exists():
        shutil.rmtree(aside)
    else:
        os.rename(aside, target)


def _swap(fresh: Path, target: Path) -> None:
    aside = _aside(target)
    try:
        if target.exists():
            os.rename(target, aside)
        os.rename(fresh, target)
    except BaseException:
        if aside.exists() and not target.exists():
            os.rename(aside, target)
        raise
    # What cannot be removed now is removed by the next save: the new model is in place.
    shutil.rmtree(aside, ignore_errors=True)


def _replaceable(target: Path) -> bool:
    """Whether it is an empty directory, or a saved model with nothing else in it."""
    try:
        content = list(target.iterdir())
    except (FileNotFoundError, NotADirectoryError):  # perhaps just moved by a save
        return False
    known = {MANIFEST, TRAINING, *FILES}
    if any(entry.name not in known or entry.is_symlink() or not entry.is_file() for entry in content):
        return False
    return not content or _is_our_manifest(target / MANIFEST)


def _is_our_manifest(path: Path) -> bool:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return sorted(manifest["files"]) == sorted(files_of(int(manifest["format_version"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
