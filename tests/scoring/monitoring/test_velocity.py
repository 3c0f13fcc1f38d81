import json

import numpy as np
import pandas as pd
import pytest

from benne.errors import MonitoringError, ReferenceMismatch
from benne.features import MASK_COLUMNS
from benne.scoring.monitoring.velocity import VelocityReference, cheap_features

ENDORSED, KNOWN, INFLOW = "endorsements_received_365d", "relationships_365d", "inflow_monthly_90d"


def frame(day, prefix="m", **features):
    n = len(next(iter(features.values())))
    subjects = [f"{prefix}{k}" for k in range(n)]
    index = pd.MultiIndex.from_arrays([subjects, [pd.Timestamp(day, tz="UTC")] * n], names=["subject_id", "as_of"])
    return pd.DataFrame(features, index=index).astype(float)


def pair(n, seed, prefix="m"):
    """The same honest members a month apart: a few endorsements and dealings more, and money as it comes."""
    rng = np.random.default_rng(seed)
    first = {ENDORSED: rng.poisson(2, n), KNOWN: rng.poisson(5, n), INFLOW: rng.gamma(3, 1000, n)}
    later = {ENDORSED: first[ENDORSED] + rng.poisson(0.2, n), KNOWN: first[KNOWN] + rng.poisson(0.5, n),
             INFLOW: first[INFLOW] * np.exp(rng.normal(0, 0.2, n))}  # fmt: skip
    return frame("2025-06-01", prefix, **first), frame("2025-07-01", prefix, **later)


@pytest.fixture(scope="module")
def reference():
    return VelocityReference.learn(*pair(4000, 0))


def test_cheap_features_are_those_of_high_ease(reference):
    assert cheap_features([ENDORSED, "days_since_joining", "my_own"]) == [ENDORSED]
    assert set(reference.grids) == {ENDORSED, KNOWN, INFLOW}
    assert reference.rows == 4000


def test_honest_members_are_flagged_as_seldom_as_said(reference):
    result = reference.check(*pair(4000, 1))
    assert result.expected == pytest.approx(0.005)
    assert result.flagged_share < 0.012


def test_members_who_burst_before_asking_are_found(reference):
    before, after = pair(1000, 2)
    after.iloc[:50, :2] += 8
    flags = reference.check(before, after).flags
    assert flags["flagged"].iloc[:50].all() or flags.loc[[f"m{k}" for k in range(50)], "flagged"].mean() > 0.95
    told = flags.loc["m3"]
    assert told["fast_features"] == 2
    assert told["which"] == f"{ENDORSED}, {KNOWN}"


def test_a_fall_of_what_is_better_high_is_no_burst(reference):
    before, after = pair(500, 3)
    after[ENDORSED] = 0.0
    after[KNOWN], after[INFLOW] = before[KNOWN], before[INFLOW]
    assert not reference.check(before, after).flags["flagged"].any()


@pytest.mark.parametrize("second", ["2025-06-04", "2026-06-01"])
def test_moves_over_another_time_than_the_references_are_refused(reference, second):
    before, after = pair(50, 4)
    other = after.set_axis(after.index.set_levels([pd.Timestamp(second, tz="UTC")], level="as_of"), axis=0)
    with pytest.raises(ReferenceMismatch, match="must be 30 days apart as in the reference"):
        reference.check(before, other)
    mixed = pd.concat([after.iloc[:25], other.iloc[25:]])
    with pytest.raises(ReferenceMismatch, match="a quarter more or less"):
        reference.check(before, mixed)


def test_a_reference_is_of_one_time_for_all():
    before, after = pair(400, 4)
    other = after.set_axis(after.index.set_levels([pd.Timestamp("2025-06-04", tz="UTC")], level="as_of"), axis=0)
    with pytest.raises(MonitoringError, match="as far apart for all members"):
        VelocityReference.learn(before, pd.concat([after.iloc[:200], other.iloc[200:]]))


def test_what_is_withheld_or_not_known_says_nothing(reference):
    before, after = pair(20, 5)
    after[[ENDORSED, KNOWN]] += 50
    masks = dict.fromkeys(MASK_COLUMNS.values(), True)
    refused = after.assign(**masks | {MASK_COLUMNS["social"]: False})
    assert reference.check(before, after.assign(**masks)).flags["flagged"].all()
    assert not reference.check(before, refused).flags["which"].str.contains(ENDORSED).any()
    unknown = before.assign(**{ENDORSED: np.nan, KNOWN: np.nan})
    assert not reference.check(unknown, after).flags["which"].str.contains(KNOWN).any()


def test_members_of_one_moment_only_are_left_out(reference):
    before, after = pair(20, 6)
    flags = reference.check(before.iloc[:15], after.iloc[5:]).flags
    assert sorted(flags.index) == sorted(f"m{k}" for k in range(5, 15))
    assert flags.index.name == "subject_id"


def test_the_measure_says_how_many_and_nothing_of_anybody(reference):
    before, after = pair(1000, 7)
    found = reference.check(before, after).measures()["velocity.flagged_share"]
    assert (found["n"], found["state"], found["note"]) == (1000, "measured", "0.5% expected")
    assert found["low"] <= found["value"] <= found["high"]
    few = reference.check(before.iloc[:9], after.iloc[:9])
    assert few.measures()["velocity.flagged_share"]["state"] == "INSUFFICIENT"


def test_a_reference_is_read_as_it_was_written(reference):
    again = VelocityReference.from_document(json.loads(json.dumps(reference.as_document())))
    before, after = pair(300, 8)
    pd.testing.assert_frame_equal(reference.check(before, after).flags, again.check(before, after).flags)
    assert max(len(grid) for grid in again.grids.values()) * 10 <= reference.rows
    with pytest.raises(MonitoringError, match="must be as it was written"):
        VelocityReference.from_document({"format": 2})


def test_a_reference_must_rest_on_enough_members():
    with pytest.raises(MonitoringError, match="at least 200 members at both moments, got 199"):
        VelocityReference.learn(*pair(199, 0))


def test_moments_out_of_order_frames_of_another_form_and_quantiles_are_refused(reference):
    before, after = pair(300, 9)
    with pytest.raises(MonitoringError, match="second moment must lie after the first"):
        reference.check(after, before)
    with pytest.raises(MonitoringError, match="one row a member"):
        reference.check(before.reset_index(drop=True), after)
    with pytest.raises(MonitoringError, match=r"quantile must be within \[0\.9, 1\)"):
        VelocityReference.learn(before, after, quantile=0.5)
    with pytest.raises(MonitoringError, match="must have cheap features, got none"):
        VelocityReference.learn(before[[]], after[[]])


def test_a_feature_that_is_gone_is_another_reference(reference):
    before, after = pair(300, 10)
    with pytest.raises(ReferenceMismatch, match="got no 'endorsements_received_365d'"):
        reference.check(before.drop(columns=ENDORSED), after)
