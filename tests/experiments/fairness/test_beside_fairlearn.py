"""Who passes, as Fairlearn has it: on random rows, and on the real ones of Taiwan and Boston."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    count,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benne.experiments.datasets.taiwan import read_taiwan
from benne.experiments.fairness.boston import read_boston
from benne.experiments.fairness.by_cutoff import cutoff_table
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.options import AGE_EDGES, FairnessOptions
from benne.experiments.fairness.scored_members import ScoredMembers
from benne.models import ScoreScale

THEIRS = {"rows": count, "rate": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate,
          "fnr": false_negative_rate}  # fmt: skip
COMPARED = {"equal_opportunity_difference": "tpr", "false_positive_difference": "fpr",
            "false_negative_difference": "fnr"}  # fmt: skip
BANDS = ["under 25", "25 to under 35", "35 to under 45", "45 to under 55", "55 to under 62", "62 and over"]


def rows_of(log_odds: np.ndarray, bad: np.ndarray, **protected: np.ndarray) -> ScoredMembers:
    n = len(bad)
    return ScoredMembers(score=ScoreScale().score(log_odds), log_odds=log_odds, bad=bad, members=np.arange(n),
                         protected=pd.DataFrame(protected), kept=np.arange(n), left_out={})  # fmt: skip


def assert_equal_fairlearns(scored: ScoredMembers, cutoff: float, name: str, groups: np.ndarray) -> None:
    """Every figure of one attribute at one cut-off, to the bit; the reference is the group that passes most often."""
    good, passes = 1 - scored.bad, (np.rint(scored.score) >= cutoff).astype(float)
    asked = {"y_true": good, "y_pred": passes, "sensitive_features": groups}
    theirs = MetricFrame(metrics=THEIRS, **asked).by_group
    best = theirs["rate"].idxmax()
    options = FairnessOptions(fewest_rows=10, fewest_outcomes=1, resamples=20, reference={name: best})
    groupings = groupings_of(scored.protected[[name]], scored.members, options)
    ours = cutoff_table(scored, groupings, [cutoff], options, 0).set_index("group")
    assert ours["rows"].to_dict() == theirs["rows"].to_dict()
    assert ours["selection_rate"].to_dict() == theirs["rate"].to_dict()
    for group in ours.index.drop(best):
        line = ours.loc[group]
        assert line["adverse_impact_ratio"] == theirs["rate"][group] / theirs["rate"][best]
        for figure, rate in COMPARED.items():
            assert line[figure] == theirs[rate][group] - theirs[rate][best], (group, figure)
    rates = ours["selection_rate"]
    assert ours["adverse_impact_ratio"].min() == demographic_parity_ratio(**asked)
    assert rates.max() - rates.min() == demographic_parity_difference(**asked)
    passing = {**ours["equal_opportunity_difference"].drop(best).to_dict(), best: 0.0}
    spread = max(passing.values()) - min(passing.values())
    assert spread == pytest.approx(equal_opportunity_difference(**asked), abs=1e-15)
    assert_gaps_equal(ours, scored, passes > 0, groups)


def assert_gaps_equal(ours: pd.DataFrame, scored: ScoredMembers, passes: np.ndarray, groups: np.ndarray) -> None:
    """Calibration gaps of those who pass, to what the order of a sum leaves open."""
    frame = MetricFrame(
        metrics=lambda bad, predicted: np.mean(bad - predicted), y_true=scored.bad[passes],
        y_pred=scored.pd_of_bad[passes], sensitive_features=groups[passes],
    )  # fmt: skip
    judged = ours["calibration_gap"].dropna()
    assert len(judged) >= 2
    assert judged.to_dict() == pytest.approx(frame.by_group[judged.index].to_dict(), abs=1e-12)


def fitted_log_odds(inputs: pd.DataFrame, bad: np.ndarray) -> np.ndarray:
    scaled = StandardScaler().fit_transform(inputs)
    return np.asarray(LogisticRegression(C=1e6).fit(scaled, bad).decision_function(scaled))


@pytest.mark.parametrize("seed", range(3))
def test_figures_equal_fairlearns_on_random_rows(seed):
    rng = np.random.default_rng(seed)
    sex, log_odds = rng.choice(["a", "b", "c"], 600, p=[0.5, 0.3, 0.2]), rng.normal(-1.0, 1.5, 600)
    scored = rows_of(log_odds, (rng.random(600) < 0.3).astype(float), sex=sex)
    assert_equal_fairlearns(scored, 550.0, "sex", sex)


def test_figures_equal_fairlearns_on_taiwans_card_holders_by_sex_and_age(real_data: Path):
    rows = read_taiwan(real_data)[0].iloc[::3]  # 10,000: Fairlearn takes its time
    bad = rows["default.payment.next.month"].to_numpy(dtype=float)
    statuses = rows[["PAY_0", "PAY_2", "PAY_3"]].assign(limit=np.log(rows["LIMIT_BAL"]))
    sex = rows["SEX"].map({1: "male", 2: "female"}).to_numpy()
    bands = pd.cut(rows["AGE"], [0, *AGE_EDGES, 200], right=False, labels=BANDS).astype(str).to_numpy()
    scored = rows_of(fitted_log_odds(statuses, bad), bad, sex=sex, age=rows["AGE"].to_numpy())
    for cutoff in (480.0, 520.0, 540.0):
        assert_equal_fairlearns(scored, cutoff, "sex", sex)
        assert_equal_fairlearns(scored, cutoff, "age", bands)


def test_figures_equal_fairlearns_on_bostons_mortgages_by_race(real_data: Path):
    denied, black, controls = read_boston(real_data)
    race = np.where(black == 1, "black", "other")
    scored = rows_of(fitted_log_odds(controls, denied), denied, race=race)
    for cutoff in (500.0, 550.0, 580.0, 600.0):
        assert_equal_fairlearns(scored, cutoff, "race", race)
