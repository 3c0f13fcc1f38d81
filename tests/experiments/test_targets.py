"""What the README promises of accuracy and calibration, measured whole: minutes, so `make test-full` only."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from benne.errors import DatasetError
from benne.experiments.datasets import Dataset, load
from benne.experiments.datasets.ablation import ablate
from benne.experiments.datasets.references import REFERENCE_COLUMNS
from benne.experiments.datasets.results import Comparison, compare
from benne.experiments.datasets.trial import trial_of
from benne.experiments.evaluation import error_against_known_pd
from benne.experiments.simulator import simulate
from benne.experiments.training import label_rows, train_model
from benne.features import ConsentMask, SubjectKey, build_features, ingest
from benne.features.frames import key_member_ids
from benne.models import CreditScoreModel

pytestmark = pytest.mark.slow

KEY = SubjectKey(b"a key for tests, of 32 bytes size")


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def real(name: str) -> Dataset:
    try:
        return load(name)
    except DatasetError as error:
        pytest.skip(f"the real data set {name} is not here: {error}")


def compared(name: str) -> Comparison:
    return compare(real(name), REFERENCE_COLUMNS[name](), key=KEY, ingested_at=NOW)


@pytest.mark.parametrize(("name", "allowed"), [("taiwan", 0.006), ("monthly_status", 0.010)])
def test_free_weights_stay_near_plain_lightgbm(name, allowed):
    result = compared(name)
    difference, _, _ = result.auc.difference("free", "reference")
    assert difference >= -allowed
    assert result.largest_gap < 1e-9
    assert np.allclose(result.shares["reference"], result.shares["weight"], atol=1e-6)


@pytest.mark.parametrize("name", ["taiwan", "monthly_status"])
def test_credit_history_adds_to_what_the_other_categories_tell(name):
    trial = trial_of(real(name), key=KEY, ingested_at=NOW)
    ablation = ablate(trial)
    for weights in ("free", "held"):
        _, low, _ = ablation.adds("credit_history", weights)
        assert low > 0
    for category in trial.categories:
        assert ablation.alone(category)[1] > 0.6


@pytest.fixture(scope="module")
def consenting_world(tmp_path_factory):
    """Everybody consents to everything, so that withholding selects nobody."""
    folder = tmp_path_factory.mktemp("targets")
    world = simulate(folder / "world", members=20_000, seed=1)
    events = ingest(world.raw, folder / "events", key=KEY, ingested_at=world.extracted_at.to_pydatetime())
    observed, outcomes, truth = (
        key_member_ids(frame, KEY) for frame in (world.observations(), world.outcomes(), world.truth())
    )
    features = build_features(events, observed, consents=ConsentMask.all_granted(reason="simulated members"))
    return label_rows(features, outcomes), truth.set_index(["subject_id", "as_of"])["pd"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_predicted_pd_agrees_with_the_known_pd(consenting_world, seed):
    rows, known = consenting_world
    run = train_model(rows, CreditScoreModel(random_state=seed), seed=seed)
    log_odds = run.model.decision_function(run.test.features)
    assert error_against_known_pd(log_odds, known.reindex(run.test.features.index).to_numpy()) <= 0.01
