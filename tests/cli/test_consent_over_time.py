from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pandas as pd
import pytest

from benne.errors import ConsentRequired
from benne.experiments.labelling import still_consented
from benne.features.frames import read_features
from benne.scoring import open_ledger

ASKED = ("--purpose", "lending", "--recipient", "platform")


@pytest.fixture
def ledger(built, tmp_path):
    """A copy of the platform's ledger, to be changed."""
    for part in built.folder.glob("consents.db*"):
        shutil.copy(part, tmp_path / part.name)
    return tmp_path / "consents.db"


def test_who_withdrew_since_the_features_were_built_does_not_train(built, ledger):
    file, book = read_features(built / "training.parquet"), open_ledger(ledger)
    before = still_consented(file, book)
    member = file.features.index[file.features["consented_social"]].get_level_values("subject_id")[0]
    book.withdraw(member, "model_training", "platform", ["social"])
    lost = file.features.index[before & ~still_consented(file, book)]
    assert before.all()
    assert set(lost.get_level_values("subject_id")) == {member}


def test_features_built_under_a_ledger_do_not_train_without_one(run, built, tmp_path):
    with pytest.raises(ConsentRequired, match="--ledger"):
        still_consented(read_features(built / "training.parquet"), None)
    asked = (built / "training.parquet", built / "world/outcomes.parquet", *built.key)
    result = run("train", *asked, "--quick", "--out", tmp_path / "model", "--tracking", tmp_path / "mlflow")
    assert (result.exit_code, (tmp_path / "model").exists()) == (4, False)


def test_everybody_who_had_joined_is_observed_at_one_moment(run_json, built, tmp_path):
    now = datetime.now(UTC).isoformat()
    building = ("features", "build", built / "events", *built.ledger, *ASKED, "--as-of", now)
    said = run_json(*building, "--out", tmp_path / "now.parquet")
    members = pd.read_parquet(built / "world/raw/members.parquet")["member_id"].nunique()
    features = read_features(tmp_path / "now.parquet").features
    assert len(features) == said["observations"] == members
    assert set(features.index.get_level_values("as_of")) == {pd.Timestamp(now)}


def test_who_is_observed_is_said_once(run, built, tmp_path):
    building = ("features", "build", built / "events", *built.ledger, *ASKED, "--out", tmp_path / "now.parquet")
    assert run(*building).exit_code == 2
    both = (built / "world/observations.parquet", "--as-of", "2030-01-01T00:00:00Z")
    result = run(*building[:3], *both, *building[3:])
    assert (result.exit_code, "say who is observed when" in result.stderr) == (2, True)


def test_nobody_had_joined_a_century_ago(run, built, tmp_path):
    building = ("features", "build", built / "events", *built.ledger, *ASKED, "--as-of", "1925-01-01T00:00:00Z")
    result = run(*building, "--out", tmp_path / "then.parquet")
    assert result.exit_code == 3
    assert "Somebody must have joined" in result.stderr
