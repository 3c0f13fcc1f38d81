from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import ConsentRequired, FeatureColumnsError, ObservationError
from benne.features import MASK_COLUMNS, SubjectKey
from benne.features.frames import Provenance, read_features, read_observations, write_features

KEY = SubjectKey(b"k" * 32)
AS_OF = pd.Timestamp("2025-07-01", tz="UTC")
FROM_LEDGER = Provenance("the ledger", "lending", "platform", "e" * 64, "k" * 16)


def features(*subjects: str) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples([(s, AS_OF) for s in subjects], names=["subject_id", "as_of"])
    mask = dict.fromkeys(MASK_COLUMNS.values(), [True] * len(subjects))
    return pd.DataFrame({"x": np.arange(len(subjects), dtype=float), **mask}, index=index)


def test_what_was_written_is_read_with_its_provenance(tmp_path):
    path = write_features(features("anna", "bert"), tmp_path / "new" / "features.parquet", FROM_LEDGER)
    file = read_features(path)
    pd.testing.assert_frame_equal(file.features, features("anna", "bert"), check_index_type=False)
    assert file.provenance == FROM_LEDGER
    assert [other.name for other in path.parent.iterdir()] == ["features.parquet"]


def test_a_frame_that_pandas_wrote_is_read_without_provenance(tmp_path):
    features("anna").to_parquet(tmp_path / "own.parquet")
    file = read_features(tmp_path / "own.parquet")
    assert (file.features.index.names, file.provenance) == (["subject_id", "as_of"], None)


def test_features_serve_the_purpose_they_were_computed_for():
    FROM_LEDGER.require("lending", "platform")
    FROM_LEDGER.require("lending")
    with pytest.raises(ConsentRequired, match="computed for rental, got some computed for lending for platform"):
        FROM_LEDGER.require("rental")
    with pytest.raises(ConsentRequired, match="lending for shop"):
        FROM_LEDGER.require("lending", "shop")


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        (lambda f: f.drop(columns=list(MASK_COLUMNS.values())), FeatureColumnsError, "five consent columns"),
        (lambda f: pd.concat([f, f]), ObservationError, "each .subject_id, as_of. once"),
        (lambda f: f.reset_index("as_of", drop=True), ObservationError, "got no as_of"),
        (lambda f: f.reset_index().assign(as_of=pd.Timestamp("2025-07-01")), ObservationError, "timezone-aware"),
    ],
)
def test_a_frame_that_is_none_is_refused(tmp_path, change, error, complaint):
    change(features("anna")).to_parquet(tmp_path / "own.parquet")
    with pytest.raises(error, match=complaint):
        read_features(tmp_path / "own.parquet")


def test_a_file_that_is_not_parquet_is_refused_without_quoting_it(tmp_path):
    (tmp_path / "own.parquet").write_text("anna@example.org", "utf-8")
    with pytest.raises(ObservationError, match="must be a Parquet file") as refusal:
        read_features(tmp_path / "own.parquet")
    assert "anna" not in str(refusal.value)


def test_raw_ids_are_keyed_and_other_columns_stay(tmp_path):
    pd.DataFrame({"member_id": ["anna"], "as_of": [AS_OF], "bad": [True]}).to_parquet(tmp_path / "o.parquet")
    read = read_observations(tmp_path / "o.parquet", KEY)
    assert sorted(read.columns) == ["as_of", "bad", "subject_id"]
    assert read["subject_id"].tolist() == [KEY.subject_ids(["anna"])[0]]
    with pytest.raises(ObservationError, match="got no key"):
        read_observations(tmp_path / "o.parquet")


def test_a_moment_is_the_same_key_whatever_its_unit_and_timezone(tmp_path):
    there = AS_OF.tz_convert("Asia/Shanghai").as_unit("ns")
    pd.DataFrame({"subject_id": ["anna"], "as_of": [there]}).to_parquet(tmp_path / "o.parquet")
    read = read_observations(tmp_path / "o.parquet")
    assert read.set_index(["subject_id", "as_of"]).index.equals(features("anna").index)
