"""What a cut-off would earn: accept from a score on, gain on the good, lose on the bad."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.report.options import ProfitTerms
from benne.experiments.report.ranking import score_edges
from benne.experiments.report.sample import Sample
from benne.models import SCORE_MAX, SCORE_MIN
from benne.models.resampling import Resampler

__all__ = ["Profit", "even_score", "profit_of"]

Floats = npt.NDArray[np.float64]

_STEP: Final = 10.0
_LEVEL: Final = (0.025, 0.975)


@dataclass(frozen=True)
class Profit:
    """Profit per applicant at each cut-off, in the unit of the terms.

    Parameters
    ----------
    terms : ProfitTerms
        With the cut-off that was taken.
    even : float
        Score at which, by the predicted PD, gain and loss are even.
    curve : DataFrame
        One row per ``cutoff``, those apart by ten rows at least: ``accepted`` (share of
        applicants), ``observed`` (bad rate of the accepted, null where nobody is),
        ``expected`` (profit by the predicted PD), and ``realised`` (by what happened) with its
        95 % bootstrap interval. The first row accepts everybody, the last nobody.
    at_cutoff : int or None
        Row of the curve at the cut-off taken; None where fewer than ten rows lie on one side.
    best : int
        Row with the highest realised profit.
    best_low, best_high : float
        95 % bootstrap interval of the best cut-off.

    Notes
    -----
    The best cut-off is picked on the rows on which its profit is then read: that profit is
    somewhat too high.
    """

    terms: ProfitTerms
    even: float
    curve: pd.DataFrame = field(repr=False)
    at_cutoff: int | None
    best: int
    best_low: float
    best_high: float


def even_score(sample: Sample, terms: ProfitTerms) -> float:
    """The score of the odds at which nothing is earned or lost: good : bad = loss : gain."""
    log_odds = np.array([np.log(terms.gain_of_good / terms.loss_of_bad)])
    return float(sample.model.scale_.score(log_odds)[0])


def profit_of(sample: Sample, terms: ProfitTerms, resampler: Resampler) -> Profit:
    """Profit over all cut-offs in steps of ten points.

    Parameters
    ----------
    sample : Sample
        Test rows, each an applicant.
    terms : ProfitTerms
    resampler : Resampler
        Over the rows.
    """
    even = even_score(sample, terms)
    cutoff = round(even) if terms.cutoff is None else terms.cutoff
    edges = _edges(sample.score, float(cutoff))
    curve, drawn = _curve(sample, terms, edges, resampler)
    best = int(np.argmax(curve["realised"]))
    low, high = np.quantile(edges[np.argmax(drawn, axis=1)], _LEVEL, method="nearest")
    at = np.flatnonzero(edges == cutoff)
    taken = ProfitTerms(terms.gain_of_good, terms.loss_of_bad, float(cutoff))
    return Profit(taken, even, curve, int(at[0]) if len(at) else None, best, float(low), float(high))


def _edges(score: Floats, cutoff: float) -> Floats:
    """Cut-offs from accepting everybody to nobody; the one asked for stays if ten rows lie on either side."""
    steps = np.arange(SCORE_MIN, SCORE_MAX + _STEP, _STEP)
    # Above the end of the scale, so that the last cut-off accepts nobody.
    steps[-1] = SCORE_MAX + 1.0
    if min((score < cutoff).sum(), (score >= cutoff).sum()) < SMALLEST_GROUP:
        return score_edges(score, steps)
    below = score_edges(score[score < cutoff], np.append(steps[steps < cutoff], cutoff))
    above = score_edges(score[score >= cutoff], np.insert(steps[steps > cutoff], 0, cutoff))
    return np.concatenate([below, above[1:]])


def _curve(
    sample: Sample, terms: ProfitTerms, edges: Floats, resampler: Resampler
) -> tuple[pd.DataFrame, npt.NDArray[np.float64]]:
    """The curve, and realised profit at each cut-off in each resample."""
    place = np.searchsorted(edges, sample.score, side="right") - 1
    pd_of_bad = expit(sample.log_odds)
    earned = terms.gain_of_good * (1.0 - sample.bad) - terms.loss_of_bad * sample.bad
    foreseen = terms.gain_of_good * (1.0 - pd_of_bad) - terms.loss_of_bad * pd_of_bad

    def accepted(value: Floats) -> Floats:
        by_step: Floats = np.bincount(place, weights=value, minlength=len(edges)).astype(np.float64)
        return np.cumsum(by_step[::-1])[::-1]

    rows, ones = len(sample.bad), np.ones(len(sample.bad))
    drawn = np.stack([accepted(counts * earned) / counts.sum() for counts in resampler.counts()])
    low, high = np.quantile(drawn, _LEVEL, axis=0)
    taken, bad = accepted(ones), accepted(sample.bad)
    curve = pd.DataFrame({
        "cutoff": edges,
        "accepted": taken / rows,
        "observed": np.divide(bad, taken, out=np.full(len(edges), np.nan), where=taken > 0),
        "expected": accepted(foreseen) / rows,
        "realised": accepted(earned) / rows,
        "realised_low": low,
        "realised_high": high,
    })  # fmt: skip
    return curve, drawn
