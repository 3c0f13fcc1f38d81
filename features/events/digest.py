"""A fingerprint of stored tables that depends on what they say and on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Digest", "present_columns", "total_fingerprint"]

_NO_TEXT = np.zeros(1, dtype=np.int32)


class Digest:
    """A running sha256 of one table that does not depend on how it is cut into batches."""

    def __init__(self, schema: pa.Schema) -> None:
        # Nulls, lengths and values each run through a hash of their own, so that a cut between
        # two rows never shows.
        self._columns = [(f.name, (sha256(), sha256(), sha256())) for f in schema]
        self.filled: set[str] = set()
        self.rows = 0

    def update(self, batch: pa.Table) -> None:
        """Take the next rows."""
        self.rows += batch.num_rows
        for name, hashes in self._columns:
            column = batch.column(name).combine_chunks()
            if column.null_count < len(column):
                self.filled.add(name)
            for running, content in zip(hashes, _content(column), strict=True):
                running.update(content)

    def hexdigest(self) -> str:
        """The digest of everything taken so far."""
        whole = sha256(str(self.rows).encode())
        for name, hashes in self._columns:
            whole.update(name.encode() + b"".join(running.digest() for running in hashes))
        return whole.hexdigest()


def _content(column: pa.Array) -> tuple[bytes, bytes, bytes]:
    """Nulls, lengths and values of a column: the same whatever its buffers hold under a null."""
    nulls = column.is_null().to_numpy(zero_copy_only=False).tobytes()
    if not pa.types.is_string(column.type):
        return nulls, b"", pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy().tobytes()
    text = pc.fill_null(column, "")
    _, starts, letters = text.buffers()
    ends = np.frombuffer(starts, dtype=np.int32)[text.offset : text.offset + len(text) + 1] if starts else _NO_TEXT
    return nulls, np.diff(ends).tobytes(), bytes(memoryview(letters or b"")[ends[0] : ends[-1]])


def total_fingerprint(digests: Mapping[str, Digest]) -> str:
    """One sha256 over the digests of all tables."""
    lines = "".join(f"{name} {digests[name].hexdigest()}\n" for name in sorted(digests))
    return sha256(lines.encode()).hexdigest()


def present_columns(digests: Mapping[str, Digest]) -> frozenset[tuple[str, str]]:
    """Every (table, column) that held a value."""
    return frozenset((name, column) for name, digest in digests.items() for column in digest.filled)
