from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import ParameterError
from benne.experiments.splitting import Splitting, fold_moments, split_rows

START = pd.Timestamp("2025-01-01", tz="UTC")


def index_of(*observed: tuple[str, int]) -> pd.MultiIndex:
    """Members, each on some day."""
    members, days = zip(*observed, strict=True)
    as_of = START + pd.to_timedelta(list(days), unit="D")
    return pd.MultiIndex.from_arrays([members, as_of], names=["subject_id", "as_of"])


def once_each(members: int, days: int) -> pd.MultiIndex:
    return index_of(*((f"m{k}", k % days) for k in range(members)))


def sides(index: pd.MultiIndex, splitting: Splitting):
    split = split_rows(index, splitting)
    return split, index[split.train], index[split.test]


def test_one_moment_is_split_by_member():
    split, train, test = sides(once_each(10, 1), Splitting())
    assert (split.order, split.since, split.left_out) == ("member", None, {})
    assert len(train) == 7
    assert len(test) == 3


def test_several_moments_are_split_where_the_share_of_later_rows_is_nearest():
    # Two rows on each of five days: 40 % of them lie on the last two, 20 % on the last.
    for test_share, days in ((0.35, 2), (0.25, 1), (0.9, 4)):
        split, _, test = sides(once_each(10, 5), Splitting("time", test_share))
        assert (split.order, split.since) == ("time", START + pd.Timedelta(days=5 - days))
        assert len(test) == 2 * days


def test_auto_does_not_test_on_more_than_it_trains_on():
    index = index_of(("a", 0), ("b", 1), ("c", 1), ("d", 1))
    assert split_rows(index, Splitting()).order == "member"
    assert split_rows(index, Splitting("time")).test.tolist() == [1, 2, 3]


def test_a_member_or_two_who_come_back_are_drawn_for_one_side_and_nobody_else_is():
    back = [*((f"m{k}", k % 2) for k in range(100)), ("m0", 1), ("m2", 1)]
    split, train, test = sides(index_of(*back), Splitting("time", seed=3))
    assert sum(split.left_out.values()) == 2
    assert not set(train.get_level_values(0)) & set(test.get_level_values(0))
    assert len(train) + len(test) == 100


def test_where_members_come_back_all_are_drawn_alike():
    """Members who left early stand for as many as they are: none of them is kept with more likelihood."""
    stay = [(f"s{k}", day) for k in range(1000) for day in (0, 1)]
    left = [(f"l{k}", 0) for k in range(1000)]
    split, train, test = sides(index_of(*stay, *left), Splitting("time", seed=1))
    kinds = train.get_level_values(0).str[0].value_counts()
    assert kinds["s"] == pytest.approx(700, abs=50)
    assert kinds["l"] == pytest.approx(700, abs=50)
    assert len(test) == pytest.approx(300, abs=50)
    assert set(split.left_out) == {
        "earlier rows of members drawn for the test", "later rows of members drawn for training",
    }  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 4)), min_size=2, unique=True), st.integers(0, 9)
)
def test_no_member_is_on_both_sides_and_no_row_is_lost_unsaid(observed, seed):
    index = index_of(*observed)
    for order in ("auto", "member", "time"):
        try:
            split, train, test = sides(index, Splitting(order, seed=seed))
        except (ParameterError, ValueError):  # too little to split
            continue
        assert not set(train.get_level_values(0)) & set(test.get_level_values(0))
        assert not set(split.train) & set(split.test)
        assert len(train) + len(test) + sum(split.left_out.values()) == len(index)
        if split.order == "time":
            assert train.get_level_values(1).max() < split.since <= test.get_level_values(1).min()


def test_the_same_seed_draws_the_same_members():
    index = index_of(*((f"m{k}", day) for k in range(50) for day in (0, 1)))
    one, same, other = (split_rows(index, Splitting(seed=seed)) for seed in (1, 1, 2))
    assert one.train.tolist() == same.train.tolist()
    assert one.train.tolist() != other.train.tolist()


def test_a_split_with_an_empty_side_is_refused():
    with pytest.raises(ParameterError, match="rows on both sides, got none on one"):
        split_rows(index_of(("a", 0), ("a", 1)), Splitting("time"))
    with pytest.raises(ParameterError, match="at least two members"):
        split_rows(index_of(("a", 0)), Splitting())


def test_folds_follow_time_where_each_member_is_observed_once():
    index, bad = once_each(60, 6), np.tile([0.0, 1.0, 1.0], 20)
    moments = fold_moments(index, bad, 5)
    assert moments is not None
    assert np.diff(moments[:6]).tolist() == [86_400_000_000] * 5


def test_folds_are_by_member_where_members_come_back_or_moments_are_few():
    twice = index_of(*((f"m{k}", day) for k in range(20) for day in range(6)))
    assert fold_moments(twice, np.tile([0.0, 1.0], 60), 5) is None
    assert fold_moments(once_each(60, 2), np.tile([0.0, 1.0, 1.0], 20), 5) is None
    assert fold_moments(once_each(60, 1), np.tile([0.0, 1.0, 1.0], 20), 5) is None
