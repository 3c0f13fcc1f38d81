"""Vintages as they mature: who had turned bad at which age, beside the vintages before; and dates that cannot be."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from benne.errors import MonitoringError
from benne.scoring.monitoring.monitor import Evidence, monitor
from tests.scoring.monitoring.months import MEMBERS, MONTHS, start_of

NOW = start_of(20).to_pydatetime()
"""A month after the last vintage: those of the first seven months have matured (365 and 30 days)."""


def dated(world, after=None):
    """Outcomes known by now: who turns bad does so on a day of the year that follows, spread evenly or as given."""
    whole = world.outcomes()
    days = np.random.default_rng(1).integers(1, 366, len(whole)) if after is None else after
    whole["bad_at"] = (whole["as_of"] + pd.to_timedelta(days, unit="D")).where(whole["bad"] == 1.0)
    known = (whole["as_of"] + timedelta(days=395) <= NOW).to_numpy()
    told = known | ((whole["bad"] == 1.0) & (whole["bad_at"] <= NOW)).to_numpy()
    return whole[told].reset_index(drop=True)


def watched(world, outcomes):
    return monitor(world.model, world.features, Evidence(scores=world.told(), outcomes=outcomes), clock=lambda: NOW)


def test_a_young_vintage_is_told_up_to_its_age_beside_those_before(world):
    days = np.where(np.arange(len(world.bad)) % 4 == 0, 20, 200)  # a quarter turns bad within the first month
    report = watched(world, dated(world, days))
    lines = pd.DataFrame(report.tables["vintage_curves"]).set_index(["period", "month"])
    months = lines.groupby("period").size()
    assert months["2023-01"] == months["2023-07"] == 12  # mature
    assert months["2024-06"] == 2  # on 1 September, less the lag: 62 days
    assert "2024-08" not in months  # younger than a month and the lag
    own = slice(17 * MEMBERS, 18 * MEMBERS)
    soon = world.bad[own][days[own] == 20].sum()
    line = lines.loc[("2024-06", 2)]
    assert (line["rows"], line["observed"]) == (MEMBERS, pytest.approx(soon / MEMBERS))
    before = world.bad[: 17 * MEMBERS][days[: 17 * MEMBERS] == 20].sum()
    assert line["before"] == pytest.approx(before / (17 * MEMBERS), abs=1e-6)
    whole = lines.loc[("2023-01", 12)]
    assert whole["observed"] == pytest.approx(world.bad[:MEMBERS].mean())
    assert lines.loc[("2023-01", 6), "observed"] < whole["observed"] == lines.loc[("2023-01", 7), "observed"]


def test_young_vintages_that_turn_bad_as_those_before_are_quiet(world):
    assert not [alert for alert in watched(world, dated(world)).alerts if alert.name == "maturing"]


def test_a_vintage_that_turns_bad_sooner_is_told_before_it_is_mature(world):
    outcomes = dated(world)
    month = np.repeat(np.arange(MONTHS), MEMBERS)
    rows = world.features.index.to_frame(index=False)[(month == 14) & (world.bad == 0.0)].head(60)
    more = rows.assign(bad=1.0, bad_at=rows["as_of"] + timedelta(days=30))
    alerts = [one for one in watched(world, pd.concat([outcomes, more])).alerts if one.name == "maturing"]
    assert [one.period for one in alerts] == ["2024-03"]
    assert "turned bad within 5 months; scores and vintages before at that age say" in alerts[0].message


def test_curves_are_told_though_nothing_has_matured(world):
    young = world.features.index.get_level_values("as_of") >= start_of(12)
    outcomes = dated(world)
    late = outcomes[outcomes["as_of"] >= start_of(12)]
    report = monitor(world.model, world.features[young], Evidence(outcomes=late), clock=lambda: NOW)
    assert report.outcomes == "INSUFFICIENT"
    assert report.tables["vintage_curves"][0]["period"] == "2024-01"


def test_rows_of_which_nothing_or_both_are_known_are_in_no_curve(world):
    outcomes = dated(world)
    first = outcomes["as_of"] == start_of(0)
    kept = outcomes[~(first & (outcomes["bad"] == 0.0)).to_numpy() | (np.arange(len(outcomes)) >= 50)]  # fifty censored
    censored = int(len(outcomes) - len(kept))
    again = kept[kept["as_of"] == start_of(1)].query("bad == 1").head(20).assign(bad=0.0)
    again["bad_at"] = again["bad_at"].where(again["bad"] == 1.0)
    lines = watched(world, pd.concat([kept, again])).tables["vintage_curves"]
    rows = {line["period"]: line["rows"] for line in lines}
    assert censored > 10
    assert (rows["2023-01"], rows["2023-02"], rows["2023-03"]) == (MEMBERS - censored, MEMBERS - 20, MEMBERS)


def test_without_dates_there_is_no_curve(world):
    assert "vintage_curves" not in world.monitored(outcomes=world.outcomes()).tables


def test_a_share_of_fewer_than_ten_is_no_point_of_a_curve(world):
    days = np.where(np.arange(len(world.bad)) % MEMBERS < 40, 20, 200)
    lines = watched(world, dated(world, days)).tables["vintage_curves"]
    first = [line for line in lines if line["month"] == 1]
    bads = [world.bad[k * MEMBERS : k * MEMBERS + 40].sum() for k in range(len(first))]
    hidden = [0 < one < 10 for one in bads]
    assert [line["observed"] is None for line in first] == hidden
    assert [line["observed_low"] is None for line in first] == hidden
    assert any(hidden)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows["as_of"] - timedelta(days=1), "at or after as_of, got one before in"),
        (lambda rows: rows["bad_at"] + timedelta(days=4000), "in the past, got one that is not in"),
        (lambda rows: rows["bad_at"].fillna(rows["as_of"]), "null where bad is not 1, got a moment in"),
        (lambda rows: rows["bad_at"].where(np.arange(len(rows)) % 2 == 0), "known for all who turned bad, got null in"),
        (lambda rows: rows["bad_at"].dt.tz_localize(None), "moments with a time zone, got others"),
    ],
)
def test_dates_that_cannot_be_are_refused(world, change, message):
    outcomes = dated(world)
    changed = change(outcomes)
    if "null where" not in message:
        changed = changed.where(outcomes["bad"] == 1.0)
    with pytest.raises(MonitoringError, match=f"bad_at of outcomes must be {message}"):
        watched(world, outcomes.assign(bad_at=changed))
