from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from benne.errors import GovernanceError, ModelDirectoryError
from benne.experiments.fingerprint import fingerprint_of
from benne.experiments.training import split_labelled
from benne.experiments.training_record import read_training_record, training_record, write_training_record
from benne.models import CreditScoreModel
from benne.scoring.decisions.served_model import ModelShelf, identity_of

BEGAN = datetime(2026, 3, 1, 9, 30, 0, 17, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def record(training_run):
    return training_record(training_run, author="ann", began_at=BEGAN)


@pytest.fixture
def folder(training_run, tmp_path):
    training_run.model.save(tmp_path / "model")
    return tmp_path / "model"


def test_a_record_comes_back_as_it_was_written(folder, record, training_run):
    write_training_record(folder, record)
    read = read_training_record(folder)
    assert (read.author, read.began_at) == ("ann", datetime(2026, 3, 1, 1, 30, 0, 17, tzinfo=UTC))
    assert (read.fingerprint, read.split) == (fingerprint_of(training_run.train), record.split)
    assert read.members.tolist() == record.members.tolist()
    assert read.trained_on(training_run.train.features.index).all()
    assert not read.trained_on(training_run.test.features.index).any()


def test_the_split_it_names_gives_the_same_sides_again(record, training_run, rows):
    again = split_labelled(rows, record.split)
    assert record.split.order in ("member", "time")
    assert fingerprint_of(again.train) == record.fingerprint
    assert np.array_equal(again.how.test, training_run.split.how.test)


def test_it_changes_neither_what_a_model_is_nor_whether_it_loads_or_is_replaced(folder, record, training_run):
    before = identity_of(folder)
    write_training_record(folder, record)
    assert identity_of(folder) == before
    assert CreditScoreModel.load(folder).n_features_in_ == training_run.model.n_features_in_
    training_run.model.save(folder)
    assert read_training_record(folder) is None  # until the training writes it again
    assert sorted(path.name for path in folder.parent.iterdir()) == ["model"]


def test_a_shelf_has_the_model_and_not_who_trained_it_on_whom(folder, record, tmp_path):
    write_training_record(folder, record)
    served = ModelShelf(tmp_path / "shelf").put(folder)
    assert served.config_hash == identity_of(folder)[1]
    (shelved,) = (tmp_path / "shelf").iterdir()
    assert {path.name for path in folder.iterdir()} - {path.name for path in shelved.iterdir()} == {"training.json"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("format", 2), ("members", "AAAA"), ("members", ""), ("members", "?"), ("fingerprint", "abc"), ("author", 7),
     ("began_at", "2026-03-01T09:30:00"), ("began_at", None), ("began_at", "0001-01-01T00:00:00+14:00"),
     ("began_at", "9999-12-31T23:59:59-14:00"), ("began_at", "1970-01-01T00:00:00+14:00"),
     ("began_at", "9999-01-01T00:00:00+14:00"), ("began_at", "9998-12-31T23:00:00-14:00"),
     ("split", {"order": "luck"}), ("config_hash", None)],
)  # fmt: skip
def test_a_record_that_was_damaged_is_refused(folder, record, name, value):
    path = write_training_record(folder, record)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {name: value}), "utf-8")
    with pytest.raises(GovernanceError, match=r"training\.json must be as the training wrote it, got a damaged file"):
        read_training_record(folder)


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff", b"null", b"[" * 100_000])
def test_a_file_that_is_no_record_is_refused(folder, text):
    (folder / "training.json").write_bytes(text)
    with pytest.raises(GovernanceError, match="got a damaged file"):
        read_training_record(folder)


def test_a_folder_in_the_place_of_the_record_is_refused_with_what_to_do(folder):
    (folder / "training.json").mkdir()
    with pytest.raises(ModelDirectoryError, match=r"got an error: Is a directory\. Put back the one that the training"):
        read_training_record(folder)


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00+00:00", "9998-12-31T23:59:59.999999+00:00"])
def test_the_earliest_and_the_latest_moment_are_read(folder, record, moment):
    write_training_record(folder, replace(record, began_at=datetime.fromisoformat(moment)))
    assert read_training_record(folder).began_at.isoformat() == moment


def test_the_record_of_another_model_is_refused(folder, record):
    path = write_training_record(folder, record)
    path.write_text(path.read_text("utf-8").replace(identity_of(folder)[1], "0" * 64), "utf-8")
    with pytest.raises(GovernanceError, match="must be about the files that it lies beside"):
        read_training_record(folder)


def test_there_is_none_without_a_model_and_no_author_where_nobody_said(folder, record, tmp_path):
    for act in (read_training_record, lambda place: write_training_record(place, record)):
        with pytest.raises(ModelDirectoryError, match=r"must be a directory with manifest\.json"):
            act(tmp_path / "nowhere")
    write_training_record(folder, replace(record, author=None, split=None))
    assert (read_training_record(folder).author, read_training_record(folder).split) == (None, None)
