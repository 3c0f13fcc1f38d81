"""Whether scores have moved: between training and test rows, and from period to period."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.report.groups import SMALLEST_GROUP, joined, joined_labels
from benne.experiments.report.sample import Sample, figures_by
from benne.features.quality.drift import Bins, count_into, expected_by_chance, population_stability, reference_bins

__all__ = ["Stability", "periods_of", "stability_of"]

Floats = npt.NDArray[np.float64]

_MOST_MONTHS: Final = 24


@dataclass(frozen=True)
class Stability:
    """Population stability of the score.

    Parameters
    ----------
    psi : float
        Of the test rows against the training rows, over deciles of the latter.
    by_chance : float
        What it would be on average if nothing had moved and only the sample had changed.
    periods : DataFrame or None
        Test rows by month, or by quarter where there are more than 24 months: the columns of
        :func:`benne.experiments.report.sample.figures_by`, ``psi`` and ``psi_by_chance``
        against the training rows. None where all are of one period.
    """

    psi: float
    by_chance: float
    periods: pd.DataFrame | None = field(repr=False)


def stability_of(train: Sample, test: Sample) -> Stability:
    """Compare the scores of test rows with those of training rows."""
    reference = reference_bins(np.sort(train.score), 0, SMALLEST_GROUP)
    psi, by_chance = _psi(reference, train, test.score, test.members)
    return Stability(psi, by_chance, _by_period(reference, train, test))


def periods_of(moments: pd.DatetimeIndex) -> npt.NDArray[np.object_]:
    """Month of each moment, or quarter where there are more than 24 months.

    Examples
    --------
    >>> periods_of(pd.DatetimeIndex(["2025-01-31", "2025-02-01"], tz="UTC")).tolist()
    ['2025-01', '2025-02']
    """
    months = np.array(moments.strftime("%Y-%m"), dtype=object)
    if len(set(months)) <= _MOST_MONTHS:
        return months
    return np.array([f"{moment.year}-Q{moment.quarter}" for moment in moments], dtype=object)


def _by_period(reference: Bins, train: Sample, test: Sample) -> pd.DataFrame | None:
    labels, place, counts = np.unique(periods_of(test.moments).astype(str), return_inverse=True, return_counts=True)
    group = joined(counts.tolist())
    names = joined_labels(labels.tolist(), group)
    if len(names) < 2:
        return None
    part = group[place]
    table = figures_by(test, part, names).rename_axis("period")
    moved = [_psi(reference, train, test.score[part == p], test.members[part == p]) for p in range(len(names))]
    return table.assign(psi=[psi for psi, _ in moved], psi_by_chance=[chance for _, chance in moved])


def _psi(reference: Bins, train: Sample, score: Floats, members: npt.NDArray[np.intp]) -> tuple[float, float]:
    current = count_into(reference.edges, np.sort(score), 0)
    # Rows of one member are alike: a sample is as large as its members are many.
    repeats = max(len(rows) / len(np.unique(rows)) for rows in (train.members, members))
    return population_stability(reference, current), expected_by_chance(reference, current, int(np.ceil(repeats)))
