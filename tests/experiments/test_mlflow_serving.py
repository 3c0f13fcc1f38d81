"""MLflow's own scoring server on a logged model, asked over HTTP on this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benne.experiments.adverse_reasons import adverse_reasons
from benne.features import registry
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import withheld_of

pytestmark = pytest.mark.slow  # the server takes its time to start

_PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def server(logged_run) -> Iterator[str]:
    """The address of a server of the logged model, which ends with the tests."""
    bin_folder = Path(sys.executable).parent
    port = free_port()
    process = subprocess.Popen(
        [bin_folder / "mlflow", "models", "serve", "--model-uri", f"runs:/{logged_run.run_id}/model",
         "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)],
        env=os.environ | {
            "MLFLOW_TRACKING_URI": logged_run.tracking.uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", process)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the command and the workers that it began
        process.communicate(timeout=30)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read().decode()
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server does not answer")


def ask(address: str, body: object, content_type: str = "application/json") -> tuple[int, str]:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": content_type})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def scores(address: str, body: object) -> pd.DataFrame:
    status, text = ask(address, body)
    assert status == 200, text
    return pd.DataFrame(json.loads(text)["predictions"])


def split_of(frame: pd.DataFrame) -> dict:
    """As JSON: a null where a value is not known."""
    cells = frame.astype(object).where(frame.notna(), None)
    return {"columns": list(frame.columns), "data": cells.to_numpy().tolist()}


@pytest.fixture(scope="module")
def features(training_run) -> pd.DataFrame:
    """Test rows, some of which withhold social relationships."""
    return training_run.test.features.head(200)


def test_the_server_answers_what_the_model_says_to_the_last_bit(server, features, training_run):
    answer = scores(server, {"dataframe_split": split_of(features)})
    withheld = withheld_of(features)
    explanation = training_run.model.explain(features, withheld=withheld)
    assert answer["score"].tolist() == explanation.score.tolist()
    assert answer["base"].tolist() == explanation.base.tolist()
    assert answer["clipped"].tolist() == explanation.clipped.tolist()
    assert answer["pd_low"].tolist() == explanation.pd_low.tolist()
    assert answer["thin_file"].tolist() == explanation.thin.tolist()
    for category, points in explanation.category_points.items():
        assert answer[f"points_{category}"].tolist() == points.tolist()
    assert answer["pd"].tolist() == training_run.model.predict_proba(features, withheld)[:, 1].tolist()
    assert answer["band"].tolist() == training_run.model.predict_band(features, withheld).tolist()
    reasons = adverse_reasons(explanation, features, registry, categories=training_run.model.category_of)
    assert [json.loads(told) for told in answer["reasons"]] == reasons


def test_one_record_without_consent_columns_and_with_the_parameter(server, features, training_run):
    X = features[features["consented_social"]].drop(columns=list(MASK_COLUMNS.values())).head(1)
    answer = scores(server, {"dataframe_records": X.to_dict("records"), "params": {"withheld": "social"}})
    assert answer["score"].tolist() == training_run.model.predict_score(X, {"social"}).tolist()
    assert answer["points_social"].tolist() == [0.0]


def test_csv_is_scored_too(server, features, training_run):
    X = features[features["consented_social"]].drop(columns=list(MASK_COLUMNS.values())).head(5)
    status, text = ask(server, X.to_csv(index=False), "text/csv")
    assert status == 200
    found = pd.DataFrame(json.loads(text)["predictions"])["score"].tolist()
    np.testing.assert_allclose(found, training_run.model.predict_score(X), atol=1e-9)


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("savings", "3", "Feature 'savings' must be of numbers"),
        ("savings", True, "Feature 'savings' must be of numbers"),
        ("savings", None, "Feature 'savings' must not be null"),
        ("consented_social", "false", "Consent column of 'social' must be bool"),
        ("consented_social", None, "Consent column of 'social' must be bool"),
        ("consented_socal", False, "got 'consented_socal'. Correct its name; consent is never a feature"),
    ],
)
def test_what_is_no_input_is_answered_with_its_name_and_no_score(server, features, column, value, named):
    row = features[features["consented_social"]].head(1)
    record = row.iloc[0].astype(object).to_dict() | {column: value}
    status, text = ask(server, {"dataframe_records": [record]})
    assert status == 400
    assert named in text
    assert "predictions" not in json.loads(text)
    assert str(record["income"]) not in text


def test_a_missing_column_is_answered_with_its_name(server, features):
    status, text = ask(server, {"dataframe_split": split_of(features.head(2).drop(columns="late_count"))})
    assert status == 400
    assert "'late_count' missing" in text


def test_rows_that_are_no_table_are_answered_with_the_forms_there_are(server):
    status, text = ask(server, {"inputs": {"late_count": [1.0]}})
    assert status == 400
    assert "dataframe_split or dataframe_records" in text
