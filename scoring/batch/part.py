"""A part: a chunk's rows with their salts and leaves, in one file that is whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import BatchDamaged
from benne.scoring.audit.merkle import root
from benne.scoring.batch.leaves import SALT_BYTES
from benne.scoring.batch.standings import Watermark

__all__ = [
    "LEAF",
    "SALT",
    "Part",
    "PartNote",
    "finish",
    "flush_file",
    "flush_folder",
    "open_part",
    "partial_of",
    "write_partial",
]

SALT: Final = "salt"
LEAF: Final = "leaf"
_NOTE: Final = b"benne.part"
_BYTES: Final = pa.binary(SALT_BYTES)
_ROWS_IN_A_GROUP: Final = 65_536


@dataclass(frozen=True, slots=True)
class PartNote:
    """What a part says of itself.

    Parameters
    ----------
    number : int
        Which chunk of the batch.
    event_id : str
        Of its audit record.
    root : str
        Merkle root over its leaves, 64 hexadecimal digits.
    rows, scored : int
    seq, now_us : int
        How far the ledger had come when it was asked.
    """

    number: int
    event_id: str
    root: str
    rows: int
    scored: int
    seq: int
    now_us: int

    @property
    def asked_at(self) -> Watermark:
        """How far the ledger had come when it was asked."""
        return Watermark(self.seq, self.now_us)


@dataclass(frozen=True, slots=True)
class Part:
    """A part on disk."""

    path: Path
    note: PartNote

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Its rows.

        Raises
        ------
        BatchDamaged
            If the file is not as it was written.
        """
        try:
            wanted = None if columns is None else list(columns)
            return pq.read_table(self.path, columns=wanted, page_checksum_verification=True)
        except (OSError, pa.ArrowException):
            raise _damaged(self.path) from None

    def leaves(self) -> list[bytes]:
        """Its leaves, in order."""
        leaves: list[bytes] = self.read([LEAF]).column(LEAF).to_pylist()
        return leaves


def write_partial(
    path: Path, outcome: pa.Table, salts: Sequence[bytes], leaves: Sequence[bytes], note: PartNote
) -> Part:
    """Write a part beside its place, down to the disk; it is none yet.

    Raises
    ------
    OSError
        If the disk is full.
    """
    table = outcome.append_column(SALT, pa.array(salts, _BYTES)).append_column(LEAF, pa.array(leaves, _BYTES))
    metadata = {**(outcome.schema.metadata or {}), _NOTE: json.dumps(asdict(note)).encode()}
    partial = partial_of(path)
    pq.write_table(
        table.replace_schema_metadata(metadata), partial, row_group_size=_ROWS_IN_A_GROUP, compression="zstd",
        compression_level=1, write_page_checksum=True, use_dictionary=["band", "granularity", "withheld", "reason"],
    )  # fmt: skip
    flush_file(partial)
    return Part(path, note)


def finish(path: Path) -> None:
    """Put a partial in its place, which stays so after a power cut."""
    partial_of(path).replace(path)
    flush_folder(path.parent)


def partial_of(path: Path) -> Path:
    """Where a part lies until it is on record."""
    return path.with_name(f"{path.name}.partial")


def open_part(path: Path, place: Path | None = None) -> Part:
    """A part that was written, checked against its own root.

    Parameters
    ----------
    path : Path
    place : Path, optional
        Where it belongs, if ``path`` is a partial.

    Raises
    ------
    BatchDamaged
        If the file is not whole.
    """
    try:
        metadata: Any = pq.read_schema(path).metadata or {}
        note = PartNote(**json.loads(metadata[_NOTE]))
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        raise _damaged(path) from None
    if root(Part(path, note).leaves()).hex() != note.root:
        raise _damaged(path)
    return Part(place or path, note)


def flush_file(path: Path) -> None:
    """Down to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Names in a folder, down to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _damaged(path: Path) -> BatchDamaged:
    return BatchDamaged(
        f"{path} must be a whole part of a batch, and is not. Restore it, or begin anew without its folder."
    )
