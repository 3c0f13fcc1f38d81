"""A fingerprint of stored tables that depends on what they say and on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Digest", "first_known", "known_since", "total_fingerprint"]

_NO_TEXT = np.zeros(1, dtype=np.int32)


class Digest:
    """A running sha256 of one table that does not depend on how it is cut into batches."""

    def __init__(self, schema: pa.Schema) -> None:
        # Nulls, lengths and values each run through a hash of their own, so that a cut between
        # two rows never shows.
        self._columns = [(f.name, (sha256(), sha256(), sha256())) for f in schema]
        self.known_since: dict[str, int] = {}
        self.rows = 0

    def update(self, batch: pa.Table) -> None:
        """Take the next rows."""
        self.rows += batch.num_rows
        for name, first in first_known(batch).items():
            self.known_since[name] = min(first, self.known_since.get(name, first))
        for name, hashes in self._columns:
            column = batch.column(name).combine_chunks()
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


def known_since(digests: Mapping[str, Digest]) -> dict[tuple[str, str], int]:
    """For every (table, column) that held a value, when the first row with one became known."""
    return {(name, column): since for name, digest in digests.items() for column, since in digest.known_since.items()}


def first_known(rows: pa.Table) -> dict[str, int]:
    """For every column that holds a value, when the first row with one became known, in microseconds."""
    known_at, found = rows.column("known_at"), {}
    for name in rows.column_names:
        column = rows.column(name)
        if column.null_count < len(column):
            moments = known_at.filter(column.is_valid()) if column.null_count else known_at
            found[name] = int(pc.cast(pc.min(moments), pa.int64()).as_py())
    return found
