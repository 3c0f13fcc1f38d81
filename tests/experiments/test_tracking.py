from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient

from benne.experiments.labelling import LabelledRows
from benne.experiments.tracking import default_store, fingerprint_of, log_run, tracking_at
from benne.experiments.training import train_model

# Of MLflow, where it reads its own store; ours silences it where we write.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture(scope="module")
def logged(logged_run, tmp_path_factory):
    """MLflow's record of a run, and its files."""
    uri, run_id = logged_run.tracking.uri, logged_run.run_id
    target = tmp_path_factory.mktemp("files")
    return MlflowClient(uri).get_run(run_id), Path(download_artifacts(run_id=run_id, tracking_uri=uri, dst_path=target))


def test_parameters_weights_and_fingerprints_are_logged(logged, training_run):
    parameters = logged[0].data.params
    assert parameters["tolerance"] == "0.0"
    assert parameters["booster_max_trees"] == "60"
    # 35 / (35 + 25 + 20 + 5): personal information has no columns here.
    assert float(parameters["weight_credit_history"]) == pytest.approx(0.411765)
    assert parameters["train_fingerprint"] == fingerprint_of(training_run.train)
    assert int(parameters["test_rows"]) == training_run.evaluation.rows
    assert (parameters["split"], parameters["folds"], parameters["test_since"]) == ("member", "member", "")


def test_metrics_are_those_of_the_evaluation(logged, training_run):
    metrics = logged[0].data.metrics
    assert metrics["test_auc"] == training_run.evaluation.metrics["auc"]
    assert metrics["share_social"] == pytest.approx(5 / 85, abs=1e-6)
    assert metrics["largest_gap"] < 1e-9
    assert metrics["extra"] == 0.5
    assert "oof_auc_price" in metrics


def test_tags_say_which_data_it_was(logged):
    assert logged[0].data.tags["events_fingerprint"] == "f" * 64
    assert logged[0].info.run_name == "a run"


def test_plots_and_tables_are_there(logged, training_run):
    folder = logged[1]
    assert {path.name for path in (folder / "plots").iterdir()} == {
        "calibration.png", "frontier.png", "scores.png", "shares.png",
    }  # fmt: skip
    shares = pd.read_csv(folder / "contract" / "shares.csv", index_col="category")
    np.testing.assert_allclose(shares["reference"], training_run.model.contract_report_.shares["reference"])
    assert (folder / "contract" / "price.csv").exists()
    assert (folder / "calibration" / "by_decile.csv").exists()


def test_the_fingerprint_says_nothing_of_who_and_everything_of_what(rows):
    renamed = rows.features.rename(index=lambda subject: subject[::-1], level="subject_id")
    changed = rows.bad.copy()
    changed[0] = 1 - changed[0]
    assert fingerprint_of(LabelledRows(renamed, rows.bad, {})) == fingerprint_of(rows)
    assert fingerprint_of(LabelledRows(rows.features, changed, {})) != fingerprint_of(rows)
    assert fingerprint_of(dataclasses.replace(rows, weight=np.ones(len(rows.bad)))) != fingerprint_of(rows)


def test_a_run_over_time_with_weights_says_so(rows, new_model, tmp_path):
    subjects = rows.features.index.get_level_values("subject_id")
    as_of = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(subjects)) % 10 * 30, unit="D")
    index = pd.MultiIndex.from_arrays([subjects, as_of], names=["subject_id", "as_of"])
    observed = LabelledRows(rows.features.set_axis(index, axis=0), rows.bad, {}, np.linspace(0.5, 2.0, len(rows.bad)))
    run, tracking = train_model(observed, new_model()), default_store(tmp_path)
    data = MlflowClient(tracking.uri).get_run(log_run(run, tracking, name="over time", tags={})).data
    assert (data.params["split"], data.params["folds"], data.params["weighted"]) == ("time", "time", "True")
    assert data.params["test_since"] == run.split.how.since.isoformat()
    assert data.metrics["test_weighted_auc"] == run.weighted["auc"]


def test_the_callers_tracking_and_log_levels_are_left_as_they_were(logged_run):
    assert logged_run.after == logged_run.before


def test_a_place_is_a_folder_or_an_address(tmp_path):
    assert tracking_at("http://127.0.0.1:5000").uri == "http://127.0.0.1:5000"
    assert tracking_at(str(tmp_path / "runs")).uri == f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}"
