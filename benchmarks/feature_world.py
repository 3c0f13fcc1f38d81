"""Random payments, in the form in which Benne stores them: made in pieces, straight to Parquet, in bounded memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benne.features import Events, SubjectKey
from benne.features.events.clustering import ROW_GROUP_ROWS
from benne.features.events.events import write_manifest
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema

__all__ = [
    "INGESTED_AT", "KEY", "MOMENTS", "observations", "write_late", "write_observations", "write_raw", "write_stored",
    "write_unclustered",
]  # fmt: skip

KEY: Final = SubjectKey(b"benchmark key, not a secret, 32 bytes long")
INGESTED_AT: Final = datetime(2026, 2, 1, tzinfo=UTC)
MOMENTS: Final = tuple(datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=60 * k) for k in range(5))
"""Each member is observed up to 29 days after each of these, at a moment of their own."""

_SECOND: Final = 1_000_000
_START: Final = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()) * _SECOND
_JOINED: Final = _START - 86_400 * _SECOND
_SPAN_SECONDS: Final = 3 * 365 * 86_400
_OFFSET_SECONDS: Final = 29 * 86_400
_PIECE_ROWS: Final = 1_000_000
_COUNTERPARTIES: Final = 20_000
_CIRCLE: Final = 40  # counterparties whom one member deals with
_MAXIMUM: Final = 10_000_000
_KINDS: Final = {"purchase": 0.6, "bill": 0.2, "transfer": 0.15, "cash": 0.05}
_STATUS: Final = {"settled": 0.93, "failed": 0.05, "reversed": 0.02}
_PAYMENT_COLUMNS: Final = (
    "record_id", "subject_id", "event_time", "known_at", "direction", "kind", "amount", "status", "counterparty_id",
    "currency",
)  # fmt: skip
_MEMBER_COLUMNS: Final = ("record_id", "subject_id", "event_time", "known_at", "adult")

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Piece:
    """Payments of some members, sorted by member and time; all arrays are as long."""

    member: Integers
    time: Integers
    amount: Integers
    kind: Integers
    status: Integers
    direction: Integers
    counterparty: Integers


def write_stored(folder: Path, events: int, members: int) -> None:
    """Write a world as :func:`benne.features.ingest` would have stored it, without its door."""
    folder.mkdir(parents=True)
    subjects = _subjects(members)
    counterparties = _texts(np.random.default_rng(3), _COUNTERPARTIES)
    rng = np.random.default_rng(2)
    pieces = (_stored(piece, subjects, counterparties, rng) for piece in _pieces(events, members, _PIECE_ROWS))
    _write(folder / "payments.parquet", "payments", pieces)
    _write(folder / "members.parquet", "members", [_members(subjects)])
    _manifest(folder)
    write_observations(folder, subjects)


def write_raw(folder: Path, events: int, members: int) -> None:
    """Write the same world as a source would hand it over: raw ids, in no order."""
    folder.mkdir(parents=True)
    (piece,) = _pieces(events, members, events)
    rows = np.random.default_rng(4).permutation(events)
    joined = _moments(np.full(members, _JOINED))
    taken = _taken(piece, rows)
    pq.write_table(pa.table({
        "record_id": pa.array(rows).cast(pa.string()), "member_id": pa.array(piece.member[rows]).cast(pa.string()),
        "event_time": _moments(piece.time[rows]), "known_at": _moments(piece.time[rows]), **taken,
        "counterparty_id": pa.array(piece.counterparty[rows]).cast(pa.string()),
    }), folder / "payments.parquet")  # fmt: skip
    numbers = pa.array(np.arange(members)).cast(pa.string())
    pq.write_table(pa.table({
        "record_id": numbers, "member_id": numbers, "event_time": joined, "known_at": joined,
        "adult": pa.array(np.ones(members, dtype=bool)),
    }), folder / "members.parquet")  # fmt: skip


def write_observations(folder: Path, subjects: pa.Array | None = None) -> None:
    """Write who is observed when: ``observations-1.parquet`` and ``-5``, beside stored events."""
    if subjects is None:
        subjects = pq.read_table(folder / "members.parquet", columns=["subject_id"]).column(0).combine_chunks()
    own = np.random.default_rng(1).integers(0, _OFFSET_SECONDS, len(subjects)) * _SECOND
    starts = [int(moment.timestamp()) * _SECOND for moment in MOMENTS]
    for count in (1, len(starts)):
        as_of = np.concatenate([start + own for start in starts[:count]])
        table = pa.table({"subject_id": pa.concat_arrays([subjects] * count), "as_of": as_of})
        pq.write_table(table, folder / f"observations-{count}.parquet")


def observations(folder: Path, moments: int) -> pa.Table:
    """``subject_id`` and ``as_of`` (int64 µs), member after member, moment after moment."""
    return pq.read_table(folder / f"observations-{moments}.parquet")


def write_late(source: Path, target: Path, share: float, days: int) -> None:
    """Copy a stored world with a share of its payments known some days late."""
    rng = np.random.default_rng(5)

    def delayed() -> Iterator[pa.Table]:
        for batch in pq.ParquetFile(source / "payments.parquet").iter_batches(ROW_GROUP_ROWS):
            table = pa.Table.from_batches([batch])
            late = (rng.random(len(table)) < share) * (days * 86_400 * _SECOND)
            known = pa.array(table.column("known_at").to_numpy() + late)
            yield table.set_column(table.schema.get_field_index("known_at"), "known_at", known)

    _copy(source, target, delayed())


def write_unclustered(source: Path, target: Path) -> None:
    """Copy a stored world with its payments in no order: what a reader meets without the sorting at ingest."""
    path = str(source / "payments.parquet").replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false; set memory_limit = '2GB'")
        connection.execute(f"set temp_directory = '{source.parent}/spill'")
        shuffled = connection.sql(f"select * from read_parquet('{path}') order by hash(record_id)")  # noqa: S608
        _copy(source, target, (pa.Table.from_batches([b]) for b in shuffled.to_arrow_reader(ROW_GROUP_ROWS)))


def _pieces(events: int, members: int, rows: int) -> Iterator[_Piece]:
    """Some members have many payments and some none: their numbers are spread like waiting times."""
    rng = np.random.default_rng(0)
    weights = rng.standard_exponential(members)
    counts = rng.multinomial(events, weights / weights.sum())
    done, first = np.concatenate([[0], np.cumsum(counts)]), 0
    while first < members:
        last = max(first + 1, int(np.searchsorted(done, done[first] + rows, "right")) - 1)
        yield _piece(rng, np.repeat(np.arange(first, last), counts[first:last]))
        first = last


def _piece(rng: np.random.Generator, member: Integers) -> _Piece:
    key = np.sort(member * _SPAN_SECONDS + rng.integers(0, _SPAN_SECONDS, len(member)))
    member, seconds = np.divmod(key, _SPAN_SECONDS)
    size = len(member)
    return _Piece(
        member,
        _START + seconds * _SECOND,
        rng.integers(1, _MAXIMUM, size),
        rng.choice(len(_KINDS), size, p=list(_KINDS.values())),
        rng.choice(len(_STATUS), size, p=list(_STATUS.values())),
        rng.integers(0, 2, size),
        (member * 7_919 + rng.integers(0, _CIRCLE, size)) % _COUNTERPARTIES,
    )


def _stored(piece: _Piece, subjects: pa.Array, counterparties: pa.Array, rng: np.random.Generator) -> pa.Table:
    rows = np.arange(len(piece.member))
    return _conformed("payments", len(rows), {
        "record_id": _texts(rng, len(rows)), "subject_id": subjects.take(pa.array(piece.member)),
        "event_time": pa.array(piece.time), "known_at": pa.array(piece.time), **_taken(piece, rows),
        "counterparty_id": counterparties.take(pa.array(piece.counterparty)),
    })  # fmt: skip


def _taken(piece: _Piece, rows: Integers) -> dict[str, pa.Array]:
    """The columns that are the same in both forms."""
    coded = {"direction": (("in", "out"), piece.direction), "kind": (tuple(_KINDS), piece.kind),
             "status": (tuple(_STATUS), piece.status)}  # fmt: skip
    chosen = {name: pa.array(values).take(pa.array(codes[rows])) for name, (values, codes) in coded.items()}
    return chosen | {"amount": pa.array(piece.amount[rows]), "currency": pa.array(["EUR"] * len(rows))}


def _members(subjects: pa.Array) -> pa.Table:
    joined = pa.array(np.full(len(subjects), _JOINED))
    adult = pa.array(np.ones(len(subjects), dtype=bool))
    columns = {"record_id": subjects, "subject_id": subjects, "event_time": joined, "known_at": joined, "adult": adult}
    return _conformed("members", len(subjects), columns)


def _conformed(name: str, rows: int, columns: dict[str, Any]) -> pa.Table:
    schema = stored_schema(TABLES[name])
    return pa.table([columns[f.name] if f.name in columns else pa.nulls(rows, f.type) for f in schema], schema=schema)


def _subjects(members: int) -> pa.Array:
    return pa.array(np.sort(KEY.subject_ids(list(range(members))).astype(str)).tolist())


def _texts(rng: np.random.Generator, count: int) -> pa.Array:
    """Random texts of 32 hexadecimal digits, as keyed ids are: nothing compresses them."""
    offsets = np.arange(count + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(rng.bytes(16 * count).hex().encode()))


def _moments(micros: Integers) -> pa.Array:
    return pa.array(micros).cast(pa.timestamp("us", "UTC"))


def _copy(source: Path, target: Path, payments: Iterable[pa.Table]) -> None:
    target.mkdir(parents=True)
    _write(target / "payments.parquet", "payments", payments)
    for path in (source / "members.parquet", *source.glob("observations-*.parquet")):
        shutil.copy(path, target)
    _manifest(target)


def _write(path: Path, name: str, tables: Iterable[pa.Table]) -> None:
    """As ingest writes: zstd, row groups of one size."""
    schema = stored_schema(TABLES[name])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.cast(schema), row_group_size=ROW_GROUP_ROWS)


def _manifest(folder: Path) -> None:
    present = {"payments": _PAYMENT_COLUMNS, "members": _MEMBER_COLUMNS}
    sources: dict[str, pa.Table | Path] = {name: folder / f"{name}.parquet" for name in present}
    known_since = {(table, column): _JOINED for table, columns in present.items() for column in columns}
    write_manifest(folder, Events(sources, known_since, KEY.fingerprint, "made by a benchmark"))
