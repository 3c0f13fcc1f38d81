"""What the training data looked like, in bins of ten rows or more: what later data are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import ReferenceMismatch
from benne.features.quality.cells import coarse, hide_small
from benne.features.quality.drift import Bins, reference_bins
from benne.models.category_layout import CategoryLayout
from benne.models.cohorts import SMALLEST_COHORT
from benne.models.rarity import fewest_beyond

__all__ = ["SMALLEST_BIN", "ReferenceHistograms", "ReferenceRows", "counted_histograms"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

SMALLEST_BIN: Final = 10
"""Rows behind any count that is kept."""

_RANGE_DIGITS: Final = 4
_SHARE_DIGITS: Final = 6


@dataclass(frozen=True, kw_only=True)
class ReferenceHistograms:
    """The training data in counts; no value and no row is a member's.

    Parameters
    ----------
    rows : int
        Training rows that could be scored, a seeded sample of at most 100,000 of them.
    members : int
        How many members they are of, where groups told it; otherwise the rows.
    features : mapping of str to Bins
        In the model's order; over the rows that consent to the feature's category.
    ranges : mapping of str to (float, float) or None
        Of each feature, between which values all but nine rows or fewer on each side lay; None where fewer than
        twenty had one.
    score : Bins
        Of the scores that the model gives these rows, each with what it consents to.
    bands : mapping of str to int or None
        Rows in each band; None where they are few, or would tell of few.
    patterns : mapping of frozenset of str to int or None
        Rows by the categories that they let be used.
    thin : int or None
        Rows with nothing on record in some category that enters.
    rare_from : int
        Values beyond their range from which a row is rare: :mod:`benne.models.rarity`.
    mean_pd : float

    Notes
    -----
    A count is 0, or ten or more; a smaller bin is joined to its neighbour. An edge is a value of the data only
    where ten rows or more share it. Nulls that are fewer than ten are left out.
    """

    rows: int
    members: int
    features: Mapping[str, Bins]
    ranges: Mapping[str, tuple[float, float] | None]
    score: Bins
    bands: Mapping[str, int | None]
    patterns: Mapping[frozenset[str], int | None]
    thin: int | None
    rare_from: int
    mean_pd: float

    @property
    def rows_per_member(self) -> float:
        """Observations of one member are alike, so that a shift by chance counts in members."""
        return self.rows / self.members

    def check_columns(self, columns: Sequence[str]) -> None:
        """Refuse features that are not those of the reference, in its order.

        Raises
        ------
        ReferenceMismatch
        """
        own = list(self.features)
        if list(columns) == own:
            return
        missing, new = [c for c in own if c not in columns], [c for c in columns if c not in own]
        got = f"{missing[0]!r} missing" if missing else f"{new[0]!r} besides" if new else "another order"
        raise ReferenceMismatch(
            f"Features must be the model's {len(own)} in its order, got {len(columns)} with {got}. "
            "Compare data only with the model that they were built for."
        )


@dataclass(frozen=True)
class ReferenceRows:
    """Training rows as the model scores them.

    Parameters
    ----------
    X : ndarray of float64, shape (n, features)
    consented : ndarray of bool, shape (n, categories)
    codes : ndarray of int, shape (n,)
        Position of each row's pattern of consent.
    score, pd : ndarray of float64, shape (n,)
    thin : ndarray of bool, shape (n,)
    members : int
    """

    X: Floats
    consented: Bools
    codes: Indices
    score: Floats
    pd: Floats
    thin: Bools
    members: int


def counted_histograms(
    rows: ReferenceRows, columns: Sequence[str], layout: CategoryLayout, patterns: Sequence[frozenset[str]],
    bands: tuple[Sequence[str], npt.NDArray[np.str_]],
) -> ReferenceHistograms | None:  # fmt: skip
    """Count training rows; None where they are fewer than a cohort of fifty.

    Parameters
    ----------
    rows : ReferenceRows
    columns : sequence of str
        Features, in the model's order.
    layout : CategoryLayout
    patterns : sequence of frozenset of str
        Which ``codes`` are of.
    bands : (sequence of str, ndarray of str, shape (n,))
        Every band, and that of each row.
    """
    count = len(rows.X)
    if count < SMALLEST_COHORT:
        return None
    features, ranges = {}, {}
    for j, column in enumerate(columns):
        values = rows.X[rows.consented[:, layout.column_category[j]], j]
        ordered = np.sort(values[~np.isnan(values)])
        features[column] = _bins(ordered, len(values) - len(ordered))
        ranges[column] = _range(ordered)
    of_row, names = bands[1], list(dict.fromkeys(bands[0]))
    in_band = hide_small([int((of_row == name).sum()) for name in names], SMALLEST_BIN)
    of_pattern = hide_small(np.bincount(rows.codes, minlength=len(patterns)).tolist(), SMALLEST_BIN)
    return ReferenceHistograms(
        rows=count,
        members=rows.members,
        features=features,
        ranges=ranges,
        score=reference_bins(np.sort(rows.score), 0, SMALLEST_BIN),
        bands=dict(zip(names, in_band, strict=True)),
        patterns=dict(zip(patterns, of_pattern, strict=True)),
        thin=_shown(int(rows.thin.sum()), count),
        rare_from=fewest_beyond(rows.X, list(ranges.values())),
        mean_pd=round(float(rows.pd.mean()), _SHARE_DIGITS),
    )


def _bins(ordered: Floats, nulls: int) -> Bins:
    """Values that are too few for a bin are left out."""
    return reference_bins(ordered if len(ordered) >= SMALLEST_BIN else ordered[:0], nulls, SMALLEST_BIN)


def _range(ordered: Floats) -> tuple[float, float] | None:
    """Outward to four digits from the tenth value of each end, unless ten rows share it."""
    if len(ordered) < 2 * SMALLEST_BIN:
        return None
    low, high = float(ordered[SMALLEST_BIN - 1]), float(ordered[-SMALLEST_BIN])
    step = 10.0 ** (1 - _RANGE_DIGITS)
    return (
        low if ordered[0] == low else coarse(low - abs(low) * step, _RANGE_DIGITS),
        high if ordered[-1] == high else coarse(high + abs(high) * step, _RANGE_DIGITS),
    )


def _shown(part: int, whole: int) -> int | None:
    return hide_small([part, whole - part], SMALLEST_BIN)[0]
