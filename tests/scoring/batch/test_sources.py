"""Features from files, folders and tables: the same rows in any chunks, and what is wrong with them found first."""

from __future__ import annotations

from datetime import timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from benne.errors import (
    BatchChanged,
    CategoryWithheld,
    ConsentRecordError,
    ConsentRequired,
    FeatureColumnsError,
    FeatureTypeError,
    ObservationError,
)
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS
from benne.features.frames import Provenance, write_features
from benne.scoring.batch import settling
from benne.scoring.batch.parquet_source import open_parquet
from benne.scoring.batch.table_source import open_table
from tests.scoring.batch.test_resume import Stopped, stop_at
from tests.scoring.conftest import DAY, NOON


def frame_of(rows: int) -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays(
        [[f"{row:032x}" for row in range(rows)], pd.DatetimeIndex([NOON] * rows, dtype="datetime64[us, UTC]")],
        names=["subject_id", "as_of"],
    )
    values = {f"x_{c}": np.arange(rows, dtype=float) + k for k, c in enumerate(CATEGORIES)}
    return pd.DataFrame({**values, **{MASK_COLUMNS[c]: [True] * rows for c in CATEGORIES}}, index=index)


def subjects(source, rows, first=0):
    return [chunk.subjects.to_pylist() for chunk in source.chunks(rows, first)]


# ----------------------------------------------------------------- in chunks


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(1, 5), st.integers(1, 12), st.integers(0, 6))
def test_chunks_are_cut_alike_however_rows_lie_in_files_and_row_groups(tmp_path_factory, files, group, size, first):
    folder = tmp_path_factory.mktemp("parts")
    frame = frame_of(sum(files))
    start = 0
    for number, rows in enumerate(files):
        table = pa.Table.from_pandas(frame.iloc[start : start + rows].reset_index(), preserve_index=False)
        pq.write_table(table, folder / f"part-{number}.parquet", row_group_size=group)
        start += rows
    source = open_parquet(folder)
    whole = frame.index.get_level_values("subject_id").tolist()
    expected = [whole[k : k + size] for k in range(first * size, len(whole), size)]
    assert subjects(source, size, first) == expected
    assert [chunk.number for chunk in source.chunks(size, first)] == [*range(first, first + len(expected))]
    assert source.rows == len(whole)


def test_a_chunk_holds_the_values_of_its_rows(batches):
    path = batches.write(frame_of(5))
    _, second, _ = open_parquet(path).chunks(2)
    pd.testing.assert_frame_equal(second.features, frame_of(5).iloc[2:4].reset_index(drop=True))
    assert second.as_of_us.tolist() == [int(NOON.timestamp() * 1e6)] * 2


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [timezone.utc, timezone(timedelta(hours=8))], ids=str)  # noqa: UP017
def test_a_moment_is_the_same_in_every_unit_and_zone(batches, unit, zone):
    frame = frame_of(2).reset_index()
    frame["as_of"] = frame["as_of"].dt.tz_convert(zone).dt.as_unit(unit)
    frame.to_parquet(batches.folder / "features.parquet")
    (chunk,) = open_parquet(batches.folder / "features.parquet").chunks(9)
    assert chunk.as_of_us.tolist() == [int(NOON.timestamp() * 1e6)] * 2


def test_the_digest_is_of_all_that_the_files_hold(tmp_path):
    frame = frame_of(4)
    for name, rows in (("a", frame), ("b", frame), ("c", frame * 2)):
        (tmp_path / name).mkdir()
        rows.reset_index().to_parquet(tmp_path / name / "part.parquet")
    a, b, c = (open_parquet(tmp_path / name).digest() for name in "abc")
    assert a == b != c


# ------------------------------------------------------ refused before anything


def with_column(frame, name, value):
    return frame.reset_index().assign(**{name: value})


BAD = {
    "no moment": (lambda f: f.reset_index().drop(columns="as_of"), ObservationError, "got no as_of"),
    "no member": (lambda f: f.reset_index().drop(columns="subject_id"), ObservationError, "got no subject_id"),
    "naive moments": (
        lambda f: with_column(f, "as_of", f.index.get_level_values("as_of").tz_localize(None)),
        ObservationError,
        "must be timezone-aware",
    ),
    "moments in words": (lambda f: with_column(f, "as_of", "noon"), ObservationError, "must be timezone-aware"),
    "a null moment": (
        lambda f: with_column(f, "as_of", f.index.get_level_values("as_of").where([True, False, True])),
        ObservationError,
        r"as_of must never be null, got 1 row\(s\)",
    ),
    "a null member": (
        lambda f: with_column(f, "subject_id", [None, *f.index.get_level_values(0)[1:]]),
        ObservationError,
        r"subject_id must never be null, got 1 row\(s\)",
    ),
    "a raw id": (
        lambda f: with_column(f, "subject_id", ["anna", *f.index.get_level_values(0)[1:]]),
        ConsentRecordError,
        r"something else in 1 row\(s\)",
    ),
    "a row twice": (lambda f: pd.concat([f, f.iloc[:2]]).reset_index(), ObservationError, r"got 2 repeated row\(s\)"),
    "a moment to come": (
        lambda f: with_column(f, "as_of", f.index.get_level_values("as_of") + DAY),
        ObservationError,
        "must not lie in the future",
    ),
    "no consent columns": (
        lambda f: f.drop(columns=list(MASK_COLUMNS.values())).reset_index(),
        FeatureColumnsError,
        "must carry the five consent columns",
    ),
    "a null in a consent column": (
        lambda f: with_column(f, "consented_social", pd.array([True, None, True], dtype="boolean")),
        FeatureTypeError,
        r"got nulls in 1 row\(s\)",
    ),
    "a feature that is missing": (
        lambda f: f.drop(columns="x_social").reset_index(),
        FeatureColumnsError,
        "'x_social' missing",
    ),
    "a feature too many": (lambda f: with_column(f, "age", 40.0), FeatureColumnsError, "got 'age' besides"),
    "a feature in words": (lambda f: with_column(f, "x_social", "high"), FeatureTypeError, "must be of numbers"),
    "a consent column of another name": (
        lambda f: with_column(f, "consented_luck", True),
        CategoryWithheld,
        "consented_luck",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_features_that_are_not_as_they_must_be_are_refused_before_anything_is_decided(batches, real_model, what):
    change, error, complaint = BAD[what]
    path = batches.folder / "features.parquet"
    change(frame_of(3)).to_parquet(path)
    with pytest.raises(error, match=complaint):
        batches.run(path, model=real_model)
    assert batches.records() == []
    assert not batches.job.exists()


def test_the_last_chunk_is_looked_at_before_the_first_is_decided(batches):
    for number in range(6):
        batches.platform.grant(number, granularity="exact")
    path = batches.folder / "features.parquet"
    frame = frame_of(6).reset_index()
    pd.concat([frame, frame.tail(1)]).to_parquet(path)
    with pytest.raises(ObservationError, match="1 repeated"):
        batches.run(path)
    assert batches.records() == []


def test_what_is_no_parquet_is_refused_without_a_word_of_it(tmp_path):
    path = tmp_path / "features.parquet"
    path.write_text("anna,612")
    with pytest.raises(ObservationError, match="got none that can be read") as refused:
        open_parquet(path)
    assert "612" not in str(refused.value)
    with pytest.raises(ObservationError, match="got none that can be read"):
        open_parquet(tmp_path / "nowhere.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ObservationError, match="a folder without any"):
        open_parquet(tmp_path / "empty")


def test_files_of_a_folder_must_be_alike(tmp_path):
    frame_of(2).reset_index().to_parquet(tmp_path / "a.parquet")
    frame_of(2).drop(columns="x_social").reset_index().to_parquet(tmp_path / "b.parquet")
    with pytest.raises(FeatureColumnsError, match="must have the same columns"):
        open_parquet(tmp_path)


def test_features_that_the_ledger_allowed_for_something_else_are_not_scored(batches):
    batches.platform.grant(0, granularity="exact")
    note = Provenance("the ledger", "rental", "shop", "e", "k")
    write_features(frame_of(1), batches.folder / "features.parquet", note)
    with pytest.raises(ConsentRequired, match="got some computed for rental"):
        batches.run(batches.folder / "features.parquet")
    assert batches.records() == []


# --------------------------------------------------------------------- tables


@pytest.fixture
def address(database):
    made = str(database())
    return made if "://" in made else f"sqlite:///{made}"


def fill(address, rows, name="features", *, microseconds=False):
    """A table as somebody else would make it."""
    frame = frame_of(rows).iloc[::-1].reset_index()
    if microseconds:
        frame["as_of_us"] = frame.pop("as_of").astype("int64")
    engine = create_engine(address)
    frame.to_sql(name, engine, index=False, if_exists="replace")
    engine.dispose()


def test_a_table_is_read_in_the_order_of_its_members(address, tmp_path, monkeypatch):
    monkeypatch.setattr("benne.scoring.batch.table_source._ROWS", 2)
    fill(address, 5, microseconds=True)
    source = open_table(address, "features", tmp_path)
    (chunk,) = source.chunks(9)
    assert chunk.subjects.to_pylist() == frame_of(5).index.get_level_values("subject_id").tolist()
    pd.testing.assert_frame_equal(
        chunk.features[frame_of(5).columns], frame_of(5).reset_index(drop=True), check_exact=True
    )
    assert chunk.as_of_us.tolist() == [int(NOON.timestamp() * 1e6)] * 5


def test_moments_with_a_zone_are_taken_where_the_database_has_them(address, tmp_path):
    fill(address, 3)
    if address.startswith("sqlite"):
        with pytest.raises(ObservationError, match="Store it with its timezone, or as as_of_us"):
            open_table(address, "features", tmp_path)
    else:
        (chunk,) = open_table(address, "features", tmp_path).chunks(9)
        assert chunk.as_of_us.tolist() == [int(NOON.timestamp() * 1e6)] * 3


def test_a_table_is_scored_like_a_file(batches, address):
    for number in range(5):
        batches.platform.grant(number, granularity="exact")
    batches.run(batches.write(frame_of(5)))
    expected = batches.scores()
    fill(address, 5, microseconds=True)
    batches.run(batches.out, features=lambda folder: open_table(address, "features", folder))
    pd.testing.assert_frame_equal(batches.scores(), expected, check_exact=True)
    assert not batches.job.exists(), "the copy of the table goes with it"


def test_going_on_means_the_rows_that_there_were(batches, address, monkeypatch):
    for number in range(5):
        batches.platform.grant(number, granularity="exact")
    fill(address, 5, microseconds=True)
    reading = {"features": lambda folder: open_table(address, "features", folder)}
    with monkeypatch.context() as patched:
        stop_at(patched, settling, "write_partial", 1)
        with pytest.raises(Stopped):
            batches.run(batches.out, **reading)
    fill(address, 2, microseconds=True)
    fill(address, 5, "others", microseconds=True)
    with pytest.raises(BatchChanged, match="got another table"):
        batches.run(batches.out, features=lambda folder: open_table(address, "others", folder))
    assert batches.run(batches.out, **reading).scored == 5


def test_a_table_that_cannot_be_read_is_refused(address, tmp_path):
    fill(address, 1)
    with pytest.raises(ObservationError, match="must be one that can be read, got NoSuchTableError"):
        open_table(address, "nowhere", tmp_path)
    with pytest.raises(ObservationError, match="must be one that can be read"):
        open_table("postgresql+psycopg://localhost:1/nothing", "features", tmp_path)
    with pytest.raises(ObservationError, match="got no such file"):
        open_table(f"sqlite:///{tmp_path / 'nowhere.db'}", "features", tmp_path)
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(ObservationError, match="needs the SQLAlchemy address"):
        open_table("not an address", "features", tmp_path)
    assert list(tmp_path.glob("*.parquet")) == []


def test_a_table_must_say_whom_and_when(address, tmp_path):
    engine = create_engine(address)
    pd.DataFrame({"member_id": ["anna"]}).to_sql("features", engine, index=False)
    engine.dispose()
    with pytest.raises(ObservationError, match="got no subject_id and no as_of"):
        open_table(address, "features", tmp_path)


def test_a_value_of_another_type_is_refused_without_being_shown(tmp_path):
    address = f"sqlite:///{tmp_path / 'features.db'}"  # PostgreSQL keeps types itself
    fill(address, 3, microseconds=True)
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE features SET x_social = 'secret' WHERE x_social = 5.0")
    engine.dispose()
    with pytest.raises(FeatureTypeError, match="Column 'x_social' must hold values of its type") as refused:
        open_table(address, "features", tmp_path)
    assert "secret" not in str(refused.value)
