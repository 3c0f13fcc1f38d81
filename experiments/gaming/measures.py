"""The figures about gaming that gates ask for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benne.experiments.gaming.report import AttackResult, GamingReport
from benne.experiments.gaming.withholding import FEWEST_BAD
from benne.experiments.measure import Measure, outside

__all__ = ["gaming_measures"]

Floats = npt.NDArray[np.float64]

_RESAMPLES = 200


def gaming_measures(report: GamingReport) -> dict[str, Measure]:
    """What gates ask for, by name.

    Parameters
    ----------
    report : GamingReport

    Returns
    -------
    dict of str to Measure
        - ``cheap_points``: points that a tenth of members can win, or more, by cheap moves within the budget.
        - ``cheap_medium_points``: the same by cheap and medium moves within theirs.
        - ``rank_damage``: AUC lost where members game cheaply; the worst of the shares tried.
        - ``pd_error``: what everybody's cheap moves take off the mean predicted PD, which the true one does not follow.
        - ``pattern_points``: mean points won where everybody withholds what is best for them.
        - ``pattern_pd_error``: of the patterns chosen so, how far the predicted PD of the worst lies outside the 95 %
          interval of what becomes of those who choose it; 0 inside. Patterns that predict fewer than ten bad members
          are named and not judged.
        - ``spending_raises``: members whose score rises when they only spend more; 0 is the promise.

        Each is INSUFFICIENT where too few members, no outcomes or no events were there.
    """
    return {
        "cheap_points": _points(report, "cheap"),
        "cheap_medium_points": _points(report, "cheap and medium"),
        "rank_damage": _ranks(report),
        "pd_error": _pd(report),
        "pattern_points": _pattern(report),
        "pattern_pd_error": _pattern_pd(report),
        "spending_raises": _spending(report),
    }


def _points(report: GamingReport, name: str) -> Measure:
    found = report.attack(name)
    if found is None:
        return _missing(report)
    low, high = _interval(found.points, lambda rows: float(np.quantile(rows, 0.9)), report.seed)
    spared = "".join(f"; {note}" for note in report.notes if "not attacked" in note)
    return Measure(value=found.figures()["p90"], low=low, high=high, n=report.rows,
                   note=f"90th percentile; effort {found.spent:.1f} on average{spared}")  # fmt: skip


def _ranks(report: GamingReport) -> Measure:
    found = report.attack("cheap")
    if found is None:
        return _missing(report)
    if not found.ranks:
        return Measure(value=None, n=report.rows, note="no outcomes, or fewer than ten members of a class")
    worst = max(found.ranks, key=lambda one: one.lost)
    return Measure(value=worst.lost, n=report.rows, note=f"where {worst.share:.0%} of members game: {worst.who}")


def _pd(report: GamingReport) -> Measure:
    found: AttackResult | None = report.attack("cheap")
    if found is None:
        return _missing(report)
    ratio = found.pd_damage.actual_to_predicted
    told = (
        "nothing to hold it against"
        if ratio is None
        else f"{found.pd_damage.truth} over predicted afterwards {ratio:.3f}"
    )
    return Measure(value=found.pd_damage.understated, n=report.rows, note=told)


def _pattern(report: GamingReport) -> Measure:
    if report.withholding is None:
        return _missing(report)
    points = report.withholding.points
    low, high = _interval(points, lambda rows: float(rows.mean()), report.seed)
    return Measure(value=float(points.mean()), low=low, high=high, n=len(points),
                   note=f"{(points > 0).mean():.0%} of members gain by withholding something")  # fmt: skip


def _pattern_pd(report: GamingReport) -> Measure:
    found = report.withholding
    if found is None:
        return _missing(report)
    if not found.truth:
        return Measure(value=None, n=len(found.points), note="no outcomes and no known PD")
    chosen = found.table[found.table["choosing"] > 0]
    judged = chosen[chosen["state"] == "measured"]
    small = ", ".join(map(str, chosen.index.difference(judged.index, sort=False)))
    spared = f"not judged, of fewer than {FEWEST_BAD} expected bad members: {small}" if small else ""
    if not len(judged):
        return Measure(value=None, n=len(found.points), note=spared or "no pattern is chosen by ten members")
    columns = ("predicted", "actual_low", "actual_high", "actual_to_predicted")
    predicted, lowest, highest, ratios = (judged[name].to_numpy(np.float64) for name in columns)
    missed = outside(predicted, lowest, highest)
    place = int(np.argmax(missed if missed.max() > 0 else np.abs(ratios - 1.0)))
    worst = judged.iloc[place]
    low, high = worst["actual_to_predicted_low"], worst["actual_to_predicted_high"]
    told = f"{judged.index[place]}: {found.truth} over predicted {ratios[place]:.2f} ({low:.2f} to {high:.2f})"
    return Measure(value=float(missed[place]), n=int(judged["choosing"].min()),
                   note="; ".join(one for one in (told, spared) if one))  # fmt: skip


def _spending(report: GamingReport) -> Measure:
    spending = report.spending
    if spending is None:
        return Measure(value=None, n=0, note="no events were given: the test scales what members really spent")
    return spending.measure


def _missing(report: GamingReport) -> Measure:
    return Measure(value=None, n=report.rows, note=report.notes[0] if report.notes else "nothing was measured")


def _interval(values: Floats, figure: Callable[[Floats], float], seed: int) -> tuple[float, float]:
    """Ends of a 95 % bootstrap interval over members."""
    rng = np.random.default_rng(seed)
    drawn = [figure(values[rng.integers(len(values), size=len(values))]) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
