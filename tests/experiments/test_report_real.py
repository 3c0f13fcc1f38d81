"""Challengers and report on a seeded sample of the real Taiwan members."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from benne.errors import DatasetError
from benne.experiments.challengers import OURS, compare
from benne.experiments.datasets import Dataset, load
from benne.experiments.datasets.trial import features_of
from benne.experiments.labelling import LabelledRows
from benne.experiments.report import ReportOptions, report_on, write_report
from benne.experiments.splitting import RowSplit
from benne.experiments.training import TrainingRun, TrainingSplit, train_on
from benne.features import SubjectKey, registry, split_mask
from benne.models import BoosterOptions, CreditScoreModel

KEY = SubjectKey(b"a key for tests, of 32 bytes size")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MEMBERS = 3000


def some_of(dataset: Dataset, members: int) -> Dataset:
    """A seeded sample of the members, with all that is known of them."""
    chosen = np.sort(np.random.default_rng(0).choice(len(dataset.labels), members, replace=False))
    observations = dataset.observations.iloc[chosen].reset_index(drop=True)
    kept = set(observations["member_id"])
    tables = {name: rows[rows["member_id"].isin(kept)].reset_index(drop=True) for name, rows in dataset.tables.items()}
    labels = dataset.labels.iloc[chosen].reset_index(drop=True)
    return dataclasses.replace(dataset, tables=tables, observations=observations, labels=labels)


@pytest.fixture(scope="module")
def taiwan_run() -> TrainingRun:
    try:
        dataset = some_of(load("taiwan"), MEMBERS)
    except DatasetError as error:
        pytest.skip(f"the real data set taiwan is not here: {error}")
    features = features_of(dataset, key=KEY, ingested_at=NOW)
    rows = LabelledRows(features, dataset.labels.to_numpy(dtype=np.float64), {})
    ((train, test),) = dataset.folds()
    split = TrainingSplit(rows.part(train, {}), rows.part(test, {}), RowSplit(train, test, "member"))
    categories = registry.categories_of(split_mask(features)[0].columns)
    quick = BoosterOptions(max_trees=80, learning_rate=0.1, patience=10, folds=3)
    return train_on(split, CreditScoreModel(categories=categories, booster=quick))


def test_ours_keeps_up_with_the_challengers_on_real_members(taiwan_run):
    names = ["unconstrained LightGBM", "logistic regression", "ours, weights free"]
    found = compare(taiwan_run.model, taiwan_run.train, taiwan_run.test, names=names)
    assert (found.train_rows, found.test_rows, found.ours_alone) == (2100, 900, 0)
    assert found.table["auc"].between(0.70, 0.85).all()
    # Paired, on 900 members: no difference that could not be chance is a large one.
    assert found.table["auc_difference_high"].drop(OURS).min() > -0.02
    assert found.table["ece"].max() < 0.06


def test_the_scorecard_takes_part_on_real_members(taiwan_run):
    pytest.importorskip("optbinning", reason="the scorecard needs benne[challengers]")
    found = compare(taiwan_run.model, taiwan_run.train, taiwan_run.test, names=["scorecard (OptBinning)"])
    assert 0.70 < found.table.loc["scorecard (OptBinning)", "auc"] < 0.85
    assert 20 < found.table.loc["scorecard (OptBinning)", "features"] <= 47


def test_a_report_on_real_members_says_what_holds_of_them(taiwan_run, tmp_path):
    options = ReportOptions(learning_shares=(0.25,), challengers=["logistic regression"], resamples=50)
    _, document, _ = write_report(report_on(taiwan_run, options), tmp_path)
    found = json.loads(document.read_text("utf-8"))
    assert found["run"]["rows"] == {"train": 2100, "test": 900}
    assert found["lift"][0]["lift"] > 2.0
    assert found["bands"]["table"][0]["observed"] > 2 * found["bands"]["table"][1]["observed"]
    assert found["stability"]["psi"] < 0.1
    assert [row["category"] for row in found["contract"]["shares"]] == ["credit_history", "behaviour", "ability"]
    for row in found["contract"]["shares"]:
        assert row["reference"] == pytest.approx(row["target"], abs=1e-6)
    # With a bad costing five goods, to accept everybody loses where 22 % are bad, and the cut-off earns.
    assert found["profit"]["curve"][0]["realised"] < 0 < found["profit"]["at_cutoff"]["realised"]
