"""Which category may be computed for whom, and when."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benne.errors import CategoryWithheld, ConsentRecordError
from benne.features import CATEGORIES, MASK_COLUMNS, ConsentMask, split_mask


def _grants(*periods: tuple[str, str, int, int | None]) -> pd.DataFrame:
    """(subject, category, from, until), times in microseconds."""
    frame = pd.DataFrame(periods, columns=["subject_id", "category", "granted_from", "granted_until"])
    for column in ("granted_from", "granted_until"):
        frame[column] = pd.to_datetime(frame[column].astype("Int64"), unit="us", utc=True)
    return frame


def _granted(mask: ConsentMask, subject: str, moments: list[int], category: str = "social") -> list[bool]:
    subjects = np.array([subject] * len(moments), dtype=object)
    return mask.granted(subjects, np.array(moments, dtype=np.int64), category).tolist()


def test_a_period_covers_its_first_moment_and_not_its_last() -> None:
    mask = ConsentMask(_grants(("a", "social", 10, 20)), reason="test")
    assert _granted(mask, "a", [9, 10, 19, 20]) == [False, True, True, False]
    assert _granted(mask, "a", [15], "behaviour") == [False]
    assert _granted(mask, "b", [15]) == [False]


def test_an_open_end_lasts() -> None:
    mask = ConsentMask(_grants(("a", "social", 10, None), ("b", "social", 10, 11)), reason="test")
    assert _granted(mask, "a", [9, 2**60]) == [False, True]
    never_ending = _grants(("a", "social", 10, None)).assign(granted_until=None)
    assert _granted(ConsentMask(never_ending, reason="test"), "a", [2**60]) == [True]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(CATEGORIES), st.integers(0, 9),
                       st.one_of(st.none(), st.integers(0, 12))), max_size=12),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 12)), min_size=1, max_size=9),
)  # fmt: skip
def test_any_overlapping_periods_grant_what_one_of_them_grants(
    periods: list[tuple[str, str, int, int | None]], asked: list[tuple[str, int]]
) -> None:
    mask = ConsentMask(_grants(*periods), reason="test")
    subjects, moments = (np.array(values) for values in zip(*asked, strict=True))
    table = mask.table(subjects.astype(object), moments.astype(np.int64))
    for category in CATEGORIES:
        wanted = [
            any(s == p and c == category and f <= t and (u is None or t < u) for p, c, f, u in periods)
            for s, t in asked
        ]
        assert table[MASK_COLUMNS[category]].tolist() == wanted


def test_granting_everything_is_said_with_its_reason(caplog: Any) -> None:
    with caplog.at_level(logging.WARNING, logger="benne.features.consent_mask"):
        mask = ConsentMask.all_granted(reason="public data set")
    assert mask.grants_everything
    assert caplog.messages == ["Every category is computed for every member without a ledger: public data set"]
    assert _granted(mask, "anyone", [0]) == [True]


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_mask_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(ConsentRecordError, match="A consent mask needs a reason"):
        ConsentMask.all_granted(reason=reason)


GOOD = _grants(("a", "social", 10, 20), ("b", "ability", 10, None))


@pytest.mark.parametrize(("grants", "message"), [
    (GOOD.drop(columns="category"), "Grants must have the columns subject_id, .*; add category"),
    (GOOD.assign(category=["social", "astrology"]), "must be among credit_history, .*, got astrology"),
    (GOOD.assign(granted_from=GOOD["granted_from"].dt.tz_localize(None)), "granted_from must be timezone-aware"),
    (GOOD.assign(granted_until=GOOD["granted_until"].dt.tz_localize(None)), "granted_until must be timezone-aware"),
    (GOOD.assign(granted_from=[pd.NaT, GOOD["granted_from"].iloc[1]]), r"granted_from, got 1 row\(s\) with a null"),
    (GOOD.assign(subject_id=["a", None]), r"Grants must say subject_id, .* got 1 row\(s\) with a null"),
])  # fmt: skip
def test_a_malformed_grant_is_refused(grants: pd.DataFrame, message: str) -> None:
    with pytest.raises(ConsentRecordError, match=message):
        ConsentMask(grants, reason="test")


def test_the_mask_beside_features_is_split_off_by_category() -> None:
    frame = pd.DataFrame({"on_time_share_90d": [1.0]} | {column: [True] for column in MASK_COLUMNS.values()})
    features, mask = split_mask(frame)
    assert list(features) == ["on_time_share_90d"]
    assert mask is not None
    assert list(mask) == list(CATEGORIES)
    assert split_mask(features)[1] is None


def test_half_a_mask_is_refused() -> None:
    with pytest.raises(CategoryWithheld, match=r"all five consent columns or none; consented_.* is missing"):
        split_mask(pd.DataFrame({"consented_social": [True]}))
