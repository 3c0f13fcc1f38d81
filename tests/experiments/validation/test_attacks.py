"""What an author tries with MLflow, which they may write to: tags, times, files and versions."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from benne.errors import GatesChanged, GovernanceError, ModelDirectoryError, NotIndependent
from benne.experiments.measure import Measure
from benne.experiments.model_registry import CHAMPION, files_of, marked, version_of, versions
from benne.experiments.tracking import store_in_use
from benne.experiments.validation import candidate as candidate_module
from benne.experiments.validation import candidate_of_directory, candidate_of_run
from benne.experiments.validation import verdict as verdict_module
from benne.experiments.validation.carding import approvals_of
from benne.experiments.validation.judging import judge
from benne.experiments.validation.recording import validate_on_record
from benne.models.model_directory import found_model
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.documents import documents_of
from benne.scoring.governance.gates import Gate
from benne.scoring.governance.verdicts import require_validated
from tests.experiments.validation.conftest import ANN, GATES
from tests.experiments.validation.test_promoting import chain, promoting_run, verdict_on
from tests.experiments.validation.test_recording import of
from tests.scoring.validated import declared_in, now_us

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


def tagged(world, run, **tags):
    with store_in_use(world.tracking):
        for name, value in tags.items():
            MlflowClient().set_tag(world.runs[run], f"benne.{name}", value)


def began(world, run=0):
    with candidate_of_run(world.tracking, world.runs[run]) as candidate:
        return candidate.training_began_us


def test_a_version_that_is_tagged_with_the_champions_hash_does_not_become_the_champion(world, governance):
    verdict_on(world, governance, 0)
    champion = promoting_run(world, governance, 0)
    with store_in_use(world.tracking):  # version 2 was never validated
        MlflowClient().set_model_version_tag("benne", "2", "benne.config_hash", champion.promotion.config_hash)
        MlflowClient().set_registered_model_alias("benne", CHAMPION, "2")
    again = promoting_run(world, governance, 0)
    assert (again.version.version, again.moved) == (1, True)
    (named,) = [one.version for one in versions(world.tracking) if CHAMPION in one.aliases]
    assert named == 1
    assert marked(world.tracking, "0" * 64) is None


def test_a_verdict_that_names_another_author_than_the_run_does_not_let_its_validator_promote_it(world, governance):
    verdict_on(world, governance, 1, author="somebody", validator=ANN)  # of a saved folder, whose author is typed
    with pytest.raises(NotIndependent, match="somebody other than its author, got ann for both"):
        promoting_run(world, governance, 1)
    assert chain(governance)[-1] == ("model_promoted", "denied", "not_independent", None)


def test_a_run_whose_start_was_put_off_is_as_old_as_its_model(world):
    honest = began(world)
    with sqlite3.connect(world.tracking.uri.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE runs SET start_time = start_time + 86400000")
    assert began(world) == honest  # as the record beside the model says
    with store_in_use(world.tracking):  # of an older Benne, whose models have no record beside them
        late = candidate_module._began(MlflowClient().get_run(world.runs[0]))
    assert honest <= late < honest + 600 * 1_000_000  # when MLflow took the model in


@pytest.mark.parametrize("said", ["²", "-1", "soon", "٣٤٥"])
def test_a_beginning_that_is_no_number_is_none_and_one_in_other_digits_is_earlier(world, said):
    honest = began(world)
    tagged(world, 0, training_began_us=said)
    assert began(world) == (345 if said == "٣٤٥" else honest)


def test_a_run_that_is_tagged_with_another_author_than_its_model_names_is_refused(world):
    tagged(world, 0, author="zed")
    with pytest.raises(GovernanceError, match="must be whom the model that it logged names"):
        began(world)


def folder_of(world, target, run=0):
    """The folder that `benne train` would have left."""
    with candidate_of_run(world.tracking, world.runs[run]) as tracked:
        return shutil.copytree(tracked.directory, target)


def test_a_copy_of_a_folder_is_as_old_as_the_training_and_gates_declared_since_do_not_stand(
    world, governance, tmp_path
):
    model = folder_of(world, tmp_path / "model")
    lax = GATES.replace("0.60", "0.01").replace("2026-11", "lax")
    declared_in(governance.group, lax, "carol")
    subprocess.run(["cp", "-r", model, tmp_path / "moved"], check=True)
    moved = candidate_of_directory(tmp_path / "moved")
    assert moved.training_began_us == candidate_of_directory(model).training_began_us == began(world)
    trained = replace(world.rows, features=pd.concat([world.rows.features, world.trained.features]),
                      bad=np.concatenate([world.rows.bad, world.trained.bad]))  # fmt: skip
    made, verdict = validate_on_record(of(moved, world, rows=trained), governance)
    assert (verdict.gates_version, made.content["rows"]["rows"]) == ("2026-11", 600)


def test_an_author_who_is_on_record_validates_under_no_other_name(world, governance, tmp_path):
    model = folder_of(world, tmp_path / "model")
    validate_on_record(of(candidate_of_directory(model), world), governance)
    (model / "training.json").unlink()
    with pytest.raises(NotIndependent, match="must be whom the record names for these files, ann, got zed"):
        validate_on_record(of(candidate_of_directory(model, "zed"), world, validator=ANN), governance)
    assert chain(governance)[-1] == ("model_validated", "denied", "not_independent", None)
    with pytest.raises(NotIndependent, match="must be whom the record names for these files, ann, got zed"):
        verdict_on(world, governance, 0, author="zed", validator=ANN)


def test_what_is_typed_of_a_bare_folder_binds_nobody_who_validates_the_run(world, governance, tmp_path):
    bare = folder_of(world, tmp_path / "model")
    (bare / "training.json").unlink()
    os.utime(bare / "manifest.json", (1, now_us() / 1e6 - 60))
    declared = candidate_of_directory(bare, "mallory")
    with pytest.raises(GatesChanged, match="must be declared before the training begins"):
        validate_on_record(of(declared, world), governance)
    os.utime(bare / "manifest.json")
    assert not validate_on_record(of(candidate_of_directory(bare, "mallory"), world), governance)[0].passed
    with candidate_of_run(world.tracking, world.runs[0]) as candidate:
        assert validate_on_record(of(candidate, world), governance)[0].passed


def test_the_same_trained_again_under_laxer_gates_is_judged_by_those_that_stood_first(world, governance):
    with candidate_of_run(world.tracking, world.runs[0]) as candidate:
        validate_on_record(of(candidate, world), governance)
        declared_in(governance.group, GATES.replace("0.60", "0.01").replace("2026-11", "lax"), "carol")
        again = replace(candidate, training_began_us=now_us())  # the same bytes, begun after
        made, verdict = validate_on_record(of(again, world), governance)
    assert (verdict.gates_version, verdict.training_began_us) == ("2026-11", candidate.training_began_us)
    assert "judged before" in " ".join(made.content["notes"])
    with pytest.raises(GatesChanged, match="must have begun when the record says of these files"):
        verdict_on(world, governance, 0)  # written by hand, under the newest gates


@pytest.mark.parametrize("first", ["the run", "the bare copy"])
def test_whoever_validates_a_bare_copy_hinders_nobody_from_promoting_what_passed(world, governance, tmp_path, first):
    bare = folder_of(world, tmp_path / "model")
    (bare / "training.json").unlink()
    author = "ann" if first == "the run" else "mallory"
    typed = of(candidate_of_directory(bare, author), world, validator="eve")
    with candidate_of_run(world.tracking, world.runs[0]) as candidate:
        both = [of(candidate, world), typed]
        states = [validate_on_record(one, governance)[0].passed for one in (both if first == "the run" else both[::-1])]
    assert sorted(states) == [False, True]
    promotion = promoting_run(world, governance, 0).promotion
    with governance.store.read() as connection:
        assert require_validated(connection, promotion.config_hash).validator == "bob"
        (gaming,) = documents_of(connection, promotion.config_hash, "gaming")  # what eve found does not stand for it
        told = {(one.verdict, one.by) for one in approvals_of(connection, promotion.config_hash)}
    assert gaming.content["by"] == "bob"
    assert told == {("passed", "bob"), ("rests on no record", "eve"), ("champion", "ops")}


def test_a_run_whose_model_lost_the_record_of_its_training_is_not_taken_at_its_tags_word(world):
    with store_in_use(world.tracking):
        (model,) = MlflowClient().get_run(world.runs[0]).outputs.model_outputs
        place = Path(MlflowClient().get_logged_model(model.model_id).artifact_location.removeprefix("file://"))
    (file,) = place.rglob("training.json")
    whole = file.read_bytes()
    try:
        file.unlink()
        tagged(world, 0, author="zed")
        with pytest.raises(GovernanceError, match=r"must have training\.json beside it"):
            began(world)
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_digests_of_whom_a_run_was_trained_on_cannot_be_taken_away_or_replaced(world, how):
    with store_in_use(world.tracking):
        kept = MlflowClient().get_run(world.runs[0]).info.artifact_uri
    file = Path(kept.removeprefix("file://")) / "training" / "members.u32"
    whole = file.read_bytes()
    try:
        if how == "removed":
            file.unlink()
        else:
            file.write_bytes(np.array([7], dtype="<u4").tobytes())
        with pytest.raises(GovernanceError, match="must be those that the run logged"):
            began(world)
    finally:
        file.write_bytes(whole)
    assert began(world)


def test_files_that_were_swapped_before_they_are_measured_are_not_validated(world, tmp_path):
    folders = []
    for run in (0, 1):
        with files_of(world.tracking, version_of(world.tracking, world.runs[run])) as directory:
            folders.append(found_model(directory).rename(tmp_path / f"{run}"))
    candidate = candidate_of_directory(folders[0], ANN)
    folders[0].rename(tmp_path / "aside")
    folders[1].rename(folders[0])
    assert identity_of(folders[0])[1] != candidate.config_hash
    with pytest.raises(ModelDirectoryError, match="must stay as it was looked up"):
        verdict_module._exactly(candidate)
    (tmp_path / "aside").rename(folders[1])
    with pytest.raises(ModelDirectoryError, match="must be there to be validated"):
        verdict_module._exactly(candidate_of_directory(folders[1], ANN).__class__(
            directory=tmp_path / "gone", model_id="", config_hash="", author=ANN, training_began_us=1
        ))  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
@pytest.mark.parametrize("on", ["value", "low", "high"])
def test_a_figure_that_is_none_passes_no_gate_whichever_side_it_is_held_to(value, on):
    for limit in ({"at_least": -1e300}, {"at_most": 1e300}):
        gate = Gate(metric="discrimination.auc", on=on, why="any number passes", **limit)
        whole = {"value": 0.5, "low": 0.4, "high": 0.6}
        for broken in (on, "value"):
            assert judge(gate, Measure(**whole | {broken: value}, n=100)).state == "INSUFFICIENT"
        assert judge(gate, Measure(**whole, n=100)).state == "passed"


def test_a_figure_is_judged_as_the_verdict_shows_it(world):
    gate = Gate(metric="discrimination.auc", at_least=0.6, why="ranks")
    result = judge(gate, Measure(value=0.6 - 1e-12, n=100))
    assert (result.state, gate.outcome(result.as_dict())) == ("passed", "passed")
