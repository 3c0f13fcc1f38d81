import numpy as np
import pandas as pd
import pytest

from benne.errors import LabelError
from benne.models.labels import read_labels, read_sample_weight


@pytest.mark.parametrize("y", [[0, 1, 1, 0], [False, True, True, False], ["a", "b", "b", "a"], [-1.0, 3.0, 3.0, -1.0]])
def test_the_second_class_in_sorted_order_is_bad(y: list[object]) -> None:
    np.testing.assert_array_equal(read_labels(y, 4).bad, [0.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([1, 1, 1, 1], "y must hold both good and bad, got one class only"),
        ([0, 1, np.nan, 0], "Input y contains NaN in 1 rows"),
        (np.array([0, 1, None, 0], dtype=object), "Input y contains NaN in 1 rows"),
        ([0, 1, np.inf, 0], "Input y contains infinity"),
        ([0, 1, 2, 1], "Only binary classification is supported. The type of the target is multiclass"),
        ([0.1, 0.2, 0.3, 0.4], "Unknown label type: continuous"),
        ([0, 0, 0, 1], "at least 2 rows of each class to cross-fit, got 1"),
        ([0, 1, 0], "one label for each of the 4 rows of X, got 3"),
        ([[0, 1]] * 4, "y must have one label per row, in one column"),
    ],
)
def test_labels_that_cannot_be_learned_from_are_refused(y: object, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_labels(y, 4)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], r"sample_weight must have shape \(2,\), got \(1,\)"),
        ([1.0, -1.0], "must be finite and not negative"),
        ([1.0, np.nan], "must be finite and not negative"),
        ([0.0, 0.0], "must not be all zeros"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weight: list[float], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_sample_weight(weight, 2)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (["heavy", "light"], "sample_weight must be numbers, got something else"),
        ([10**400, 1], "sample_weight must be numbers, got something else"),
        ([1e308, 1e308], "sample_weight must sum to 1e\\+30 at most"),
        ([1e39, 1.0], "sample_weight must sum to 1e\\+30 at most"),
    ],
)
def test_weights_that_would_overflow_or_are_no_numbers_are_refused(weight: list[object], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_sample_weight(weight, 2)


@pytest.mark.parametrize(
    "y",
    [
        np.array(["anna-secret", 1, 1, "anna-secret"], dtype=object),
        np.array([{"anna-secret": 1}, 1, 0, 1], dtype=object),
        [["anna-secret"], ["anna-secret", "b"], [1], [0]],
        np.array([["anna-secret", "b"]] * 4, dtype=object),
        np.array([pd.NA, "anna-secret", "b", "b"], dtype=object),
    ],
    ids=["mixed", "objects", "ragged", "wide", "null"],
)
def test_strange_labels_are_refused_without_quoting_them(y: object) -> None:
    with pytest.raises(LabelError, match=r"y ") as failure:
        read_labels(y, 4)
    assert "anna-secret" not in str(failure.value) + repr(failure.value.__cause__)
