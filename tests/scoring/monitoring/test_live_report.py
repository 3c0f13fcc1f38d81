"""Live figures beside the model's reference: what is told, what is not, and when somebody is called."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benne.scoring.monitoring.alerts import Alert
from benne.scoring.monitoring.live_checks import LiveFinding, beyond_chance, check_window, live_limits
from benne.scoring.monitoring.live_window import LiveWindow, Shift, shares
from benne.scoring.monitoring.thresholds import Thresholds
from benne.scoring.reviews.statistics import OverturnRate
from tests.scoring.monitoring.conftest import Histograms, Watched, refused, scored_pass, served_model

ALIKE = [(0.0, 1000.0)] * 20 + [(0.0, 2000.0)] * 5 + [(0.3, 2000.0)] * 15 + [(0.9, float("nan"))] * 10
"""Fifty rows that fall as the reference does: 25, 15 and 10 of late_share, 20, 20 and 10 of income."""
EMPTY = LiveWindow(0, 6, {}, {})
LIMITS = live_limits(Thresholds.default())


def rate(decided: int, overturned: int) -> OverturnRate:
    return OverturnRate(month=None, policy_version=None, recipient=None, decided=decided, overturned=overturned)


def as_the_reference(watched: Watched, times: int = 1) -> None:
    """Scores half below 600 and half above, a tenth of them thin."""
    for _ in range(times):
        for k, row in enumerate(ALIKE):
            good = k % 10 != 0
            watched.live.watch(
                scored_pass(
                    watched.served, [row], score=550.0 + 100.0 * (k % 2), band="good" if good else "poor", thin=not good
                )
            )


def moved(watched: Watched, rows: int = 500, instance: object = None) -> None:
    watched.live.watch(scored_pass(watched.served, [(0.0, 1000.0)] * rows))


def test_a_window_of_fewer_than_fifty_tells_nothing(on_sqlite: Watched) -> None:
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1000.0)] * 49))
    on_sqlite.live.gather()
    told = on_sqlite.live.report().as_dict()
    states = {name: one["state"] for name, one in told["measures"].items() if name != "live.alerts_open"}
    assert set(states.values()) == {"INSUFFICIENT"}
    assert all(one["n"] is None or one["n"] == 0 for name, one in told["measures"].items())
    assert {row["psi_7"] for row in told["tables"]["features"]} == {None}
    assert {row["share_7"] for row in told["tables"]["bands"]} == {None}
    assert "49" not in json.dumps(told["tables"]["windows"])


def test_the_index_is_the_one_that_can_be_worked_out_by_hand(on_sqlite: Watched) -> None:
    moved(on_sqlite, 60)
    on_sqlite.live.gather()
    told = on_sqlite.live.report().as_dict()
    live, before = np.array([60.5, 0.5, 0.5, 0.5]) / 62, np.array([500.5, 300.5, 200.5, 0.5]) / 1002
    index = float(((live - before) * np.log(live / before)).sum())
    row = next(row for row in told["tables"]["features"] if row["feature"] == "late_share")
    assert row["psi_7"] == row["psi_30"] == pytest.approx(index, abs=1e-6)
    assert row["by_chance_7"] == pytest.approx(2 * (1 / 1000 + 1 / 60), abs=1e-6)
    live, before = np.array([0.5, 60.5, 0.5]) / 61.5, np.array([500.5, 500.5, 0.5]) / 1001.5
    index = float(((live - before) * np.log(live / before)).sum())
    assert told["measures"]["live.score_psi"]["value"] == pytest.approx(index, abs=1e-6)
    assert told["measures"]["live.mean_pd"]["value"] == pytest.approx(0.1)


def test_what_is_as_the_reference_was_raises_nothing(on_sqlite: Watched) -> None:
    as_the_reference(on_sqlite, times=4)
    assert on_sqlite.live.evaluate() == []
    told = on_sqlite.live.report().as_dict()
    assert {row["feature"]: row["psi_7"] < 0.01 for row in told["tables"]["features"]} == dict.fromkeys(
        ("income", "late_share"), True
    )
    assert told["tables"]["bands"] == [
        {"band": "poor", "share_reference": 0.1, "share_7": 0.1, "share_30": 0.1},
        {"band": "good", "share_reference": 0.9, "share_7": 0.9, "share_30": 0.9},
    ]
    assert told["tables"]["windows"][0]["thin_share"] == 0.1


def test_what_has_moved_is_told_once_by_whichever_instance_finds_it(watched: Watched) -> None:
    moved(watched)
    watched.live.gather()
    other = watched.instance()
    raised = watched.live.evaluate()
    assert {one.name for one in raised} == {"score.psi", "feature.psi.late_share", "feature.psi.income"}
    assert {one.severity for one in raised} == {"alarm"}
    assert other.evaluate() == []
    watched.clock.turn(hours=23)
    assert watched.live.evaluate() == []
    watched.clock.turn(hours=2)
    assert len(other.evaluate()) == 3
    assert len(watched.pager.told) == 6
    assert {one["message"] for one in watched.rows("monitoring_alerts") if one["name"] == "score.psi"} == {
        f"score.psi was {raised[0].value:.3g} over 7 days, above 0.25, from 500 observations. "
        "Look at /console/monitoring."
    }


def test_a_warning_that_becomes_an_alarm_is_told_again_and_not_the_other_way_round(on_sqlite: Watched) -> None:
    from benne.scoring.monitoring.live_alerts import raise_new

    def finding(severity: str) -> list[LiveFinding]:
        return [LiveFinding(name="score.psi", severity=severity, value=0.2, threshold=0.1, n=100, days=7)]  # type: ignore[arg-type]

    numbers = iter(("a-1", "a-2"))
    with on_sqlite.store.write() as connection:
        told = [
            len(raise_new(connection, "benne/1", finding(severity), now, lambda: next(numbers)))
            for now, severity in ((1, "warning"), (2, "alarm"), (3, "alarm"), (4, "warning"))
        ]
    assert told == [1, 1, 0, 0]


def test_alerts_are_open_for_a_day(on_sqlite: Watched) -> None:
    moved(on_sqlite)
    on_sqlite.live.evaluate()
    assert on_sqlite.live.report().as_dict()["measures"]["live.alerts_open"]["value"] == 3
    on_sqlite.clock.turn(days=1)
    assert on_sqlite.live.report().as_dict()["measures"]["live.alerts_open"]["value"] == 0
    assert len(on_sqlite.live.alerts()) == 3


def test_what_is_passed_on_names_the_check_and_nobody(on_sqlite: Watched) -> None:
    moved(on_sqlite)
    told = on_sqlite.live.evaluate()[0].told()
    assert isinstance(told, Alert)
    assert (told.name, told.period, told.severity) == ("score.psi", "2026-03-01", "alarm")


def test_gauges_are_of_days_that_are_over_so_that_one_question_moves_none(on_sqlite: Watched) -> None:
    moved(on_sqlite)
    on_sqlite.live.evaluate()
    assert "live.score_psi" not in on_sqlite.live.gauges()
    on_sqlite.clock.turn(days=1)
    on_sqlite.live.evaluate()
    before = on_sqlite.live.gauges()
    assert before["live.score_psi"] > 0.25
    moved(on_sqlite, 1)
    on_sqlite.live.evaluate()
    assert on_sqlite.live.gauges() == before


def test_refusals_that_rise_are_told_and_those_that_stay_are_not(on_sqlite: Watched) -> None:
    day = [refused("consent-required")] * 10
    on_sqlite.live.watch([*day, *scored_pass(on_sqlite.served, ALIKE)] * 2)
    on_sqlite.clock.turn(days=20)
    on_sqlite.live.watch([refused("features-missing")] * 80 + scored_pass(on_sqlite.served, ALIKE))
    found = {one.name: one for one in on_sqlite.live.evaluate()}
    assert found["answers.refused_rise"].value == pytest.approx(80 / 130 - 20 / 120)
    on_sqlite.clock.turn(days=1)
    refusals = on_sqlite.live.report().as_dict()["tables"]["refusals"]
    assert [(row["reason"], row["share_7"]) for row in refusals] == [
        ("consent-required", 0.0), ("features-missing", round(80 / 130, 6))
    ]  # fmt: skip


def test_a_service_that_has_gone_silent_is_an_alarm(on_sqlite: Watched) -> None:
    as_the_reference(on_sqlite)
    on_sqlite.clock.turn(days=8)
    raised = on_sqlite.live.evaluate()
    assert [(one.name, one.severity) for one in raised] == [("answers.none", "alarm")]
    assert "nothing was scored in 7 days, and 50 in those before" in raised[0].message


def test_reviews_that_overturn_much_are_told_and_fewer_than_twenty_are_not() -> None:
    assert [one.severity for one in check_window(EMPTY, EMPTY, None, rate(20, 9), LIMITS)] == ["alarm"]
    assert [one.severity for one in check_window(EMPTY, EMPTY, None, rate(20, 5), LIMITS)] == ["warning"]
    assert check_window(EMPTY, EMPTY, None, rate(20, 4), LIMITS) == []
    assert check_window(EMPTY, EMPTY, None, rate(19, 19), LIMITS) == []


def test_chance_alone_raises_nothing_in_two_hundred_quiet_weeks() -> None:
    """Multinomial samples of the reference itself, of fifty to two thousand rows."""
    rng, reference = np.random.default_rng(7), Histograms()
    bins, found = reference.features["late_share"], 0
    for _ in range(200):
        n = int(rng.integers(50, 2000))
        counts = rng.multinomial(n, [0.5, 0.3, 0.2])
        window = LiveWindow(0, 6, {"feature.late_share": counts}, {})
        shift = window.feature_shift("late_share", bins)
        assert shift is not None
        found += beyond_chance(shift, tests=71)
    assert found == 0


def test_a_shift_within_chance_is_none_however_large() -> None:
    assert not beyond_chance(Shift(index=0.5, by_chance=0.36, bins=11, n=50), tests=71)
    assert not beyond_chance(Shift(index=9.0, by_chance=0.0, bins=1, n=50), tests=71)


def test_a_share_of_fewer_than_ten_hides_another_so_that_it_cannot_be_worked_out() -> None:
    assert shares({"poor": 9, "fair": 41, "good": 50}) == {"poor": None, "fair": None, "good": 0.5}
    assert shares({"poor": 0, "good": 100}) == {"poor": 0.0, "good": 1.0}


def test_a_model_without_a_reference_says_so_and_is_watched_all_the_same(on_sqlite: Watched) -> None:
    on_sqlite.served = served_model(None)
    live = on_sqlite.instance()
    live.watch(scored_pass(on_sqlite.served, ALIKE))
    assert live.evaluate() == []
    told = live.report().as_dict()
    assert told["tables"]["features"] == told["tables"]["score"] == []
    assert told["tables"]["bands"] == [{"band": "good", "share_reference": None, "share_7": 1.0, "share_30": 1.0}]
    assert any("without histograms" in note for note in told["notes"])


def test_the_same_counts_give_the_same_bytes(on_sqlite: Watched) -> None:
    as_the_reference(on_sqlite)
    on_sqlite.live.gather()
    again = on_sqlite.instance().report()
    assert json.dumps(on_sqlite.live.report().as_dict(), allow_nan=False) == json.dumps(again.as_dict())


def test_counts_are_deleted_after_four_hundred_days(on_sqlite: Watched) -> None:
    as_the_reference(on_sqlite)
    on_sqlite.live.gather()
    on_sqlite.clock.turn(days=400)
    assert on_sqlite.live.tidy() == 0
    on_sqlite.clock.turn(days=1)
    assert on_sqlite.live.tidy() > 0
    assert on_sqlite.rows() == []


def test_limits_are_those_that_data_at_hand_are_held_against() -> None:
    limits = Thresholds.default().limits
    assert LIMITS["score.psi"] == LIMITS["feature.psi"] == limits["psi"]
    assert LIMITS["scores.rare_share"] == limits["rare"]


def test_a_limit_that_a_file_changes_holds_live_and_the_others_stay() -> None:
    changed = Thresholds.default().changed({"format": 1, "limits": {"overturned": {"warning": 0.05, "alarm": 0.1}}})
    limits = live_limits(changed)
    found = check_window(EMPTY, EMPTY, None, rate(20, 4), limits)
    assert [(one.severity, one.value, one.threshold) for one in found] == [("alarm", 0.2, 0.1)]
    assert limits["feature.psi"] == LIMITS["feature.psi"]


def test_a_single_decision_moves_no_figure_until_its_day_is_over(on_sqlite: Watched) -> None:
    as_the_reference(on_sqlite)
    on_sqlite.live.gather()
    on_sqlite.clock.turn(days=1)
    before = on_sqlite.live.report().as_dict()
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.9, 1000.0)], score=500.0, band="poor"))
    on_sqlite.live.gather()
    assert on_sqlite.live.report().as_dict() == before
    on_sqlite.clock.turn(days=1)
    assert on_sqlite.live.report().as_dict()["measures"]["live.mean_pd"]["n"] == 51


def test_shares_of_fewer_than_ten_are_in_no_figure(on_sqlite: Watched) -> None:
    on_sqlite.live.watch([*scored_pass(on_sqlite.served, [(0.0, 1000.0)] * 96),
                          *scored_pass(on_sqlite.served, [(0.0, 1000.0)] * 4, thin=True),
                          *[refused("consent-required")] * 3])  # fmt: skip
    on_sqlite.live.gather()
    told = on_sqlite.live.report().as_dict()
    assert {told["measures"][f"live.{name}"]["value"] for name in ("thin_share", "refused_share")} == {None}
    assert {row[name] for row in told["tables"]["windows"] for name in ("thin_share", "refused_share")} == {None}


def test_three_rare_rows_of_fifty_are_chance_and_ten_are_not() -> None:
    def rare(count: int) -> list[LiveFinding]:
        cells = {"pd": np.array([50]), "rare": np.array([50 - count, count])}
        return check_window(LiveWindow(0, 6, cells, {"pd": 5.0}), EMPTY, None, None, LIMITS)

    assert rare(3) == []
    assert [one.name for one in rare(10)] == ["scores.rare_share"]
