"""What another model changes: as a slow computation finds it, and on what both models can be judged."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.paired_change import CHANGED, common_rows, paired_changes
from benne.experiments.fairness.scored_members import ScoredMembers

FEW = FairnessOptions(fewest_rows=10, fewest_outcomes=5, resamples=40)
CUTOFFS = (600.0, 650.0)


def two_models() -> tuple[ScoredMembers, ScoredMembers]:
    """150 members of two rows each, scored by a model that favours men and by a noisier one that does not."""
    rng = np.random.default_rng(7)
    members = np.repeat(np.arange(150), 2)
    male = members % 2 == 0
    risk = rng.normal(-1.0, 1.2, 300)
    bad = (rng.random(300) < expit(risk)).astype(float)
    one, other = (
        ScoredMembers(
            score=600 - 50 * log_odds, log_odds=log_odds, bad=bad, members=members, kept=np.arange(300), left_out={},
            protected=pd.DataFrame({"sex": np.where(male, "male", "female")}),
        )
        for log_odds in (risk - 0.5 * male, risk + rng.normal(0.0, 0.4, 300))
    )  # fmt: skip
    return one, other


def figures_slowly(scored: ScoredMembers, rows: np.ndarray) -> dict[str, float]:
    """Figures of some rows, each as often as it is named; the bins are those of all rows."""
    predicted, bad = expit(scored.log_odds), scored.bad
    edges = np.quantile(scored.log_odds, np.arange(1, 10) / 10)
    place = np.searchsorted(edges, scored.log_odds)
    gaps = [abs((predicted[rows][place[rows] == b] - bad[rows][place[rows] == b]).sum()) for b in range(10)]
    frame = pd.DataFrame({"sex": scored.protected["sex"].to_numpy()[rows], "score": scored.score[rows],
                          "bad": bad[rows]})  # fmt: skip
    women, men = (frame[frame["sex"] == name] for name in ("female", "male"))
    ratios, opportunities = [], []
    for cutoff in CUTOFFS:
        rates = [(one["score"].round() >= cutoff).mean() for one in (women, men)]
        ratios.append(min(rates[0] / rates[1], rates[1] / rates[0]))
        good = [(one["score"][one["bad"] == 0].round() >= cutoff).mean() for one in (women, men)]
        opportunities.append(abs(good[0] - good[1]))
    pooled = ((len(women) - 1) * women["score"].var() + (len(men) - 1) * men["score"].var()) / (len(frame) - 2)
    return {
        "auc": roc_auc_score(bad[rows], scored.log_odds[rows]), "brier": np.mean((predicted[rows] - bad[rows]) ** 2),
        "ece": sum(gaps) / len(rows), "adverse_impact_ratio": min(ratios), "equal_opportunity_gap": max(opportunities),
        "standardised_mean_difference": abs(women["score"].mean() - men["score"].mean()) / np.sqrt(pooled),
    }  # fmt: skip


def test_changes_and_their_paired_intervals_are_those_of_a_slow_computation():
    given, other = two_models()
    found = paired_changes(given, other, CUTOFFS, FEW, 0)
    draws = np.random.default_rng(0)
    resamples = [np.arange(300)]
    for _ in range(FEW.resamples):
        drawn = draws.integers(150, size=150)
        resamples.append(np.r_[2 * drawn, 2 * drawn + 1])
    mine, theirs = (pd.DataFrame([figures_slowly(one, rows) for rows in resamples]) for one in (given, other))
    slow = theirs - mine
    for name in CHANGED:
        low, high = np.quantile(slow[name].iloc[1:], [0.025, 0.975])
        assert found[f"{name}_change"] == pytest.approx(slow[name].iloc[0], abs=1e-9), name
        assert found[f"{name}_change_low"] == pytest.approx(low, abs=1e-9), name
        assert found[f"{name}_change_high"] == pytest.approx(high, abs=1e-9), name


def test_the_same_model_changes_nothing():
    given, _ = two_models()
    assert set(paired_changes(given, given, CUTOFFS, FEW, 0).values()) == {0.0}


def test_a_model_of_which_a_group_can_no_longer_be_judged_gains_nothing_by_it(scored):
    # Of 60 "other" 2 pass where 30 would at the reference's rate. By the other model hardly anybody of the reference
    # passes, so that of "other" too few would: what is left to compare is women, as before.
    given = scored({"female": {"pass good": 100, "fail good": 60, "fail bad": 40},
                    "male": {"pass good": 150, "fail good": 100, "fail bad": 50},
                    "other": {"pass good": 2, "fail good": 48, "fail bad": 10}})  # fmt: skip
    passes = np.zeros(560, dtype=bool)
    passes[[*range(8), *range(200, 212)]] = True  # 8 of 200 women, 12 of 300 men: the ratio stays 1
    other = dataclasses.replace(given, score=np.where(passes, 700.0, 500.0))
    found = paired_changes(given, other, (600.0,), dataclasses.replace(FEW, fewest_outcomes=3), 0)
    assert found["adverse_impact_ratio_change"] == pytest.approx(0.0)


def test_rows_that_one_model_does_not_score_are_left_out_of_both():
    given, other = two_models()
    fewer = dataclasses.replace(
        other, score=other.score[5:], log_odds=other.log_odds[5:], bad=other.bad[5:], members=other.members[5:],
        protected=other.protected.iloc[5:].reset_index(drop=True), kept=other.kept[5:],
    )  # fmt: skip
    one, two = common_rows(given, fewer)
    assert np.array_equal(one.kept, np.arange(5, 300))
    assert np.array_equal(one.score, given.score[5:])
    assert two is fewer
    assert one.protected.index.tolist() == list(range(295))
