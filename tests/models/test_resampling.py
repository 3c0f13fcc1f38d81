import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from benne.models.resampling import Resampler, metrics_of, price_table, share_intervals


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_figures_agree_with_scikit_learn_ties_and_weights_included(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, bad = rng.integers(-3, 4, 60) / 2.0, np.r_[1.0, 0.0, rng.integers(0, 2, 58)]
    weight, p = rng.integers(1, 4, 60).astype(float), 1 / (1 + np.exp(-m))
    figures = metrics_of(m, bad, weight)
    assert figures["auc"] == pytest.approx(roc_auc_score(bad, m, sample_weight=weight), abs=1e-12)
    assert figures["brier"] == pytest.approx(brier_score_loss(bad, p, sample_weight=weight), abs=1e-12)
    assert figures["log_loss"] == pytest.approx(log_loss(bad, p, sample_weight=weight), abs=1e-9)


def test_ks_by_hand() -> None:
    # below 1.5: one of two bad, three of three good; the largest gap is there, a half
    assert metrics_of(np.array([0.0, 1, 1, 1, 2]), np.array([1.0, 0, 0, 0, 1]), np.ones(5))["ks"] == 0.5


def test_groups_are_drawn_whole() -> None:
    group = np.array([0, 0, 1, 1, 2])
    for counts in Resampler(5, group, 0, resamples=20).counts():
        assert counts[0] == counts[1]
        assert counts[2] == counts[3]


def test_a_model_costs_nothing_against_itself_and_less_than_noise_against_better() -> None:
    rng = np.random.default_rng(0)
    m = rng.normal(size=2000)
    bad = (rng.random(2000) < 1 / (1 + np.exp(-m))).astype(float)
    noisy = m + rng.normal(size=2000)
    table = price_table({"good": m, "noisy": noisy}, bad, np.ones(2000), Resampler(2000, None, 0))
    assert table.loc["noisy", ["auc_price", "auc_price_low", "auc_price_high"]].tolist() == [0.0, 0.0, 0.0]
    low, price, high = table.loc["good", ["auc_price_low", "auc_price", "auc_price_high"]]
    assert low < price < high < 0
    assert table.loc["good", "auc_low"] < table.loc["good", "auc"] < table.loc["good", "auc_high"]


def test_share_intervals_hold_the_share() -> None:
    contributions = np.random.default_rng(0).normal(size=(500, 2)) * [3.0, 1.0]
    share, low, high = share_intervals(contributions, Resampler(500, None, 0))
    assert (low < share).all()
    assert (share < high).all()
    assert share.sum() == pytest.approx(1.0)
