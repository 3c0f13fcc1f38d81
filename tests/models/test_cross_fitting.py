import numpy as np
import pandas as pd
import pytest

from benne.errors import ParameterError
from benne.models.cross_fitting import codes_of, folds_of

BAD = np.tile([0.0, 1.0, 0.0], 40)


def test_plain_folds_hold_every_row_out_once() -> None:
    held = np.concatenate([test for _, test in folds_of(BAD, None, None, 5, 0)])
    np.testing.assert_array_equal(np.sort(held), np.arange(120))


def test_no_group_stands_on_both_sides() -> None:
    group = np.repeat(np.arange(30), 4)
    for train, held in folds_of(BAD, group, None, 5, 0):
        assert not set(group[train]) & set(group[held])


def test_time_folds_train_on_what_came_strictly_before() -> None:
    moment = np.random.default_rng(0).integers(0, 12, 120)
    folds = folds_of(BAD, None, moment, 4, 0)
    assert len(folds) >= 2
    for train, held in folds:
        assert moment[train].max() < moment[held].min()


def test_with_groups_and_time_both_hold() -> None:
    moment, group = np.arange(120), np.tile(np.arange(60), 2)
    for train, held in folds_of(BAD, group, moment, 4, 0):
        assert moment[train].max() < moment[held].min()
        assert not set(group[train]) & set(group[held])


def test_few_rows_of_a_class_make_fewer_folds() -> None:
    assert len(folds_of(np.array([0.0, 0, 0, 0, 1, 1, 1]), None, None, 5, 0)) == 3


def test_one_group_cannot_be_cross_fitted() -> None:
    with pytest.raises(ParameterError, match="groups must name at least two groups"):
        folds_of(BAD, np.zeros(120, dtype=np.intp), None, 5, 0)


def test_timestamps_become_ranks() -> None:
    times = pd.to_datetime(["2026-03-01", "2026-01-01", "2026-03-01"], utc=True)
    np.testing.assert_array_equal(codes_of(times, 3, "time"), [1, 0, 1])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2], "time must have one value for each of the 3 rows"),
        ([1.0, np.nan, 2.0], "time must have a value in every"),
    ],
)
def test_moments_must_be_complete(values: list[float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        codes_of(values, 3, "time")
