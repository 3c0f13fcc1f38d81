"""Who can be observed when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from benne.errors import ObservationError
from benne.features import Events
from benne.features.observations import check_observations


@pytest.fixture
def events(row: Any, load: Any) -> Events:
    """Anna joined on day 10; Ben too, though the platform knew it on day 15; Cleo's joining was corrected on day 30."""
    wrong = row("cleo", 5, 5, adult=True)
    right = row("cleo", 20, 30, adult=True) | {"supersedes": wrong["record_id"]}
    members = [row("anna", 10, adult=True), row("ben", 10, 15, adult=True), wrong, right]
    loaded: Events = load({"members": members})
    return loaded


def test_members_are_numbered_in_the_order_of_their_ids(events: Events, observe: Any, days: Any, key: Any) -> None:
    observed = check_observations(events, observe([("ben", days(20)), ("anna", days(11)), ("ben", days(16))]))
    assert len(observed) == 3
    assert observed.members.tolist() == sorted(key.subject_ids(["anna", "ben"]))
    assert observed.members[observed.codes].tolist() == key.subject_ids(["ben", "anna", "ben"]).tolist()
    assert observed.as_of.tolist() == [days(20), days(11), days(16)]


@pytest.mark.parametrize(("member", "day", "can"), [
    ("anna", 10, False), ("anna", 10 + 1e-6, True),
    ("ben", 12, False), ("ben", 15, False), ("ben", 15 + 1e-6, True),
    ("cleo", 6, True), ("cleo", 30, True), ("cleo", 31, True),
])  # fmt: skip
def test_a_member_can_be_observed_once_their_joining_is_known(
    member: str, day: float, can: bool, events: Events, observe: Any, days: Any
) -> None:
    given = observe([(member, days(day))])
    if can:
        assert len(check_observations(events, given)) == 1
    else:
        with pytest.raises(ObservationError, match=r"must be after the member joined and the platform knew it, got 1"):
            check_observations(events, given)


def test_a_minor_cannot_be_observed_until_attested_to_be_an_adult(row: Any, load: Any, observe: Any, days: Any) -> None:
    young = row("dora", 5, adult=False)
    grown = row("dora", 5, 40, adult=True) | {"supersedes": young["record_id"]}
    events = load({"members": [young, grown]})
    with pytest.raises(ObservationError, match=r"must be of adults, got 1 .* under 18 are not scored"):
        check_observations(events, observe([("dora", days(20))]))
    assert len(check_observations(events, observe([("dora", days(41))]))) == 1


def test_minors_are_observed_for_a_stated_reason_only_and_that_is_logged(
    row: Any, load: Any, observe: Any, days: Any, caplog: pytest.LogCaptureFixture
) -> None:
    events = load({"members": [row("dora", 5, adult=False)]})
    made = check_observations(events, observe([("dora", days(20))]), minors_reason="a closed public set")
    assert len(made) == 1
    assert [r.getMessage() for r in caplog.records] == [
        "1 observations of members under 18 are made: a closed public set"
    ]


def _frame(subject_id: Any, as_of: Any) -> pd.DataFrame:
    return pd.DataFrame({"subject_id": subject_id, "as_of": as_of})


GOOD_TIME = pd.Series(pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True))


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda f: f.drop(columns="as_of"), "must have subject_id and as_of, got no as_of"),
    (lambda f: f.set_index(["subject_id", "as_of"]), "got no subject_id and no as_of"),
    (lambda f: pl.from_pandas(f), r"must be a pandas DataFrame, got polars\."),
    (lambda f: f.assign(as_of=f["as_of"].dt.tz_localize(None)),
     "as_of must be timezone-aware timestamps, got datetime64"),
    (lambda f: f.assign(as_of="2025-01-01"), "as_of must be timezone-aware timestamps, got (str|object)"),
    (lambda f: f.assign(as_of=[pd.NaT, f["as_of"].iloc[1]]), r"hold no null, got 1 row\(s\) that do not \(rows 0\)"),
    (lambda f: f.assign(subject_id=[1, 2]), r"have strings as subject_id, got 2 row\(s\) that do not \(rows 0, 1\)"),
    (lambda f: f.assign(subject_id="nobody"), r"be of members, got 2 row\(s\) that do not \(rows 0, 1\)"),
    (lambda f: f.assign(as_of=f["as_of"].iloc[0]),
     r"be different from each other, got 1 row\(s\) that do not \(rows 1\)"),
    (lambda f: f.assign(as_of=[pd.Timestamp("2500-01-01", tz="UTC"), f["as_of"].iloc[1]]),
     r"lie in the years 1900 to 2199, got 1 row\(s\) that do not \(rows 0\)"),
])  # fmt: skip
def test_what_cannot_be_observed_is_refused(spoil: Any, message: str, events: Events, key: Any) -> None:
    good = _frame(key.subject_ids(["anna", "anna"]), GOOD_TIME)
    with pytest.raises(ObservationError, match=message) as caught:
        check_observations(events, spoil(good))
    assert key.subject_ids(["anna"])[0] not in str(caught.value)


def test_no_observations_are_no_error(events: Events, observe: Any) -> None:
    observed = check_observations(events, observe([]))
    assert (len(observed), len(observed.members)) == (0, 0)
    assert observed.as_of.dtype == np.int64
