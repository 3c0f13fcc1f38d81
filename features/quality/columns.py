"""What one feature looks like where its category is consented to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import FeatureValueError
from benne.features.quality.cells import SMALLEST_CELL, Share, coarse
from benne.features.quality.drift import (
    Bins,
    Floats,
    count_into,
    expected_by_chance,
    population_stability,
    reference_bins,
)
from benne.features.quality.histogram import Histogram, bars_like, histogram, shown_quantiles
from benne.features.specification import FeatureSpec

__all__ = ["ColumnReference", "FeatureQuality", "measure_column"]

_OUTLYING_IQRS: Final = 10.0
_DISTINCT: Final = ((1, "1"), (10, "2 to 10"), (100, "11 to 100"), (1000, "101 to 1,000"))


@dataclass(frozen=True)
class ColumnReference:
    """What a reference remembers of one feature: counts, and no row.

    Parameters
    ----------
    observations : int
        Consented ones.
    filled : float or None
        Share of them with a value; None where too few lack, or have, one.
    held : float or None
        Share of the values at an end of the registry's range; None as above.
    bins : Bins
        For the population stability index.
    fences : (float, float) or None
        Median and interquartile range of the values that are not 0.
    outliers : float or None
        Share of those values beyond them.
    histogram : Histogram or None
    """

    observations: int
    filled: float | None
    held: float | None
    bins: Bins
    fences: tuple[float, float] | None
    outliers: float | None
    histogram: Histogram | None


@dataclass(frozen=True)
class FeatureQuality:
    """One feature over the observations whose members consent to its category.

    Parameters
    ----------
    name, category : str
    observations : int
    unconsented : int
        Values at observations whose member does *not* consent; must be 0.
    filled, zeros : Share
        Observations with a value; values that are 0.
    held : Share
        Values at an end of the registry's range that the builder had to hold them to: its
        maximum, or a minimum that is not 0.
    distinct : str
        How many different values, as a range; ``"0"`` without any.
    quantiles : mapping of float to float
        To three digits; only those with a cell of observations on either side.
    outliers : Share or None
        Of the values that are not 0, those farther than ten interquartile ranges from the
        median; None where the range is 0 or the values are too few.
    histogram, bins
        In the reference's bars and bins, where there is one.
    psi, psi_by_chance : float or None
        Population stability index against the reference, and what chance alone makes of it.
    own : ColumnReference
        What a reference saved now would remember.
    reference : ColumnReference or None
    """

    name: str
    category: str
    observations: int
    unconsented: int
    filled: Share
    zeros: Share
    held: Share
    distinct: str
    quantiles: Mapping[float, float]
    outliers: Share | None
    histogram: Histogram | None
    psi: float | None
    psi_by_chance: float | None
    own: ColumnReference
    reference: ColumnReference | None


def measure_column(
    spec: FeatureSpec, values: Floats, consented: npt.NDArray[np.bool_], *, cell: int,
    reference: ColumnReference | None, elapsed_days: float = 0.0,
) -> FeatureQuality:  # fmt: skip
    """Measure one feature.

    Parameters
    ----------
    spec : FeatureSpec
    values : ndarray of float64, shape (n,)
        NaN is null.
    consented : ndarray of bool, shape (n,)
    cell : int
        Fewest observations a figure may rest on.
    reference : ColumnReference or None
    elapsed_days : float
        From the reference's clock to this one.

    Returns
    -------
    FeatureQuality

    Raises
    ------
    FeatureValueError
        A value is infinite.

    Notes
    -----
    Outliers lie farther than 10 interquartile ranges from the median, 13 standard deviations of
    a normal distribution: a fault in units, not a rich member. Median and quartiles because the
    outliers cannot move them (Tukey 1977, Exploratory Data Analysis, ch. 2); the reference's where
    there is one, because a fault in every row moves the median too. Zeros, which mean that
    nothing happened, are left out of both.

    A duration either keeps its distribution or ages with the calendar, as the days since joining
    do where nobody new joins. Neither is drift: in a feature whose unit is days, the index is the
    lower of those in the reference's bins and in the same bins moved by ``elapsed_days``.
    """
    known = ~np.isnan(values)
    ordered = np.sort(values[known & consented])
    if len(ordered) and not np.isfinite(ordered[[0, -1]]).all():
        raise FeatureValueError(f"{spec.name} must be finite or null, got an infinite value. Build the features again.")
    observations = int(consented.sum())
    own = _remembered(spec, ordered, observations, cell)
    bars = own.histogram if reference is None else bars_like(reference.histogram, ordered, cell)
    drift = None if reference is None else _drift(spec, ordered, observations, reference, elapsed_days, cell)
    return FeatureQuality(
        name=spec.name, category=spec.category, observations=observations,
        unconsented=int((known & ~consented).sum()),
        filled=Share.of(len(ordered), observations, cell),
        zeros=Share.of(_between(ordered, 0.0, 0.0), len(ordered), cell),
        held=Share.of(_held(spec, ordered), len(ordered), cell),
        distinct=_distinct(ordered),
        quantiles={q: coarse(v) for q, v in shown_quantiles(ordered, cell).items()},
        outliers=_outliers(ordered, own.fences if reference is None else reference.fences, cell),
        histogram=bars,
        psi=drift and drift[0], psi_by_chance=drift and drift[1], own=own, reference=reference,
    )  # fmt: skip


def _drift(
    spec: FeatureSpec, ordered: Floats, observations: int, reference: ColumnReference, elapsed_days: float, cell: int
) -> tuple[float, float] | None:
    """The index, and what chance makes of it; None where either side is too small."""
    if min(observations, reference.bins.total) < cell:
        return None
    moves = {0.0, max(elapsed_days, 0.0)} if spec.unit == "days" else {0.0}
    counted = [
        count_into(tuple(edge + days for edge in reference.bins.edges), ordered, observations - len(ordered))
        for days in moves
    ]
    by_chance = expected_by_chance(reference.bins, counted[0], cell // SMALLEST_CELL)
    return min(population_stability(reference.bins, bins) for bins in counted), by_chance


def _remembered(spec: FeatureSpec, ordered: Floats, observations: int, cell: int) -> ColumnReference:
    filled = Share.of(len(ordered), observations, cell)
    held = Share.of(_held(spec, ordered), len(ordered), cell)
    fences = _fences(ordered, cell)
    outliers = _outliers(ordered, fences, cell)
    return ColumnReference(
        observations=observations, filled=filled.shown, held=held.shown,
        bins=reference_bins(ordered, observations - len(ordered), cell),
        fences=fences, outliers=None if outliers is None else outliers.shown, histogram=histogram(ordered, cell),
    )  # fmt: skip


def _fences(ordered: Floats, cell: int) -> tuple[float, float] | None:
    """Median and interquartile range of what is not 0."""
    low, high = np.searchsorted(ordered, 0.0, "left"), np.searchsorted(ordered, 0.0, "right")
    count = len(ordered) - int(high - low)
    if count < 4 * cell:
        return None

    def at(quantile: float) -> float:
        place = int(quantile * (count - 1))
        return float(ordered[place if place < low else place + high - low])

    spread = at(0.75) - at(0.25)
    return (coarse(at(0.5), 4), coarse(spread, 4)) if spread > 0 else None


def _outliers(ordered: Floats, fences: tuple[float, float] | None, cell: int) -> Share | None:
    events = len(ordered) - _between(ordered, 0.0, 0.0)
    if fences is None or events < cell:
        return None
    median, spread = fences
    low, high = median - _OUTLYING_IQRS * spread, median + _OUTLYING_IQRS * spread
    inside = _between(ordered, low, high) - (_between(ordered, 0.0, 0.0) if low <= 0.0 <= high else 0)
    return Share.of(events - inside, events, cell)


def _held(spec: FeatureSpec, ordered: Floats) -> int:
    at_minimum = 0 if spec.minimum == 0 else _between(ordered, -np.inf, spec.minimum)
    return at_minimum + _between(ordered, spec.maximum, np.inf)


def _between(ordered: Floats, low: float, high: float) -> int:
    return int(np.searchsorted(ordered, high, "right") - np.searchsorted(ordered, low, "left"))


def _distinct(ordered: Floats) -> str:
    if not len(ordered):
        return "0"
    count = 1 + int(np.count_nonzero(np.diff(ordered)))
    return next((text for most, text in _DISTINCT if count <= most), "over 1,000")
