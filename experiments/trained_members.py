"""Whom a model was trained on, as far as a validation must know: in digests that name nobody.

A digest is the first 32 bits of a salted SHA-256 of a subject id, which is itself a keyed hash. Two members share one
in four thousand million, so that few are taken for trained on who were not; and whoever finds the digests can tell of
no member that they were trained on without the key of the ids.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import GovernanceError

__all__ = ["FILE", "SEAL", "Digests", "digests_of", "read_digests", "seal_of", "trained_on", "write_digests"]

Digests = npt.NDArray[np.uint32]

FILE: Final = "training/members.u32"
"""Where a run keeps them among its files: little-endian, sorted, each once."""

SEAL: Final = "train_members"
"""Parameter of a run that says which digests are its own: parameters cannot be changed in MLflow, files can."""

_BYTES: Final = 4
_KIND: Final = np.dtype("<u4")


def digests_of(index: pd.Index[Any], salt: str) -> Digests:
    """Digests of members, each once, sorted.

    Parameters
    ----------
    index : MultiIndex of (``subject_id``, ``as_of``)
    salt : str
        The run's own: the fingerprint of its training rows.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("b", 0), ("a", 0), ("b", 1)], names=["subject_id", "as_of"])
    >>> len(digests_of(index, "salt")), digests_of(index, "salt")[0] != digests_of(index, "pepper")[0]
    (2, np.True_)
    """
    members = index.get_level_values("subject_id").unique()
    return np.unique(np.array([_digest(str(member), salt) for member in members], dtype=_KIND))


def trained_on(index: pd.Index[Any], digests: Digests, salt: str) -> npt.NDArray[np.bool_]:
    """Which rows are of members whose digest is among those, shape (n,)."""
    codes, members = pd.factorize(index.get_level_values("subject_id"))
    own = np.array([_digest(str(member), salt) for member in members], dtype=_KIND)
    found: npt.NDArray[np.bool_] = np.isin(own, digests)[codes]
    return found


def write_digests(digests: Digests, path: Path) -> None:
    """Write digests to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(digests.astype(_KIND).tobytes())


def seal_of(digests: Digests) -> str:
    """SHA-256 of the digests, 64 hexadecimal digits."""
    return hashlib.sha256(digests.astype(_KIND).tobytes()).hexdigest()


def read_digests(path: Path) -> Digests:
    """Read what :func:`write_digests` wrote.

    Raises
    ------
    GovernanceError
        If the file is damaged.
    """
    content = path.read_bytes()
    found = np.frombuffer(content[: len(content) // _BYTES * _BYTES], dtype=_KIND)
    if len(content) % _BYTES or not len(found) or (np.diff(found.astype(np.int64)) <= 0).any():
        raise GovernanceError("Digests of the members trained on must be whole, got a damaged file. Train anew.")
    return found.astype(np.uint32)


def _digest(member: str, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}\n{member}".encode()).digest()[:_BYTES], "little")
