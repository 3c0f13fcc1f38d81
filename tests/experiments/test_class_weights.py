from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from benne.experiments.class_weights import balanced_weights, compare_class_weights
from benne.experiments.datasets import load
from benne.experiments.datasets.trial import features_of, trial_of
from benne.experiments.labelling import LabelledRows
from benne.experiments.splitting import RowSplit
from benne.experiments.training import TrainingSplit, split_labelled
from benne.features import SubjectKey
from benne.models import CreditScoreModel

KEY, CLOCK = SubjectKey(bytes(range(32))), datetime(2025, 1, 1, tzinfo=UTC)


def test_balanced_weights_let_both_classes_count_alike():
    bad = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    weight = balanced_weights(bad)
    assert weight @ bad == pytest.approx(weight @ (1 - bad))
    assert weight.mean() == pytest.approx(1.0)


def test_class_weights_cost_the_meaning_of_the_score(rows, new_model):
    table = compare_class_weights(split_labelled(rows), new_model())
    weighted, plain = table.loc["class weights"], table.loc["none"]
    assert weighted["mean_pd"] > plain["mean_pd"] + 0.1
    assert abs(plain["mean_pd"] - plain["bad_rate"]) < 0.05
    assert weighted["ece"] > 2 * plain["ece"]
    assert weighted["brier"] > plain["brier"]


@pytest.mark.slow
def test_the_figures_on_taiwan_are_those_in_the_documents(real_data):
    dataset = load("taiwan", real_data)
    trial = trial_of(dataset, key=KEY, ingested_at=CLOCK)
    ((train, test),) = trial.folds
    rows = LabelledRows(features_of(dataset, key=KEY, ingested_at=CLOCK), trial.labels.to_numpy(dtype=np.float64), {})
    split = TrainingSplit(rows.part(train, {}), rows.part(test, {}), RowSplit(train, test, "member"))
    table = compare_class_weights(split, CreditScoreModel(categories=trial.categories))
    shown = table[["auc", "brier", "ece", "mean_pd", "bad_rate"]]
    assert shown.loc["class weights"].tolist() == pytest.approx([0.776, 0.187, 0.212, 0.433, 0.221], abs=0.004)
    assert shown.loc["none"].tolist() == pytest.approx([0.774, 0.137, 0.017, 0.220, 0.221], abs=0.004)
