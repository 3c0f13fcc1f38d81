from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def attacked(run, trained, tmp_path_factory):
    """What `benne gaming` says of the platform's model, and the folder it wrote."""
    at, _ = trained
    out = tmp_path_factory.mktemp("gaming")
    asked = (at / "model", at / "training.parquet", "--outcomes", at / "world/outcomes.parquet", *at.ledger, *at.key)
    truth = ("--held-out", "--known-pd", at / "world/truth/pd.parquet", "--events", at / "events", "--members", 150)
    return out, run("gaming", *asked, *truth, "--out", out, "--by", "a tester")


def test_a_trained_model_is_attacked_and_no_spending_raises_a_score(attacked):
    out, result = attacked
    assert result.exit_code == 0, result.stderr
    assert "cheap and medium" in result.stdout
    assert "none rises" in result.stdout
    document = json.loads((out / "gaming.json").read_text("utf-8"))
    assert (document["kind"], document["by"], document["rows"]) == ("gaming", "a tester", 150)
    assert document["measures"]["gaming.spending_raises"]["value"] == 0.0
    assert {one["is"] for one in document["tables"]["pd"]} == {"known PD"}
    assert (out / "gaming.html").read_text("utf-8").count("<svg") >= 3


def test_training_names_the_features_that_it_keeps_from_rewarding_spending(trained):
    _, said = trained
    assert len(said["spending_guard"]) == 10
    assert "spending_trend_90d" in said["spending_guard"]
    assert said["cheap_cap"] is None


def test_features_built_for_scoring_are_not_attacked(run, trained, tmp_path):
    at, _ = trained
    result = run("gaming", at / "model", at / "features.parquet", *at.ledger, "--out", tmp_path)
    assert result.exit_code != 0
    assert "model_training" in result.stderr


def test_only_those_who_were_held_out_are_attacked(run, run_json, trained, tmp_path):
    at, trained_as = trained
    asked = ("gaming", at / "model", at / "training.parquet", *at.ledger, *at.key, "--members", 10_000)
    refused = run(*asked, "--out", tmp_path)
    assert refused.exit_code == 3
    assert "Leave them out: --held-out" in " ".join(refused.stderr.split())
    document = run_json(*asked, "--held-out", "--outcomes", at / "world/outcomes.parquet", "--out", tmp_path)
    assert document["rows"] == trained_as["tested_on"]
    assert "members that the model was not trained on attacked" in (tmp_path / "gaming.html").read_text("utf-8")


def test_outcomes_of_others_are_refused(run, trained, tmp_path):
    at, _ = trained
    asked = (at / "model", at / "training.parquet", *at.ledger, *at.key, "--held-out", "--out", tmp_path)
    result = run("gaming", *asked, "--outcomes", at / "world/observations.parquet")
    assert result.exit_code == 3
    assert "must have subject_id, as_of and bad" in result.stderr


@pytest.mark.slow
def test_a_cap_on_cheap_features_is_found_and_told(run, built, tmp_path):
    at = built
    asked = (at / "training.parquet", at / "world/outcomes.parquet", *at.ledger, *at.key)
    result = run("train", *asked, "--quick", "--out", tmp_path / "model", "--tracking", tmp_path / "mlflow",
                 "--cheap-cap", 8)  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "Cheap moves win nine members in ten at most" in result.stdout
    assert "cap what cheap features can give" in result.stderr
