"""The door: what it refuses, what it says then, and that nothing is half-loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benne.errors import EventError, EventSchemaError, EventValueError
from benne.features import Events, SubjectKey, ingest, load_events
from benne.features.events.tables import TABLES

Frames = dict[str, pd.DataFrame]
MEMBERS = ["anna-4711", "ben-4712", "cleo-4713"]


def _with(table: str, column: str, values: Any) -> Callable[[Frames], None]:
    """Put something into the second row of a column (or the whole column, where it is a Series)."""

    def change(frames: Frames) -> None:
        frame = frames[table]
        if isinstance(values, pd.Series):
            frame[column] = values.to_numpy() if values.dtype == object else values
        else:
            cells = frame[column].astype(object)
            cells.iloc[1] = values
            kind = TABLES[table].column(column).kind
            frame[column] = pd.to_datetime(cells, utc=True) if kind == "time" else cells.infer_objects()

    return change


def _without(table: str, column: str) -> Callable[[Frames], None]:
    return lambda frames: frames.update({table: frames[table].drop(columns=column)})


def _doubled(table: str, **changes: str) -> Callable[[Frames], None]:
    """The first row of a table once more, with some columns changed."""

    def change(frames: Frames) -> None:
        frames[table] = pd.concat([frames[table], frames[table].iloc[:1].assign(**changes)], ignore_index=True)

    return change


def _correcting(table: str, place: int, **changes: Any) -> Callable[[Frames], None]:
    """A row of the first member that corrects the row at ``place``."""

    def change(frames: Frames) -> None:
        target = frames[table]["record_id"].iloc[place]
        _doubled(table, record_id="correction-99", supersedes=target, **changes)(frames)

    return change


def _forked(frames: Frames) -> None:
    _correcting("payments", 0)(frames)
    target = frames["payments"]["record_id"].iloc[0]
    _doubled("payments", record_id="correction-98", supersedes=target)(frames)


def _circle(frames: Frames) -> None:
    _doubled("payments", record_id="correction-98", supersedes="correction-99")(frames)
    _doubled("payments", record_id="correction-99", supersedes="correction-98")(frames)


def _moment(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def _naive(table: str, column: str) -> Callable[[Frames], None]:
    return lambda frames: (
        frames[table].update(frames[table])
        or frames.update({table: frames[table].assign(**{column: frames[table][column].dt.tz_localize(None)})})
    )


REFUSALS: list[tuple[str, Callable[[Frames], Any], type[EventError], str]] = [
    ("missing column", _without("payments", "amount"), EventSchemaError,
     r"payments must have the column\(s\) amount, got none"),
    ("extra column", lambda f: f["payments"].insert(0, "iban", "x"), EventSchemaError,
     r"payments must have columns among .*, each once, got iban"),
    ("repeated column", lambda f: f["payments"].insert(0, "amount", 1, allow_duplicates=True), EventSchemaError,
     r"payments must have each column once"),
    ("missing members", lambda f: f.pop("members"), EventSchemaError, r"The table members must be there"),
    ("unknown table", lambda f: f.update(likes=f["members"]), EventSchemaError,
     r"Event tables must be among .*, got likes"),
    ("repayments without dues", lambda f: f.pop("dues"), EventSchemaError, r"repayments must come with the table dues"),
    ("text for money", _with("payments", "amount", pd.Series(["1", "2", "3"])), EventSchemaError,
     r"payments\.amount must be whole minor units \(int64\), got (large_)?string"),
    ("fractions for money", _with("payments", "amount", pd.Series([1.0, 2.5, 3.0])), EventValueError,
     r"payments\.amount must be whole minor units \(cents\).* got 1 row\(s\) where it is not \(rows 1\)"),
    ("infinite money", _with("payments", "amount", pd.Series([1.0, np.inf, -np.inf])), EventValueError,
     r"payments\.amount must be whole minor units .* got 2 row\(s\) where it is not \(rows 1, 2\)"),
    ("NaN money", _with("payments", "amount", pd.Series([1.0, np.nan, 3.0])), EventValueError,
     r"payments\.amount must hold no null, got 1 row\(s\) where it is not \(rows 1\)"),
    ("unsigned beyond int64", _with("payments", "amount", pd.Series([1, 2**63 + 5, 3], dtype="uint64")),
     EventValueError, r"payments\.amount must be at most 1099511627776, got 1 row\(s\)"),
    ("too large", _with("payments", "amount", 2**40 + 1), EventValueError,
     r"payments\.amount must be at most 1099511627776, got 1 row\(s\) where it is not \(rows 1\)"),
    ("negative due", _with("dues", "amount_due", -5), EventValueError,
     r"dues\.amount_due must be at least 1, got 1 row\(s\) where it is not \(rows 1\)"),
    ("flag as number", _with("members", "adult", pd.Series([1, 0, 1])), EventSchemaError,
     r"members\.adult must be booleans, got int64"),
    ("unknown category value", _with("payments", "kind", "gambling"), EventValueError,
     r"payments\.kind must be one of purchase, bill.* got 1 row\(s\) where it is not \(rows 1\)"),
    ("naive time", _naive("payments", "event_time"), EventSchemaError,
     r"payments\.event_time must be timezone-aware timestamps, got timestamp\[us\]"),
    ("no time", _with("payments", "event_time", pd.NaT), EventValueError,
     r"payments\.event_time must hold no null, got 1 row\(s\) where it is not \(rows 1\)"),
    ("the year 1753", _with("payments", "event_time", _moment("1753-01-01")), EventValueError,
     r"payments\.event_time must lie in the years 1900 to 2199, got 1 row\(s\) where it is not \(rows 1\)"),
    ("no end written as 9999", _with("verifications", "expires_at", _moment("9999-12-31")), EventValueError,
     r"verifications\.expires_at must lie in the years 1900 to 2199.* leave null what has no end"),
    ("known in the future", _with("payments", "known_at", _moment("2031-01-01")), EventValueError,
     r"payments\.known_at must not be after the ingest clock, got 1 row\(s\) where it is not \(rows 1\)"),
    ("known before it happened", _with("payments", "known_at", _moment("2023-12-31")), EventValueError,
     r"payments\.known_at must not be before event_time, got 1 row\(s\) where it is not \(rows 1\)"),
    ("expired before verified", _with("verifications", "expires_at", _moment("2023-12-31")), EventValueError,
     r"verifications\.expires_at must not be before event_time"),
    ("period ends before it starts", _with("account_status", "period_start", _moment("2025-12-31")), EventValueError,
     r"account_status\.period_start must not be after event_time"),
    ("empty id", _with("payments", "counterparty_id", ""), EventValueError,
     r"payments\.counterparty_id must not be empty, got 1 row\(s\) where it is not \(rows 1\)"),
    ("float ids", _with("payments", "counterparty_id", pd.Series([1.0, 2.0, 3.0])), EventSchemaError,
     r"payments\.counterparty_id must be strings or integers, got double"),
    ("mixed ids", _with("payments", "counterparty_id", pd.Series(["anna-4711", 5, "x"], dtype=object)),
     EventSchemaError, r"payments\.counterparty_id must hold values of one type"),
    ("currency in words", _with("payments", "currency", "anna-4711"), EventValueError,
     r"payments\.currency must be an ISO 4217 code, got 1 row\(s\) where it is not \(rows 1\)"),
    ("mixed currencies", _with("payments", "currency", "USD"), EventValueError,
     r"Amounts must be in one currency in one load, got EUR, USD \(USD in payments\): 1 row\(s\) .* \(rows 1\)"),
    ("repeated record", _doubled("payments"), EventValueError,
     r"payments\.record_id must be unique in the table, got 2 row\(s\) where it is not \(rows 0, 3\)"),
    ("joined twice", _doubled("members", record_id="new-1"), EventValueError,
     r"members\.member_id must join once, got 2 row\(s\)"),
    ("unknown member", _with("payments", "member_id", "dora-4714"), EventValueError,
     r"payments\.member_id must be in members, got 1 row\(s\) where it is not \(rows 1\)"),
    ("due of someone else", _with("repayments", "due_id", "due-anna-4711"), EventValueError,
     r"repayments\.due_id must name a due of the same member, got 1 row\(s\) where it is not \(rows 1\)"),
    ("due twice", _doubled("dues", record_id="new-1"), EventValueError,
     r"dues\.due_id must be unique unless superseding, got 2 row\(s\) where it is not \(rows 0, 3\)"),
    ("correction renames a due", _correcting("dues", 0, due_id="due-new"), EventValueError,
     r"dues\.due_id must stay the same in a correction, got 1 row\(s\) where it is not \(rows 3\)"),
    ("correction of nothing", _with("payments", "supersedes", "record-unheard-of"), EventValueError,
     r"payments\.supersedes must name an earlier record of the same member and table, got 1 row\(s\)"),
    ("correction of another member's row", _correcting("payments", 1), EventValueError,
     r"payments\.supersedes must name an earlier record of the same member and table, got 1 row\(s\) .*\(rows 3\)"),
    ("corrected twice", _forked, EventValueError,
     r"payments\.supersedes must name a record no other row corrects, got 2 row\(s\) where it is not \(rows 3, 4\)"),
    ("corrections in a circle", _circle, EventValueError,
     r"payments\.supersedes must lead back to a first record, got 2 row\(s\) where it is not \(rows 3, 4\)"),
    ("rating oneself", _with("interactions", "other_id", pd.Series(["anna-4711"])), EventValueError,
     r"interactions\.other_id must be another member than member_id, got 1 row\(s\) where it is not \(rows 0\)"),
    ("not a table", lambda f: f.update(payments=[1, 2]), EventSchemaError,
     r"payments must be a pandas or Polars DataFrame, an Arrow table or a Parquet path, got list"),
    ("no such file", lambda f: f.update(payments="/nowhere/at/all.parquet"), EventSchemaError,
     r"payments must be a Parquet file, or a folder of some, got none"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "error", "message"), REFUSALS, ids=[r[0] for r in REFUSALS])
def test_what_cannot_be_is_refused_by_name_and_without_naming_anyone(
    name: str, spoil: Any, error: type[EventError], message: str, good: Frames, key: SubjectKey, clock: datetime
) -> None:
    raw_ids = {str(x) for f in good.values() for c in f if c.endswith("_id") for x in f[c].dropna()} - {"o"}
    spoil(good)
    with pytest.raises(error, match=message) as caught:
        load_events(good, key=key, ingested_at=clock)
    said = str(caught.value)
    keyed = {key.subject_ids([i])[0] for i in raw_ids}
    assert not [i for i in raw_ids | keyed | {"dora-4714", "gambling", "record-unheard-of"} if i in said]
    assert caught.value.__cause__ is None, "the cause of an error is printed with it, and may quote a value"


def test_the_good_load_is_good(good: Frames, key: SubjectKey, clock: datetime) -> None:
    events = load_events(good, key=key, ingested_at=clock)
    assert events.tables == ("members", "verifications", "dues", "repayments", "account_status", "payments",
                             "interactions")  # fmt: skip
    assert events.rows("payments") == 3
    assert events.rows("balances") == 0
    assert events.has("payments", "amount")
    assert not events.has("payments", "counterparty_id"), "null throughout"
    assert not events.has("balances", "amount"), "no such table"


def test_a_correction_of_a_correction_is_taken(good: Frames, key: SubjectKey, clock: datetime) -> None:
    _correcting("dues", 0)(good)
    _doubled("dues", record_id="correction-100", supersedes="correction-99")(good)
    assert load_events(good, key=key, ingested_at=clock).rows("dues") == 5


def test_a_second_currency_than_the_one_named_is_refused(good: Frames, key: SubjectKey, clock: datetime) -> None:
    with pytest.raises(EventValueError, match="one currency in one load, got EUR, USD"):
        load_events(good, key=key, ingested_at=clock, currency="USD")


def test_a_naive_clock_is_refused(good: Frames, key: SubjectKey) -> None:
    with pytest.raises(EventSchemaError, match="A clock must be timezone-aware"):
        load_events(good, key=key, ingested_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_clock_and_a_key_of_another_type_are_refused(good: Frames, key: SubjectKey, clock: datetime) -> None:
    with pytest.raises(EventSchemaError, match="A clock must be a timezone-aware datetime, got str"):
        load_events(good, key=key, ingested_at="2026-01-01")  # type: ignore[arg-type]
    with pytest.raises(EventSchemaError, match="key must be a SubjectKey, got bytes"):
        load_events(good, key=b"k" * 32, ingested_at=clock)  # type: ignore[arg-type]


def test_history_without_known_at_is_taken_with_a_warning(
    good: Frames, key: SubjectKey, clock: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    load_events(good, key=key, ingested_at=clock)
    assert not caplog.records
    good["payments"] = good["payments"].drop(columns="known_at")
    load_events(good, key=key, ingested_at=clock)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"payments: {len(good['payments'])} of {len(good['payments'])} rows have no known_at")


def test_what_the_source_does_not_know_the_clock_knows(good: Frames, key: SubjectKey, clock: datetime) -> None:
    good["payments"] = good["payments"].drop(columns="known_at")
    events = load_events(good, key=key, ingested_at=clock)
    assert set(events.read("payments").column("known_at").to_pylist()) == {int(clock.timestamp()) * 1_000_000}


# ------------------------------------------------------------------ the same, whatever it comes in


def _polars(frames: Frames) -> dict[str, Any]:
    return {name: pl.from_pandas(frame) for name, frame in frames.items()}


def _polars_categorical(frames: Frames) -> dict[str, Any]:
    kinds = {"payments": ["kind", "direction"], "dues": ["currency"]}
    return {
        n: f.with_columns(pl.col(c).cast(pl.Categorical) for c in kinds.get(n, [])) for n, f in _polars(frames).items()
    }


def _arrow(frames: Frames) -> dict[str, Any]:
    return {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}


def _pandas_categorical(frames: Frames) -> dict[str, Any]:
    return {n: f.astype({"member_id": "category", "record_id": "str"}) for n, f in frames.items()}


def _other_units(frames: Frames) -> dict[str, Any]:
    zones = {"event_time": "America/New_York", "known_at": "Asia/Kolkata"}
    return {
        n: f.assign(**{c: f[c].dt.as_unit("ns" if c == "known_at" else "s").dt.tz_convert(z) for c, z in zones.items()})
        for n, f in frames.items()
    }


def _left_out(frames: Frames) -> dict[str, Any]:
    return {name: frame.dropna(axis="columns", how="all") for name, frame in frames.items()}


@pytest.mark.parametrize("form", [_polars, _polars_categorical, _arrow, _pandas_categorical, _other_units, _left_out])
def test_the_form_of_the_tables_changes_nothing(
    form: Callable[[Frames], dict[str, Any]], good: Frames, key: SubjectKey, clock: datetime
) -> None:
    plain = load_events(good, key=key, ingested_at=clock)
    other = load_events(form(good), key=key, ingested_at=clock)
    assert other.fingerprint == plain.fingerprint
    assert all(other.read(name).equals(plain.read(name)) for name in plain.tables)


def _written(frames: Frames, folder: Path, pieces: int = 1) -> Path:
    for name, table in _arrow(frames).items():
        if pieces == 1:
            folder.mkdir(exist_ok=True)
            pq.write_table(table, folder / f"{name}.parquet")
        else:
            (folder / name).mkdir(parents=True)
            cut = -(-table.num_rows // pieces)
            for i in range(pieces):
                pq.write_table(table.slice(i * cut, cut), folder / name / f"part-{i}.parquet", row_group_size=1)
    return folder


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_folder_of_files_however_cut_equals_the_tables_in_memory(
    pieces: int, good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    plain = load_events(good, key=key, ingested_at=clock)
    raw = _written(good, tmp_path / "raw", pieces)
    stored = ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    paths = {name: raw / name if pieces > 1 else str(raw / f"{name}.parquet") for name in good}
    from_paths = load_events(paths, key=key, ingested_at=clock)
    assert stored.fingerprint == plain.fingerprint == from_paths.fingerprint
    assert all(stored.read(name).equals(plain.read(name)) for name in plain.tables)
    again = Events.open(tmp_path / "out")
    assert (again.fingerprint, again.key_fingerprint, again.known_since) == (
        plain.fingerprint,
        key.fingerprint,
        plain.known_since,
    )


def test_ids_may_be_integers_or_their_text(good: Frames, key: SubjectKey, clock: datetime) -> None:
    for frame in good.values():
        for column in ("member_id", "other_id"):
            if column in frame:
                frame[column] = (
                    frame[column].str.removeprefix("anna-").str.removeprefix("ben-").str.removeprefix("cleo-")
                )
    numbers = {
        n: f.assign(**{c: f[c].astype("int64") for c in ("member_id", "other_id") if c in f}) for n, f in good.items()
    }
    one, two = (load_events(tables, key=key, ingested_at=clock) for tables in (good, numbers))
    assert one.fingerprint == two.fingerprint
    keyed = sorted(key.subject_ids([4711, 4712, 4713]).tolist())
    assert one.read("members").column("subject_id").to_pylist() == keyed


def test_whole_floats_and_a_column_of_nothing_are_what_pandas_makes_of_gaps(
    good: Frames, key: SubjectKey, clock: datetime
) -> None:
    good["verifications"]["strength"] = [2.0, np.nan, 1.0]
    good["payments"]["supersedes"] = np.nan
    events = load_events(good, key=key, ingested_at=clock)
    assert sorted(events.read("verifications").column("strength").to_pylist(), key=str) == [1, 2, None]
    assert events.read("payments").column("supersedes").null_count == 3


def test_the_fingerprint_moves_with_any_value_any_row_and_any_table(
    good: Frames, key: SubjectKey, clock: datetime
) -> None:
    def printed(**changed: pd.DataFrame) -> str:
        return load_events({**good, **changed}, key=key, ingested_at=clock).fingerprint

    pays = good["payments"]
    prints = {
        printed(),
        printed(payments=pays.assign(amount=[7, 8, 7])),
        printed(payments=pays.assign(kind=["bill", None, "bill"])),
        printed(payments=pays.assign(source=["a", "bc", "d"])),
        printed(payments=pays.assign(source=["ab", "c", "d"])),
        printed(payments=pays.iloc[:2]),
        printed(payments=pays.iloc[:0]),
        load_events({n: f for n, f in good.items() if n != "payments"}, key=key, ingested_at=clock).fingerprint,
    }  # fmt: skip
    assert len(prints) == 8


# ------------------------------------------------------------------ all or nothing, and nobody's name


def test_a_refusal_leaves_no_folder(good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path) -> None:
    good["repayments"] = good["repayments"].assign(due_id="due-nowhere")
    raw = _written(good, tmp_path / "raw")
    with pytest.raises(EventValueError, match=r"repayments\.due_id must name a due"):
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]


def test_being_stopped_in_the_middle_leaves_no_folder(
    good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    raw, told = _written(good, tmp_path / "raw"), []

    def stop(table: str, rows: int) -> None:
        told.append((table, rows))
        if table == "repayments":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock, progress=stop)
    assert told == [("members", 3), ("verifications", 3), ("dues", 3), ("repayments", 3)]
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]


def test_events_are_never_overwritten(good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path) -> None:
    events = load_events(good, key=key, ingested_at=clock)
    (tmp_path / "out").mkdir()
    with pytest.raises(EventSchemaError, match="must not exist yet: events are never overwritten"):
        events.save(tmp_path / "out")
    with pytest.raises(EventSchemaError, match="must not exist yet: events are never overwritten"):
        ingest(_written(good, tmp_path / "raw"), tmp_path / "out", key=key, ingested_at=clock)


def test_no_raw_id_is_anywhere_in_what_is_stored(
    good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    load_events(good, key=key, ingested_at=clock).save(plain)
    ingest(_written(good, tmp_path / "raw"), tmp_path / "out", key=key, ingested_at=clock)
    for folder in (plain, tmp_path / "out"):
        for path in folder.iterdir():
            if path.suffix == ".parquet":  # once more without compression, where the search can see
                pq.write_table(pq.read_table(path), path, compression="none", use_dictionary=False)
            content = path.read_bytes()
            assert not [raw for raw in (*MEMBERS, "due-") if raw.encode() in content], path.name


def test_a_foreign_broken_or_newer_folder_is_refused(
    good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    with pytest.raises(EventSchemaError, match=r"must be a folder of ingested events, got one without events\.json"):
        Events.open(tmp_path)
    folder = load_events(good, key=key, ingested_at=clock).save(tmp_path / "it")
    manifest = folder / "events.json"
    right = json.loads(manifest.read_text())
    for wrong, message in [
        (right | {"format": 3}, "must have format 2, got 3. Upgrade Benne"),
        ({"format": 2, "tables": []}, "must name its tables and fingerprints, got others"),
        ({"format": 2}, "must be a manifest of events, got something else"),
        (right | {"tables": ["../../etc"]}, "must name its tables and fingerprints, got others"),
        (right | {"tables": [t for t in right["tables"] if t != "members"]}, "must name its tables and fingerprints"),
        (right | {"known_since": ["payments"]}, "must name its tables and fingerprints"),
        ([1], "must be a manifest of events, got something else"),
    ]:
        manifest.write_text(json.dumps(wrong))
        with pytest.raises(EventSchemaError, match=message):
            Events.open(folder)
    manifest.write_text("{")
    with pytest.raises(EventSchemaError, match="must be a manifest of events, got something else"):
        Events.open(folder)
    manifest.write_text(json.dumps(right))
    (folder / "dues.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(EventSchemaError, match=r"dues\.parquet must be a stored dues table"):
        Events.open(folder)


def test_a_table_exchanged_for_another_of_its_form_is_refused(
    good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    folder = load_events(good, key=key, ingested_at=clock).save(tmp_path / "it")
    assert Events.open(folder).rows("payments") == len(good["payments"])
    pq.write_table(pq.read_table(folder / "payments.parquet").slice(1), folder / "payments.parquet")
    with pytest.raises(EventSchemaError, match=r"payments\.parquet must be as it was ingested, got another file"):
        Events.open(folder)


def test_a_folder_without_tables_or_with_a_table_twice_is_refused(
    good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    with pytest.raises(EventSchemaError, match="must be a folder of raw tables, got none"):
        ingest(tmp_path / "nowhere", tmp_path / "out", key=key, ingested_at=clock)
    raw = _written(good, tmp_path / "raw")
    (raw / "dues").mkdir()
    with pytest.raises(EventSchemaError, match="must hold the table dues once, got a file and a folder"):
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    (raw / "dues.parquet").unlink()
    with pytest.raises(EventSchemaError, match="dues must be a Parquet file, or a folder of some, got none"):
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    (raw / "dues" / "x.parquet").write_bytes(b"nothing")
    with pytest.raises(EventSchemaError, match="dues must be Parquet, got a file that cannot be read as such"):
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)


def test_an_empty_file_must_have_the_columns_too(
    good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    raw = _written({**good, "payments": good["payments"].iloc[:0].rename(columns={"amount": "sum"})}, tmp_path / "raw")
    with pytest.raises(EventSchemaError, match=r"payments must have columns among .* got sum"):
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)


def test_positions_count_within_the_file_and_only_five_are_shown(
    good: Frames, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    many = pd.concat([good["payments"]] * 4, ignore_index=True)
    many["record_id"] = [f"p{i}" for i in range(12)]
    many.loc[3:, "amount"] = -1
    raw = _written({**good, "payments": many}, tmp_path / "raw", pieces=3)
    with pytest.raises(EventValueError, match=r"got 1 row\(s\) where it is not \(rows 3 of payments/part-0\.parquet\)"):
        ingest(raw, tmp_path / "out", key=key, ingested_at=clock)
    with pytest.raises(EventValueError, match=r"got 9 row\(s\) where it is not \(rows 3, 4, 5, 6, 7, …\)"):
        load_events({**good, "payments": many}, key=key, ingested_at=clock)


def test_only_utc_microseconds_are_stored(good: Frames, key: SubjectKey, clock: datetime) -> None:
    moment = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    good["members"]["event_time"] = pd.to_datetime([moment] * 3, utc=True)
    events = load_events(good, key=key, ingested_at=clock)
    assert events.read("members").column("event_time").to_pylist() == [-1, -1, -1]
