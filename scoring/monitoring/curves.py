"""How vintages turn bad month by month: the young ones beside what those before had at the same age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.models.calibration import wilson_interval
from benne.scoring.monitoring.chance import other_by_chance
from benne.scoring.monitoring.group_vintages import off_by
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.observed import Observed
from benne.scoring.monitoring.outcomes import Matured
from benne.scoring.monitoring.shares import FEWEST, share_shown
from benne.scoring.monitoring.thresholds import Rules

__all__ = ["Ageing", "ageing", "curve_lines"]

Floats = npt.NDArray[np.float64]

_MONTH_DAYS: Final = 365.25 / 12.0
_FEWEST_BADS: Final = 10  # of the vintages before, for anything to be expected of the next


class _Curve(NamedTuple):
    """One vintage up to the age that all of its rows have reached."""

    rows: int
    bads: Floats
    expected: float


@dataclass(frozen=True, eq=False)
class Ageing:
    """When rows turned bad, counted from the moment they are of, and how long they have been looked at.

    Parameters
    ----------
    ends : ndarray of float64, shape (months,)
        Days at the end of each month; the last is the end of the outcome window.
    turned : ndarray of float64, shape (n,)
        Days until the row turned bad; infinite where it has not, NaN where it is not counted.
    looked_at : ndarray of float64, shape (n,)
        Days of which outcomes are known.
    """

    ends: Floats
    turned: Floats
    looked_at: Floats


def ageing(found: Matured, seen: Observed, now: datetime, rules: Rules) -> Ageing | None:
    """When rows turned bad, where outcomes say it; None where they do not.

    Parameters
    ----------
    found : Matured
    seen : Observed
    now : datetime
    rules : Rules

    Notes
    -----
    Rows without a score, with both outcomes, and without any although their window and lag are past, are not counted. A
    row whose window is not past has not turned bad unless its outcome says so.
    """
    if found.bad_at is None:
        return None
    months = max(1, round(rules.outcome_days / _MONTH_DAYS))
    ends = np.append(_MONTH_DAYS * np.arange(1, months), float(rules.outcome_days))
    looked_at = _days(pd.Timestamp(now) - timedelta(days=rules.lag_days) - seen.moments)
    turned = _days(found.bad_at - seen.moments)
    turned = np.where(np.isnan(turned), np.inf, turned)
    past = looked_at >= rules.outcome_days
    turned[found.contradicted | ~np.isfinite(seen.score) | (past & np.isnan(found.bad))] = np.nan
    return Ageing(ends, turned, looked_at)


def curve_lines(found: Ageing, seen: Observed, judge: Judge) -> list[dict[str, Any]]:
    """A line for each vintage and month of its age: who has turned bad by then, and who had of those before.

    Parameters
    ----------
    found : Ageing
    seen : Observed
    judge : Judge

    Returns
    -------
    list of dict
        ``period``, ``month``, ``rows``, ``observed`` with its interval, ``before`` (the vintages before at the same
        age) and ``predicted`` (within the whole window). No vintage of fewer than ten, no share of fewer than ten bads.
    """
    lines: list[dict[str, Any]] = []
    earlier: list[_Curve] = []
    for k, period in enumerate(seen.periods):
        curve = _curve(found, seen, seen.rows_of(k))
        if curve.rows >= FEWEST:
            lines += _lines(period, curve, earlier)
        if curve.rows >= judge.fewest:
            _check(period, curve, earlier, len(found.ends), judge)
            earlier.append(curve)
    return lines


def _curve(found: Ageing, seen: Observed, rows: slice) -> _Curve:
    turned = found.turned[rows]
    known = ~np.isnan(turned)
    age = found.looked_at[rows][known].min() if known.any() else 0.0
    ends = found.ends[found.ends <= age]
    bads = np.searchsorted(np.sort(turned[known]), ends, side="right").astype(np.float64)
    return _Curve(int(known.sum()), bads, float(seen.pd[rows][known].sum()))


def _lines(period: str, curve: _Curve, earlier: list[_Curve]) -> list[dict[str, Any]]:
    low, high = wilson_interval(curve.bads, np.full(len(curve.bads), float(curve.rows)))
    lines = []
    for k, bads in enumerate(curve.bads):
        told = share_shown(int(bads), curve.rows)
        reached = [one for one in earlier if len(one.bads) > k]
        before = share_shown(sum(int(one.bads[k]) for one in reached), sum(one.rows for one in reached))
        hidden = told is None
        lines.append({
            "period": period, "month": k + 1, "rows": curve.rows, "observed": told,
            "observed_low": None if hidden else float(low[k]), "observed_high": None if hidden else float(high[k]),
            "before": before, "predicted": curve.expected / curve.rows,
        })  # fmt: skip
    return lines


def _check(period: str, curve: _Curve, earlier: list[_Curve], months: int, judge: Judge) -> None:
    """A vintage that is not mature, at the age it has, against those before; of mature ones labels_jump says it."""
    age = len(curve.bads)
    reached = [one for one in earlier if len(one.bads) >= age]
    before = sum(float(one.bads[age - 1]) for one in reached) if age else 0.0
    if age in (0, months) or before < _FEWEST_BADS:
        return
    bads, predicted = float(curve.bads[-1]), sum(one.expected for one in reached)
    expected = before / predicted * curve.expected
    # Of all bads by that age, those of this vintage are as its share of those predicted leads to expect.
    if other_by_chance(bads, int(bads + before), curve.expected / (curve.expected + predicted)) < judge.significance(1):
        said = (
            f"{bads / curve.rows:.1%} of {period} turned bad within {age} months; scores and vintages before at that "
            f"age say {expected / curve.rows:.1%}."
        )
        judge.tell("maturing", "", off_by(bads, expected), period, said)


def _days(spans: pd.TimedeltaIndex) -> Floats:
    return np.asarray(spans / pd.Timedelta(days=1), dtype=np.float64)
