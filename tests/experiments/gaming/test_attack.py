import dataclasses

import numpy as np
import pytest

from benne.errors import InsufficientEvidence
from benne.experiments.gaming.attack import Attack, attacks_of, push
from benne.experiments.gaming.moves import moves_of
from benne.experiments.gaming.rescoring import Attacked, attackable
from benne.features import registry


@pytest.fixture(scope="module")
def attacked(model, members):
    return attackable(model, members.X, members.bad, members.pd, 300, 0)


@pytest.fixture(scope="module")
def moves(attacked, model, costs):
    return moves_of(attacked.X, attacked.names, model.category_of, registry, costs)


def of(costs, name):
    return next(attack for attack in attacks_of(costs) if attack.name == name)


CATEGORY_OF = {"friends": "social", "fans": "social"}


class _Plain:
    """A scale that takes log odds off 600."""

    def score(self, log_odds):
        return 600.0 - log_odds


class _TwoGames:
    """Scores by hand: a point for each friend, three for each fan, and no more than 40 points of fans."""

    feature_names_in_ = np.array(["friends", "fans"])
    scale_ = _Plain()

    def decision_function(self, X, withheld=()):
        return -(X["friends"] + np.minimum(3 * X["fans"], 40.0)).to_numpy()


def test_each_member_takes_what_brings_most_for_its_cost_until_the_budget_is_spent(costs):
    X = np.column_stack([np.linspace(0, 99, 100)] * 2)
    members = Attacked(_TwoGames(), X, np.array([frozenset()] * 100, dtype=object))
    moves = moves_of(X, members.names, CATEGORY_OF, {}, costs)
    pushed = push(members, moves, Attack("by hand", frozenset({"high"}), 4.0, 180))
    # Who has nothing: the first rung of friends brings 49 points for 1, the second 25; then that of fans 40 for 2,
    # 20 an effort, rather than the third of friends, 15 an effort. Nothing is left then.
    assert pushed.X[0].tolist() == [74.0, 49.0]
    assert pushed.scores[0] - members.scores()[0] == 114.0
    assert pushed.spent[0] == 4.0
    # The best already have what a tenth has: nothing is to be won.
    assert pushed.spent[-1] == 0.0
    assert pushed.scores[-1] == members.scores()[-1]


def test_nobody_spends_more_than_the_budget_or_loses_by_an_attack(attacked, moves, costs):
    before = attacked.scores()
    for attack in attacks_of(costs):
        pushed = push(attacked, moves, attack)
        assert pushed.spent.max() <= attack.budget + 1e-9
        assert (pushed.scores >= before - 1e-9).all()


def test_the_gain_is_what_the_model_says_of_the_values_reached(attacked, moves, costs):
    pushed = push(attacked, moves, of(costs, "cheap and medium"))
    np.testing.assert_array_equal(pushed.scores, attacked.scores(pushed.X))
    assert sum(pushed.points_of.values()) == pytest.approx(float((pushed.scores - attacked.scores()).sum()))


def test_an_attack_moves_only_what_it_may(attacked, moves, costs):
    pushed = push(attacked, moves, of(costs, "cheap"))
    changed = ~((pushed.X == attacked.X) | np.isnan(attacked.X)).all(axis=0)
    assert {name for name, one in zip(attacked.names, changed, strict=True) if one} == {"friends", "fans"}


def test_what_is_withheld_is_never_moved(attacked, moves, costs):
    pushed = push(attacked, moves, of(costs, "anything"))
    withheld = np.array(["social" in one for one in attacked.withheld])
    friends = attacked.names.index("friends")
    assert withheld.any()
    assert np.isnan(pushed.X[withheld, friends]).all()


def test_a_burst_moves_only_what_shows_in_time(attacked, moves, costs):
    pushed = push(attacked, moves, of(costs, "burst"))
    assert {name.split(",")[0] for name in pushed.points_of} == {"friends"}


def test_more_budget_wins_more_and_collusion_costs_less(attacked, moves, costs):
    cheap, collusion = of(costs, "cheap"), of(costs, "collusion")
    poor = dataclasses.replace(cheap, budget=1.0)
    gains = [push(attacked, moves, one).scores.mean() for one in (poor, cheap)]
    assert gains[0] < gains[1]
    alone = dataclasses.replace(collusion, budget=0.75)
    assert (
        push(attacked, moves, alone).scores.mean()
        > push(attacked, moves, dataclasses.replace(alone, factor=1.0)).scores.mean()
    )


class _Thin(_TwoGames):
    """Refuses a table of which any row is empty, as a score model does."""

    def decision_function(self, X, withheld=()):
        if X.isna().all(axis=1).any():
            raise InsufficientEvidence("1 rows have no score.")
        return super().decision_function(X.fillna(0.0))

    def refusals(self, X, withheld=()):
        return X.isna().all(axis=1).to_numpy(), np.zeros(len(X), dtype=bool)


def test_a_move_that_leaves_too_little_to_score_wins_nothing():
    members = Attacked(_Thin(), np.array([[5.0, 0.0], [np.nan, 1.0]]), np.array([frozenset()] * 2, dtype=object))
    found = members.log_odds(np.array([[np.nan, np.nan], [np.nan, 1.0]]))
    assert found.tolist() == [np.inf, -3.0]
