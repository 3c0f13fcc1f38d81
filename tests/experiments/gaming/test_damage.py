import numpy as np
import pytest

from benne.experiments.gaming.damage import PdDamage, pd_damage, rank_damage
from benne.experiments.gaming.rescoring import Attacked


class _Named:
    feature_names_in_ = np.array(["x"])


def members(bad=None, known=None, rows=40):
    return Attacked(_Named(), np.zeros((rows, 1)), np.array([frozenset()] * rows, dtype=object), bad, known)


def test_what_an_attack_takes_off_the_pd_is_not_taken_off_the_truth():
    before, after = np.full(40, np.log(0.2 / 0.8)), np.full(40, np.log(0.1 / 0.9))
    damage = pd_damage(members(known=np.full(40, 0.2)), before, after)
    assert damage.understated == pytest.approx(0.1)
    assert damage.error == pytest.approx(0.1)
    assert damage.actual_to_predicted == pytest.approx(2.0)
    assert damage.truth == "known PD"


def test_without_truth_there_is_no_error_to_tell():
    damage = PdDamage(0.2, 0.1, None, "")
    assert (damage.error, damage.actual_to_predicted) == (None, None)
    assert damage.understated == pytest.approx(0.1)


def test_the_worst_half_pushing_past_the_rest_turns_a_perfect_order_upside_down():
    bad = np.repeat([1.0, 0.0], 20)
    before, after = np.repeat([2.0, 0.0], 20), np.full(40, -5.0)
    found = {(one.who, one.share): one for one in rank_damage(members(bad), before, after, (0.5, 1.0), 0)}
    assert found["lowest scores", 0.5].auc_before == 1.0
    assert found["lowest scores", 0.5].lost == 1.0
    assert found["anybody", 1.0].auc == 0.5


def test_ranks_are_not_judged_without_ten_members_of_each_class():
    bad = np.zeros(40)
    bad[:9] = 1.0
    assert rank_damage(members(bad), np.zeros(40), np.ones(40), (1.0,), 0) == ()
    assert rank_damage(members(), np.zeros(40), np.ones(40), (1.0,), 0) == ()
