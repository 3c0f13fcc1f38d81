"""Packages that are wrong, by accident or on purpose: each refused, no value said, nothing written."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benne.errors import EventError, EventSchemaError, EventValueError
from benne.features import SubjectKey
from benne.features.events.interchange import ImportOptions, Limits, check_package

SECRET = "Anna-Musterfrau"

Forge = Callable[[Any], Any]


def _refused(receiver: Any, package: Path, error: type[EventError], message: str, **changes: Any) -> None:
    before = receiver.left
    with pytest.raises(error, match=message) as refusal:
        receiver.take(package, **changes)
    assert SECRET not in str(refusal.value)
    assert receiver.left == before


# ------------------------------------------------------------------ manifests


def _nested(forged: Any) -> None:
    forged.write(b'{"format": ' + b"[" * 100_000)


def _twice(forged: Any) -> None:
    text = json.dumps(forged.manifest)
    forged.write((text[:-1] + ', "version": "1.0"}').encode())


def _file(**changes: Any) -> Forge:
    def change(forged: Any) -> None:
        forged.say(files=[e | changes if e["table"] == "dues" else e for e in forged.manifest["files"]])

    return change


def _say(**changes: Any) -> Forge:
    return lambda forged: forged.say(**changes)


MANIFESTS: list[tuple[str, Forge, str]] = [
    ("a path that leads out", _file(name="../../secret.csv"), r"files\[1\]\.name must match"),
    ("an absolute path", _file(name="/etc/passwd"), r"files\[1\]\.name must match"),
    ("another table's file", _file(name="repayments.csv"), r"files\[1\]\.name must be its table, a dot and its format"),
    ("an unknown table", _file(table="members", name="members.csv"), r"files\[1\]\.table must be one of obligation_ev"),
    ("a table twice", lambda f: f.say(files=f.manifest["files"][:1] * 2), "files must name each table once"),
    ("no tables", _say(files=[]), r"files must have at least 1 item\(s\)"),
    ("an unknown version", _say(version="2.0"), r"must be of version 1\.0, got another or none"),
    ("an unknown minor version", _say(version="1.1"), r"must be of version 1\.0, got another or none"),
    ("another format", _say(format=SECRET), "must be of format benne-interchange, got another"),
    ("an unknown property", _say(**{SECRET: SECRET}), r"must have no properties but .* \(1 other found\)"),
    ("a missing property", _say(period={}), "period must have start"),
    ("a number for a text", _say(purpose=7), "purpose must be of type string"),
    ("a truth for a number", _file(rows=True), r"files\[1\]\.rows must be of type integer"),
    ("fewer rows than none", _file(rows=-1), r"files\[1\]\.rows must be at least 0"),
    ("text that moves the cursor", _say(purpose="lend\x1b[2Jing"), "purpose must match"),
    ("a line end after a name", _say(jurisdiction="de\n"), "jurisdiction must match"),
    ("a moment without zone", _say(created_at="2025-01-01T00:00:00"), "created_at must match"),
    ("a moment of no calendar", _say(created_at="2025-02-30T00:00:00Z"), "must be moments of the calendar"),
    ("a period after the package", _say(period={"start": "2024-01-01T00:00:00Z", "end": "2025-02-01T00:00:00Z"}),
     "period must end after it starts, and no later than created_at"),
    ("no object", lambda f: f.write(b"[]"), "must be one JSON object"),
    ("no JSON", lambda f: f.write(f'{{"format": "{SECRET}'.encode()), "must be one JSON object"),
    ("a property twice", _twice, "must be one JSON object in UTF-8 that names each property once"),
    ("endless nesting", _nested, "must be one JSON object"),
    ("a byte order mark", lambda f: f.write(b"\xef\xbb\xbf" + json.dumps(f.manifest).encode()), "must be one JSON obj"),
    ("a very long manifest", lambda f: f.write(b" " * 300_000), "must be at most 262144 bytes, got more"),
    ("no manifest", lambda f: (f.folder / "manifest.json").unlink(), r"must hold manifest\.json, got none"),
    ("no seal", lambda f: (f.folder / "manifest.mac").unlink(), r"must hold manifest\.mac, got none"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), [it[1:] for it in MANIFESTS], ids=[it[0] for it in MANIFESTS])
def test_a_manifest_that_is_not_one_is_refused(forge, receiver, change, message):
    forged = forge()
    change(forged)
    _refused(receiver, forged.folder, EventSchemaError, message)


@pytest.mark.parametrize(("changes", "message"), [
    ({"institution_id": "inst-c"}, r"institution\.id must be inst-c, as agreed"),
    ({"recipient_id": "inst-c"}, r"recipient\.id must be inst-c, as agreed"),
    ({"currency": "JPY"}, "currency must be JPY, as agreed"),
    ({"identifier": "phone"}, r"member_ids\.identifier must be phone, as agreed"),
    ({"exchange_key": SubjectKey(b"another key between two others.." )}, "must name the exchange key that was given"),
])  # fmt: skip
def test_a_package_that_is_not_as_agreed_is_refused(forge, receiver, agreement, changes, message):
    _refused(receiver, forge().folder, EventSchemaError, message, agreement=replace(agreement, **changes))


def test_a_manifest_changed_by_somebody_without_the_key_is_refused(forge, receiver):
    forged = forge()
    text = (forged.folder / "manifest.json").read_text().replace("lending", "anything")
    (forged.folder / "manifest.json").write_text(text)
    _refused(receiver, forged.folder, EventSchemaError, "must carry the seal of a holder of the exchange key")


def test_a_package_from_the_future_is_refused(forge, receiver, created):
    early = created - timedelta(days=1)
    _refused(receiver, forge().folder, EventSchemaError, "must not be from the future", imported_at=early)


# ------------------------------------------------------------------ folders and zips


def test_anything_else_in_the_folder_is_refused(forge, receiver):
    forged = forge()
    (forged.folder / "readme.txt").write_text(SECRET)
    _refused(receiver, forged.folder, EventSchemaError, "tables as plain files, got something else")


def test_a_link_to_somewhere_else_is_not_followed(forge, receiver, tmp_path):
    forged = forge()
    (tmp_path / "elsewhere.csv").write_bytes((forged.folder / "dues.csv").read_bytes())
    (forged.folder / "dues.csv").unlink()
    (forged.folder / "dues.csv").symlink_to(tmp_path / "elsewhere.csv")
    _refused(receiver, forged.folder, EventSchemaError, "tables as plain files, got something else")


def test_a_table_the_manifest_does_not_name_is_refused(forge, receiver):
    forged = forge()
    forged.say(files=[e for e in forged.manifest["files"] if e["table"] != "withdrawals"])
    _refused(receiver, forged.folder, EventSchemaError, "must name every table that is there")


def test_a_table_that_is_not_there_is_refused(forge, receiver):
    forged = forge()
    (forged.folder / "dues.csv").unlink()
    _refused(receiver, forged.folder, EventSchemaError, r"dues\.csv must be there, as the manifest says")


def test_no_package_at_all_is_refused(receiver, tmp_path):
    _refused(receiver, tmp_path / "nowhere", EventSchemaError, r"must be a package \(a folder or a zip\), got none")


def _zipped(folder: Path, **extra: bytes) -> Path:
    target = folder.parent / "forged.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
        for name, content in extra.items():
            archive.writestr(name, content)
    return target


@pytest.mark.parametrize("name", ["../out.csv", "/etc/cron.d/x", "sub/dues.csv", "dues.csv.exe", "sub/"])
def test_a_zip_with_an_entry_of_another_name_is_not_unpacked(forge, receiver, tmp_path, name):
    package = _zipped(forge().folder, **{name: b"x"})
    _refused(receiver, package, EventSchemaError, "each once and in no folder, got something else")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_a_file_twice_is_refused(forge, receiver):
    package = _zipped(forge().folder, **{"dues.csv": b"x"})
    _refused(receiver, package, EventSchemaError, "each once and in no folder, got something else")


def test_a_zip_bomb_is_stopped_while_it_unpacks(forge, receiver):
    forged = forge()
    (forged.folder / "dues.csv").write_bytes(b"0" * 40_000_000)
    _refused(receiver, _zipped(forged.folder), EventSchemaError, r"dues\.csv must not unpack to more than the limit")


def test_a_zip_that_lies_about_its_lengths_is_refused(forge, receiver):
    package = _zipped(forge().folder)
    content = bytearray(package.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 10)
    package.write_bytes(content)
    _refused(
        receiver, package, EventSchemaError, "must be a zip without password that can be unpacked|that the manifest"
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"\0" * 40, b"%PDF-1.7"])
def test_what_is_no_zip_is_refused(receiver, tmp_path, content):
    (tmp_path / "package.zip").write_bytes(content)
    _refused(receiver, tmp_path / "package.zip", EventSchemaError, "must be a zip without password")


@pytest.mark.parametrize(("limits", "message"), [
    (Limits(rows=2), r"obligation_events\.csv must be within the limits of rows and bytes"),
    (Limits(bytes=100), r"dues\.csv must be within the limits of rows and bytes"),
])  # fmt: skip
def test_declared_counts_beyond_the_limits_are_refused_unread(forge, receiver, limits, message):
    _refused(receiver, forge().folder, EventSchemaError, message, options=ImportOptions(limits=limits))


# ------------------------------------------------------------------ files


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_file_that_is_not_the_one_described_is_refused(forge, receiver, file_format):
    forged = forge(file_format)
    path = forged.folder / f"dues.{file_format}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    _refused(
        receiver, forged.folder, EventSchemaError, r"must be the file that the manifest describes \(bytes, sha256\)"
    )


@pytest.mark.parametrize("cut", [0, 10, -8, -100])
def test_a_truncated_parquet_file_is_refused(forge, receiver, cut):
    forged = forge("parquet")
    forged.replace("dues", (forged.folder / "dues.parquet").read_bytes()[:cut])
    _refused(receiver, forged.folder, EventSchemaError, r"dues\.parquet must be whole and readable as parquet")


def _parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _set(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda t: t.set_column(t.column_names.index(name), name, values(t) if callable(values) else values)


PARQUETS: list[tuple[str, Callable[[pa.Table], pa.Table], str]] = [
    ("a missing column", lambda t: t.drop_columns("quality"), "must have exactly the columns source, source_record_id"),
    ("another column", lambda t: t.append_column(SECRET, t["source"]), "must have exactly the columns source"),
    ("fractions of money", _set("amount_due", pa.array([1.5] * 3)), "must have 64-bit or 32-bit integers in am"),
    ("naive times", _set("event_time", lambda t: pc.cast(t["event_time"], pa.timestamp("us"))),
     r"must have timestamps in UTC \(isAdjustedToUTC\).* in event_time"),
    ("dates for times", _set("event_time", lambda t: pc.cast(t["event_time"], pa.date32())), "timestamps in UTC"),
    ("numbers for ids", _set("due_id", pa.array([1, 2, 3])), "must have strings in due_id"),
    ("a text without end", _set("quality", pa.array([SECRET * 1000] * 3)), "must hold no text of more than 128 bytes"),
    ("parts of microseconds", _set("event_time", pa.array([1, 2, 3], pa.timestamp("ns", "UTC"))),
     "must be whole and readable as parquet"),
    ("fewer rows", lambda t: t.slice(1), "must have as many rows as declared"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), [it[1:] for it in PARQUETS], ids=[it[0] for it in PARQUETS])
def test_a_parquet_file_of_another_form_is_refused(forge, receiver, change, message):
    forged = forge("parquet")
    table = pq.read_table(forged.folder / "dues.parquet")
    forged.replace("dues", _parquet(change(table), coerce_timestamps=None, version="2.6"))
    _refused(receiver, forged.folder, EventSchemaError, message)


def test_a_long_text_named_a_million_times_does_not_fill_the_memory(forge, receiver):
    forged = forge("parquet")
    table = pq.read_table(forged.folder / "dues.parquet").take(pa.array([0] * 1_000_000))
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), pa.array(["x" * 100_000]))
    content = _parquet(_set("due_id", long)(table))
    assert len(content) < 2_000_000  # it would unpack to 100 GB
    forged.replace("dues", content, 1_000_000)
    _refused(receiver, forged.folder, EventSchemaError, "must hold no text of more than 128 bytes")


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_other_declared_rows_than_there_are_are_refused(forge, receiver, file_format):
    forged = forge(file_format)
    forged.describe("dues", rows=4)
    _refused(receiver, forged.folder, EventSchemaError, "must have as many rows as declared|one for each declared row")


def _content(change: Callable[[bytes], bytes]) -> Forge:
    return lambda forged: forged.replace("dues", change((forged.folder / "dues.csv").read_bytes()))


CSVS: list[tuple[str, Forge, str]] = [
    ("a byte order mark", _content(lambda c: b"\xef\xbb\xbf" + c), "no byte order mark"),
    ("another encoding", _content(lambda c: c.decode().encode("utf-16")), r"dues\.csv must begin with one line"),
    ("no header", _content(lambda c: c.split(b"\r\n", 1)[1]), "must begin with one line of exactly"),
    ("a header column twice", _content(lambda c: c.replace(b"quality", b"source", 1)), "must begin with one line"),
    ("a semicolon", _content(lambda c: c.replace(b",", b";")), "must begin with one line"),
    ("an embedded line end", lambda f: f.cell("dues", "due_id", "a\r\nb"), "one line for the header and one for each"),
    ("an embedded line end for a row", lambda f: f.replace("dues", (f.folder / "dues.csv").read_bytes().replace(
        b"inst-a", b'"in\r\nst-a"', 1).rsplit(b"\r\n", 2)[0] + b"\r\n"), "as many rows as declared|readable as csv"),
    ("a cell too many", _content(lambda c: c.replace(b"EUR", b"EUR,1", 1)), "must be whole and readable as csv"),
    ("no UTF-8", _content(lambda c: c.replace(b"EUR", b"EU\xff", 1)), "must be whole and readable as csv, in UTF-8"),
    ("an empty line", _content(lambda c: c + b"\r\n"), "one line for the header and one for each declared row"),
    ("nothing", lambda f: f.replace("dues", b"", 0), "must begin with one line"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), [it[1:] for it in CSVS], ids=[it[0] for it in CSVS])
def test_a_csv_of_another_form_is_refused(forge, receiver, change, message):
    forged = forge()
    change(forged)
    _refused(receiver, forged.folder, EventError, message)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_may_end_either_way_and_cells_may_be_quoted(forge, receiver, end):
    forged = forge()
    content = (forged.folder / "dues.csv").read_bytes().replace(b"\r\n", end).replace(b"EUR", b'"EUR"')
    forged.replace("dues", content)
    assert receiver.take(forged.folder).tables["dues"].new == 2


# ------------------------------------------------------------------ rows


def _cell(table: str, column: str, value: str) -> Forge:
    return lambda forged: forged.cell(table, column, value, row=1)


CELLS: list[tuple[str, Forge, str]] = [
    ("a formula", _cell("dues", "due_id", f'=HYPERLINK("{SECRET}")'), r"dues\.due_id must be 1 to 64 letters"),
    ("a formula with a minus", _cell("dues", "obligation_id", "-2+3"), r"dues\.obligation_id must be 1 to 64 letters"),
    ("a name for an id", _cell("dues", "member_ref", SECRET), r"dues\.member_ref must be 32 hexadecimal digits"),
    ("an id too long", _cell("dues", "source_record_id", "x" * 65), r"dues\.source_record_id must be 1 to 64 letters"),
    ("another source", _cell("dues", "source", "inst-c"), r"dues\.source must be the institution of the manifest"),
    ("mixed currencies", _cell("dues", "currency", "USD"), r"dues\.currency must be the currency of the manifest"),
    ("no currency", _cell("dues", "currency", ""), r"dues\.currency must hold no null"),
    ("a time without zone", _cell("dues", "event_time", "2024-02-10T00:00:00"), r"event_time must be a moment in UTC"),
    ("a time in another zone", _cell("dues", "event_time", "2024-02-10T00:00:00+01:00"), "must be a moment in UTC"),
    ("a date", _cell("dues", "event_time", "2024-02-10"), r"dues\.event_time must be a moment in UTC"),
    ("a day of no calendar", _cell("dues", "event_time", "2024-02-30T00:00:00Z"), "must be a moment in UTC"),
    ("the year 9999", _cell("dues", "event_time", "9999-12-31T00:00:00Z"), "must lie in the years 1900 to 2199"),
    ("collected after the package", _cell("dues", "collected_at", "2025-02-01T00:00:00Z"), "must lie in the period"),
    ("known ahead", _cell("repayments", "event_time", "2024-12-01T00:00:00Z"), "collected_at must not be before event"),
    ("decimals", _cell("dues", "amount_due", "6.00"), r"dues\.amount_due must be a whole number"),
    ("a thousands comma", _cell("dues", "amount_due", "6,00"), r"dues\.amount_due must be a whole number"),
    ("digits without end", _cell("dues", "amount_due", "9" * 30), r"dues\.amount_due must be a whole number"),
    ("a huge amount", _cell("dues", "amount_due", str(2**40 + 1)), r"dues\.amount_due must be at most 1099511627776"),
    ("a negative amount", _cell("dues", "amount_due", "-1"), r"dues\.amount_due must be at least 1"),
    ("no amount", _cell("dues", "amount_due", ""), r"dues\.amount_due must hold no null"),
    ("an unknown kind", _cell("obligation_events", "kind", SECRET), r"obligation_events\.kind must be one of loan"),
    ("an unknown basis", _cell("dues", "legal_basis", "because"), r"dues\.legal_basis must be one of consent"),
    ("an unknown quality", _cell("dues", "quality", "best"), r"dues\.quality must be one of recorded, reported"),
    ("a truth in other words", _cell("adverse_items", "lawfully_public", "yes"), "must be true or false"),
    ("a period from its end", _cell("account_status", "period_start", "2024-12-01T00:00:00Z"),
     r"account_status\.period_start must not be after event_time"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), [it[1:] for it in CELLS], ids=[it[0] for it in CELLS])
def test_a_cell_that_cannot_be_is_refused_by_column_and_position(forge, receiver, change, message):
    forged = forge()
    change(forged)
    _refused(receiver, forged.folder, EventValueError, message + r".* got 1 row\(s\) where it is not \(rows 1\)")


def _same(table: str, column: str, target: str | None = None) -> Forge:
    """The second row takes over something of the first."""

    def change(forged: Any) -> None:
        lines = forged.lines(table)
        lines[1][target or column] = lines[0][column]
        forged.rewrite(table, lines)

    return change


def _two_corrections(forged: Any) -> None:
    lines = forged.lines("repayments")
    first = next(line for line in lines if line["supersedes"])
    forged.rewrite("repayments", [*lines, first | {"source_record_id": "once-more"}])


@pytest.mark.parametrize(("change", "message"), [
    (_same("dues", "source_record_id"), r"source_record_id must be unique in the table, got 2 row\(s\)"),
    (_same("dues", "source_record_id", "supersedes"), r"dues\.supersedes must name a record of the same member"),
    (_two_corrections, r"repayments\.supersedes must name a record no other row corrects, got 2 row\(s\)"),
], ids=["the same id twice", "correcting another's", "correcting twice"])  # fmt: skip
def test_rows_that_contradict_one_another_are_refused(forge, receiver, change, message):
    forged = forge()
    change(forged)
    _refused(receiver, forged.folder, EventValueError, message)


def test_a_correction_of_a_row_nobody_sent_is_refused(forge, receiver):
    forged = forge()
    forged.cell("dues", "supersedes", "never-sent", forged.row_of("anna", "dues"))
    _refused(receiver, forged.folder, EventValueError, r"dues\.supersedes must name an earlier record")


def test_a_row_for_somebody_unknown_is_counted_and_left_out(forge, receiver):
    forged = forge()
    forged.cell("dues", "member_ref", "0" * 32, forged.row_of("cleo", "dues"))
    report = receiver.take(forged.folder)
    assert (report.tables["dues"].new, report.tables["dues"].of_unknown_members) == (2, 1)
    assert report.unknown_members == 2


def test_everything_that_is_wrong_is_said_at_once_without_a_value(forge, created, agreement):
    forged = forge()
    forged.cell("dues", "due_id", SECRET + " ")
    forged.cell("dues", "amount_due", "-1", row=2)
    forged.cell("repayments", "currency", "USD")
    (forged.folder / "account_status.csv").write_text(SECRET)
    report = check_package(forged.folder, checked_at=created, exchange_key=agreement.exchange_key)
    assert report.sealed
    assert sorted(problem.split(" must")[0] for problem in report.problems) == [
        "account_status.csv", "dues.amount_due", "dues.due_id", "repayments.currency",
    ]  # fmt: skip
    assert SECRET not in str(report)


def test_without_the_key_a_check_does_not_say_whether_the_seal_is_right(forge, created):
    assert check_package(forge().folder, checked_at=created).sealed is None


def test_with_another_key_a_check_says_that_it_is_not(forge, created, key_a):
    report = check_package(forge().folder, checked_at=created, exchange_key=key_a)
    assert report.sealed is False
    assert [problem.split(" (")[0] for problem in report.problems] == [
        "manifest.json must name the exchange key that was given"
    ]
