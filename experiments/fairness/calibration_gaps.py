"""Whether PDs come true: the calibration gap of some rows, its interval, and from how much on it says anything."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from benne.experiments.fairness import metrics
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.resampled import interval
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.models.calibration import wilson_interval

__all__ = ["GAP", "counted_once", "gap_figures"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

GAP: Final = ("calibration_gap", "calibration_gap_low", "calibration_gap_high")
"""Columns of a calibration gap: the value and the ends of its 95 % interval."""

_KNOWN, _BAD, _PREDICTED = range(3)


def gap_figures(sums: Floats, members: int, options: FairnessOptions) -> tuple[dict[str, float], str]:
    """The calibration gap of some rows: of a group, of those of it who pass, or of one band of it.

    Parameters
    ----------
    sums : ndarray of float64, shape (1 + resamples, 3)
        Known outcomes, bad ones, and predicted PDs over the rows with a known outcome; the first are the rows as they
        are. See :func:`benne.experiments.fairness.resampled.resampled_sums`.
    members : int
        Of whom an outcome is known.
    options : FairnessOptions

    Returns
    -------
    dict of str to float
        Each of :data:`GAP`, null where too little is known.
    str
        Why nothing can be said; empty where it can.

    Notes
    -----
    Nobody bad where twenty were expected is much evidence, and twenty bad where none was expected too: a gap is judged
    where as many bad rows as a rate needs were there *or* expected, and as many good ones. Where fewer were there,
    resamples of them show too little of what chance could have done (none at all where there was none). The interval
    then reaches at least as far as Wilson's around the observed rate, of members, at the mean PD.

    Examples
    --------
    >>> nobody = np.tile([276.0, 0.0, 20.0], (41, 1))
    >>> found, why = gap_figures(nobody, 276, FairnessOptions())
    >>> [round(found[name], 4) for name in GAP], why
    ([-0.0725, -0.0725, -0.0587], '')
    >>> gap_figures(np.tile([276.0, 0.0, 4.0], (41, 1)), 276, FairnessOptions())[1]
    'nobody became bad, and fewer than 10 were expected to'
    """
    known, bad, predicted = sums[0]
    if why := _lacking(sums[0], members, options):
        return dict.fromkeys(GAP, np.nan), why
    drawn = metrics.calibration_gap(sums[:, _BAD], sums[:, _PREDICTED], sums[:, _KNOWN])
    low, high = (float(end) for end in interval(drawn[1:]))
    if min(bad, known - bad) < options.fewest_outcomes:
        ends = wilson_interval(np.array([members * bad / known]), np.array([float(members)]))
        low, high = min(low, float(ends[0][0] - predicted / known)), max(high, float(ends[1][0] - predicted / known))
    return dict(zip(GAP, (float(drawn[0]), low, high), strict=True)), ""


def counted_once(members: Indices, rows: npt.NDArray[np.bool_]) -> Floats:
    """1 for the first of each member's rows among some rows, 0 for all others, shape (n,): their sum counts members.

    Examples
    --------
    >>> counted_once(np.array([4, 4, 7, 7]), np.array([False, True, True, True])).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    place = np.flatnonzero(rows)
    found = np.zeros(len(members))
    found[place[np.unique(members[place], return_index=True)[1]]] = 1.0
    return found


def _lacking(sums: Floats, members: int, options: FairnessOptions) -> str:
    few, (known, bad, predicted) = options.fewest_outcomes, sums
    if known < options.fewest_rows:
        return f"fewer than {options.fewest_rows} known outcomes"
    if members < SMALLEST_GROUP:
        return "outcomes are known of fewer than ten members"
    for kind, there, expected in (("bad", bad, predicted), ("good", known - bad, known - predicted)):
        if max(there, expected) < few:
            told = f"nobody became {kind}" if there == 0 else f"fewer than {few} {kind} rows"
            return f"{told}, and fewer than {few} were expected{' to' if there == 0 else ''}"
    return ""
