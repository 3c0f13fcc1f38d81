from __future__ import annotations

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.artifacts import download_artifacts

from benne.errors import (
    CategoryWithheld,
    FeatureColumnsError,
    FeatureTypeError,
    FeatureValueError,
    ModelDirectoryError,
)
from benne.experiments.adverse_reasons import MOST_REASONS, adverse_reasons
from benne.experiments.mlflow_model import ScoringFunction, input_example, input_schema, signature_of
from benne.features import registry
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import withheld_of
from benne.models.model_directory import FILES

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
    assert answer[["pd_low", "pd_high"]].to_numpy().tolist() == training_run.model.predict_interval(X).tolist()
    assert answer["percentile"].tolist() == training_run.model.predict_percentile(X).tolist()
    assert answer["thin_file"].tolist() == training_run.model.thin_file(X).tolist()


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


def test_the_signature_names_what_comes_out_and_the_parameter(loaded, training_run):
    signature = loaded.metadata.signature
    assert signature == signature_of(training_run.model)
    answer = loaded.predict(unmasked(training_run.test.features))
    assert signature.outputs.input_names() == list(answer.columns)
    assert [parameter.name for parameter in signature.params.params] == ["withheld"]


def test_the_artefact_says_what_goes_in_and_that_consent_columns_may_be_left_out(loaded, training_run):
    assert loaded.metadata.metadata["inputs"] == input_schema(training_run.model).to_dict()
    required = [column["name"] for column in loaded.metadata.metadata["inputs"] if column["required"]]
    assert required == list(training_run.model.feature_names_in_)
    optional = {column["name"] for column in loaded.metadata.metadata["inputs"] if not column["required"]}
    assert optional == set(MASK_COLUMNS.values())


def consenting(frame: pd.DataFrame, social: object) -> pd.DataFrame:
    return frame.assign(**dict.fromkeys(MASK_COLUMNS.values(), True) | {"consented_social": social})


# What is no input of the model, and what it must be called.
NO_INPUT = {
    "a column is missing": (FeatureColumnsError, "'savings' missing", lambda X: X.drop(columns="savings")),
    "a column is unknown": (FeatureColumnsError, "'shoe_size' besides", lambda X: X.assign(shoe_size=43.0)),
    "consent is misspelt": (CategoryWithheld, "'consented_socal'", lambda X: X.assign(consented_socal=False)),
    "consent is partial": (CategoryWithheld, "consented_ability", lambda X: X.assign(consented_social=False)),
    "consent is text": (FeatureTypeError, "'social' must be bool", lambda X: consenting(X, "false")),
    "consent is a number": (FeatureTypeError, "'social' must be bool", lambda X: consenting(X, 0)),
    "consent is null": (FeatureTypeError, "'social' must be bool", lambda X: consenting(X, None)),
    "a number is text": (FeatureTypeError, "'savings' must be of numbers", lambda X: X.assign(savings="3")),
    "a number is yes or no": (FeatureTypeError, "'savings' must be of numbers", lambda X: X.assign(savings=True)),
    "a number is infinite": (FeatureValueError, "'savings' must be finite", lambda X: X.assign(savings=np.inf)),
    "a number is null": (FeatureValueError, "'savings' must not be null", lambda X: X.assign(savings=None)),
    "there are no rows": (FeatureValueError, "0 sample", lambda X: X.iloc[:0]),
}


@pytest.mark.parametrize("where", NO_INPUT)
def test_nothing_is_scored_and_the_reason_is_named_where(where, loaded, training_run):
    error, named, spoil = NO_INPUT[where]
    with pytest.raises(error, match=named):
        loaded.predict(spoil(unmasked(training_run.test.features).head(3)))


def test_whole_numbers_and_single_precision_are_numbers(loaded, training_run):
    X = unmasked(training_run.test.features).head(3).round()
    expected = loaded.predict(X)["score"].tolist()
    assert loaded.predict(X.astype("int64"))["score"].tolist() == expected
    assert loaded.predict(X.astype("float32"))["score"].tolist() == expected


def test_what_is_no_table_is_refused(loaded, training_run):
    X = unmasked(training_run.test.features).head(2)
    for rows in (X.to_numpy(), X.to_dict("list")):
        with pytest.raises(FeatureTypeError, match="must come as a table"):
            loaded.predict(rows)


def test_reasons_are_the_causes_that_took_most_points(loaded, training_run):
    features = training_run.test.features
    answer = loaded.predict(features)
    told = [json.loads(reasons) for reasons in answer["reasons"]]
    model = training_run.model
    explanation = model.explain(features, withheld_of(features))
    expected = adverse_reasons(explanation, features, registry, categories=model.category_of)
    assert told == expected
    assert max(map(len, told)) == MOST_REASONS
    lowest = told[int(answer["score"].argmin())]
    assert [reason["points"] for reason in lowest] == sorted(reason["points"] for reason in lowest)
    assert all(reason["points"] <= -0.5 for reasons in told for reason in reasons)


@pytest.fixture
def copied(artefact, tmp_path) -> Path:
    """An artefact to be damaged."""
    return Path(shutil.copytree(artefact, tmp_path / "model"))


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_anywhere_is_refused(copied, name):
    (path,) = copied.rglob(name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelDirectoryError, match=f"{name} is corrupted: its hash"):
        mlflow.pyfunc.load_model(str(copied))


def test_a_newer_format_is_refused(copied):
    (path,) = copied.rglob("manifest.json")
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(manifest | {"format_version": manifest["format_version"] + 1}), "utf-8")
    with pytest.raises(ModelDirectoryError, match="a newer Benne wrote"):
        mlflow.pyfunc.load_model(str(copied))


def test_a_missing_file_is_refused(copied):
    next(copied.rglob("reports.json")).unlink()
    with pytest.raises(ModelDirectoryError, match=r"must hold reports\.json"):
        mlflow.pyfunc.load_model(str(copied))
