"""``benne rollout`` and ``benne compare``: from the shadow to a share of members, and two models on paper."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import pytest

from benne.cli.rollout import LEAST_COMPARED
from benne.experiments.trained_members import digests_of
from benne.experiments.training_record import read_training_record, write_training_record
from benne.features.frames import read_features
from benne.scoring.rollout import rollout
from benne.scoring.rollout.shadow_counts import COMPARED
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
        service.rollouts.counts.add(begun["rollout_id"], COMPARED, 0, n=57)
        service.rollouts.counts.flush()
    unseen = run("rollout", "stage", home, "--share", "0.25%", "--by", "bob")
    assert (unseen.exit_code, "compared on 100 answers" in unseen.stderr, "got some 50" in unseen.stderr) == (
        3, True, True,
    )  # fmt: skip
    staged = run_json("rollout", "stage", home, "--share", "0.25%", "--by", "bob", "--least-compared", 40)
    assert (staged["state"], staged["share"], staged["by"]) == ("staged", 0.0025, "bob")
    assert (staged["compared"], staged["least_compared"]) == (50, 40)
    told = run("rollout", "stage", home, "--share", "5%", "--least-compared", 0).stdout
    assert "serves 5% of members" in told
    assert "compared on 50 answers or more, 0 were asked for" in told
    for share in ("5", "0.05", "-5%", "five%", "100.001%", "101%"):
        wrong = run("rollout", "stage", home, f"--share={share}")
        assert (wrong.exit_code, "share must be" in wrong.stderr) == (3, True), share
    shown = run("rollout", "status", home)
    assert [word in shown.stdout for word in ("shadow", "0.25 %", "5 %", "ann", "bob")] == [True] * 5
    assert "compared on 50 answers or more, 40 were asked for" in shown.stdout
    assert run_json("rollout", "status", home, "--cutoff", 600)["counts"]["compared"] == 57
    ended = run_json("rollout", "end", home, "--reason", "enough_seen")
    assert (ended["state"], ended["reason"]) == ("ended", "enough_seen")
    again = run_json("rollout", "shadow", home, begun["model_id"])  # from the shelf
    assert (again["model_id"], again["rollout_id"] != begun["rollout_id"]) == (begun["model_id"], True)


def test_the_command_asks_for_as_many_answers_as_the_service_does():
    assert LEAST_COMPARED == rollout.LEAST_COMPARED


def test_a_verdict_is_taken_over_from_another_store(run, run_json, home, models, tmp_path):
    elsewhere = verdicts_for(tmp_path / "elsewhere.db", models[1])
    run("rollout", "shadow", home, models[1])
    asked = ("rollout", "stage", home, "--share", "10%", "--validated-in", elsewhere, "--least-compared")
    staged = run_json(*asked, 0)
    assert (staged["share"], staged["compared"], staged["least_compared"]) == (0.1, 0, 0)
    assert "compared on fewer than 10 answers, 0 were asked for" in run("rollout", "status", home).stdout


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
    known = ("--outcomes", at / "world/outcomes.parquet", *at.key, "--held-out")
    said = run_json("compare", *same, *known)
    assert said["measures"]["mean_absolute_change"]["value"] == 0.0
    assert said["measures"]["auc_difference"]["state"] == "measured"
    assert said["rows"] == trained_as["tested_on"]
    document = json.loads((out / "comparison.json").read_text())
    assert document["rows"] == said["rows"] > 100
    told = {}
    for line in document["tables"]["swaps.at_the_same_score"]:
        told.setdefault(line["cutoff"], []).append(line["n"])
    whole = [sum(counts) for counts in told.values() if None not in counts]  # null: fewer than ten, or what tells them
    assert whole
    assert set(whole) == {document["rows"]}
    told = run("compare", *same)
    assert "scores change by +0.00 points" in told.stdout
    assert "equal approval" in told.stdout
    assert re.search(r"Trained on members of these rows: \d\d\.\d %", told.stderr)
    measures = json.loads((out / "comparison.json").read_text())["measures"]
    assert measures["comparison.auc_difference"]["state"] == "INSUFFICIENT"  # no outcomes were given


def test_rows_that_the_challenger_learned_from_are_left_out_too(run, run_json, trained, tmp_path):
    at, trained_as = trained
    rows = read_features(at / "training.parquet").features.index
    unseen = rows[~read_training_record(at / "model").trained_on(rows)]
    shutil.copytree(at / "model", tmp_path / "other")
    also = replace(read_training_record(at / "model"), members=digests_of(unseen[::2], "a" * 64), fingerprint="a" * 64)
    write_training_record(tmp_path / "other", also)
    asked = ("compare", at / "model", tmp_path / "other", at / "training.parquet", *at.ledger, *at.key,
             "--outcomes", at / "world/outcomes.parquet", "--out", tmp_path / "comparison")  # fmt: skip
    refused = run(*asked)
    assert refused.exit_code == 3
    told = " ".join(refused.stderr.split())
    assert re.search(r"must be of members that the model was not trained on, got \d\d\.\d % of others\.", told)
    assert told.endswith("Leave them out: --held-out")
    assert not (tmp_path / "comparison").exists()
    said = run_json(*asked, "--held-out")
    assert 0 < said["rows"] < trained_as["tested_on"]
    assert said["rows"] <= len(unseen[1::2])


@pytest.mark.slow
def test_a_model_of_another_seed_gains_nothing_from_rows_it_learned_from(run_json, trained, tmp_path):
    at, trained_as = trained
    same = (at / "training.parquet", at / "world/outcomes.parquet", *at.ledger, *at.key)
    run_json("train", *same, "--quick", "--seed", 3, "--out", tmp_path / "other", "--tracking", tmp_path / "mlflow")
    asked = (at / "training.parquet", *at.ledger, *at.key, "--outcomes", at / "world/outcomes.parquet")
    said = run_json("compare", at / "model", tmp_path / "other", *asked, "--held-out", "--out", tmp_path / "comparison")
    assert said["rows"] < 0.5 * trained_as["tested_on"]  # about three in ten of them
    assert said["measures"]["auc_difference"]["low"] < 0.0  # no gain that can be told from none


def test_a_model_without_a_record_is_not_judged_on_held_out_rows(run, trained, tmp_path):
    at, _ = trained
    shutil.copytree(at / "model", tmp_path / "bare")
    (tmp_path / "bare/training.json").unlink()
    asked = ("compare", at / "model", tmp_path / "bare", at / "training.parquet", *at.ledger, "--out", tmp_path / "out")
    refused = run(*asked, "--held-out")
    assert refused.exit_code == 3
    told = " ".join(refused.stderr.split())
    assert "bare must hold the record of its training, training.json, got none. Train it again" in told
    assert "bring rows of other members and leave --held-out out." in told
    assert "nobody can say whether it learned from these rows" in " ".join(run(*asked).stderr.split())
    notes = json.loads((tmp_path / "out/comparison.json").read_text())["notes"]
    assert notes[0].startswith("One of the models was trained on some of these members")
    unfiled = run(*asked, "--store", tmp_path / "governance.db")
    assert (unfiled.exit_code, "or leave --store out" in " ".join(unfiled.stderr.split())) == (3, True)


def test_the_way_out_of_rows_learned_from_is_open_where_one_model_has_no_record(run, trained, tmp_path):
    at, _ = trained
    shutil.copytree(at / "model", tmp_path / "bare")
    (tmp_path / "bare/training.json").unlink()
    refused = run("compare", at / "model", tmp_path / "bare", at / "training.parquet", *at.ledger, *at.key,
                  "--outcomes", at / "world/outcomes.parquet", "--out", tmp_path / "out")  # fmt: skip
    assert refused.exit_code == 3
    told = " ".join(refused.stderr.split())
    assert re.search(r"of others\. Bring rows of other members, or train \S+bare again, for --held-out to leave", told)
    assert "Leave them out: --held-out" not in told
