"""Raw tables where they lie: a file, a folder of files, or a table in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import EventSchemaError
from benne.features.events.refusals import Findings, Refusal
from benne.features.events.tables import TABLES

__all__ = ["Peers", "Piece", "RawTable", "raw_from_folder", "raw_from_mapping"]

_BATCH_ROWS = 131_072
_UNREADABLE = (OSError, pa.ArrowException)
_WRITE_AGAIN = "Write it again, or leave it out."


@dataclass(frozen=True)
class Piece:
    """One file of a raw table, or the one table in memory.

    Parameters
    ----------
    file : str
        Path relative to the raw folder; empty in memory.
    source : pyarrow.Table or Path
    schema : pyarrow.Schema
    """

    file: str
    source: pa.Table | Path
    schema: pa.Schema

    def batches(self, table: str, findings: Findings) -> Iterator[pa.Table]:
        """Pieces of bounded size, at least one, so that an empty file shows its columns too.

        A file that breaks off is refused where it does.
        """
        if isinstance(self.source, pa.Table):
            for start in range(0, max(self.source.num_rows, 1), _BATCH_ROWS):
                yield self.source.slice(start, _BATCH_ROWS)
            return
        read = 0
        try:
            with pq.ParquetFile(self.source, page_checksum_verification=True) as file:
                if not file.metadata.num_rows:
                    yield self.schema.empty_table()
                for batch in file.iter_batches(_BATCH_ROWS):
                    yield pa.Table.from_batches([batch])
                    read += batch.num_rows
        except _UNREADABLE:  # Arrow's own message may quote a value
            got = f"a file that cannot be read as such after row {read}"
            broken = Refusal(table, "", self.file, "be Parquet", _WRITE_AGAIN, got=got)
        else:
            return
        findings.add([broken])


class Peers:
    """The files of one table beside each other: what one of them has otherwise than most.

    Parameters
    ----------
    schemas : sequence of pyarrow.Schema
    """

    def __init__(self, schemas: Sequence[pa.Schema] = ()) -> None:
        self._schemas = schemas
        self._texts: dict[str, bool | None] = {}

    def compared(self, has_fault: Callable[[pa.Schema], bool]) -> str:
        """What to say of the other files where some, not all, have a fault."""
        right = sum(not has_fault(schema) for schema in self._schemas)
        return f" ({right} of the table's {len(self._schemas)} files are right in this)" if right else ""

    def mostly(self, column: str, kind_of: Callable[[pa.DataType], bool | None]) -> bool | None:
        """The kind most files give a column; None where none has any."""
        if column not in self._texts:
            kinds = (kind_of(s.field(column).type) for s in self._schemas if s.names.count(column) == 1)
            counted = Counter(kind for kind in kinds if kind is not None)
            self._texts[column] = counted.most_common(1)[0][0] if counted else None
        return self._texts[column]


@dataclass(frozen=True)
class RawTable:
    """A raw table: its name and its files, or the one table in memory.

    Parameters
    ----------
    name : str
    pieces : tuple of Piece
    """

    name: str
    pieces: tuple[Piece, ...]

    @property
    def peers(self) -> Peers:
        """The schemas of its files."""
        return Peers([piece.schema for piece in self.pieces if piece.file])


def raw_from_folder(folder: Path, findings: Findings) -> list[RawTable]:
    """Find the raw tables in a folder: ``<table>.parquet`` or ``<table>/*.parquet``.

    Raises
    ------
    EventSchemaError
        If there is no such folder; unless ``findings`` collects, if what it holds is not raw
        tables, or a file is not Parquet.
    """
    if not folder.is_dir():
        raise EventSchemaError(f"{folder} must be a folder of raw tables, got none. Name the folder that holds them.")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        name = path.stem if path.suffix == ".parquet" else path.name
        if name in found:
            findings.add([Refusal(name, "", "", f"hold the table {name} once", "Keep one.",
                                  got="a file and a folder", subject=str(folder))])  # fmt: skip
            continue
        found[name] = path
    _check_names(found, findings)
    return [_from_path(name, found[name], findings) for name in TABLES if name in found]


def raw_from_mapping(raw: Mapping[str, Any], findings: Findings) -> Iterator[RawTable]:
    """Raw tables by name: pandas or Polars DataFrames, Arrow tables, Parquet files or folders."""
    _check_names(raw, findings)
    for name in (n for n in TABLES if n in raw):
        if isinstance(raw[name], str | Path):
            yield _from_path(name, Path(raw[name]), findings)
        else:
            table = _arrow(name, raw[name])
            yield RawTable(name, (Piece("", table, table.schema),))


def _check_names(raw: Mapping[str, Any], findings: Findings) -> None:
    unknown = sorted(str(name) for name in set(raw) - set(TABLES))
    if unknown:
        findings.add([Refusal("", "", "", f"be among {', '.join(TABLES)}", "Rename or drop them.",
                              got=", ".join(unknown), subject="Event tables")])  # fmt: skip
    if "members" not in raw:
        findings.add([Refusal("members", "", "", "be there", "Add who joined, and when.", got="none",
                              subject="The table members")])  # fmt: skip


def _from_path(name: str, path: Path, findings: Findings) -> RawTable:
    files = _files(name, path, findings) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        findings.add([Refusal(name, "", path.name, "be a Parquet file, or a folder of some", "Name it.",
                              got=f"none at {path}")])  # fmt: skip
        files = []
    pieces = (_piece(name, file, file.relative_to(path.parent).as_posix(), findings) for file in files)
    return RawTable(name, tuple(piece for piece in pieces if piece is not None))


def _files(name: str, folder: Path, findings: Findings) -> list[Path]:
    # Spark and its like leave marks such as _SUCCESS and .crc beside the data.
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "_")))
    for entry in entries:
        if entry.is_dir() or entry.suffix != ".parquet":
            label = entry.relative_to(folder.parent).as_posix()
            got = f"a {'folder' if entry.is_dir() else 'file of another kind'}"
            findings.add([Refusal(name, "", label, "hold nothing but Parquet files", "Move it away.", got=got)])
    return [entry for entry in entries if entry.suffix == ".parquet" and not entry.is_dir()]


def _piece(name: str, path: Path, label: str, findings: Findings) -> Piece | None:
    try:
        return Piece(label, path, pq.read_schema(path))
    except _UNREADABLE:
        empty = path.stat().st_size == 0
        got = "a file of no bytes" if empty else "a file that cannot be read as such (foreign, or broken off)"
        broken = Refusal(name, "", label, "be Parquet", _WRITE_AGAIN, got=got)
    findings.add([broken])
    return None


def _arrow(name: str, source: Any) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pd.DataFrame):
        return pa.table(_pandas_columns(name, source))
    if hasattr(source, "__arrow_c_stream__"):  # Polars and whatever else speaks Arrow
        return pa.table(source)
    raise EventSchemaError(
        f"{name} must be a pandas or Polars DataFrame, an Arrow table or a Parquet path, "
        f"got {type(source).__name__}. Convert it first."
    )


def _pandas_columns(name: str, frame: pd.DataFrame) -> dict[str, pa.Array]:
    if frame.columns.has_duplicates:
        raise EventSchemaError(f"{name} must have each column once, got a repeated name. Drop or rename it.")
    columns = {}
    for column in frame.columns:
        try:
            columns[str(column)] = pa.array(frame[column], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            # Arrow's own message quotes the value.
            raise EventSchemaError(
                f"{name}.{column} must hold values of one type, got a mixture. Convert it first."
            ) from None
    return columns
