from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import FeatureColumnsError, FeatureTypeError
from benne.features import registry
from benne.features.quality.frame import measure_frame


@pytest.fixture
def measured(platform):
    return lambda frame: measure_frame(platform(), frame, registry, {})


@pytest.fixture
def category(measured):
    """One category of a measured frame."""
    return lambda frame, name: {c.name: c for c in measured(frame).categories}[name]


def test_features_come_in_the_order_of_the_registry(measured, frame):
    assert [f.name for f in measured(frame()[frame().columns[::-1]]).features] == [
        "late_count_30d", "bill_share_180d", "income_monthly_180d", "verified_fields", "counterparties_365d",
    ]  # fmt: skip


def test_each_feature_is_masked_by_its_own_category(measured, frame):
    some = frame()
    some.loc[some.index[:100], "consented_ability"] = False
    some.loc[some.index[:100], "income_monthly_180d"] = np.nan
    observations = {f.name: f.observations for f in measured(some).features}
    assert (observations["income_monthly_180d"], observations["late_count_30d"]) == (300, 400)


def test_a_member_observed_often_makes_cells_larger(measured, frame):
    often = pd.concat([frame(100, pd.Timestamp(f"2025-0{month}-01", tz="UTC")) for month in (1, 2, 3)])
    whole = measured(often)
    assert (whole.observations, whole.members, whole.cell) == (300, 100, 150)


def test_a_thin_file_has_nothing_but_nulls_and_zeros(category, frame):
    late = frame(late_count_30d=[0] * 300 + [1] * 100, on_time_share_365d=[np.nan] * 200 + [0.0] * 200)
    assert category(late, "credit_history").thin.shown == 0.5


def test_a_zero_that_could_have_been_null_is_something_known(category, frame):
    assert category(frame(bill_share_180d=[0.0] * 400), "behaviour").thin.shown == 0.0


def test_having_joined_is_no_evidence(category, frame):
    joined = frame(bill_share_180d=[np.nan] * 400, days_since_joining=[700.0] * 400)
    assert category(joined, "behaviour").thin.shown == 1.0


def test_a_sparse_file_tells_less_than_a_quarter(category, frame):
    nothing, something = [np.nan] * 100, [0.5] * 300
    names = ("on_time_share_90d", "on_time_share_365d", "on_time_share_5y", "days_since_late")
    told = frame(late_count_30d=[1] * 400, **dict.fromkeys(names, nothing + something))
    found = category(told, "credit_history")
    assert (found.thin.shown, found.sparse.shown) == (0.0, 0.25)  # one of five is less than a quarter


def test_thin_files_are_counted_among_consented_observations_only(category, frame):
    some = frame(late_count_30d=[0] * 200 + [1] * 200)
    some["consented_credit_history"] = [False] * 100 + [True] * 300
    found = category(some, "credit_history")
    assert (found.consented.shown, found.thin.shown) == (0.75, round(100 / 300, 6))


def test_absent_features_say_why(category, frame):
    found = category(frame(bill_share_180d=None), "behaviour")
    assert found.present == ()
    assert (
        found.absent["bill_share_180d"] == "not in this frame: dropped, or nothing of it was known at any observation"
    )
    assert "account_status" in found.absent["utilisation_last"]


def test_an_empty_frame_is_measured(measured, frame):
    whole = measured(frame(0))
    assert (whole.observations, whole.members, whole.cell) == (0, 0, 50)


def test_a_frame_without_the_mask_is_refused(measured, frame):
    with pytest.raises(FeatureColumnsError, match="must carry the five consent columns, got none"):
        measured(frame()[["late_count_30d"]])


def test_a_frame_without_its_index_is_refused(measured, frame):
    with pytest.raises(FeatureColumnsError, match="must be indexed by subject_id and as_of"):
        measured(frame().reset_index(drop=True))


def test_a_column_that_is_no_feature_is_refused(measured, frame):
    with pytest.raises(FeatureColumnsError, match="must be registered features, got shoe_size"):
        measured(frame().assign(shoe_size=43.0))


def test_a_repeated_column_is_refused(measured, frame):
    twice = frame()
    with pytest.raises(FeatureColumnsError, match="must have each column once"):
        measured(pd.concat([twice, twice[["late_count_30d"]]], axis=1))


def test_a_column_of_texts_is_refused(measured, frame):
    with pytest.raises(FeatureTypeError, match="late_count_30d must be a column of numbers"):
        measured(frame().assign(late_count_30d="many"))
