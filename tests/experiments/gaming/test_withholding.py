from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from benne.experiments.gaming import GamingOptions, GamingReport, gaming_measures
from benne.experiments.gaming.rescoring import Attacked, attackable
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


class _Plain:
    def score(self, log_odds):
        return 600.0 - 20.0 * np.asarray(log_odds)


class _Kinder:
    """A PD of 0.5 with everything, and what is in ``a`` where ``right`` is withheld; ``b`` is 1 for who may do so."""

    feature_names_in_ = np.array(["a", "b"])
    category_of = MappingProxyType({"a": "left", "b": "right"})
    patterns = (frozenset({"left", "right"}), frozenset({"left"}))
    scale_ = _Plain()

    def decision_function(self, X, withheld=()):
        less = isinstance(withheld, frozenset) and "right" in withheld
        return np.log(X["a"] / (1 - X["a"])).to_numpy() if less else np.zeros(len(X))

    def refusals(self, X, withheld=()):
        none = np.zeros(len(X), dtype=bool)
        return (X["b"] == 0).to_numpy() if withheld else none, none


def choosing(predicted, bad=None, known=None):
    """A report on members who all do best to withhold ``right``, and of whom so much is predicted then."""
    X = np.column_stack([predicted, np.ones(len(predicted))])
    members = Attacked(_Kinder(), X, np.array([frozenset()] * len(X), dtype=object), bad, known)
    return GamingReport(GamingOptions(), 0, len(X), 0, (), withhold(members))


def line_of(report):
    return report.withholding.table.loc["left"]


def test_the_error_of_a_pattern_has_wilsons_interval_and_what_lies_outside_is_measured():
    # 200 choose it: a tenth is predicted, a fifth turns bad; Wilson's interval of 40 in 200 is 0.1505 to 0.2609
    bad = (np.arange(200) % 5 == 0).astype(float)
    report = choosing(np.full(200, 0.1), bad)
    line = line_of(report)
    assert line["choosing"] == 200
    assert line["actual_to_predicted"] == pytest.approx(2.0)
    assert [line["actual_low"], line["actual_high"]] == pytest.approx([0.1505, 0.2609], abs=5e-5)
    assert [line["actual_to_predicted_low"], line["actual_to_predicted_high"]] == pytest.approx(
        [1.505, 2.609], abs=5e-4
    )
    assert line["state"] == "measured"
    found = gaming_measures(report)["pattern_pd_error"]
    assert found.value == pytest.approx(0.0505, abs=5e-5)
    assert (found.n, found.note) == (200, "left: outcomes over predicted 2.00 (1.50 to 2.61)")


@pytest.mark.parametrize(("predicted", "missed"), [(0.2, 0.0), (0.25, 0.0), (0.4, 0.4 - 0.2609), (0.16, 0.0)])
def test_inside_the_interval_nothing_is_missed_and_too_high_is_a_miss_as_too_low(predicted, missed):
    bad = (np.arange(200) % 5 == 0).astype(float)
    report = choosing(np.full(200, predicted), bad)
    assert gaming_measures(report)["pattern_pd_error"].value == pytest.approx(missed, abs=5e-5)
    assert line_of(report)["actual_to_predicted"] == pytest.approx(0.2 / predicted)


@pytest.mark.parametrize(("rows", "state"), [(99, "INSUFFICIENT"), (101, "measured")])
def test_a_pattern_that_predicts_fewer_than_ten_bad_members_is_not_judged(rows, state):
    report = choosing(np.full(rows, 0.1), np.ones(rows))
    found = gaming_measures(report)["pattern_pd_error"]
    assert (line_of(report)["state"], found.state) == (state, state)
    assert line_of(report)["actual_to_predicted"] == pytest.approx(10.0)
    assert ("not judged, of fewer than 10 expected bad members: left" in found.note) == (state == "INSUFFICIENT")


def test_against_known_pds_the_interval_is_of_the_members_alone():
    same = choosing(np.full(200, 0.1), np.zeros(200), np.full(200, 0.15))
    line = line_of(same)
    assert same.withholding.truth == "known PD"
    assert [line["actual_low"], line["actual"], line["actual_high"]] == pytest.approx([0.15] * 3)
    assert gaming_measures(same)["pattern_pd_error"].value == pytest.approx(0.05)
    known = np.tile([0.05, 0.35], 100)  # a mean of 0.2, each 0.15 away: 1.96 standard errors are 0.0208
    line = line_of(choosing(np.full(200, 0.1), None, known))
    assert [line["actual_low"], line["actual_high"]] == pytest.approx([0.2 - 0.0208, 0.2 + 0.0208], abs=0.004)


def test_without_knowing_what_became_of_anybody_no_error_is_told():
    report = choosing(np.full(200, 0.1))
    found = gaming_measures(report)["pattern_pd_error"]
    assert (found.state, found.note) == ("INSUFFICIENT", "no outcomes and no known PD")
    assert np.isnan(line_of(report)["actual_to_predicted"])
    assert line_of(report)["state"] == "INSUFFICIENT"


def test_nothing_is_told_of_what_becomes_of_fewer_than_ten_who_choose_a_pattern():
    line = line_of(choosing(np.full(9, 0.1), np.ones(9)))
    assert line[["choosing", "predicted", "actual", "actual_low", "actual_to_predicted"]].isna().all()
    assert line["state"] == "INSUFFICIENT"
