from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.artifacts import download_artifacts

from benne.errors import ModelDirectoryError
from benne.experiments.mlflow_model import ScoringFunction, input_example, signature_of
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import withheld_of

# Of MLflow, where it reads its own store; ours silences it where we write.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture(scope="module")
def artefact(logged_run, tmp_path_factory) -> Path:
    """The logged model as MLflow hands it out."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(logged_run.tracking.uri)
    try:
        target = str(tmp_path_factory.mktemp("artefact"))
        return Path(download_artifacts(artifact_uri=f"runs:/{logged_run.run_id}/model", dst_path=target))
    finally:
        mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def loaded(artefact):
    return mlflow.pyfunc.load_model(str(artefact))


def unmasked(frame: pd.DataFrame) -> pd.DataFrame:
    whole = frame[frame[list(MASK_COLUMNS.values())].all(axis=1)]
    return whole.drop(columns=list(MASK_COLUMNS.values()))


def test_the_loaded_model_scores_bit_for_bit_like_the_model(loaded, training_run):
    X = unmasked(training_run.test.features)
    answer = loaded.predict(X)
    assert answer["score"].tolist() == training_run.model.predict_score(X).tolist()
    assert answer["pd"].tolist() == training_run.model.predict_proba(X)[:, 1].tolist()
    assert answer["band"].tolist() == training_run.model.predict_band(X).tolist()


def test_the_answer_adds_up(loaded, training_run):
    answer = loaded.predict(training_run.test.features)
    total = answer["base"] + answer.filter(regex="^points_").sum(axis=1) + answer["clipped"]
    np.testing.assert_allclose(total, answer["score"], atol=1e-9)


def test_consent_columns_are_honoured(loaded, training_run):
    features = training_run.test.features
    answer = loaded.predict(features)
    withholds = ~features["consented_social"].to_numpy()
    assert withholds.any()
    assert (answer.loc[withholds, "points_social"] == 0.0).all()
    assert answer["score"].tolist() == training_run.model.predict_score(features, withheld_of(features)).tolist()


def test_the_parameter_withheld_is_honoured(loaded, training_run):
    X = unmasked(training_run.test.features)
    answer = loaded.predict(X, params={"withheld": "social, behaviour"})
    assert (answer[["points_social", "points_behaviour"]] == 0.0).all(axis=None)
    assert answer["score"].tolist() == training_run.model.predict_score(X, {"social", "behaviour"}).tolist()


def test_a_withheld_parameter_adds_to_the_consent_columns(training_run):
    function = ScoringFunction(training_run.model)
    answer = function.predict(training_run.test.features, {"withheld": "behaviour"})
    assert (answer["points_behaviour"] == 0.0).all()
    withholds = ~training_run.test.features["consented_social"].to_numpy()
    assert (answer.loc[withholds, "points_social"] == 0.0).all()


def test_nothing_in_the_artefact_is_pickled(artefact):
    files = [path for path in artefact.rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}] == []
    # A pickle of protocol 2 or later begins with 0x80 and its number.
    assert [path.name for path in files if path.read_bytes()[:1] == b"\x80"] == []


def test_the_input_example_is_nobodys_row(artefact, training_run):
    example = input_example(training_run.model)
    rows = training_run.train.features[example.columns].to_numpy()
    assert not (rows == example.to_numpy()).all(axis=1).any()
    assert (example == 0.0).all(axis=None)
    stored = "".join(path.read_text("utf-8") for path in artefact.rglob("*example*.json"))
    assert not any(subject in stored for subject in training_run.train.features.index.get_level_values("subject_id"))


def test_the_signature_names_features_and_optional_consent_columns(training_run):
    signature = signature_of(training_run.model)
    required = [column.name for column in signature.inputs.inputs if column.required]
    assert required == list(training_run.model.feature_names_in_)
    assert {c.name for c in signature.inputs.inputs if not c.required} == set(MASK_COLUMNS.values())


def test_a_corrupted_artefact_does_not_load(artefact, tmp_path):
    copy = tmp_path / "model"
    for path in artefact.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(artefact)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (booster,) = copy.rglob("booster.txt")
    booster.write_text(booster.read_text("utf-8").replace("leaf_value=", "leaf_value= ", 1), "utf-8")
    with pytest.raises(ModelDirectoryError, match="corrupted: its hash"):
        mlflow.pyfunc.load_model(str(copy))
