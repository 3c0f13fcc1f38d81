"""Options of a fit, carried over to a fit on fewer columns."""

from __future__ import annotations

import pytest

from benne.errors import ParameterError
from benne.models import BoosterOptions
from benne.models.fewer_columns import options_without

COLUMNS = ["late", "spent", "friends"]


NAMES = ["feature_contri", "feature_contrib", "fc", "fp", "feature_penalty", "max_bin_by_feature",
         "cegb_penalty_feature_lazy", "cegb_penalty_feature_coupled"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_values_by_place_stay_with_their_columns_under_every_name_of_lightgbm(name):
    given = BoosterOptions(extra={name: [3, 5, 7], "max_bin": 63})
    assert options_without(given, COLUMNS, ["spent"]).extra == {name: [3, 7], "max_bin": 63}
    assert given.extra[name] == [3, 5, 7]


def test_a_list_may_be_written_as_lightgbm_writes_it():
    given = BoosterOptions(extra={"feature_contri": "1.0,0.0,0.5"})
    assert options_without(given, COLUMNS, ["late", "friends"]).extra == {"feature_contri": "0.0"}


def test_directions_of_columns_that_are_gone_go_and_everything_else_stays():
    given = BoosterOptions(max_depth=2, monotone={"late": 1, "friends": -1})
    fewer = options_without(given, COLUMNS, {"late", "not a column"})
    assert (fewer.monotone, fewer.max_depth, fewer.extra) == ({"friends": -1}, 2, {})
    assert options_without(given, COLUMNS, ()) == given


def test_a_list_of_another_fit_is_refused_rather_than_held_against_the_wrong_columns():
    with pytest.raises(ParameterError, match="feature_contri must hold a value for each of 3 columns, got 2"):
        options_without(BoosterOptions(extra={"feature_contri": [1.0, 0.0]}), COLUMNS, ["late"])
