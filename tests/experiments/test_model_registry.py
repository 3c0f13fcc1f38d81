from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from benne.errors import ModelDirectoryError, ParameterError, StoreError
from benne.experiments.model_registry import (
    CHALLENGER,
    CHAMPION,
    existing_store,
    promote,
    register_challenger,
    roll_back,
    versions,
)
from benne.experiments.tracking import Tracking, default_store, log_run, store_in_use

# Of MLflow, where it reads its own store; ours silences it where we write.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture(scope="module")
def two_runs(training_run, tmp_path_factory) -> tuple[Path, list[str]]:
    """A store with two logged runs and nothing registered."""
    folder = tmp_path_factory.mktemp("store")
    tracking = default_store(folder)
    return folder, [log_run(training_run, tracking, name=name, tags={}) for name in ("first", "second")]


@pytest.fixture
def store(two_runs, tmp_path) -> tuple[Tracking, list[str]]:
    """A registry of its own over the same runs."""
    shutil.copy(two_runs[0] / "mlflow.db", tmp_path / "mlflow.db")
    return default_store(tmp_path), two_runs[1]


def aliases(tracking: Tracking) -> dict[str, int]:
    return {alias: version.version for version in versions(tracking) for alias in version.aliases}


def test_what_was_trained_last_is_the_challenger(store):
    tracking, runs = store
    for number, run_id in enumerate(runs, 1):
        made = register_challenger(tracking, run_id)
        assert (made.version, made.aliases, made.run_id) == (number, (CHALLENGER,), run_id)
    assert [version.version for version in versions(tracking)] == [2, 1]
    assert aliases(tracking) == {CHALLENGER: 2}


def test_a_promoted_challenger_is_the_champion_and_challenges_nobody(store):
    tracking, runs = store
    register_challenger(tracking, runs[0])
    assert promote(tracking).aliases == (CHAMPION,)
    assert aliases(tracking) == {CHAMPION: 1}


def test_rolling_back_goes_through_former_champions_one_by_one(store):
    tracking, runs = store
    for run_id in (*runs, runs[0]):
        register_challenger(tracking, run_id)
        promote(tracking)
    assert aliases(tracking) == {CHAMPION: 3}
    assert [roll_back(tracking).version, roll_back(tracking).version] == [2, 1]
    with pytest.raises(ParameterError, match="champion before this one, got none"):
        roll_back(tracking)
    assert aliases(tracking) == {CHAMPION: 1}


def test_any_version_can_be_promoted_by_its_number(store):
    tracking, runs = store
    for run_id in runs:
        register_challenger(tracking, run_id)
    assert promote(tracking, 1).version == 1
    assert aliases(tracking) == {CHAMPION: 1, CHALLENGER: 2}


def test_the_champion_answers_like_the_model(store, training_run):
    tracking, runs = store
    register_challenger(tracking, runs[0])
    promote(tracking)
    with store_in_use(tracking):
        loaded = mlflow.pyfunc.load_model("models:/benne@champion")
    features = training_run.test.features
    X = features[features["consented_social"]].filter(regex="^(?!consented_)")
    assert loaded.predict(X)["score"].tolist() == training_run.model.predict_score(X).tolist()


def test_a_corrupted_model_does_not_become_the_champion(store, tmp_path):
    tracking, runs = store
    made = register_challenger(tracking, runs[0])
    with store_in_use(tracking):
        place = MlflowClient().get_model_version_download_uri(made.name, str(made.version))
    (booster,) = Path(urlparse(place).path).rglob("booster.txt")
    before = booster.read_bytes()
    try:
        booster.write_bytes(before.replace(b"leaf_value=", b"leaf_value= ", 1))
        with pytest.raises(ModelDirectoryError, match="corrupted: its hash"):
            promote(tracking)
    finally:
        booster.write_bytes(before)
    assert aliases(tracking) == {CHALLENGER: 1}


def test_what_is_not_there_is_refused_by_name(store, tmp_path):
    tracking, runs = store
    with pytest.raises(ParameterError, match="must be registered, got 'benne'"):
        versions(tracking)
    with pytest.raises(ParameterError, match="run to register must exist"):
        register_challenger(tracking, "0" * 32)
    with pytest.raises(ParameterError, match="got 'a/b'"):
        register_challenger(tracking, runs[0], "a/b")
    register_challenger(tracking, runs[0])
    with pytest.raises(ParameterError, match="has no version 7"):
        promote(tracking, 7)
    promote(tracking)
    with pytest.raises(ParameterError, match="must not be the champion yet"):
        promote(tracking, 1)
    with pytest.raises(ParameterError, match="must be the challenger, got none"):
        promote(tracking)
    with pytest.raises(StoreError, match="must exist, got none in"):
        existing_store(str(tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_without_a_model_is_refused(store):
    tracking, _ = store
    with store_in_use(tracking):
        mlflow.set_experiment(tracking.experiment)
        with mlflow.start_run() as run:
            pass
    with pytest.raises(ParameterError, match="must have logged a model"):
        register_challenger(tracking, run.info.run_id)
