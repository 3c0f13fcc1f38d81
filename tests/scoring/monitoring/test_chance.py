"""What chance alone does: exact where few are counted, so that an alarm is as rare as is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from benne.scoring.monitoring.chance import as_many_by_chance, other_by_chance, repeated, risen_by_chance
from benne.scoring.monitoring.group_vintages import GroupVintages, check_calibration, check_order
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.thresholds import Thresholds
from benne.scoring.monitoring.vintages import _jump

CLEAN = 1_500


@pytest.mark.parametrize(("found", "rows", "share"), [(0, 50, 0.02), (3, 50, 0.02), (50, 50, 0.9), (7, 1000, 0.003)])
def test_tails_are_the_binomial_ones(found, rows, share):
    assert as_many_by_chance(found, rows, share) == pytest.approx(binom.sf(found - 1, rows, share))
    tails = binom.sf(found - 1, rows, share), binom.cdf(found, rows, share)
    assert other_by_chance(found, rows, share) == pytest.approx(min(1.0, 2 * min(tails)))


@pytest.mark.parametrize(("now", "then"), [((3, 10), (1, 20)), ((0, 10), (5, 20)), ((40, 100), (900, 5_000))])
def test_a_rise_is_fishers_exact_test(now, then):
    table = [[now[0], now[1] - now[0]], [then[0], then[1] - then[0]]]
    assert risen_by_chance(now, then) == pytest.approx(fisher_exact(table, "greater").pvalue)


def alarmed(look) -> float:
    """Share of periods in which a check tells something though nothing is the matter."""
    rng, found = np.random.default_rng(0), 0
    for _ in range(CLEAN):
        judge = Judge(Thresholds.default())
        look(judge, rng)
        found += bool(judge.alerts)
    return found / CLEAN


def groups(*of: tuple[str, int, float, float]) -> GroupVintages:
    """Bands of one period, each by its name, rows, bads and PD."""
    names, rows, bads, chances = zip(*of, strict=True)
    place = np.repeat(np.arange(len(of)), rows)
    return GroupVintages(
        kind="band", names=names, periods=("now",), rows=np.array([rows], dtype=float), bads=np.array([bads]),
        expected=np.array([rows]) * np.array([chances]), pd=np.array(chances)[place], group=place,
        bad=np.concatenate([np.arange(n) < k for n, k in zip(rows, bads, strict=True)]).astype(float),
        members=np.arange(len(place)), period=np.zeros(len(place), dtype=np.intp),
    )  # fmt: skip


@pytest.mark.parametrize(("rows", "share"), [(100, 0.002), (100, 0.01), (500, 0.01)])
def test_a_band_that_leads_to_expect_hardly_a_bad_is_not_off_for_one(rows, share):
    def look(judge, rng):
        check_calibration(groups(("best", rows, float(rng.binomial(rows, share)), share)), judge)

    assert alarmed(look) <= 0.001


def test_a_small_band_above_a_large_one_is_not_out_of_order_for_two_bads():
    def look(judge, rng):
        below = ("good", 10_000, float(rng.binomial(10_000, 0.001)), 0.001)
        check_order(groups(below, ("best", 100, float(rng.binomial(100, 0.001)), 0.001)), judge)

    assert alarmed(look) <= 0.001


def test_a_vintage_with_hardly_a_bad_has_not_jumped_for_three():
    def look(judge, rng):
        _jump("now", (rng.random(100) < 0.005) * 1.0, np.full(100, 0.005), (float(rng.poisson(20)), 20.0), judge)

    assert alarmed(look) <= 0.002


def test_what_is_off_out_of_order_or_has_jumped_is_still_told():
    judge, found = Judge(Thresholds.default()), groups(("good", 2_000, 20.0, 0.01), ("best", 400, 30.0, 0.02))
    check_calibration(found, judge)
    check_order(found, judge)
    _jump("now", (np.arange(500) < 60) * 1.0, np.full(500, 0.05), (100.0, 100.0), judge)
    assert [alert.name for alert in judge.alerts] == [
        "calibration.band.best", "order.best", "labels_jump"
    ]  # fmt: skip


def test_rows_of_one_member_that_are_alike_count_as_one():
    bad, members = np.repeat([1.0, 0.0, 0.0, 0.0], 3), np.repeat(np.arange(4), 3)
    assert repeated(bad, np.full(12, 0.25), members) == pytest.approx(3.0)
    assert repeated(bad, np.full(12, 0.25), np.arange(12)) == 1.0
    assert repeated(np.zeros(12), np.full(12, 0.25), members) == 3.0  # nothing tells, so they are taken to be
    for found, rows in ((3, 40), (30, 400), (400, 400), (0, 40)):
        assert other_by_chance(2 * found, 2 * rows, 0.1, alike=2.0) == pytest.approx(other_by_chance(found, rows, 0.1))
