import numpy as np
import pytest
from scipy.special import expit, logit

from benne.experiments.gaming.origins import DAMAGE, damage_alone
from benne.experiments.gaming.rescoring import Attacked

PARTS = {"left": [0], "right": [1]}


class _Sum:
    """Log odds of bad are the sum of two features, each of a category of its own."""

    feature_names_in_ = np.array(["a", "b"])

    def decision_function(self, X, withheld=()):
        return X["a"].to_numpy() + X["b"].fillna(0.0).to_numpy()


def of(X, bad=None, known=None):
    X = np.asarray(X, dtype=float)
    return Attacked(_Sum(), X, np.array([frozenset()] * len(X), dtype=object), bad, known)


def damage(members, pushed):
    return damage_alone(members, np.asarray(pushed, dtype=float), members.log_odds(), PARTS)


def test_what_moves_carries_all_the_damage_and_what_does_not_none():
    # Everybody's PD is 0.2, by what is predicted and in truth; one feature takes the prediction to 0.1
    members = of([[logit(0.2), 0.0]] * 40, known=np.full(40, 0.2))
    found = damage(members, [[logit(0.1), 0.0]] * 40)
    assert found.loc["left"].tolist()[:3] == pytest.approx([1.0, 0.1, 2.0])
    assert found.loc["right"].tolist()[:3] == pytest.approx([0.0, 0.0, 1.0])
    assert found["auc_lost"].isna().all()  # nobody knows outcomes


def test_each_part_is_moved_alone_and_log_odds_not_pds_add_up():
    # 0.5 to 0.2 by the one, 0.5 to 0.4 by the other; together to 1 / (1 + 4 * 1.5) = 1 / 7, by 0.357 and not 0.4
    members = of([[0.0, 0.0]] * 40, known=np.full(40, 0.5))
    pushed = np.array([[logit(0.2), logit(0.4)]] * 40)
    found = damage(members, pushed)
    assert found["pd_fall"].tolist() == pytest.approx([0.3, 0.1])
    assert found["actual_to_predicted"].tolist() == pytest.approx([2.5, 1.25])
    whole = damage_alone(members, pushed, members.log_odds(), {"both": [0, 1]})
    assert whole.loc["both", "pd_fall"] == pytest.approx(0.5 - 1 / 7)


def test_ranks_are_lost_to_the_part_that_turns_them_round():
    # Perfect order; the bad lower b by 5 and are put below everybody, while a falls alike for all
    bad = np.repeat([1.0, 0.0], 20)
    members = of(np.column_stack([np.repeat([2.0, 0.0], 20), np.zeros(40)]), bad)
    pushed = np.column_stack([np.repeat([1.0, -1.0], 20), np.repeat([-5.0, 0.0], 20)])
    found = damage(members, pushed)
    assert found["auc_lost"].tolist() == [0.0, 1.0]
    assert found["moved"].tolist() == [1.0, 0.5]
    assert found["actual_to_predicted"].tolist() == pytest.approx([1.0, 0.5 / np.mean(expit([-3.0, 0.0]))])


def test_ranks_are_not_judged_without_ten_members_of_each_class():
    bad = np.zeros(40)
    bad[:9] = 1.0
    assert damage(of([[0.0, 0.0]] * 40, bad), [[-1.0, 0.0]] * 40)["auc_lost"].isna().all()


@pytest.mark.parametrize(("movers", "told"), [(9, False), (10, True)])
def test_nothing_is_told_where_fewer_than_ten_moved(movers, told):
    X = np.zeros((40, 2))
    pushed = X.copy()
    pushed[:movers, 0] = -1.0
    found = damage(of(X, known=np.full(40, 0.5)), pushed).loc["left"]
    assert found[["moved", *DAMAGE[:2]]].notna().all() == told
    assert found.isna().all() != told


def test_a_null_that_stays_null_has_not_moved_and_one_that_becomes_a_value_has():
    X = np.column_stack([np.zeros(40), np.full(40, np.nan)])
    pushed = X.copy()
    assert damage(of(X), pushed)["moved"].tolist() == [0.0, 0.0]
    pushed[:30, 1] = -1.0
    assert damage(of(X), pushed)["moved"].tolist() == [0.0, 0.75]


def test_an_attack_on_one_category_does_there_all_that_it_does(report):
    for name in ("cheap", "collusion", "burst"):
        attack = report.attack(name)
        whole = next(one for one in attack.ranks if one.share == 1.0)
        line = attack.by_category.loc["social"]
        if name == "burst":  # income shows too late, and so friends alone
            assert attack.by_feature.index.tolist()[0] == "friends"
        assert line["pd_fall"] == pytest.approx(attack.pd_damage.understated)
        assert line["actual_to_predicted"] == pytest.approx(attack.pd_damage.actual_to_predicted)
        assert line["auc_lost"] == pytest.approx(whole.lost)
        others = attack.by_category.drop(index="social")
        assert (others[["moved", "pd_fall", "auc_lost"]] == 0.0).all(axis=None)
        before = attack.pd_damage.actual / attack.pd_damage.before
        assert others["actual_to_predicted"].tolist() == pytest.approx([before] * 2)


def test_no_part_takes_off_more_than_the_whole_and_together_they_take_more_than_each(report):
    attack = report.attack("anything")
    falls = attack.by_category["pd_fall"]
    assert (falls > 0).all()
    assert falls.max() < attack.pd_damage.understated
    assert attack.by_feature["pd_fall"].max() <= falls.max() + 1e-12
