"""Features in Parquet, one file or a folder of parts, read a chunk at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import FeatureColumnsError, ObservationError
from benne.features.consent_mask import MASK_COLUMNS
from benne.features.frames import Provenance
from benne.scoring.batch.chunk import INDEX, Chunk

__all__ = ["ParquetSource", "open_parquet"]

_NOTE: Final = b"benne"  # where benne.features.frames keeps a file's provenance
_BUFFER: Final = 1 << 20
_BLOCK: Final = 1 << 22


@dataclass(frozen=True, eq=False, repr=False)
class ParquetSource:
    """Rows of features in one or more files, in the order of their names.

    Parameters
    ----------
    files : tuple of Path
    schema : Schema
        Of every one of them.
    rows : int
        In all of them.
    provenance : tuple of Provenance
        Of those that say where they come from.
    """

    files: tuple[Path, ...]
    schema: pa.Schema
    rows: int
    provenance: tuple[Provenance, ...]

    def digest(self) -> str:
        """SHA-256 of what the files hold, one after the other; 64 hexadecimal digits."""
        whole = hashlib.sha256()
        for file in self.files:
            with file.open("rb") as opened:
                whole.update(hashlib.file_digest(opened, "sha256").digest())
        return whole.hexdigest()

    def chunks(self, rows: int, first: int = 0) -> Iterator[Chunk]:
        """Stretches of so many rows, from one of them on; earlier ones are not read.

        Parameters
        ----------
        rows : int
            In each chunk but the last.
        first : int, default=0
            Number of the first chunk wanted.
        """
        number, held, count = first, list[pa.RecordBatch](), 0
        for batch in self._batches(first * rows, rows):
            held.append(batch)
            count += batch.num_rows
            while count >= rows:
                table = pa.Table.from_batches(held)
                yield Chunk.of(number, table.slice(0, rows))
                held = table.slice(rows).to_batches()
                number, count = number + 1, count - rows
        if count:
            yield Chunk.of(number, pa.Table.from_batches(held))

    def _batches(self, skip: int, size: int) -> Iterator[pa.RecordBatch]:
        for path in self.files:
            with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
                if skip >= file.metadata.num_rows:
                    skip -= file.metadata.num_rows
                    continue
                group = 0
                while skip >= file.metadata.row_group(group).num_rows:
                    skip -= file.metadata.row_group(group).num_rows
                    group += 1
                wanted = list(range(group, file.num_row_groups))
                for batch in file.iter_batches(batch_size=size, row_groups=wanted, use_threads=False):
                    rest = batch.slice(min(skip, batch.num_rows))
                    skip -= batch.num_rows - rest.num_rows
                    if rest.num_rows:
                        yield rest.cast(self.schema)


def open_parquet(path: Path) -> ParquetSource:
    """Features in a file, or in a folder of them.

    Raises
    ------
    ObservationError
        If there is none, it cannot be read, or it does not say whom and when each row is about.
    FeatureColumnsError
        If a file has other columns than the first, or none of consent.
    """
    files = tuple(sorted(path.glob("*.parquet"))) if path.is_dir() else (path,)
    if not files:
        raise ObservationError(f"Features must be Parquet, got a folder without any: {path}. Name another.")
    rows, provenance = 0, []
    schema: pa.Schema | None = None
    for file in files:
        metadata = _metadata(file)
        own = metadata.schema.to_arrow_schema()
        bare = own.remove_metadata()
        if schema is None:
            schema = bare
            _require_columns(schema, path)
        elif not bare.equals(schema):
            raise FeatureColumnsError(
                f"Files of one folder must have the same columns, got others in {file}. Write them alike."
            )
        rows += metadata.num_rows
        note = (own.metadata or {}).get(_NOTE)
        if note is not None:
            provenance.append(Provenance(**json.loads(note)))
    if schema is None:
        raise ObservationError(f"Features must be Parquet, got none: {path}. Name another.")
    return ParquetSource(files, schema, rows, tuple(provenance))


def _metadata(file: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(file)
    except (OSError, pa.ArrowInvalid):
        # Arrow's own words may quote the file.
        raise ObservationError(f"Features must be a Parquet file, got none that can be read: {file}.") from None


def _require_columns(schema: pa.Schema, path: Path) -> None:
    missing = [name for name in INDEX if name not in schema.names]
    if missing:
        raise ObservationError(f"{path} must have subject_id and as_of, got no {' and no '.join(missing)}. Add it.")
    kind = schema.field("as_of").type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise ObservationError(f"as_of in {path} must be timezone-aware timestamps, got {kind}. Localize to UTC.")
    absent = [name for name in MASK_COLUMNS.values() if name not in schema.names]
    if absent:
        raise FeatureColumnsError(
            f"{path} must carry the five consent columns, got no {absent[0]}. Build it: benne features build"
        )
