"""One member's rows in their stored form: the truth the packed form is made from."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from benne.errors import EventSchemaError
from benne.features.compute import Loaded
from benne.features.engines.packing import pack, with_moments
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema

__all__ = ["from_bytes", "loaded_from", "to_bytes"]

_LENGTH = struct.Struct("<q")


def to_bytes(tables: Mapping[str, pa.Table]) -> bytes:
    """Tables as bytes: a directory of names and lengths, then each as an Arrow stream."""
    streams = {name: _stream(table) for name, table in tables.items() if table.num_rows}
    directory = json.dumps({name: len(content) for name, content in streams.items()}).encode()
    return _LENGTH.pack(len(directory)) + directory + b"".join(streams.values())


def from_bytes(content: bytes) -> dict[str, pa.Table]:
    """The tables again.

    Raises
    ------
    EventSchemaError
        If the bytes hold anything else than stored tables.
    """
    try:
        (length,) = _LENGTH.unpack_from(content)
        start = _LENGTH.size + length
        tables = {}
        for name, size in json.loads(content[_LENGTH.size : start]).items():
            tables[name] = pa.ipc.open_stream(content[start : start + size]).read_all()
            start += size
    except (struct.error, ValueError, pa.ArrowException):
        raise EventSchemaError("A member's stored rows must be whole, got others. Load the store again.") from None
    strange = [n for n, table in tables.items() if n not in TABLES or table.schema != stored_schema(TABLES[n])]
    if strange:
        raise EventSchemaError(
            f"A member's stored rows must have this version's columns, got other ones in {', '.join(sorted(strange))}. "
            "Load the store again."
        )
    return tables


def loaded_from(tables: Mapping[str, pa.Table]) -> Loaded:
    """What the kernel reads of one member's stored rows."""
    return pack({name: _with_moments(table) for name, table in tables.items()}, 1)


def _with_moments(table: pa.Table) -> pa.Table:
    corrected = table.column("supersedes").null_count < table.num_rows
    return with_moments(table, np.zeros(table.num_rows, dtype=np.int64), corrected=corrected)


def _stream(table: pa.Table) -> bytes:
    # Copied, for a slice is written with up to 63 bytes of what lies behind it: another member's rows.
    own = table.take(np.arange(table.num_rows)).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(own)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]
