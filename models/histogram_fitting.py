"""From the rows of a fit to the histograms that a model keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benne.models.consent_patterns import pattern_codes
from benne.models.reference_histograms import ReferenceHistograms, ReferenceRows, counted_histograms
from benne.models.rows import scorable

if TYPE_CHECKING:
    from benne.models.persistence import ModelState
    from benne.models.trained_booster import TrainingData

__all__ = ["histograms_of_fit"]

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

_MOST_ROWS: Final = 100_000


def histograms_of_fit(
    state: ModelState, data: TrainingData, told: Bools, seed: int, threads: int
) -> ReferenceHistograms | None:
    """Count the training rows that could be scored; None where they are fewer than a cohort.

    Parameters
    ----------
    state : ModelState
        Fitted; without histograms yet.
    data : TrainingData
    told : ndarray of bool, shape (n, categories)
        Whether anything is on record in each category.
    seed : int
        Of the sample where there are more than 100,000 rows.
    threads : int

    Notes
    -----
    Unlike the sample that shares of influence hold on, this one has rows of every pattern of consent: it is what the
    model will be asked about. Weights of rows do not enter.
    """
    layout, patterns = state.layout, [pattern.used for pattern in state.learned.patterns]
    chosen = _sample(np.flatnonzero(scorable(data, told, layout)), seed)
    if not len(chosen):
        return None
    X, consented = data.X[chosen], data.consented[chosen]
    codes = pattern_codes(consented, patterns, layout)
    lines = state.function(threads).lines(X, codes)
    rows = ReferenceRows(
        X=X,
        consented=consented,
        codes=codes,
        score=lines.score,
        pd=expit(lines.log_odds),
        thin=np.asarray((~told[chosen] & consented).any(axis=1)),
        members=len(chosen) if data.groups is None else len(np.unique(data.groups[chosen])),
    )
    bands = [band.name for band in state.scale.bands], state.scale.band(lines.score)
    return counted_histograms(rows, state.rules.columns, layout, patterns, bands)


def _sample(rows: Indices, seed: int) -> Indices:
    """In their order."""
    if len(rows) <= _MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, _MOST_ROWS, replace=False))
