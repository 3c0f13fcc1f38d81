"""Every feature in every period, put into the bins of the model's reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benne.features.quality.drift import Bins
from benne.models.reference_histograms import ReferenceHistograms
from benne.scoring.monitoring.chance import stability
from benne.scoring.monitoring.observed import Observed

__all__ = ["FeaturePeriods", "features_by_period", "scores_by_period"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FeaturePeriods:
    """One feature, or the score, by period; each array of shape (periods,).

    Parameters
    ----------
    name : str
    rows : ndarray of int
        That consent to its category.
    psi, by_chance : ndarray of float64
    freedom : ndarray of int
        Bins less one.
    nulls : ndarray of int
    outside : ndarray of int
        Values beyond the range of nearly all training values.
    commonest : ndarray of float64
        Share of the rows with the least value, the greatest, or none, whichever is most.
    place, place_error : ndarray of float64
        Mean place of the values among the reference's, from 0 to 1, and its standard error.
    unchanged : ndarray of float64
        Share of members whose value is that of the period before; NaN where there are none in both.
    pairs : ndarray of int
        Members in both.
    """

    name: str
    rows: Indices
    psi: Floats
    by_chance: Floats
    freedom: Indices
    nulls: Indices
    outside: Indices
    commonest: Floats
    place: Floats
    place_error: Floats
    unchanged: Floats
    pairs: Indices


def features_by_period(seen: Observed, kept: ReferenceHistograms) -> list[FeaturePeriods]:
    """Count every feature of every period.

    Parameters
    ----------
    seen : Observed
    kept : ReferenceHistograms
    """
    before, now, period = _pairs(seen)
    alike, found = _alike(seen), []
    for column, (name, reference) in enumerate(kept.features.items()):
        values = seen.features.iloc[:, column].to_numpy(dtype=np.float64)
        entered = seen.entered(column)
        one = _counted(name, values, entered, seen, (reference, kept.ranges[name], kept.rows_per_member), alike)
        same = (values[before] == values[now]) | (np.isnan(values[before]) & np.isnan(values[now]))
        both = slice(None) if entered is None else entered[before] & entered[now]
        pairs = np.bincount(period[both], minlength=len(seen.periods))
        equal = np.bincount(period[both], same[both], minlength=len(seen.periods))
        found.append(FeaturePeriods(name=name, **one, unchanged=_share(equal, pairs), pairs=pairs))
    return found


def scores_by_period(seen: Observed, kept: ReferenceHistograms) -> FeaturePeriods:
    """The same of the scores that there are."""
    of = (kept.score, None, kept.rows_per_member)
    one = _counted("score", seen.score, np.isfinite(seen.score), seen, of, _alike(seen))
    nothing = np.zeros(len(seen.periods), dtype=np.intp)
    return FeaturePeriods(name="score", **one, unchanged=np.full(len(nothing), np.nan), pairs=nothing)


def _counted(
    name: str, values: Floats, entered: Bools | None, seen: Observed,
    reference: tuple[Bins, tuple[float, float] | None, float], alike: Sequence[float],
) -> dict[str, Any]:  # fmt: skip
    bins, ends, repeats = reference
    edges = np.array(bins.edges, dtype=np.float64)
    width, places = len(edges) + 2, _places(bins)
    cells = np.searchsorted(edges, values, side="left")
    unknown = np.isnan(values)
    cells[unknown] = width - 1
    columns: dict[str, list[float]] = {
        key: []
        for key in ("rows", "psi", "by_chance", "freedom", "nulls", "outside", "commonest", "place", "place_error")
    }
    for k in range(len(seen.periods)):
        rows = seen.rows_of(k)
        inside = slice(None) if entered is None else entered[rows]
        counts, part = np.bincount(cells[rows][inside], minlength=width), values[rows][inside]
        current = Bins(bins.edges, tuple(counts[:-1].tolist()), int(counts[-1]))
        index, chance, freedom = stability(bins, current, repeats, alike[k])
        place, error = _mean_place(counts[:-1], places)
        for key, value in (
            ("rows", len(part)), ("psi", index), ("by_chance", chance), ("freedom", freedom), ("nulls", counts[-1]),
            ("outside", 0 if ends is None else np.count_nonzero((part < ends[0]) | (part > ends[1]))),
            ("commonest", _commonest(part, int(counts[-1]))), ("place", place), ("place_error", error),
        ):  # fmt: skip
            columns[key].append(float(value))
    whole = ("rows", "freedom", "nulls", "outside")
    return {key: np.array(column, dtype=np.intp if key in whole else np.float64) for key, column in columns.items()}


def _alike(seen: Observed) -> list[float]:
    """Of each period, rows of one member."""
    return [seen.repeats_of(k) for k in range(len(seen.periods))]


def _places(bins: Bins) -> Floats:
    """The middle of each bin among the reference's values, from 0 to 1."""
    counts = np.array(bins.counts, dtype=np.float64)
    return np.asarray((np.cumsum(counts) - counts / 2.0) / max(counts.sum(), 1.0))


def _mean_place(counts: npt.NDArray[np.int64], places: Floats) -> tuple[float, float]:
    known = counts.sum()
    if known < 2:
        return float("nan"), float("nan")
    mean = float(counts @ places / known)
    return mean, float(np.sqrt(counts @ (places - mean) ** 2 / known / (known - 1)))


def _commonest(part: Floats, nulls: int) -> float:
    if not len(part):
        return float("nan")
    if nulls == len(part):
        return 1.0
    least, most = np.fmin.reduce(part), np.fmax.reduce(part)
    counts = (int(np.count_nonzero(part == least)), int(np.count_nonzero(part == most)), nulls)
    return max(counts) / len(part)


def _pairs(seen: Observed) -> tuple[Indices, Indices, Indices]:
    """Rows of the same member in one period and the next: the earlier, the later, and the later's period."""
    before, now, period = [np.empty(0, np.intp)], [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    last = np.full(int(seen.members.max()) + 1, -1, dtype=np.intp)
    for k in range(len(seen.periods)):
        rows = np.arange(seen.starts[k], seen.starts[k + 1])
        own = np.full(len(last), -1, dtype=np.intp)
        own[seen.members[rows]] = rows
        both = np.flatnonzero((last >= 0) & (own >= 0))
        before.append(last[both])
        now.append(own[both])
        period.append(np.full(len(both), k))
        last = own
    return np.concatenate(before), np.concatenate(now), np.concatenate(period)


def _share(part: npt.NDArray[Any], whole: Indices) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))
