"""A table as a folder of many files: what may differ between them, and which one is named when it may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benne.errors import EventError, EventSchemaError, EventValueError
from benne.features import SubjectKey, ingest, load_events
from benne.features.events import check_raw

Frames = dict[str, pd.DataFrame]
Write = Callable[..., Path]
Rewrite = Callable[[Path, Callable[[pa.Table], pa.Table]], None]


def _put(column: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        made = values(table.column(column)) if callable(values) else pa.array(values)
        return table.set_column(table.schema.get_field_index(column), column, made)

    return change


DRIFTS: list[tuple[str, Callable[[pa.Table], pa.Table]]] = [
    ("narrower numbers", _put("amount", lambda c: pc.cast(c, pa.int32()))),
    ("floats, as pandas makes of gaps", _put("amount", lambda c: pc.cast(c, pa.float64()))),
    ("large strings", _put("kind", lambda c: pc.cast(c, pa.large_string()))),
    ("string views", _put("kind", lambda c: pc.cast(c, pa.string_view()))),
    ("dictionaries", _put("kind", lambda c: pc.dictionary_encode(c))),
    ("dictionaries of ids", _put("member_id", lambda c: pc.dictionary_encode(c))),
    ("other units of time", _put("event_time", lambda c: pc.cast(c, pa.timestamp("s", "Asia/Kolkata")))),
    ("an optional column left out", lambda table: table.drop_columns(["counterparty_id", "status"])),
    ("an empty column of another type", _put("counterparty_id", lambda c: pa.nulls(len(c), pa.float64()))),
    ("columns in another order", lambda table: table.select(table.column_names[::-1])),
]


@pytest.mark.parametrize("drift", [d[1] for d in DRIFTS], ids=[d[0] for d in DRIFTS])
def test_a_file_may_differ_in_form(
    drift: Any, many: Frames, as_files: Write, rewrite: Rewrite, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    raw = as_files(many, split="payments")
    try:
        rewrite(raw / "payments/part-017.parquet", drift)
    except pa.ArrowNotImplementedError:
        pytest.skip("this pyarrow cannot write such a column")
    stored = ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    assert stored.fingerprint == load_events(many, key=key, ingested_at=clock).fingerprint


REFUSED: list[tuple[str, Callable[[pa.Table], pa.Table], type[EventError], str]] = [
    ("a column of another kind", _put("amount", ["7"]), EventSchemaError,
     r"payments\.amount must be whole minor units \(int64\), got string in payments/part-017\.parquet "
     r"\(23 of the table's 24 files are right in this\)\. Convert it first"),
    ("a missing column", lambda table: table.drop_columns(["amount"]), EventSchemaError,
     r"payments must have the column\(s\) amount, got none in payments/part-017\.parquet "
     r"\(23 of the table's 24 files are right in this\)\. Add them"),
    ("an unknown column", lambda table: table.append_column("iban", pa.array(["DE89"])), EventSchemaError,
     r"payments must have columns among .*, got iban in payments/part-017\.parquet \(23 of the table's 24 files"),
    ("a repeated column", lambda table: table.append_column("amount", pa.array([1])), EventSchemaError,
     r"got a repeated name in payments/part-017\.parquet"),
    ("ids of another kind", _put("member_id", [4711]), EventSchemaError,
     r"payments\.member_id must be strings in all files, or whole numbers in all, got int64 in "
     r"payments/part-017\.parquet \(23 of the table's 24"),
    ("a wrong value", _put("amount", [-1]), EventValueError,
     r"payments\.amount must be at least 0, got 1 row\(s\) where it is not \(rows 0 of payments/part-017\.parquet\)"),
    ("a member nobody knows", _put("member_id", ["dora-4714"]), EventValueError,
     r"payments\.member_id must be in members, got 1 row\(s\) .*\(rows 0 of payments/part-017\.parquet\)"),
    ("a record twice", _put("record_id", ["p7"]), EventValueError,
     r"record_id must be unique in the table, got 2 row\(s\) .*"
     r"\(rows 0 of payments/part-007\.parquet, rows 0 of payments/part-017\.parquet\)"),
    ("another currency", _put("currency", ["USD"]), EventValueError,
     r"one currency in one load, got EUR, USD \(USD in payments\): 1 row.*\(rows 0 of payments/part-017\.parquet\)"),
    ("letters in no encoding", _put("source", lambda c: pa.array([b"\xff\xfe"]).view(pa.string())), EventValueError,
     r"payments\.source must be UTF-8, got 1 row\(s\) .*\(rows 0 of payments/part-017\.parquet\)"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "error", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_one_bad_file_among_many_is_named_and_nothing_is_written(
    spoil: Any, error: type[EventError], message: str, many: Frames, as_files: Write, rewrite: Rewrite,
    key: SubjectKey, clock: datetime, tmp_path: Path,
) -> None:  # fmt: skip
    raw = as_files(many, split="payments")
    rewrite(raw / "payments/part-017.parquet", spoil)
    with pytest.raises(error, match=message) as caught:
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
    assert not [word for word in ("anna", "dora", "DE89", str(tmp_path)) if word in str(caught.value)]
    found = check_raw(raw, key=key, ingested_at=clock)
    assert {refusal.file for refusal in found.refusals} <= {"payments/part-017.parquet", "payments/part-007.parquet"}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196  # the first columns; the footer is whole
    path.write_bytes(content)


@pytest.mark.parametrize(("spoil", "got"), [
    (_cut, "a file that cannot be read as such"),
    (_garbled, "a file that cannot be read as such after row 0"),
    (lambda path: path.write_bytes(b""), "a file of no bytes"),
    (lambda path: path.write_text("record_id,member_id"), "a file that cannot be read as such"),
], ids=["cut off", "garbled in the middle", "no bytes", "text"])  # fmt: skip
def test_a_broken_file_among_many_is_named(
    spoil: Any, got: str, many: Frames, as_files: Write, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    raw = as_files(many, split="payments")
    spoil(raw / "payments/part-017.parquet")
    with pytest.raises(EventSchemaError, match=f"payments must be Parquet, got {got}.* in payments/part-017") as caught:
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    assert caught.value.__cause__ is None
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_a_file_without_rows_is_taken_whatever_types_its_columns_have(
    many: Frames, as_files: Write, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    raw = as_files(many, split="payments")
    nothing = pa.table({name: pa.array([], pa.float64()) for name in many["payments"].columns})
    pq.write_table(nothing, raw / "payments/part-000a.parquet")
    stored = ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    assert stored.fingerprint == load_events(many, key=key, ingested_at=clock).fingerprint


def test_what_is_no_parquet_beside_the_files_is_not_passed_over(
    many: Frames, as_files: Write, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    raw = as_files(many, split="payments")
    (raw / "payments/_SUCCESS").touch()
    (raw / "payments/.part-001.parquet.crc").write_bytes(b"mark")
    assert ingest(raw, tmp_path / "out", key=key, ingested_at=clock).rows("payments") == 24
    (raw / "payments/2024").mkdir()
    with pytest.raises(EventSchemaError, match="must hold nothing but Parquet files, got a folder in payments/2024"):
        ingest(raw, tmp_path / "again", key=key, ingested_at=clock)


def test_a_table_of_a_thousand_files_is_one_table(
    good: Frames, as_files: Write, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    rows = pd.concat([good["payments"]] * 334, ignore_index=True).iloc[:1000]
    frames = {**good, "payments": rows.assign(record_id=[f"p{n}" for n in range(1000)], amount=np.arange(1000))}
    stored = ingest(as_files(frames, split="payments"), tmp_path / "out", key=key, ingested_at=clock)
    assert sum(stored.read("payments").column("amount").to_pylist()) == 999 * 1000 // 2


def test_the_order_of_rows_and_files_changes_nothing(
    many: Frames, as_files: Write, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    plain = load_events(many, key=key, ingested_at=clock)
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in many.items()}
    stored = ingest(as_files(shuffled, split="payments"), tmp_path / "out", key=key, ingested_at=clock)
    assert stored.fingerprint == plain.fingerprint
    assert all(stored.read(name).equals(plain.read(name)) for name in plain.tables)
