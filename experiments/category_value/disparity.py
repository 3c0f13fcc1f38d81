"""How unlike groups fare with a category and without it, where as many members are accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.fairness.groups import Grouping, groupings_of
from benne.experiments.fairness.metrics import adverse_impact_ratio, standardised_mean_difference
from benne.experiments.fairness.options import FairnessOptions
from benne.models.resampling import Resampler

__all__ = ["disparities"]

Floats = npt.NDArray[np.float64]
_LEVEL: Final = (0.025, 0.975)
_MOST_EMPTY: Final = 0.05
_ENDS: Final = ("with", "without", "change", "change_low", "change_high")


@dataclass(frozen=True)
class _Sums:
    """Of each group: rows, accepted rows, sum of scores and of their squares."""

    rows: Floats
    accepted: Floats
    total: Floats
    squares: Floats


def disparities(
    scores: Mapping[str, Floats],
    protected: pd.DataFrame,
    members: npt.NDArray[np.intp],
    accepted: tuple[float, ...],
    resampler: Resampler,
    options: FairnessOptions,
) -> list[dict[str, Any]]:
    """Adverse impact ratio and standardised mean difference of each group, with a category and without it.

    Parameters
    ----------
    scores : mapping of str to ndarray, shape (n,)
        ``with`` and ``without``.
    protected : DataFrame, shape (n, attributes)
        Of each row's member.
    members : ndarray of int, shape (n,)
    accepted : tuple of float
        Shares that are accepted, those with the highest scores.
    resampler : Resampler
        Over the n rows.
    options : FairnessOptions

    Returns
    -------
    list of dict
        One line per attribute, group (but the reference) and share: ``air_with``, ``air_without``, ``air_change`` with
        its paired 95 % interval; ``smd_with``, ``smd_without``, ``smd_change`` likewise. A change is with minus
        without; a ratio of 1 and a difference of 0 are equal. Null where the group or its reference has too few rows
        to be compared, or fewer than ten would be accepted, as in an audit.
    """
    lines = []
    for grouping in groupings_of(protected, members, options):
        for share in accepted:
            lines += _lines(scores, grouping, share, resampler, options)
    return lines


def _lines(
    scores: Mapping[str, Floats], grouping: Grouping, share: float, resampler: Resampler, options: FairnessOptions
) -> list[dict[str, Any]]:
    taken = {name: score >= np.quantile(score, 1.0 - share) for name, score in scores.items()}
    once = {name: _figures(scores[name], taken[name], grouping, None) for name in scores}
    drawn = [
        {name: _figures(scores[name], taken[name], grouping, counts) for name in scores}
        for counts in resampler.counts()
    ]
    sizes = np.bincount(grouping.code, minlength=len(grouping.names))
    found = []
    for group, name in enumerate(grouping.names):
        if group == grouping.reference:
            continue
        line: dict[str, Any] = {
            "attribute": grouping.attribute, "group": name, "reference": grouping.names[grouping.reference],
            "accepted": share, "rows": int(sizes[group]),
        }  # fmt: skip
        for place, figure in enumerate(("air", "smd")):
            least = sizes[group] * share < options.fewest_outcomes and figure == "air"
            if min(sizes[group], sizes[grouping.reference]) < options.fewest_rows or least:
                line |= dict.fromkeys(f"{figure}_{end}" for end in _ENDS)
                continue
            line[f"{figure}_with"] = _or_none(once["with"][place][group])
            line[f"{figure}_without"] = _or_none(once["without"][place][group])
            line[f"{figure}_change"] = _or_none(once["with"][place][group] - once["without"][place][group])
            changes = np.array([d["with"][place][group] - d["without"][place][group] for d in drawn])
            line[f"{figure}_change_low"], line[f"{figure}_change_high"] = _interval(changes)
        found.append(line)
    return found


def _figures(
    score: Floats, taken: npt.NDArray[np.bool_], grouping: Grouping, counts: Floats | None
) -> tuple[Floats, Floats]:
    """Ratios and differences of all groups against the reference."""
    sums = _sums(score, taken, grouping, np.ones(len(score)) if counts is None else counts)
    ref = grouping.reference
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, mean = sums.accepted / sums.rows, sums.total / sums.rows
        variance = (sums.squares - sums.total * mean) / (sums.rows - 1.0)
    air = adverse_impact_ratio(rate, np.full_like(rate, rate[ref]))
    smd = standardised_mean_difference(
        (mean, np.full_like(mean, mean[ref])),
        (variance, np.full_like(variance, variance[ref])),
        (sums.rows, np.full_like(sums.rows, sums.rows[ref])),
    )
    return air, smd


def _sums(score: Floats, taken: npt.NDArray[np.bool_], grouping: Grouping, weight: Floats) -> _Sums:
    def of(values: Floats) -> Floats:
        sums = np.bincount(grouping.code, weights=values * weight, minlength=len(grouping.names))
        return np.asarray(sums, dtype=np.float64)

    return _Sums(of(np.ones(len(score))), of(taken.astype(np.float64)), of(score), of(score**2))


def _interval(drawn: Floats) -> tuple[float | None, float | None]:
    known = drawn[np.isfinite(drawn)]
    if len(known) < (1.0 - _MOST_EMPTY) * len(drawn):
        return None, None
    low, high = np.quantile(known, _LEVEL)
    return round(float(low), 10), round(float(high), 10)


def _or_none(value: float) -> float | None:
    return round(float(value), 10) if np.isfinite(value) else None
