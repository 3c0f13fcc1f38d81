"""Whether what goes into the scores, and the scores, still look like what the model learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.models.reference_histograms import SMALLEST_BIN, ReferenceHistograms
from benne.scoring.monitoring.chance import index_by_chance, shares_differ
from benne.scoring.monitoring.feature_periods import FeaturePeriods
from benne.scoring.monitoring.judging import Judge

__all__ = ["check_features", "check_score"]

Floats = npt.NDArray[np.float64]

_USED_TO_MOVE: Final = 0.9
"""Share of unchanged values in earlier periods above which a feature does not move, and so cannot stand still."""
_LEFT: Final = 0.25
"""Of the reference's share of other values, what must be gone for a value to count as the only one."""


def check_features(
    found: Sequence[FeaturePeriods], kept: ReferenceHistograms, periods: Sequence[str], judge: Judge
) -> None:
    """Look at every feature in every period."""
    for one in found:
        for k, period in enumerate(periods):
            if one.rows[k] >= judge.fewest:
                _shift(one, k, period, judge, len(found) + 1)
                _nulls(one, k, period, kept, judge, len(found))
                _outside(one, k, period, kept, judge, len(found))
                _constant(one, k, period, kept, judge, len(found))
                _stale(one, k, period, judge, len(found))
        _trend(one, periods, judge, len(found) + 1)


def check_score(score: FeaturePeriods, periods: Sequence[str], judge: Judge, tests: int) -> None:
    """Look at the score in every period."""
    for k, period in enumerate(periods):
        if score.rows[k] >= judge.fewest:
            _shift(score, k, period, judge, tests)
    _trend(score, periods, judge, tests)


def _shift(one: FeaturePeriods, k: int, period: str, judge: Judge, tests: int) -> None:
    significance = judge.thresholds.rules.significance
    bound = index_by_chance(float(one.by_chance[k]), int(one.freedom[k]), significance, tests)
    if one.psi[k] > bound:
        said = f"{one.name} has shifted: PSI {one.psi[k]:.3f} in {period}, {one.by_chance[k]:.3f} by chance."
        judge.tell("psi", one.name, float(one.psi[k]), period, said)


def _nulls(one: FeaturePeriods, k: int, period: str, kept: ReferenceHistograms, judge: Judge, tests: int) -> None:
    before, now = kept.features[one.name], (float(one.nulls[k]), float(one.rows[k]))
    then = before.nulls / before.total if before.total else 0.0
    members = max(before.total / kept.rows_per_member, 1.0)
    if before.total and shares_differ(now, (then * members, members), judge.bound(tests)):
        said = (
            f"{one.name} has no value in {100 * now[0] / now[1]:.1f} % of rows in {period}, {100 * then:.1f} % before."
        )
        judge.tell("nulls", one.name, now[0] / now[1] - then, period, said)


def _outside(one: FeaturePeriods, k: int, period: str, kept: ReferenceHistograms, judge: Judge, tests: int) -> None:
    """The ends leave nine training values on each side; in other samples it may be three times as many."""
    total = max(kept.features[one.name].total, 1)
    share, expected = one.outside[k] / one.rows[k], min(max(0.001, 3 * 2 * SMALLEST_BIN / total), 0.5)
    beyond = (one.outside[k] - one.rows[k] * expected) / np.sqrt(one.rows[k] * expected)
    if beyond > judge.bound(tests):
        said = f"{one.name} is beyond the training's range in {100 * share:.1f} % of rows in {period}."
        judge.tell("outside", one.name, float(share), period, said)


def _constant(one: FeaturePeriods, k: int, period: str, kept: ReferenceHistograms, judge: Judge, tests: int) -> None:
    before = kept.features[one.name]
    largest = max((*before.counts, before.nulls), default=0) / before.total if before.total else 1.0
    share, rows = float(one.commonest[k]), float(one.rows[k])
    varied = 1.0 - share < _LEFT * (1.0 - largest)
    if varied and shares_differ((share * rows, rows), (largest * before.total, before.total), judge.bound(tests)):
        said = f"{one.name} is one and the same in {100 * share:.2f} % of rows in {period}."
        judge.tell("constant", one.name, share, period, said)


def _stale(one: FeaturePeriods, k: int, period: str, judge: Judge, tests: int) -> None:
    """Unchanged values where those of the periods before had moved."""
    earlier = slice(max(0, k - judge.thresholds.rules.trend_periods), k)
    usual, pairs = one.unchanged[earlier], one.pairs[earlier]
    known = pairs >= judge.fewest
    if one.pairs[k] < judge.fewest or not known.any():
        return
    before, whole = float(np.median(usual[known])), float(pairs[known].sum())
    now = float(one.unchanged[k])
    moved = before <= _USED_TO_MOVE and now > before
    if moved and shares_differ((now * one.pairs[k], float(one.pairs[k])), (before * whole, whole), judge.bound(tests)):
        said = f"{one.name} is what it was for {100 * now:.1f} % of members in {period}; {100 * before:.0f} % before."
        judge.tell("stale", one.name, now, period, said)


def _trend(one: FeaturePeriods, periods: Sequence[str], judge: Judge, tests: int) -> None:
    """A line through the mean places of the latest periods: how far it leads, and whether by more than chance."""
    length = judge.thresholds.rules.trend_periods
    for last in range(length - 1, len(periods)):
        span = slice(last - length + 1, last + 1)
        if (one.rows[span] < judge.fewest).any() or not (one.place_error[span] > 0).all():
            continue
        move, error = _line(one.place[span], one.place_error[span])
        steps = np.sign(np.diff(one.place[span]))
        one_way = np.count_nonzero(steps == np.sign(move)) >= length - 2
        if one_way and abs(move) > judge.bound(tests) * error:
            way = "up" if move > 0 else "down"
            said = f"{one.name} has moved {way} by {abs(move):.3f} of its range of places from {periods[span][0]} on."
            judge.tell("trend", one.name, abs(move), periods[last], said)


def _line(place: Floats, error: Floats) -> tuple[float, float]:
    """What a weighted straight line rises by from first to last, and its standard error."""
    x, weight = np.linspace(-0.5, 0.5, len(place)), error**-2.0
    centred = x - weight @ x / weight.sum()
    spread = weight @ centred**2
    return float(weight @ (centred * place) / spread), float(spread**-0.5)
