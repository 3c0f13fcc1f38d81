"""``benne monitor`` from files to a page, alerts and an exit code."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benne.cli.application import app
from benne.features.frames import Provenance, write_features
from benne.models import BoosterOptions, CreditScoreModel

CATEGORIES = {"credit_history": ["late"], "behaviour": ["swing"], "ability": ["income"]}
PROVENANCE = Provenance("nobody real", "lending", "platform", "f" * 64, "e" * 16)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, two months of features of which the second has shifted, and what became of the members."""
    folder, rng = tmp_path_factory.mktemp("monitor"), np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(2_400, 3)), columns=["late", "swing", "income"])
    bad = (rng.random(2_400) < 1.0 / (1.0 + np.exp(1.5 - X["late"] + X["income"]))).astype(int)
    quick = BoosterOptions(max_trees=30, learning_rate=0.3, patience=5, folds=3, threads=1)
    model = CreditScoreModel(CATEGORIES, booster=quick, own_booster_gap=None, unconstrained_price=False)
    model.fit(X[:1_600], bad[:1_600]).save(folder / "model")
    X, bad = X[1_600:].copy(), bad[1_600:]
    X.loc[X.index >= 2_000, "income"] += 2.0
    moments = [pd.Timestamp(f"2025-0{1 + k // 400}-01", tz="UTC") for k in range(800)]
    X.index = pd.MultiIndex.from_arrays([[f"{k:032x}" for k in range(800)], moments], names=["subject_id", "as_of"])
    for category in ("credit_history", "behaviour", "ability", "personal_information", "social"):
        X[f"consented_{category}"] = True
    write_features(X, folder / "features.parquet", PROVENANCE)
    X.index.to_frame(index=False).assign(bad=bad.to_numpy()).to_parquet(folder / "outcomes.parquet")
    return folder


def run(files, *more: str):
    given = ("monitor", str(files / "model"), str(files / "features.parquet"), "--out", str(files / "out"))
    return CliRunner().invoke(app, [*given, *more], prog_name="benne")


def test_it_says_what_has_moved_and_writes_a_page(files):
    answer = run(files)
    assert answer.exit_code == 0
    assert "alarm     2025-02  psi.income" in answer.stdout
    assert "Look at it:" in answer.stderr
    assert (files / "out" / "monitoring.html").is_file()


def test_alarms_end_with_an_exit_code_where_that_is_asked(files):
    assert run(files, "--fail-on", "alarm").exit_code == 8
    own = files / "own.toml"
    own.write_text("format = 1\n[rules]\nfewest = 1000\n")
    assert run(files, "--fail-on", "warning", "--thresholds", str(own)).exit_code == 0


def test_json_is_the_only_thing_on_stdout_and_outcomes_are_looked_at(files):
    answer = run(files, "--json", "--outcomes", str(files / "outcomes.parquet"))
    told = json.loads(answer.stdout)
    assert (told["kind"], told["outcomes"], told["rows"]) == ("monitoring", "measured", 800)
    assert told["measures"]["monitoring.auc"]["state"] == "measured"


def test_an_address_that_alerts_may_not_go_to_is_refused_before_anything_is_read(files):
    answer = run(files, "--webhook", "http://pager.example")
    assert answer.exit_code == 3
    assert "A webhook must be https" in answer.stderr


def test_features_of_another_model_are_refused(files, tmp_path):
    other = pd.read_parquet(files / "features.parquet").drop(columns="income")
    other = other.set_index(["subject_id", "as_of"]) if "subject_id" in other else other
    write_features(other, tmp_path / "other.parquet", PROVENANCE)
    answer = CliRunner().invoke(
        app, ["monitor", str(files / "model"), str(tmp_path / "other.parquet"), "--out", str(tmp_path / "o")]
    )
    assert answer.exit_code == 3
    assert "'income' missing" in answer.stderr
