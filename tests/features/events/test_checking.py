"""The full check: everything that would be refused, by the door's own rules, and nobody's data in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benne.errors import EventError, EventSchemaError, EventValueError
from benne.features import SubjectKey, ingest
from benne.features.events import RefusalReport, check_raw

Frames = dict[str, pd.DataFrame]
Write = Callable[..., Path]


@pytest.fixture
def spoiled(many: Frames, as_files: Write) -> Path:
    """Two dozen files of payments, seven of them wrong, each otherwise; a due and a repayment wrong too."""
    many["dues"].loc[1, "amount_due"] = -5
    many["repayments"].loc[[0, 2], "due_id"] = ["due-ben-4712", "due-nowhere"]
    raw = as_files(many, split="payments")
    wrong: dict[int, tuple[str, Any]] = {
        3: ("amount", pa.array([-1])), 4: ("amount", pa.array([-1])), 5: ("amount", pa.array(["seven"])),
        6: ("kind", pa.array(["gambling"])), 7: ("member_id", pa.array(["dora-4714"])),
        8: ("event_time", pa.array([None], pa.timestamp("us", "UTC"))), 9: ("currency", pa.array(["USD"])),
    }  # fmt: skip
    for number, (column, values) in wrong.items():
        path = raw / f"payments/part-{number:03}.parquet"
        table = pq.read_table(path)
        pq.write_table(table.set_column(table.schema.get_field_index(column), column, values), path)
    return raw


def test_all_problems_are_found_at_once_each_in_its_file(spoiled: Path, key: SubjectKey, clock: datetime) -> None:
    found = check_raw(spoiled, key=key, ingested_at=clock)
    said = [(r.table, r.column, r.file, r.must.split(",")[0], r.rows, r.positions) for r in found.refusals]
    assert said == [
        ("dues", "amount_due", "dues.parquet", "be at least 1", 1, (1,)),
        ("payments", "amount", "payments/part-003.parquet", "be at least 0", 1, (0,)),
        ("payments", "amount", "payments/part-004.parquet", "be at least 0", 1, (0,)),
        ("payments", "amount", "payments/part-005.parquet", "be whole minor units (int64)", 0, ()),
        ("payments", "kind", "payments/part-006.parquet", "be one of purchase", 1, (0,)),
        ("payments", "event_time", "payments/part-008.parquet", "hold no null", 1, (0,)),
        ("repayments", "due_id", "repayments.parquet", "name a due of the same member", 2, (0, 2)),
        ("payments", "member_id", "payments/part-007.parquet", "be in members", 1, (0,)),
        ("payments", "currency", "payments/part-009.parquet", "be in one currency in one load", 1, (0,)),
    ]
    assert not found.ok
    assert (found.rows["payments"], found.files["payments"], found.files["dues"]) == (24, 24, 1)
    assert found.unchecked == ("payments.supersedes must name an earlier record of the same member and table",)


def test_the_report_holds_no_value_in_any_form(spoiled: Path, key: SubjectKey, clock: datetime) -> None:
    found = check_raw(spoiled, key=key, ingested_at=clock)
    for text in (str(found), found.to_json(), found.to_frame().to_csv(), repr(found)):
        assert not [word for word in ("4711", "dora", "gambling", "seven", "nowhere", "-5") if word in text]


def test_the_report_is_a_frame_json_and_text(spoiled: Path, key: SubjectKey, clock: datetime) -> None:
    found = check_raw(spoiled, key=key, ingested_at=clock)
    frame, data = found.to_frame(), json.loads(found.to_json())
    assert frame.columns.tolist() == ["table", "column", "file", "rows", "positions", "must", "got", "others", "advice"]
    assert frame["rows"].sum() == sum(one["rows"] for one in data["refusals"]) == 9
    assert (data["format"], data["ok"], data["files"]["payments"]) == (1, False, 24)
    lines = str(found).splitlines()
    assert len(lines) == len(found.by_rule()) + len(found.unchecked) == 9
    assert lines[1] == (
        "payments.amount must be at least 0, got 2 row(s) where it is not (rows 0 of payments/part-003.parquet, "
        "rows 0 of payments/part-004.parquet). Correct or drop those rows."
    )


def test_what_the_check_finds_first_is_what_ingest_refuses(
    spoiled: Path, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    found = check_raw(spoiled, key=key, ingested_at=clock)
    with pytest.raises(EventError, match="must be at least 1, got 1 row") as caught:
        ingest(spoiled, tmp_path / "out", key=key, ingested_at=clock)
    assert str(caught.value) == str(found).splitlines()[0]


def test_a_load_that_is_right_is_reported_so_and_leaves_nothing(
    many: Frames, as_files: Write, clock: datetime, tmp_path: Path
) -> None:
    many["payments"] = many["payments"].drop(columns="known_at")
    raw = as_files(many, split="payments")
    work, told = tmp_path / "work", []
    work.mkdir()
    found = check_raw(raw, ingested_at=clock, workspace=work, progress=lambda name, rows: told.append((name, rows)))
    assert found.ok
    assert (str(found), found.to_json().count('"ok": true')) == ("Nothing is refused.", 1)
    assert (found.undated, len(found.to_frame())) == ({"payments": 24}, 0)
    assert told.count(("payments", 1)) == 24
    assert list(work.iterdir()) == []


def test_without_members_the_rest_is_checked_all_the_same(many: Frames, as_files: Write, clock: datetime) -> None:
    many["payments"].loc[2, "amount"] = -1
    raw = as_files({n: f for n, f in many.items() if n not in ("members", "dues")})
    (raw / "likes.parquet").write_bytes(b"")
    found = check_raw(raw, ingested_at=clock)
    assert [(r.thing, r.must.split(",")[0]) for r in found.refusals] == [
        ("Event tables", "be among members"), ("The table members", "be there"), ("payments.amount", "be at least 0"),
        ("repayments", "come with the table dues"),
    ]  # fmt: skip
    assert "payments.member_id must be in members" in found.unchecked


def test_a_member_in_a_file_that_cannot_be_read_is_not_called_unknown(
    many: Frames, as_files: Write, clock: datetime
) -> None:
    raw = as_files(many, split="members")
    (raw / "members/part-001.parquet").write_bytes(b"PAR1")
    found = check_raw(raw, ingested_at=clock)
    assert [refusal.file for refusal in found.refusals] == ["members/part-001.parquet"]
    assert found.unchecked.count("payments.member_id must be in members") == 1
    assert "Not checked, as a file could not be read: payments.member_id must be in members." in str(found)


def test_one_refused_value_breaks_no_second_rule(many: Frames, as_files: Write, clock: datetime) -> None:
    payments = many["payments"].assign(amount=[2.5, 1e300, *[7.0] * 22])
    payments.loc[3, "event_time"] = pd.Timestamp("1753-01-01", tz="UTC")
    found = check_raw(as_files({**many, "payments": payments}), ingested_at=clock)
    assert [(r.column, r.rows, r.positions) for r in found.refusals] == [
        ("event_time", 1, (3,)), ("amount", 2, (0, 1)),
    ]  # fmt: skip


def test_a_member_without_an_id_hides_no_unknown_member(many: Frames, as_files: Write, clock: datetime) -> None:
    many["members"].loc[1, "member_id"] = None
    many["payments"].loc[5, "member_id"] = "dora-4714"
    found = check_raw(as_files({name: many[name] for name in ("members", "payments")}), ingested_at=clock)
    assert [(r.thing, r.must, r.rows) for r in found.refusals] == [
        ("members.member_id", "hold no null", 1), ("payments.member_id", "be in members", 9),
    ]  # fmt: skip


def test_counts_run_through_all_batches_of_a_file(
    many: Frames, as_files: Write, clock: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benne.features.events.sources._BATCH_ROWS", 7)
    payments = many["payments"].assign(amount=[-1 if n % 5 == 4 else 1 for n in range(24)])
    (refusal,) = check_raw(as_files({**many, "payments": payments}), ingested_at=clock).refusals
    assert (refusal.rows, refusal.positions) == (4, (4, 9, 14, 19))


def test_many_wrong_files_are_as_many_refusals_of_one_rule(many: Frames, as_files: Write, clock: datetime) -> None:
    frames = {**many, "payments": many["payments"].drop(columns="amount")}
    found = check_raw(as_files(frames, split="payments"), ingested_at=clock)
    assert (len(found.refusals), len(found.by_rule())) == (24, 1)
    assert "in payments/part-000.parquet. Add them. The same in payments/part-001.parquet, " in str(found)
    assert len(str(found).splitlines()[0]) < 500


def test_what_the_check_itself_needs_is_checked(many: Frames, as_files: Write, clock: datetime, tmp_path: Path) -> None:
    with pytest.raises(EventSchemaError, match="must be a folder of raw tables, got none"):
        check_raw(tmp_path / "nowhere", ingested_at=clock)
    with pytest.raises(EventValueError, match="clock_skew must be between 0 and 3600 seconds, got 7200"):
        check_raw(as_files(many), ingested_at=clock, clock_skew=timedelta(hours=2))


def test_an_empty_report_has_its_columns() -> None:
    empty = RefusalReport((), rows={}, files={})
    assert empty.to_frame().columns.tolist()[:3] == ["table", "column", "file"]
    assert pc.sum(pa.array(empty.to_frame()["rows"])).as_py() is None
