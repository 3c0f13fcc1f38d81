"""Taking a member out of one exported file, whatever kind it is; what cannot be looked into is refused."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benne.errors import ErasureError

__all__ = ["take_out"]

_OPAQUE: Final = re.compile(
    r"\.(7z|avro|bz2|db|docx|feather|gz|lz4|ods|orc|pdf|pickle|pkl|sqlite|tar|tgz|xlsx|xz|zip|zst)", re.IGNORECASE
)
_PLAIN: Final = re.compile(r"null|bool|u?int\d+|float|double|halffloat|decimal.*|date\d+.*|time\w*\d+.*|duration.*")
_CHUNK: Final = 1 << 20


def take_out(path: Path, names: Collection[str]) -> None:
    """Remove every row that names a member; a file without one is not touched.

    Parameters
    ----------
    path : Path
        Parquet, CSV, JSON with a line for each row, or any other file without them.
    names : collection of str
        What the member is called in exports: hexadecimal digits.

    Raises
    ------
    ErasureError
        If the file names the member, or could, and is of a kind that rows cannot be taken out of.

    Notes
    -----
    The file is replaced whole or not at all. Rows about others that name the member go too.
    """
    wanted = re.compile("|".join(map(re.escape, sorted(names))))
    rewrite = _REWRITES.get(path.suffix.lower())
    if rewrite is not None:
        rewrite(path, wanted)
    elif _OPAQUE.fullmatch(path.suffix):
        raise ErasureError(
            f"{path} must be of a kind that can be looked into, or carry whom it is about in its name, and does "
            "neither. Unpack, move or delete it, and resume."
        )
    elif _mentions(path, wanted):
        raise ErasureError(
            f"{path} must be of a kind that rows can be taken out of (Parquet, CSV, JSON lines), or carry whom it is "
            "about in its name, and does neither. Delete it or write it anew, and resume."
        )


def _rewrite_parquet(path: Path, wanted: re.Pattern[str]) -> None:
    try:
        with pq.ParquetFile(path) as file:
            beside = _without_the_member(file, path, wanted)
    except pa.ArrowInvalid:  # its text may quote a value
        raise ErasureError(f"{path} must be a whole Parquet file, and is not. Move or delete it, and resume.") from None
    if beside is not None:
        _put_in_place(beside, path)


def _without_the_member(file: pq.ParquetFile, path: Path, wanted: re.Pattern[str]) -> Path | None:
    """A copy without the rows that name the member; None where no row does."""
    if _within(file.metadata.metadata or {}, wanted) or _within(file.schema_arrow.names, wanted):
        raise ErasureError(f"{path} must not name a member beside its rows, and does. Delete it, and resume.")
    groups = range(file.num_row_groups)
    if not any(pc.any(_naming(file.read_row_group(g), wanted)).as_py() for g in groups):
        return None
    codec, beside = file.metadata.row_group(0).column(0).compression, _beside(path)
    codec = "none" if codec == "UNCOMPRESSED" else codec
    with pq.ParquetWriter(beside, file.schema_arrow, compression=codec) as out:
        for group in groups:
            rows = file.read_row_group(group)
            out.write_table(rows.filter(pc.invert(_naming(rows, wanted))))
    return beside


def _naming(rows: pa.Table, wanted: re.Pattern[str]) -> pa.ChunkedArray:
    """Which rows name the member in any column."""
    naming = pa.chunked_array([pa.nulls(rows.num_rows, pa.bool_()).fill_null(False)])
    for column in rows.columns:
        if not _PLAIN.fullmatch(str(column.type)):
            naming = pc.or_(naming, _naming_in(column, wanted))
    return naming


def _naming_in(column: pa.ChunkedArray, wanted: re.Pattern[str]) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.match_substring_regex(column, wanted.pattern).fill_null(False)
    return pa.chunked_array([pa.array([_within(value, wanted) for value in column.to_pylist()], pa.bool_())])


def _within(value: Any, wanted: re.Pattern[str]) -> bool:
    """Whether a nested or binary value names the member, in text or in bytes."""
    if isinstance(value, bytes):
        return bool(wanted.search(value.decode("latin-1")) or wanted.search(value.hex()))
    if isinstance(value, dict):
        return any(_within(part, wanted) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(_within(part, wanted) for part in value)
    return bool(wanted.search(str(value)))


def _rewrite_lines(path: Path, wanted: re.Pattern[str]) -> None:
    _rewrite_records(path, wanted, lambda file: ((line, line) for line in file))


def _rewrite_csv(path: Path, wanted: re.Pattern[str]) -> None:
    _rewrite_records(path, wanted, _csv_records)


def _csv_records(file: TextIO) -> Iterator[tuple[str, str]]:
    """Each record as it is written, line feeds in quotes included, with its text to search in."""
    lines: list[str] = []

    def remembered() -> Iterator[str]:
        for line in file:
            lines.append(line)
            yield line

    for fields in csv.reader(remembered()):
        yield "".join(lines), "\0".join(fields)
        lines.clear()


def _rewrite_records(
    path: Path, wanted: re.Pattern[str], records: Callable[[TextIO], Iterator[tuple[str, str]]]
) -> None:
    if not _mentions(path, wanted):
        return
    beside = _beside(path)
    with (
        path.open(encoding="utf-8", errors="surrogateescape", newline="") as file,
        beside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out,
    ):
        out.writelines(raw for raw, text in records(file) if not wanted.search(text))
    _put_in_place(beside, path)


def _mentions(path: Path, wanted: re.Pattern[str]) -> bool:
    longest = max(map(len, wanted.pattern.split("|")))
    tail = ""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = tail + chunk.decode("latin-1")
            if wanted.search(text):
                return True
            tail = text[-longest:]
    return False


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.erasing")


def _put_in_place(beside: Path, path: Path) -> None:
    shutil.copymode(path, beside)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)


_REWRITES: Final[dict[str, Callable[[Path, re.Pattern[str]], None]]] = {
    ".parquet": _rewrite_parquet,
    ".csv": _rewrite_csv,
    ".jsonl": _rewrite_lines,
    ".ndjson": _rewrite_lines,
}
