"""The frame that a build gives: its order, its columns, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.errors import ConsentError, ObservationError
from benne.features import MASK_COLUMNS, ConsentMask, available, build_features, registry

DAY = 86_400_000_000
Row = dict[str, Any]


@pytest.fixture(scope="module")
def small(random_world: Any) -> dict[str, list[Row]]:
    return random_world(41, members=6)


def test_the_frame_keeps_the_order_and_moments_of_the_observations(
    small: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    pairs = [(f"person-41-{i}", days(700 + i)) for i in (3, 0, 5, 1)]
    given = observe(pairs)
    frame = build_features(load(small), given, consents=everything)
    assert list(frame.index) == list(zip(given["subject_id"], given["as_of"], strict=True))
    assert list(frame) == [*registry, *MASK_COLUMNS.values()]
    assert all(frame[name].dtype == np.float64 for name in registry)
    assert all(frame[column].dtype == bool for column in MASK_COLUMNS.values())


def _reshaped(given: pd.DataFrame) -> dict[str, pd.DataFrame]:
    other_zone = given.assign(as_of=given["as_of"].dt.tz_convert("Asia/Shanghai"))
    return {
        "nanoseconds": given.assign(as_of=given["as_of"].dt.as_unit("ns")),
        "seconds": given.assign(as_of=given["as_of"].dt.as_unit("s")),
        "another timezone": other_zone,
        "another index": given.set_index(pd.Index([7, 7, 1])),
        "more columns": given.assign(branch="north"),
        "pandas text": given.astype({"subject_id": "str"}),
        "pandas categories": given.astype({"subject_id": "category"}),
    }


@pytest.mark.parametrize("shape", ["nanoseconds", "seconds", "another timezone", "another index", "more columns",
                                   "pandas text", "pandas categories"])  # fmt: skip
def test_the_shape_of_observations_changes_no_bit(
    shape: str, small: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    events, given = load(small), observe([(f"person-41-{i}", days(650)) for i in range(3)])
    plain = build_features(events, given, consents=everything)
    other = build_features(events, _reshaped(given)[shape], consents=everything)
    np.testing.assert_array_equal(plain.to_numpy(dtype=float), other.to_numpy(dtype=float))


def test_no_observations_give_an_empty_frame_with_every_column(
    small: Any, load: Any, observe: Any, everything: ConsentMask
) -> None:
    frame = build_features(load(small), observe([]), consents=everything)
    assert frame.shape == (0, len(registry) + 5)


def test_features_whose_columns_are_missing_are_absent_by_name(
    small: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    without = {name: rows for name, rows in small.items() if name in ("members", "dues", "verifications")}
    events = load(without)
    present, absent = available(events)
    frame = build_features(events, observe([("person-41-0", days(700))]), consents=everything)
    assert set(present) | set(absent) == set(registry)
    assert [c for c in frame if c not in MASK_COLUMNS.values()] == present
    assert absent["counterparties_365d"] == "payments.counterparty_id; payments.event_time"
    assert absent["on_time_share_90d"] == "account_status.months_past_due or repayments.amount"


def test_a_table_without_rows_counts_as_absent(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    due = row("anna", 10, due_id="d", obligation_id="o", amount_due=5, currency=None)
    month = row("anna", 40, obligation_id="o", period_start=None, months_past_due=0, status="current")
    world = {"members": [row("anna", 0, adult=True)], "dues": [due], "account_status": [month]}
    with_empty = build_features(load(world | {"repayments": []}), observe([("anna", days(60))]), consents=everything)
    without = build_features(load(world), observe([("anna", days(60))]), consents=everything)
    pd.testing.assert_frame_equal(with_empty, without)
    assert with_empty["on_time_share_5y"].tolist() == [1.0]


def test_progress_counts_members(small: Any, load: Any, observe: Any, everything: ConsentMask, days: Any) -> None:
    told: list[tuple[int, int]] = []
    pairs = [(f"person-41-{i}", days(700 + j)) for i in range(4) for j in range(2)]
    build_features(load(small), observe(pairs), consents=everything, progress=lambda *it: told.append(it))
    assert told == [(4, 4)]


def test_consents_must_be_a_mask(small: Any, load: Any, observe: Any, days: Any) -> None:
    with pytest.raises(ConsentError, match="consents must be a ConsentMask, got NoneType"):
        build_features(load(small), observe([("person-41-0", days(700))]), consents=None)  # type: ignore[arg-type]


def test_another_engine_is_refused(small: Any, load: Any, observe: Any, everything: ConsentMask, days: Any) -> None:
    with pytest.raises(ObservationError, match="engine must be one of duckdb, spark, got 'pandas'"):
        build_features(load(small), observe([("person-41-0", days(700))]), consents=everything, engine="pandas")


def test_another_key_gives_the_same_values(
    small: Any, frames: Any, load: Any, observe: Any, everything: ConsentMask, days: Any, clock: Any
) -> None:
    from benne.features import SubjectKey, load_events

    other = SubjectKey(b"another secret of thirty-two bytes!")
    members = [f"person-41-{i}" for i in range(6)]
    given = observe([(member, days(700)) for member in members])
    rekeyed = given.assign(subject_id=other.subject_ids(members))
    one = build_features(load(small), given, consents=everything)
    two = build_features(load_events(frames(small), key=other, ingested_at=clock), rekeyed, consents=everything)
    np.testing.assert_array_equal(one.to_numpy(dtype=float), two.to_numpy(dtype=float))


@pytest.mark.parametrize("number", range(8))
def test_of_two_dues_of_one_day_no_key_decides_which_comes_first(
    number: int, row: Any, frames: Any, observe: Any, everything: ConsentMask, days: Any, clock: Any
) -> None:
    from benne.features import SubjectKey, load_events

    key = SubjectKey(bytes([number]) * 32)
    dues = [
        row("anna", 30 * k, 0, due_id=f"{c}{k}", obligation_id=c, amount_due=1000) for k in range(1, 7) for c in "AB"
    ]
    paid = [row("anna", 30 * k, due_id=f"{c}{k}", obligation_id=c, amount=1000) for k in range(1, 7) for c in "AB"]
    world = {"members": [row("anna", 0, adult=True)], "dues": dues, "repayments": paid[:-1]}
    given = observe([("anna", days(182))]).assign(subject_id=key.subject_ids(["anna"]))
    frame = build_features(load_events(frames(world), key=key, ingested_at=clock), given, consents=everything)
    assert frame[["on_time_streak_now", "days_past_due_latest", "on_time_streak_longest"]].iloc[0].tolist() == [
        0,
        1,
        11,
    ]
