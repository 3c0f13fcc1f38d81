from __future__ import annotations

import pytest
from mlflow.tracking import MlflowClient

from benne.errors import WeightContractError
from benne.experiments.report import ReportOptions
from benne.experiments.search import Search, SearchSpace
from benne.experiments.tracked_training import Watching, train_tracked
from benne.experiments.tracking import default_store
from benne.experiments.training import TrainingSplit, split_labelled

# Of MLflow, where it reads its own store; ours silences it where we write.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")

SPACE = SearchSpace(max_depth=(2, 3), learning_rate=(0.1, 0.3), rows_in_leaf=(10, 40))


@pytest.fixture(scope="module")
def searched(rows, new_model, tmp_path_factory):
    """A search of two trials with its training run, what was said of it, and MLflow's record."""
    said: list[object] = []
    tracking = default_store(tmp_path_factory.mktemp("searched"))
    tracked = train_tracked(
        split_labelled(rows), new_model(), tracking, name="searched", tags={"a": "b"}, search=Search(2, space=SPACE),
        report=None, watching=Watching(said.append, lambda trial: said.append(trial.number)),
    )  # fmt: skip
    client = MlflowClient(tracking.uri)
    runs = client.search_runs([client.get_run(tracked.run_id).info.experiment_id])
    return tracked, said, client.get_run(tracked.run_id), [run for run in runs if run.info.run_id != tracked.run_id]


def test_stages_and_trials_are_told_as_they_happen(searched):
    assert searched[1] == ["search", 0, 1, 2, "train", "log"]


def test_every_trial_is_a_run_nested_in_the_one_that_holds_the_model(searched):
    tracked, _, parent, trials = searched
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {parent.info.run_id}
    by_name = {run.info.run_name: run for run in trials}
    assert set(by_name) == {"trial 0", "trial 1", "trial 2"}
    for trial in tracked.searched.trials:
        run = by_name[f"trial {trial.number}"]
        assert run.data.metrics == {f"oof_{name}": value for name, value in trial.figures.items()}
        assert run.data.params["booster_learning_rate"] == str(trial.options.learning_rate)
        assert run.info.status == "FINISHED"
    assert [output.model_id for output in parent.outputs.model_outputs]


def test_the_best_is_what_was_trained_and_logged(searched):
    tracked, _, parent, _ = searched
    best = tracked.searched.best
    assert tracked.run.model.booster == best.options
    assert tracked.run.model.calibration_report_.log_loss == best.figures["log_loss"]
    assert parent.data.params["booster_max_depth"] == str(best.options.max_depth)
    assert parent.data.params["search_best_trial"] == str(best.number)
    assert parent.data.metrics["search_best_log_loss"] == best.figures["log_loss"]
    assert parent.data.metrics["search_given_log_loss"] == tracked.searched.trials[0].figures["log_loss"]
    assert "test_auc" in parent.data.metrics
    assert parent.data.tags["a"] == "b"


def test_without_a_search_there_is_one_run(rows, new_model, tmp_path):
    tracking, said = default_store(tmp_path), []
    tracked = train_tracked(
        split_labelled(rows), new_model(), tracking, name="plain", tags={}, watching=Watching(on_stage=said.append),
        report=ReportOptions(learning_shares=()),
    )  # fmt: skip
    client = MlflowClient(tracking.uri)
    run = client.get_run(tracked.run_id)
    assert said == ["train", "evaluate", "log"]
    assert tracked.searched is None
    assert len(client.search_runs([run.info.experiment_id])) == 1
    assert (run.data.params["split"], run.data.params["folds"], run.data.params["weighted"]) == (
        "member", "member", "False",
    )  # fmt: skip
    compared = tracked.report.comparison.table
    assert run.data.metrics["compared_unconstrained_lightgbm_auc"] == compared.loc["unconstrained LightGBM", "auc"]
    assert run.data.metrics["compared_ours_under_contract_brier"] == compared.loc["ours, under contract", "brier"]
    assert compared.loc["ours, under contract", "fit_seconds"] == tracked.run.fit_seconds > 0
    logged = {file.path: file.file_size for file in client.list_artifacts(run.info.run_id, "evaluation")}
    assert set(logged) == {f"evaluation/{name}" for name in ("evaluation.html", "evaluation.json", "fit_seconds.json")}
    assert logged["evaluation/evaluation.html"] > 50_000, "pictures are in the page"


def test_a_refused_trial_is_logged_with_its_reason_and_a_failed_run_as_failed(rows, new_model, tmp_path, monkeypatch):
    def refuse(self, model):
        raise WeightContractError("no slope")

    monkeypatch.setattr(TrainingSplit, "fit", refuse)
    tracking = default_store(tmp_path)
    with pytest.raises(WeightContractError, match="no slope"):
        train_tracked(split_labelled(rows), new_model(), tracking, name="bad", tags={}, search=Search(1, space=SPACE))
    client = MlflowClient(tracking.uri)
    runs = client.search_runs([client.get_experiment_by_name(tracking.experiment).experiment_id])
    assert {run.info.run_name: run.info.status for run in runs} == {
        "bad": "FAILED", "trial 0": "FINISHED", "trial 1": "FINISHED",
    }  # fmt: skip
    assert {run.data.tags.get("refused") for run in runs} == {None, "no slope"}
