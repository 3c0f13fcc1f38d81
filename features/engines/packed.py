"""One member's rows in the kernel's own form, as bytes: what the online path reads in microseconds."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import numpy as np

from benne.errors import EventSchemaError
from benne.features.compute import Loaded
from benne.features.engines.packing import MOST_VALUES
from benne.features.events.tables import TABLES
from benne.features.kernel.layout import TABLE_COLUMNS
from benne.features.kernel.stream import NULL, Integers, Partition, Stream

__all__ = ["LAYOUT", "dump", "one_member", "restore"]

_HEAD: Final = struct.Struct("<8s32s8sqqq")  # mark, sha256 of the rest, layout, codes, ids of other members, tables
_MARK: Final = b"BENNEPK2"
_SEALED: Final = 40  # where what the checksum covers begins
_ID_BYTES: Final = 16

_COLUMNS = {name: [[c, list(TABLES[name].column(c).values)] for c in TABLE_COLUMNS[name]] for name in TABLE_COLUMNS}

LAYOUT: Final = sha256(json.dumps(_COLUMNS).encode()).digest()[:8]
"""Which columns and codes the bytes stand for; another Benne's bytes are refused."""


def dump(loaded: Loaded) -> bytes:
    """One member's rows as bytes.

    Parameters
    ----------
    loaded : Loaded
        Of a single member.
    """
    partition = loaded.partition
    sizes = (partition.last - partition.first)[: len(TABLE_COLUMNS), 0]
    ids = b"".join(bytes.fromhex(one) for one in loaded.member_ids)
    numbers = [sizes, partition.rows.time, partition.rows.known_at, partition.rows.superseded_at, partition.rows.cells]
    body = b"".join(part.astype("<i8", copy=False).tobytes() for part in numbers) + ids
    head = _HEAD.pack(_MARK, b"", LAYOUT, partition.codes, len(loaded.member_ids), len(TABLE_COLUMNS))
    seal = sha256(head[_SEALED:] + body).digest()
    return head[:8] + seal + head[_SEALED:] + body


def restore(packed: bytes) -> Loaded:
    """The member's rows again.

    Parameters
    ----------
    packed : bytes

    Raises
    ------
    EventSchemaError
        If the bytes are not what this Benne writes.
    """
    if len(packed) < _HEAD.size:
        raise EventSchemaError("A member's packed rows must be whole, got fewer bytes. Load the store again.")
    mark, seal, layout, codes, members, count = _HEAD.unpack_from(packed)
    if mark == _MARK and sha256(packed[_SEALED:]).digest() != seal:  # compiled code trusts lengths and codes
        raise EventSchemaError("A member's packed rows must be as they were written, got others. Load the store again.")
    if mark != _MARK or layout != LAYOUT or count != len(TABLE_COLUMNS):
        raise EventSchemaError("A member's packed rows must be of this version of Benne, got others. Load them again.")
    ids = len(packed) - members * _ID_BYTES
    numbers = np.frombuffer(packed, dtype="<i8", count=(ids - _HEAD.size) // 8, offset=_HEAD.size).astype(np.int64)
    sizes, rest = np.split(numbers, [count])
    rows = int(sizes.sum())
    time, known, superseded, cells = np.split(rest, [rows, 2 * rows, 3 * rows])
    partition = Partition.of_one_subject(time, known, superseded, cells, sizes, codes)
    return Loaded(partition, [packed[k : k + _ID_BYTES].hex() for k in range(ids, len(packed), _ID_BYTES)])


def one_member(loaded: Loaded, subject: int) -> Loaded:
    """The rows of one of several members, with ids numbered anew."""
    partition, codes, streams = loaded.partition, 1, {}
    ids: dict[str, Integers] = {}
    for name, number in _tables(partition):
        rows = slice(int(partition.first[number, subject]), int(partition.last[number, subject]))
        streams[name] = _stream(partition, name, number, rows)
    for domain, places in _domains().items():
        used = [(t, c) for t, c in places if t in streams]
        values = np.concatenate([np.empty(0, dtype=np.int64), *(streams[t].columns[c] for t, c in used)])
        ids[domain], numbered = np.unique(values[values != NULL], return_inverse=True)
        values[values != NULL] = numbered
        ends = np.cumsum([len(streams[t]) for t, _ in used])
        for (t, c), part in zip(used, np.split(values, ends[:-1]) if used else [], strict=True):
            streams[t].columns[c][:] = part
        codes = max(codes, len(ids[domain]))
    others = [loaded.member_ids[int(code)] for code in ids.get("member", ())]
    return Loaded(Partition.of(streams, 1, max(codes, MOST_VALUES)), others)


def _tables(partition: Partition) -> Iterator[tuple[str, int]]:
    for number, name in enumerate(TABLE_COLUMNS):
        if (partition.last[number] > partition.first[number]).any():
            yield name, number


def _stream(partition: Partition, name: str, number: int, rows: slice) -> Stream:
    whole = partition.rows
    columns = {
        column: whole.cells[whole.cell_of[number, k] + rows.start : whole.cell_of[number, k] + rows.stop].copy()
        for k, column in enumerate(TABLE_COLUMNS[name])
    }
    subject = np.zeros(rows.stop - rows.start, dtype=np.int64)
    return Stream(subject, whole.time[rows], whole.known_at[rows], whole.superseded_at[rows], columns)


def _domains() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for name, columns in TABLE_COLUMNS.items():
        for title in columns:
            column = TABLES[name].column(title)
            if column.kind == "id":
                found.setdefault(column.domain, []).append((name, title))
    return found
