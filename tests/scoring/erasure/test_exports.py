"""Exports: rows that name the member go, whole files about them go, and what cannot be looked into is refused."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import ErasureError
from benne.scoring.erasure.exports import ExportFolder

ANNA, BERT, CARL = (f"{n:032x}" for n in (0xA1, 0xB2, 0xC3))
AT_SHOP = "5" * 32


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "exports"
    made.mkdir()
    return made


@pytest.fixture
def exports(folder):
    return ExportFolder(folder)


def frame(*rows):
    index = pd.MultiIndex.from_tuples(
        [(who, pd.Timestamp("2026-03-01", tz="UTC")) for who, _ in rows], names=["subject_id", "as_of"]
    )
    return pd.DataFrame({"score": [score for _, score in rows]}, index=index)


def test_rows_leave_a_parquet_file_and_the_others_stay_bit_for_bit(folder, exports):
    before = frame((ANNA, 612.5), (BERT, 700.25), (ANNA, 613.0), (CARL, 500.0))
    before.to_parquet(folder / "scores.parquet")
    exports.erase(ANNA)
    after = pd.read_parquet(folder / "scores.parquet")
    pd.testing.assert_frame_equal(after, before.drop(index=ANNA, level="subject_id"), check_exact=True)
    assert ANNA.encode() not in (folder / "scores.parquet").read_bytes()
    assert [path.name for path in folder.iterdir()] == ["scores.parquet"]


def test_many_row_groups_codec_and_metadata_stay_as_they_were(folder, exports):
    table = pa.table({"subject_id": [f"{n:032x}" for n in range(100)], "score": [float(n) for n in range(100)]},
                     metadata={"made by": "benne"})  # fmt: skip
    pq.write_table(table, folder / "scores.parquet", row_group_size=10, compression="zstd")
    (folder / "scores.parquet").chmod(0o640)
    exports.erase(f"{42:032x}")
    with pq.ParquetFile(folder / "scores.parquet") as file:
        assert (file.num_row_groups, file.metadata.num_rows) == (10, 99)
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        assert file.schema_arrow.equals(table.schema, check_metadata=True)
    assert stat.S_IMODE((folder / "scores.parquet").stat().st_mode) == 0o640


def test_a_file_without_the_member_is_not_touched(folder, exports):
    frame((BERT, 1.0)).to_parquet(folder / "scores.parquet")
    (folder / "scores.csv").write_text(f"subject_id,score\n{BERT},700\n")
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()}
    exports.erase(ANNA)
    assert {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "naming",
    [
        pa.array([ANNA, BERT, None]),
        pa.array([ANNA, BERT, None], pa.large_string()),
        pa.array([ANNA, BERT, None]).dictionary_encode(),
        pa.array([f"reports/{ANNA}.pdf", BERT, None]),
        pa.array([ANNA.encode(), BERT.encode(), None]),
        pa.array([bytes.fromhex(ANNA), bytes.fromhex(BERT), None], pa.binary(16)),
        pa.array([[BERT, ANNA], [BERT], None]),
        pa.array([{"who": ANNA}, {"who": BERT}, None]),
        pa.array([[(ANNA, 1)], [(BERT, 2)], None], pa.map_(pa.string(), pa.int64())),
    ],
    ids=lambda array: str(array.type),
)
def test_a_member_is_found_in_a_column_of_any_type(folder, exports, naming):
    pq.write_table(pa.table({"number": [1, 2, 3], "naming": naming}), folder / "rows.parquet")
    exports.erase(ANNA)
    assert pq.read_table(folder / "rows.parquet").column("number").to_pylist() == [2, 3]


def test_a_file_of_nobody_else_keeps_its_columns(folder, exports):
    frame((ANNA, 1.0)).to_parquet(folder / "scores.parquet")
    exports.erase(ANNA)
    assert pq.read_table(folder / "scores.parquet").shape == (0, 3)


def test_a_file_without_rows_is_read_too(folder, exports):
    frame((ANNA, 1.0)).iloc[:0].to_parquet(folder / "scores.parquet")
    exports.erase(ANNA)
    assert pq.read_table(folder / "scores.parquet").num_rows == 0


def test_a_parquet_file_that_names_them_beside_its_rows_is_refused(folder, exports):
    rows = pa.table({"number": [1]})
    for table in (rows.replace_schema_metadata({"made for": ANNA}), rows.rename_columns([ANNA])):
        pq.write_table(table, folder / "rows.parquet")
        with pytest.raises(ErasureError, match=r"rows\.parquet must not name a member beside its rows"):
            exports.erase(ANNA)


def test_a_broken_parquet_file_is_refused(folder, exports):
    (folder / "scores.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ErasureError, match=r"scores\.parquet must be a whole Parquet file, and is not"):
        exports.erase(ANNA)


def test_lines_leave_json_lines_and_the_others_stay_byte_for_byte(folder, exports):
    lines = [json.dumps({"subject_id": who, "name": "Zoë"}, ensure_ascii=n == 1) + "\r\n" for n, who in
             enumerate([BERT, ANNA, CARL, ANNA])]  # fmt: skip
    for name in ("scores.jsonl", "scores.NDJSON"):
        (folder / name).write_bytes("".join(lines).encode())
    exports.erase(ANNA)
    for name in ("scores.jsonl", "scores.NDJSON"):
        assert (folder / name).read_bytes() == (lines[0] + lines[2]).encode()


def test_records_of_several_lines_leave_a_csv_file_whole(folder, exports):
    kept = [b"subject_id,said\n", f'{BERT},"one\ntwo, ""three"""\n'.encode(), b"\xff\xfe,not text\n"]
    gone = [f'{ANNA},"one\ntwo"\n'.encode(), f'other,"about\n{ANNA}\nthere"\n'.encode()]
    (folder / "said.csv").write_bytes(kept[0] + gone[0] + kept[1] + gone[1] + kept[2])
    exports.erase(ANNA)
    assert (folder / "said.csv").read_bytes() == b"".join(kept)


@given(rows=st.lists(st.tuples(st.sampled_from([ANNA, BERT, CARL]), st.text(max_size=8)), max_size=12))
def test_whatever_the_rows_only_those_of_the_member_leave_a_csv_file(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("exports")
    rows = [(who, text.replace("\0", "")) for who, text in rows]
    pd.DataFrame(rows, columns=["subject_id", "said"]).to_csv(folder / "said.csv", index=False)
    wanted = pd.DataFrame([row for row in rows if row[0] != ANNA], columns=["subject_id", "said"])
    wanted.to_csv(folder / "wanted.csv", index=False)
    ExportFolder(folder).erase(ANNA)
    assert (folder / "said.csv").read_bytes() == (folder / "wanted.csv").read_bytes()


def test_what_carries_the_member_in_its_name_goes_whatever_it_is(folder, exports):
    (folder / "reports" / ANNA).mkdir(parents=True)
    (folder / "reports" / ANNA / "chart.png").write_bytes(b"picture")
    (folder / "reports" / f"report-{ANNA}.pdf").write_bytes(b"pages")
    (folder / "reports" / f"{BERT}.json").write_text("{}")
    exports.erase(ANNA)
    assert sorted(path.name for path in folder.rglob("*")) == [f"{BERT}.json", "reports"]


@pytest.mark.parametrize("name", ["all.zip", "scores.csv.gz", "report.PDF", "model.pkl"])
def test_what_cannot_be_looked_into_stops_the_erasure(folder, exports, name):
    (folder / name).write_bytes(b"who knows")
    with pytest.raises(ErasureError, match=f"{name} must be of a kind that can be looked into"):
        exports.erase(ANNA)
    (folder / name).rename(folder / f"{ANNA}-{name}")
    exports.erase(ANNA)
    assert list(folder.iterdir()) == []


def test_any_other_file_may_stay_as_long_as_it_does_not_name_the_member(folder, exports):
    (folder / "notes.txt").write_bytes(b"x" * (1 << 20) + BERT.encode())
    exports.erase(ANNA)
    split = b"x" * ((1 << 20) - 5) + ANNA.encode()  # across two pieces that are read one after the other
    (folder / "notes.txt").write_bytes(split)
    with pytest.raises(ErasureError, match=r"notes\.txt must be of a kind that rows can be taken out of"):
        exports.erase(ANNA)
    assert (folder / "notes.txt").read_bytes() == split


def test_exports_under_other_names_of_the_member_are_found(folder):
    (folder / "scores.csv").write_text(f"member,score\n{AT_SHOP},612\n{BERT},700\n{ANNA},612\n")
    ExportFolder(folder, names_of=lambda subject_id: [AT_SHOP] if subject_id == ANNA else []).erase(ANNA)
    assert (folder / "scores.csv").read_text() == f"member,score\n{BERT},700\n"


def test_a_link_is_refused_wherever_it_leads(folder, exports, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for target in (tmp_path / "elsewhere", tmp_path / "nowhere"):
        os.symlink(target, folder / "link")
        with pytest.raises(ErasureError, match="link must be no link"):
            exports.erase(ANNA)
        (folder / "link").unlink()


def test_the_folder_must_be_there(folder, exports):
    shutil.rmtree(folder)
    with pytest.raises(ErasureError, match="must be a folder of exports, and is none"):
        exports.erase(ANNA)


def test_what_a_killed_erasure_left_is_cleared_away_and_the_work_is_done(folder, exports):
    frame((ANNA, 1.0), (BERT, 2.0)).to_parquet(folder / "scores.parquet")
    (folder / ".scores.parquet.erasing").write_bytes(b"half of " + ANNA.encode())
    exports.erase(ANNA)
    assert [path.name for path in folder.iterdir()] == ["scores.parquet"]
    assert pd.read_parquet(folder / "scores.parquet").index.get_level_values(0).tolist() == [BERT]
    assert exports.compact()


def test_erasing_twice_is_as_good_as_once(folder, exports):
    frame((ANNA, 1.0), (BERT, 2.0)).to_parquet(folder / "scores.parquet")
    exports.erase(ANNA)
    once = Path(folder / "scores.parquet").read_bytes()
    exports.erase(ANNA)
    assert Path(folder / "scores.parquet").read_bytes() == once
