import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array

from benne.errors import FeatureColumnsError, FeatureTypeError, FeatureValueError, ParameterError
from benne.models.inputs import FeatureRules, check_values, float_matrix, match_columns, read_table, rules_for

FRAME = pd.DataFrame({"days": [1, 2], "share": [0.5, np.nan]})


def rules(**changes: object) -> FeatureRules:
    given = {"columns": ("days", "share"), "minimum": (0.0, 0.0), "maximum": (np.inf, 1.0)}
    return FeatureRules(**{**given, "nullable": (False, True), "directions": (0, 0), "tells": (1, 1), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        FRAME,
        FRAME.convert_dtypes(),
        FRAME.astype({"days": "int16"}),
        pl.from_pandas(FRAME),
        pl.from_pandas(FRAME).to_arrow(),
    ],
    ids=["pandas", "nullable", "int16", "polars", "arrow"],
)
def test_every_kind_of_table_gives_the_same_numbers(given: object) -> None:
    table = read_table(given)
    matrix = float_matrix(table.frame, ["share", "days"])
    np.testing.assert_array_equal(matrix, [[0.5, 1.0], [np.nan, 2.0]])
    assert table.named


def test_an_array_gets_numbered_columns() -> None:
    table = read_table(FRAME.to_numpy())
    assert list(table.frame.columns) == ["x0", "x1"]
    assert not table.named


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([True, False]),
        pd.Series([1.0, "2"], dtype=object),
        pd.Series(["a", "b"]),
        pd.Series([1.0, 2.0], dtype=object),
        pd.to_datetime(pd.Series(["2026-01-01", "2026-01-02"])),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series([1 + 1j, 2.0]),
    ],
    ids=["bool", "mixed", "string", "object", "date", "category", "complex"],
)
def test_a_column_that_is_not_of_numbers_is_refused_with_its_dtype(column: pd.Series) -> None:
    with pytest.raises(
        FeatureTypeError, match=rf"Feature 'days' must be of numbers .*, got {re.escape(str(column.dtype))}"
    ):
        float_matrix(pd.DataFrame({"days": column}), ["days"])


def test_a_whole_number_that_float64_cannot_hold_is_refused() -> None:
    with pytest.raises(FeatureValueError, match=r"'days' must hold whole numbers up to 2\*\*53 in size, got 1 rows"):
        float_matrix(pd.DataFrame({"days": [2**53, 2**53 + 1]}), ["days"])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (csr_array(np.eye(2)), FeatureTypeError, "X must be dense, got a sparse matrix"),
        (np.zeros(3), FeatureColumnsError, "Expected 2D array, got 1D array instead"),
        (np.zeros((0, 2)), FeatureValueError, r"0 sample\(s\)"),
        (np.zeros((2, 0)), FeatureColumnsError, r"0 feature\(s\)"),
        (np.array([["a", 1.0]], dtype=object), FeatureTypeError, "but a real number, got str"),
        (np.array([[True, 1.0]], dtype=object), FeatureTypeError, "but a real number, got bool"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), FeatureColumnsError, "must be unique, got 'a' twice"),
        (pd.DataFrame([[1, 2]], columns=["a", 1]), FeatureColumnsError, "must all be strings, got int"),
    ],
)
def test_what_is_no_table_of_features_is_refused(given: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_table(given)


def test_missing_and_extra_columns_are_named() -> None:
    table = read_table(FRAME)
    match_columns(table, ["share", "days"], named=True, absent=())
    match_columns(table, ["share", "days", "friends"], named=True, absent={"friends"})
    with pytest.raises(FeatureColumnsError, match="'friends' missing"):
        match_columns(table, ["share", "days", "friends"], named=True, absent=())
    with pytest.raises(FeatureColumnsError, match="got 'share' besides"):
        match_columns(table, ["days"], named=True, absent=())
    with pytest.raises(FeatureColumnsError, match="X must carry column names"):
        match_columns(read_table(FRAME.to_numpy()), ["days", "share"], named=True, absent=())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([np.inf, 0.5], "Feature 'days' must be finite, not inf .*, got 1 such rows"),
        ([1.0, -np.inf], "Feature 'share' must be finite"),
        ([np.nan, 0.5], "Feature 'days' must not be null"),
        ([-1.0, 0.5], r"Feature 'days' must lie within \[0, inf\], got 1 such rows"),
        ([1.0, 1.5], r"Feature 'share' must lie within \[0, 1\], got 1 such rows"),
    ],
)
def test_a_value_that_cannot_be_is_refused_without_showing_it(row: list[float], message: str) -> None:
    everything = np.ones((2, 2), dtype=bool)
    with pytest.raises(FeatureValueError, match=message):
        check_values(np.array([[1.0, 0.5], row]), rules(), everything)


def test_a_withheld_cell_is_not_looked_at() -> None:
    check_values(np.array([[np.nan, 0.5]]), rules(), np.array([[False, True]]))


@pytest.mark.parametrize(
    "given",
    [
        FRAME["days"],
        {"days": [1, 2]},
        None,
        "days",
        pl.from_pandas(FRAME).lazy(),
    ],
    ids=["series", "dict", "none", "text", "lazy"],
)
def test_what_is_no_table_at_all_is_refused_with_what_to_pass(given: object) -> None:
    with pytest.raises(FeatureTypeError, match="X must be a table with one row per observation"):
        read_table(given)


@pytest.mark.parametrize("strange", ["a member's secret", 2**60, True, None])
def test_what_stands_in_a_withheld_cell_is_never_looked_at(strange: object) -> None:
    frame = pd.DataFrame({"days": pd.Series([1, strange, 3], dtype=object), "share": [0.5, 0.5, 0.5]})
    withheld = np.array([[False, False], [True, False], [False, False]])
    matrix = float_matrix(frame, ["days", "share"], withheld)
    np.testing.assert_array_equal(matrix, [[1.0, 0.5], [np.nan, 0.5], [3.0, 0.5]])


def test_a_withheld_whole_number_may_be_too_large_for_float64() -> None:
    frame = pd.DataFrame({"days": [1, 2**60]})
    np.testing.assert_array_equal(float_matrix(frame, ["days"], np.array([[False], [True]])), [[1.0], [np.nan]])


def test_a_used_cell_of_text_is_refused_although_others_are_withheld() -> None:
    frame = pd.DataFrame({"days": pd.Series([1, "two", "three"], dtype=object)})
    with pytest.raises(FeatureTypeError, match="Feature 'days' must be of numbers"):
        float_matrix(frame, ["days"], np.array([[False], [False], [True]]))


def test_a_column_that_everybody_withholds_may_be_absent() -> None:
    assert np.isnan(float_matrix(FRAME, ["friends"], np.ones((2, 1), dtype=bool))).all()


def test_a_direction_may_be_added_to_a_registered_feature_and_not_turned_round() -> None:
    columns, category = ["obligations_closed", "on_time_share_90d"], ["credit_history"]
    assert rules_for(columns, category, {}).directions == (0, -1)
    assert rules_for(columns, category, {"obligations_closed": -1, "on_time_share_90d": -1}).directions == (-1, -1)
    for asked in (0, 1):
        with pytest.raises(ParameterError, match="must leave 'on_time_share_90d' its registered direction -1, got"):
            rules_for(columns, category, {"on_time_share_90d": asked})
