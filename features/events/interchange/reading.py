"""One table's file, Parquet or CSV, in batches of the format's own types; what is wrong goes to the findings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benne.features.events.interchange.columns import WireTable, wire_schema
from benne.features.events.interchange.findings import Findings
from benne.features.events.interchange.manifest import FileEntry
from benne.features.events.interchange.package import Limits
from benne.features.events.tables import Column

__all__ = ["MOMENT_PATTERN", "read_table"]

MOMENT_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"
_WHOLE_NUMBER: Final = "^-?(0|[1-9][0-9]{0,17})$"
_BATCH_ROWS: Final = 131_072
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_LINE: Final = 4_096
_LONGEST_TEXT: Final = 128


def read_table(
    folder: Path, entry: FileEntry, table: WireTable, limits: Limits, findings: Findings
) -> Iterator[pa.Table]:
    """Batches with the columns and types of :func:`wire_schema`; none where the form is wrong.

    Parameters
    ----------
    folder : Path
    entry : FileEntry
        What the manifest declares about the file.
    table : WireTable
    limits : Limits
    findings : Findings
        Told of a form that is wrong, and of cells that cannot be read; those become null.
    """
    read = _parquet if entry.format == "parquet" else _csv
    rows = 0
    try:
        for batch in read(folder / entry.name, entry, table, limits, findings):
            rows += batch.num_rows
            yield batch
        if rows != entry.rows:
            raise _OtherForm("have as many rows as declared")
    except _OtherForm as must:
        findings.form(f"{entry.name} must {must}")
    except (OSError, pa.ArrowException):  # Arrow's own message quotes what it read
        findings.form(f"{entry.name} must be whole and readable as {entry.format}, in UTF-8")


class _OtherForm(Exception):
    """What a file must be and is not."""


def _parquet(path: Path, entry: FileEntry, table: WireTable, limits: Limits, _: Findings) -> Iterator[pa.Table]:
    metadata = pq.read_metadata(path)
    _check_parquet(metadata, entry, table, limits)
    texts = [c.name for c in table.columns if c.kind not in _PARQUET_TYPES]
    # Texts stay dictionaries until their length is known: a long one could be named a million times.
    with pq.ParquetFile(path, metadata=metadata, read_dictionary=texts, page_checksum_verification=True) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            if any(_too_long(batch.column(name)) for name in texts):
                raise _OtherForm(f"hold no text of more than {_LONGEST_TEXT} bytes")
            yield pa.Table.from_batches([batch]).select(table.names).cast(wire_schema(table))


def _check_parquet(metadata: pq.FileMetaData, entry: FileEntry, table: WireTable, limits: Limits) -> None:
    schema = metadata.schema.to_arrow_schema()
    if sorted(schema.names) != sorted(table.names):
        raise _OtherForm(f"have exactly the columns {', '.join(table.names)}")
    if metadata.num_rows != entry.rows:
        raise _OtherForm("have as many rows as declared")
    if sum(metadata.row_group(g).total_byte_size for g in range(metadata.num_row_groups)) > limits.bytes:
        raise _OtherForm("not unpack to more than the limit")
    wrong = [c for c in table.columns if not _fits(c, schema.field(c.name).type)]
    if wrong:
        raise _OtherForm("; ".join(f"have {_PARQUET_TYPES.get(c.kind, 'strings')} in {c.name}" for c in wrong))


def _too_long(values: pa.Array) -> bool:
    words = values.dictionary if pa.types.is_dictionary(values.type) else values
    longest = pc.max(pc.binary_length(words)).as_py()
    return longest is not None and longest > _LONGEST_TEXT


_PARQUET_TYPES: Final = {
    "time": "timestamps in UTC (isAdjustedToUTC), in milli-, micro- or nanoseconds",
    "money": "64-bit or 32-bit integers",
    "integer": "64-bit or 32-bit integers",
    "flag": "booleans",
}


def _fits(column: Column, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if column.kind == "time":
        return bool(pa.types.is_timestamp(kind) and kind.tz is not None)
    if column.kind == "flag":
        return bool(pa.types.is_boolean(kind))
    if column.kind in ("money", "integer"):
        return bool(pa.types.is_int64(kind) or pa.types.is_int32(kind))
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _csv(path: Path, entry: FileEntry, table: WireTable, _: Limits, findings: Findings) -> Iterator[pa.Table]:
    header = _header(path)
    if header is None or sorted(header) != sorted(table.names):
        raise _OtherForm(f"begin with one line of exactly the columns {', '.join(table.names)}, no byte order mark")
    if _lines(path) != entry.rows + 1:  # no value of the format can hold a line end
        raise _OtherForm("have one line for the header and one for each declared row")
    reader = pacsv.open_csv(
        path,
        parse_options=pacsv.ParseOptions(ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(table.names, pa.string()),
            strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True,
        ),
    )  # fmt: skip
    first_row = 0
    for batch in reader:
        cells = [_cells(table, c, batch.column(c.name), findings, first_row) for c in table.columns]
        yield pa.Table.from_arrays(cells, schema=wire_schema(table))
        first_row += batch.num_rows


def _header(path: Path) -> list[str] | None:
    with path.open("rb") as file:
        line = file.readline(_LONGEST_LINE)
    if line.startswith(_BOM) or not line.endswith(b"\n"):
        return None
    names = line.rstrip(b"\r\n").decode("utf-8", errors="replace").split(",")
    return [name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name for name in names]


def _lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")


def _cells(table: WireTable, column: Column, texts: pa.Array, findings: Findings, first_row: int) -> pa.Array:
    if column.kind == "time":
        readable, must = _moments(texts)
    elif column.kind == "flag":
        fits = pc.is_in(texts, pa.array(["true", "false"]))
        readable, must = pc.equal(pc.if_else(fits, texts, None), "true"), "be true or false"
    elif column.kind in ("money", "integer"):
        fits = pc.match_substring_regex(texts, _WHOLE_NUMBER)
        readable, must = pc.cast(pc.if_else(fits, texts, None), pa.int64()), "be a whole number"
    else:
        return texts
    lost = pc.and_(pc.is_null(readable), pc.is_valid(texts))
    findings.rows(f"{table.name}.{column.name} must {must}", lost.to_numpy(zero_copy_only=False), first_row)
    return readable


def _moments(texts: pa.Array) -> tuple[pa.Array, str]:
    must = "be a moment in UTC such as 2026-01-31T12:00:00Z (RFC 3339)"
    kind = pa.timestamp("us", "UTC")
    formed = pc.if_else(pc.match_substring_regex(texts, MOMENT_PATTERN), texts, None)
    try:
        return pc.cast(formed, kind), must
    except pa.ArrowInvalid:  # some day that no calendar has: found one by one
        known = np.array([text is None or _is_real(text) for text in formed.to_pylist()], dtype=bool)
        return pc.cast(pc.if_else(pa.array(known), formed, None), kind), must


def _is_real(text: Any) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
