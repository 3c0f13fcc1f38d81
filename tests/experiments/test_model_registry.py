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
    files_of,
    mark,
    marked,
    name_champion,
    register_challenger,
    version_of,
    versions,
)
from benne.experiments.tracking import Tracking, default_store, log_run, store_in_use
from benne.scoring.decisions.served_model import identity_of

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


def champion(tracking: Tracking, which: str | None = None) -> tuple[str, ...]:
    return name_champion(tracking, version_of(tracking, which)).aliases


def test_a_challenger_that_is_named_champion_challenges_nobody(store):
    tracking, runs = store
    register_challenger(tracking, runs[0])
    assert champion(tracking) == (CHAMPION,)
    assert aliases(tracking) == {CHAMPION: 1}


def test_a_version_is_found_by_its_number_and_by_its_run(store):
    tracking, runs = store
    for run_id in runs:
        register_challenger(tracking, run_id)
    assert (version_of(tracking, "1").version, version_of(tracking, runs[1]).version) == (1, 2)
    assert version_of(tracking, None).version == 2
    assert champion(tracking, "1") == (CHAMPION,)
    assert aliases(tracking) == {CHAMPION: 1, CHALLENGER: 2}


def test_a_version_is_known_by_the_hash_of_its_files(store):
    tracking, runs = store
    made = [register_challenger(tracking, run_id) for run_id in runs]
    with files_of(tracking, made[0]) as directory:
        _, config_hash = identity_of(directory)
    assert marked(tracking, config_hash) is None
    mark(tracking, made[0], config_hash)
    assert marked(tracking, config_hash).version == 1


def test_the_champion_answers_like_the_model(store, training_run):
    tracking, runs = store
    register_challenger(tracking, runs[0])
    champion(tracking)
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
            champion(tracking)
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
        version_of(tracking, "7")
    with pytest.raises(ParameterError, match="has no version of that run"):
        version_of(tracking, "f" * 32)
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
