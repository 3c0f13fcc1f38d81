import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from benne.experiments.gaming.rescoring import attackable
from benne.experiments.gaming.withholding import withhold


@pytest.fixture(scope="module")
def attacked(model, members):
    return attackable(model, members.X, members.bad, members.pd, 300, 0)


def test_each_member_takes_the_best_of_the_patterns_that_they_can(attacked, model):
    found = withhold(attacked)
    kept = np.array([not one for one in attacked.withheld])
    whole, without = attacked.scores()[kept], attacked.scores(attacked.X[kept], np.flatnonzero(kept))
    frame_scores = model.predict_score(pd.DataFrame(attacked.X[kept], columns=attacked.names), withheld={"social"})
    np.testing.assert_array_equal(without, whole)
    np.testing.assert_allclose(found.scores[kept], np.maximum(whole, frame_scores), rtol=0, atol=1e-9)
    assert found.points[kept].max() > 0


def test_who_withholds_already_has_nothing_more_to_choose(attacked):
    found = withhold(attacked)
    withheld = np.array(["social" in one for one in attacked.withheld])
    assert withheld.any()
    assert (found.points[withheld] == 0).all()


def test_the_table_holds_who_chooses_against_what_becomes_of_them(attacked):
    found = withhold(attacked)
    line = found.table.loc["credit_history + ability"]
    gains = found.points > 0
    assert line["choosing"] == gains.sum()
    assert line["predicted"] == pytest.approx(found.pd[gains].mean())
    assert line["actual"] == pytest.approx(attacked.known_pd[gains].mean())
    assert line["gaining"] == pytest.approx(gains.sum() / line["possible"])


def test_nobody_gains_by_less_than_their_pd_falls(attacked):
    found = withhold(attacked)
    assert (found.pd <= expit(attacked.log_odds()) + 1e-12).all()


def test_nothing_is_told_of_a_pattern_that_fewer_than_ten_could_take(model, members):
    table = withhold(attackable(model, members.X, members.bad, members.pd, 9, 0)).table
    assert table[["possible", "points", "gaining"]].isna().all(axis=None)
