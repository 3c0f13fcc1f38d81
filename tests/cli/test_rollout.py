"""``benne rollout`` and ``benne compare``: from the shadow to a share of members, and two models on paper."""

from __future__ import annotations

import json

import pytest

from benne.scoring.service_wiring import opened_service
from benne.scoring.settings import read_settings
from tests.scoring.service.conftest import fitted_into
from tests.scoring.validated import validated, verdicts_for


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return fitted_into(folder / "champion", 0), fitted_into(folder / "challenger", 1)


@pytest.fixture
def home(run, models, tmp_path):
    verdicts = verdicts_for(tmp_path / "governance.db", models[0])
    done = run("service", "init", tmp_path / "shop", "--model", models[0], "--validated-in", verdicts)
    assert done.exit_code == 0, done.stderr
    return tmp_path / "shop"


def test_a_roll_out_from_the_shadow_to_its_end(run, run_json, home, models):
    assert "no roll-out" in run("rollout", "status", home).stdout
    begun = run_json("rollout", "shadow", home, models[1], "--by", "ann")
    assert (begun["state"], begun["share"], begun["by"]) == ("shadow", 0.0, "ann")
    refused = run("rollout", "stage", home, "--share", "5%")
    assert (refused.exit_code, "validated" in refused.stderr) == (11, True)
    with opened_service(read_settings(home)) as service:
        validated(service.store, service.group, models[1])
    staged = run_json("rollout", "stage", home, "--share", "0.25%", "--by", "bob")
    assert (staged["state"], staged["share"], staged["by"]) == ("staged", 0.0025, "bob")
    assert "serves 5% of members" in run("rollout", "stage", home, "--share", "5%").stdout
    for share in ("5", "0.05", "-5%", "five%", "100.001%", "101%"):
        wrong = run("rollout", "stage", home, f"--share={share}")
        assert (wrong.exit_code, "share must be" in wrong.stderr) == (3, True), share
    shown = run("rollout", "status", home)
    assert [word in shown.stdout for word in ("shadow", "0.25 %", "5 %", "ann", "bob")] == [True] * 5
    assert run_json("rollout", "status", home, "--cutoff", 600)["counts"]["compared"] == 0
    ended = run_json("rollout", "end", home, "--reason", "enough_seen")
    assert (ended["state"], ended["reason"]) == ("ended", "enough_seen")
    again = run_json("rollout", "shadow", home, begun["model_id"])  # from the shelf
    assert (again["model_id"], again["rollout_id"] != begun["rollout_id"]) == (begun["model_id"], True)


def test_a_verdict_is_taken_over_from_another_store(run, run_json, home, models, tmp_path):
    elsewhere = verdicts_for(tmp_path / "elsewhere.db", models[1])
    run("rollout", "shadow", home, models[1])
    staged = run_json("rollout", "stage", home, "--share", "10%", "--validated-in", elsewhere)
    assert staged["share"] == 0.1


def test_what_was_counted_is_shown(run, run_json, home, models):
    run("rollout", "shadow", home, models[1])
    rollout_id = run_json("rollout", "status", home)["rollout_id"]
    with opened_service(read_settings(home)) as service:
        counts = service.rollouts.counts
        for name, amount in (("shadow.joint", 480.0), ("shadow.pd.champion", 0.6), ("shadow.pd.challenger", 0.36)):
            counts.add(rollout_id, name, 24 * 61 + 28, n=12, amount=amount)  # from 590–599 to 630–639
        counts.add(rollout_id, "shadow.change.base", 0, n=12, amount=480.0)
        counts.add(rollout_id, "shadow.moved.base", 0, n=12, amount=480.0)
        counts.flush()
    shown = run("rollout", "status", home, "--cutoff", 600).stdout
    assert "Scores change by +40.00 points" in shown
    assert shown.split("comes in")[1].split("\n")[0].split() == ["12", "100.0%", "5.00%", "3.00%"]


def test_two_models_are_compared_on_a_platforms_features(run, run_json, trained, tmp_path):
    out, (at, trained_as) = tmp_path / "comparison", trained
    same = (at / "model", at / "model", at / "training.parquet", "--out", out, *at.ledger)
    said = run_json("compare", *same, "--outcomes", at / "world/outcomes.parquet", *at.key)
    assert said["measures"]["mean_absolute_change"]["value"] == 0.0
    assert said["measures"]["auc_difference"]["state"] == "measured"
    held_out = run_json("compare", *same, "--outcomes", at / "world/outcomes.parquet", *at.key, "--held-out")
    assert held_out["rows"] == trained_as["tested_on"] < said["rows"]
    run_json("compare", *same, "--outcomes", at / "world/outcomes.parquet", *at.key)
    document = json.loads((out / "comparison.json").read_text())
    assert document["rows"] == said["rows"] > 100
    told = {}
    for line in document["tables"]["swaps.at_the_same_score"]:
        told.setdefault(line["cutoff"], []).append(line["n"])
    whole = [sum(counts) for counts in told.values() if None not in counts]  # null: fewer than ten, or what tells them
    assert whole
    assert set(whole) == {document["rows"]}
    told = run("compare", *same).stdout
    assert "scores change by +0.00 points" in told
    assert "equal approval" in told
    assert "--held-out must come with --outcomes" in run("compare", *same, "--held-out").stderr
    measures = json.loads((out / "comparison.json").read_text())["measures"]
    assert measures["comparison.auc_difference"]["state"] == "INSUFFICIENT"  # no outcomes were given
