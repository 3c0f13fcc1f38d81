import numpy as np
import pytest

from benne.experiments.gaming import CostTable
from benne.experiments.gaming.moves import moves_of, unknown_ease
from benne.features import registry

ENDORSED, SHARE, INFLOW, INFLOWS, LATE = (
    "endorsements_received_365d", "cash_share_180d", "inflow_monthly_90d", "inflow_monthly_180d", "late_count_30d",
)  # fmt: skip
NAMES = [ENDORSED, SHARE, INFLOW, INFLOWS, LATE, "days_since_joining"]


@pytest.fixture
def moves():
    X = np.column_stack([np.arange(100.0)] * len(NAMES))
    found = moves_of(X, NAMES, {name: registry[name].category for name in NAMES}, registry, CostTable.default())
    return {move.name: move for move in found}


def test_rungs_are_what_half_three_quarters_and_nine_tenths_of_others_do_not_exceed(moves):
    assert moves["endorsements (high)"].targets.tolist() == [[49.0], [74.0], [89.0]]


def test_a_feature_that_raises_risk_is_pushed_down(moves):
    assert moves["paying on time (low)"].targets.tolist() == [[50.0], [25.0], [10.0]]


def test_features_of_the_same_acts_are_one_move_that_costs_its_dearest(moves):
    move = moves["own money sent round"]
    assert [NAMES[column] for column in move.columns] == [INFLOW, INFLOWS]
    assert (move.ease, move.cost, move.days) == ("high", 1.0, 7)


def test_where_nobody_says_which_way_is_better_both_are_tried(moves):
    assert moves["ways of paying (medium), more"].signs.tolist() == [1.0]
    assert moves["ways of paying (medium), less"].signs.tolist() == [-1.0]


def test_what_only_time_moves_has_no_move(moves):
    assert not any("tenure" in name for name in moves)


def test_a_move_raises_who_is_below_leaves_who_is_above_and_fills_what_is_not_known(moves):
    rows = np.full((3, len(NAMES)), 7.0)
    rows[:, 0] = [10.0, 90.0, np.nan]
    move = moves["endorsements (high)"]
    after = move.made(rows, 2)
    assert after[:, 0].tolist() == [74.0, 90.0, 74.0]
    assert (after[:, 1:] == 7.0).all()
    assert rows[0, 0] == 10.0


def test_who_stands_on_a_rung_pays_only_for_those_above(moves):
    rows = np.zeros((5, len(NAMES)))
    rows[:, 0] = [10.0, 49.0, 80.0, 95.0, np.nan]
    assert moves["endorsements (high)"].standing(rows).tolist() == [0, 1, 2, 3, 0]


def test_a_feature_of_few_values_or_of_one_value_has_no_move():
    X = np.full((100, 2), np.nan)
    X[:20, 0], X[:, 1] = np.arange(20.0), 3.0
    names = [ENDORSED, LATE]
    found = moves_of(X, names, dict.fromkeys(names, "social"), registry, CostTable.default())
    assert found == []


def test_features_of_unknown_ease_are_named():
    assert unknown_ease(["my_own", LATE], registry, CostTable.default()) == ["my_own"]
