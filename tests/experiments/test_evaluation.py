from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from benne.experiments.evaluation import error_against_known_pd, evaluate_model
from benne.models import withheld_of

HALF = np.log(1.0)  # log odds of a PD of one half


def test_the_error_against_a_known_pd_by_hand():
    log_odds = np.array([HALF, HALF, np.log(1 / 9), np.log(1 / 9)])
    known = np.array([0.5, 0.7, 0.1, 0.1])
    # The upper bin predicts .5 where .6 is true, the lower is right: (.1 × 2 + 0 × 2) / 4.
    assert error_against_known_pd(log_odds, known, bins=2) == pytest.approx(0.05)


def test_errors_that_cancel_out_within_a_bin_are_no_error():
    assert error_against_known_pd(np.array([HALF, HALF]), np.array([0.4, 0.6]), bins=1) == 0.0


def test_the_figures_are_those_of_scikit_learn(training_run):
    test, found = training_run.test, training_run.evaluation
    probability = training_run.model.predict_proba(test.features, withheld=withheld_of(test.features))[:, 1]
    assert found.metrics["auc"] == pytest.approx(roc_auc_score(test.bad, probability))
    assert found.metrics["gini"] == pytest.approx(2 * found.metrics["auc"] - 1)
    assert found.metrics["brier"] == pytest.approx(brier_score_loss(test.bad, probability))
    assert found.metrics["log_loss"] == pytest.approx(log_loss(test.bad, probability))
    assert found.metrics["auc_low"] < found.metrics["auc"] < found.metrics["auc_high"]
    assert (found.rows, found.bad_rate) == (len(test.bad), test.bad.mean())


def test_every_explanation_adds_up(training_run):
    assert training_run.evaluation.largest_gap < 1e-9


def test_shares_are_measured_on_members_who_withhold_nothing(training_run):
    features = training_run.test.features
    whole = features[[not withheld for withheld in withheld_of(features)]]
    expected = training_run.model.category_shares(whole)
    assert training_run.evaluation.shares["share"].tolist() == expected["share"].tolist()
    assert training_run.evaluation.shares["share"].sum() == pytest.approx(1.0)


def test_a_model_that_knows_less_is_judged_worse(training_run):
    test = training_run.test
    shuffled = np.random.default_rng(0).permutation(test.bad)
    assert evaluate_model(training_run.model, test.features, shuffled).metrics["auc"] < 0.6
