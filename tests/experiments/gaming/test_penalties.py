import pytest

from benne.errors import GamingError
from benne.experiments.gaming import guarded_against_spending, rewards_spending
from benne.experiments.gaming.penalties import penalised
from benne.features import registry
from benne.models import BoosterOptions

REWARDING = {
    "cash_share_180d", "bill_share_180d", "in_out_ratio_180d", "in_out_ratio_life", "spending_variation_180d",
    "spending_trend_90d", "active_months_180d", "counterparties_365d", "savings_buffer_months",
    "lowest_balance_to_spending_180d",
}  # fmt: skip


def test_penalties_are_in_the_order_of_the_columns_and_multiply():
    once = penalised(BoosterOptions(), ["a", "b", "c"], {"b": 0.5})
    twice = penalised(once, ["a", "b", "c"], {"b": 0.5, "c": 0.0})
    assert twice.extra["feature_contri"] == [1.0, 0.25, 0.0]
    twice.check()


def test_other_options_stay_as_they_are():
    options = BoosterOptions(max_depth=2, extra={"max_bin": 63})
    assert penalised(options, ["a"], {}).extra == {"max_bin": 63, "feature_contri": [1.0]}
    assert penalised(options, ["a"], {}).max_depth == 2


def test_a_penalty_that_would_favour_a_feature_is_refused():
    with pytest.raises(GamingError, match=r"must lie within \[0, 1\], got 1.5 for 'a'"):
        penalised(BoosterOptions(), ["a"], {"a": 1.5})


def test_the_features_that_may_reward_spending_are_those_it_moves_without_a_direction_or_from_null():
    assert {name for name, spec in registry.items() if rewards_spending(spec)} == REWARDING


@pytest.mark.slow
def test_a_booster_under_guard_never_splits_on_a_feature_that_could_reward_spending(world):
    model = world.fitted(guarded=True)
    gains = dict(zip(model.booster_.feature_name(), model.booster_.feature_importance("split"), strict=True))
    split_on = [name for name, used in zip(model.feature_names_in_, gains.values(), strict=True) if used]
    assert len(split_on) > 20
    assert not set(split_on) & REWARDING


def test_columns_without_any_such_feature_need_no_guard():
    options = BoosterOptions()
    assert guarded_against_spending(options, ["late_count_30d"], registry) is options
