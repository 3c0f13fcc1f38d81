from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from mlflow import MlflowClient

from benne.errors import GatesChanged, GovernanceError, LabelError, NotIndependent, NotValidated
from benne.experiments.tracking import store_in_use
from benne.experiments.validation import Evidence, candidate_of_directory, candidate_of_run, validate, verdict_page
from benne.experiments.validation.recording import Validation, validate_on_record
from benne.scoring.audit.chain import verify
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.declaring import every_declared
from benne.scoring.governance.verdicts import record_verdict, require_validated
from benne.scoring.wiring import random_id, system_clock
from tests.experiments.validation.conftest import ANN, BOB
from tests.scoring.validated import declared_in, now_us

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


def of(candidate, world, validator=BOB, rows=None, **more):
    evidence = Evidence(rows=world.rows if rows is None else rows, resamples=50, seconds=lambda: 0.0)
    return Validation(candidate=candidate, evidence=evidence, validator=validator, made_at=system_clock(),
                      ids=random_id, tracking=world.tracking, **more)  # fmt: skip


def validated(world, governance, run=0, **more):
    with candidate_of_run(world.tracking, world.runs[run]) as candidate:
        return validate_on_record(of(candidate, world, **more), governance)


def records(governance, kind):
    with governance.store.read() as connection:
        query = "SELECT * FROM audit_records WHERE type = ? ORDER BY seq"
        return [dict(row) for row in connection.exec_driver_sql(query, (kind,)).mappings()]


def test_a_model_that_passes_its_gates_may_serve_and_everything_says_so(world, governance):
    made, verdict = validated(world, governance)
    states = {result.gate.metric: result.state for result in made.results}
    assert states == {
        "discrimination.auc": "passed", "calibration.ece": "passed", "contract.largest_miss": "passed",
        "points.largest_gap": "passed", "fairness.adverse_impact_ratio": "INSUFFICIENT",
    }  # fmt: skip
    assert made.passed
    with governance.store.read() as connection:
        assert require_validated(connection, verdict.config_hash) == verdict
        assert verify(connection).intact
    (record,) = records(governance, "model_validated")
    assert (record["reviewer"], record["outcome"], record["output_digest"]) == (BOB, "passed", verdict.verdict_hash)
    with store_in_use(world.tracking):
        tags = MlflowClient().get_run(world.runs[0]).data.tags
        files = {one.path for one in MlflowClient().list_artifacts(world.runs[0], "validation")}
    assert (tags["benne.validation"], tags["benne.validator"], tags["benne.gates"]) == ("passed", BOB, "2026-11")
    assert files == {"validation/verdict.html", "validation/verdict.json"}


def test_the_validator_measures_anew_and_not_the_authors_figures(world, governance):
    made, _ = validated(world, governance)
    assert made.content["rows"]["rows"] == 600
    with store_in_use(world.tracking):
        logged = MlflowClient().get_run(world.runs[0]).data.metrics["test_auc"]
    auc = made.content["measures"]["discrimination.auc"]
    assert auc["value"] != pytest.approx(logged, abs=1e-6)
    assert auc["low"] < auc["value"] < auc["high"]


def test_the_same_rows_give_the_same_verdict_to_the_byte(world, governance):
    with candidate_of_run(world.tracking, world.runs[0]) as candidate, governance.store.read() as connection:
        validation = of(candidate, world)
        gates = every_declared(connection)[0]
        first, again = (
            validate(candidate, validation.evidence, gates, validator=BOB, made_at=validation.made_at).content
            for _ in range(2)
        )
    assert json.dumps(first) == json.dumps(again)


def test_a_verdict_names_those_before_on_the_same_files(world, governance):
    first, again = (validated(world, governance) for _ in range(2))
    assert first[0].content["tables"]["validation.earlier"] == []
    (told,) = again[0].content["tables"]["validation.earlier"]
    assert (told["verdict"], told["about"], told["passed"]) == (first[1].validation_id, "these files", "passed")
    assert any(note.startswith("These files were judged before: passed under") for note in again[0].content["notes"])


@pytest.mark.parametrize("name", [ANN, "ANN", "  Ann "])
def test_whoever_made_a_model_does_not_validate_it_and_that_they_tried_is_on_record(world, governance, name):
    with pytest.raises(NotIndependent, match="somebody other than its author"):
        validated(world, governance, validator=name)
    (record,) = records(governance, "model_validated")
    assert (record["decision"], record["deny_reason"]) == ("denied", "not_independent")
    with governance.store.read() as connection, pytest.raises(NotValidated, match="no verdict on these files"):
        require_validated(connection, record["config_hash"])


def test_the_rows_of_the_training_are_refused(world, governance):
    with pytest.raises(GovernanceError, match="got the rows of the training"):
        validated(world, governance, rows=world.trained)


def test_members_who_were_trained_on_are_left_out_though_they_stand_among_others(world, governance):
    mixed = world.rows.part(np.arange(600), {})
    import pandas as pd

    together = replace(
        mixed,
        features=pd.concat([mixed.features, world.trained.features.iloc[:300]]),
        bad=np.concatenate([mixed.bad, world.trained.bad[:300]]),
    )
    made, _ = validated(world, governance, rows=together)
    assert made.content["rows"]["rows"] == 600
    assert made.content["notes"][0].startswith("33% of the rows were of members who were trained on")
    with pytest.raises(GovernanceError, match="members who were not trained on, got fewer"):
        validated(world, governance, rows=world.trained.part(np.arange(300), {}))


def test_outcomes_of_one_kind_are_no_evidence(world, governance):
    good = world.rows.part(np.flatnonzero(world.rows.bad == 0), {})
    with pytest.raises(LabelError, match="good and bad ones, got fewer or one kind"):
        validated(world, governance, rows=good)


def test_too_few_rows_are_insufficient_which_is_no_pass(world, governance):
    made, verdict = validated(world, governance, rows=world.rows.part(np.arange(200), {}))
    assert made.results[0].state == "INSUFFICIENT"
    assert made.results[0].note == "must rest on at least 300, got 200"
    assert not verdict.passed
    with governance.store.read() as connection, pytest.raises(NotValidated, match=r"failed: discrimination\.auc"):
        require_validated(connection, verdict.config_hash)


def test_gates_declared_after_the_run_began_are_not_those_that_stand(world, governance):
    lax = 'version = "lax"\n[[gates]]\nmetric = "points.largest_gap"\nat_most = 1.0\nwhy = "lax"\n'
    declared_in(governance.group, lax, "carol")
    made, verdict = validated(world, governance)
    assert verdict.gates_version == made.content["gates"]["version"] == "2026-11"


def test_a_folder_is_as_its_record_says_and_no_other_author_may_be_named(world, governance):
    with candidate_of_run(world.tracking, world.runs[0]) as tracked:
        candidate = candidate_of_directory(tracked.directory)
        assert (candidate.author, candidate.training_began_us) == (ANN, tracked.training_began_us)
        assert (candidate.salt, candidate.trained.tolist()) == (tracked.salt, tracked.trained.tolist())
        assert candidate_of_directory(tracked.directory, " Ann ").author == ANN
        with pytest.raises(GovernanceError, match=r"must be the one that training\.json names, ann, got another"):
            candidate_of_directory(tracked.directory, "zed")
        made, _ = validate_on_record(of(candidate, world), governance)
        assert made.passed
        early = replace(candidate, training_began_us=now_us() - 10**13)
        with pytest.raises(GatesChanged, match="must be declared before the training begins, got some of later only"):
            validate_on_record(of(early, world), governance)
    assert records(governance, "model_validated")[-1]["deny_reason"] == "gates_changed"


def test_of_a_folder_without_a_record_every_figure_is_shown_and_none_counts(world, governance, tmp_path):
    with candidate_of_run(world.tracking, world.runs[0]) as tracked:
        bare = shutil.copytree(tracked.directory, tmp_path / "bare", ignore=shutil.ignore_patterns("training.json"))
    with pytest.raises(GovernanceError, match=r"got a folder without training\.json. Name them: --author"):
        candidate_of_directory(bare)
    made, verdict = validate_on_record(of(candidate_of_directory(bare, ANN), world), governance)
    assert (made.passed, verdict.passed, verdict.rests_on_record) == (False, False, False)
    assert {one["state"] for one in made.content["results"]} == {"INSUFFICIENT"}
    auc = made.content["results"][0]
    assert (auc["n"], auc["note"]) == (0, "must rest on at least 300, got 0: nothing is on record of its training")
    assert auc["value"] > 0.6
    assert "Validate its run" in made.content["notes"][0]
    assert "said to be trained by ann" in verdict_page(made)
    answers = [one | {"state": "passed", "n": 600} for one in made.content["results"]]
    passed = made.content | {"passed": True, "results": answers}
    with pytest.raises(GovernanceError, match="must say what its gates say"):
        record_verdict(passed, actor=Actor(BOB, "compliance"), event_id=random_id(), policy_version="test")


def test_a_run_of_nobody_is_refused(world, governance):
    with store_in_use(world.tracking):
        MlflowClient().delete_tag(world.runs[0], "benne.author")
    with (
        pytest.raises(GovernanceError, match=r"benne\.author\) must be a name .* got none"),
        candidate_of_run(world.tracking, world.runs[0]),
    ):
        pass
    with (
        pytest.raises(GovernanceError, match="must be one that is tracked"),
        candidate_of_run(world.tracking, "0" * 32),
    ):
        pass
