from __future__ import annotations

import json
from typing import get_args

import pandas as pd
import pytest

from benne.cli.train import Objective, SplitOrder
from benne.experiments.search import OBJECTIVES
from benne.experiments.splitting import Order


@pytest.fixture(scope="module")
def asked(built) -> tuple[object, ...]:
    return (built / "training.parquet", built / "world/outcomes.parquet", *built.ledger, *built.key)


@pytest.fixture(scope="module")
def searched(run, asked, tmp_path_factory):
    """A training run with a search, twice, in words and as JSON; the folder they were made in."""
    folder = tmp_path_factory.mktemp("searched")
    wanted = ("--quick", "--tracking", folder / "mlflow", "--search", 1, "--objective", "auc", "--seed", 3)
    told = run("train", *asked, "--out", folder / "one", *wanted)
    assert told.exit_code == 0, told.stderr
    again = run("train", *asked, "--out", folder / "two", *wanted, "--json")
    assert again.exit_code == 0, again.stderr
    return folder, told, json.loads(again.stdout)


@pytest.mark.slow
def test_a_search_is_told_with_what_it_found(searched):
    _, told, facts = searched
    found = facts["search"]
    assert (found["objective"], found["trials"], found["refused"]) == ("auc", 1, 0)
    assert found["best"] >= found["given"]
    assert f"Searched 1 sets of options: AUC {found['best']:.4f} out of fold" in told.stdout
    assert f"max_depth: {found['options']['max_depth']}" in told.stdout
    assert "search hyper-parameters" in told.stderr


@pytest.mark.slow
def test_the_same_command_makes_the_same_model_to_the_byte(searched):
    folder, *_ = searched
    made = [{path.name: path.read_bytes() for path in (folder / name).iterdir()} for name in ("one", "two")]
    first, second = (json.loads(files.pop("training.json")) for files in made)
    assert made[0] == made[1]
    assert first.pop("began_at") < second.pop("began_at")
    assert first == second


@pytest.mark.slow
def test_a_trained_model_is_the_challenger(searched, run_json):
    folder, told, facts = searched
    assert "Registered as models:/benne/1, the challenger." in told.stdout
    assert facts["model_uri"] == "models:/benne/2"
    assert (facts["split"], facts["folds"], facts["test_since"]) == ("member", "member", None)
    listed = run_json("models", "list", "--tracking", folder / "mlflow")
    assert [(one["version"], one["aliases"]) for one in listed] == [(2, ["challenger"]), (1, [])]


def test_weights_are_read_from_a_column_of_the_outcomes(run_json, run, asked, built, tmp_path):
    outcomes = pd.read_parquet(built / "world/outcomes.parquet").assign(stands_for=2.0)
    outcomes.to_parquet(tmp_path / "outcomes.parquet")
    weighted = (asked[0], tmp_path / "outcomes.parquet", *asked[2:], "--tracking", tmp_path / "mlflow")
    said = run_json("train", *weighted, "--quick", "--out", tmp_path / "model", "--weight", "stands_for")
    assert said["challengers"] is None
    # Everybody counts alike, so that weights change nothing.
    assert said["test_weighted"]["auc"] == pytest.approx(said["test"]["auc"], abs=1e-12)
    result = run("train", *weighted, "--out", tmp_path / "other", "--weight", "shoe_size")
    assert (result.exit_code, "no 'shoe_size'" in result.stderr) == (3, True)
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_the_evaluation_is_written_where_it_is_wanted(run_json, asked, tmp_path):
    wanted = ("--out", tmp_path / "model", "--tracking", tmp_path / "mlflow", "--report", tmp_path / "evaluation")
    said = run_json("train", *asked, *wanted)
    assert "scorecard (OptBinning)" in (tmp_path / "evaluation" / "evaluation.html").read_text()
    assert set(said["challengers"]) >= {"unconstrained LightGBM", "scorecard (OptBinning)", "ours, under contract"}


def test_what_cannot_be_split_or_registered_is_refused_before_anything_is_trained(run, asked, tmp_path):
    wanted = (*asked, "--out", tmp_path / "model", "--tracking", tmp_path / "mlflow")
    over_time = run("train", *wanted, "--split", "time")
    assert (over_time.exit_code, "rows of two moments, got 1" in over_time.stderr) == (3, True)
    both = run("train", *wanted, "--quick", "--report", tmp_path / "evaluation")
    assert (both.exit_code, "--quick leaves out what --report writes" in both.stderr) == (2, True)
    named = run("train", *wanted, "--registered-name", "a/b")
    assert (named.exit_code, "got 'a/b'" in named.stderr) == (3, True)
    assert not (tmp_path / "model").exists()


def test_the_options_are_those_that_there_are():
    assert {order.value for order in SplitOrder} == set(get_args(Order))
    assert {objective.value for objective in Objective} == set(OBJECTIVES)
