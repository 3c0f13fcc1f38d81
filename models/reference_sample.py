"""What a model knows of the members it compares others with: means over fifty or more of them, and nobody's own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import ParameterError, ReferenceUnknown
from benne.models.category_layout import CategoryLayout
from benne.models.cohorts import SMALLEST_COHORT
from benne.models.consent_patterns import withheld_per_row
from benne.models.scale import SCORE_MAX, SCORE_MIN

__all__ = ["JUST_ABOVE", "CategoryRange", "PatternReference", "ReferenceAverage", "ReferenceSample", "summarised"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

JUST_ABOVE: Final = 20.0
"""Points within which a member is just above a mark: half of those that double the odds, by default."""

_MOST_COHORTS: Final = 100


@dataclass(frozen=True)
class CategoryRange:
    """Points of one category in the reference sample: means of the fifty members with least and most, and of all."""

    least: float
    average: float
    most: float


@dataclass(frozen=True)
class ReferenceAverage:
    """What members of the reference sample have on average.

    Parameters
    ----------
    points : dict of str to float
        Of each feature; 0 where withheld.
    members : int
        How many they are, fifty or more.
    score : float
        Their mean score.
    """

    points: dict[str, float]
    members: int
    score: float


@dataclass(frozen=True, eq=False)
class PatternReference:
    """The reference sample as it is scored under one pattern of consent.

    Parameters
    ----------
    rows : int
        Size of the sample.
    sha256 : str
        Of its feature rows, which are not kept.
    members : ndarray of int64, shape (cohorts,)
        The sample in the order of its scores, parted into cohorts of fifty or more, at most a hundred of them; none
        where the sample is smaller than a cohort.
    score : ndarray of float64, shape (cohorts,)
        Mean score of each.
    points : ndarray of float64, shape (cohorts, features)
        Mean points of each feature.
    least, most : ndarray of float64, shape (categories,)
        Mean points of the fifty members with least and with most of each category; empty without cohorts.
    """

    rows: int
    sha256: str
    members: Integers
    score: Floats
    points: Floats
    least: Floats
    most: Floats

    def average(self, chosen: slice | npt.NDArray[np.bool_] = slice(None)) -> tuple[Floats, int, float]:
        """Mean points of each feature over some cohorts, how many members those are, and their mean score."""
        members = self.members[chosen]
        count = int(members.sum())
        return members @ self.points[chosen] / count, count, float(members @ self.score[chosen]) / count

    def just_above(self, mark: float) -> npt.NDArray[np.bool_]:
        """Which cohorts have a mean score just above a mark; where none has, the nearest one above, or the highest."""
        chosen = (self.score >= mark) & (self.score < mark + JUST_ABOVE)
        if not chosen.any():
            chosen[min(int(np.searchsorted(self.score, mark)), len(chosen) - 1)] = True
        return np.asarray(chosen)


def summarised(points: Floats, scores: Floats, layout: CategoryLayout, sha256: str) -> PatternReference:
    """What may be kept of a reference sample.

    Parameters
    ----------
    points : ndarray of float64, shape (m, features)
        Of each member and feature.
    scores : ndarray of float64, shape (m,)
    layout : CategoryLayout
    sha256 : str
        Of the sample's feature rows.
    """
    count = min(_MOST_COHORTS, len(scores) // SMALLEST_COHORT)
    cohorts = np.array_split(np.argsort(scores, kind="stable"), count) if count else []
    by_category = np.column_stack([points[:, group].sum(axis=1) for group in layout.groups])
    ordered = np.sort(by_category, axis=0)
    return PatternReference(
        rows=len(scores),
        sha256=sha256,
        members=np.array([len(cohort) for cohort in cohorts], dtype=np.int64),
        score=np.array([scores[cohort].mean() for cohort in cohorts], dtype=np.float64),
        points=np.array([points[cohort].mean(axis=0) for cohort in cohorts]).reshape(count, points.shape[1]),
        least=ordered[:SMALLEST_COHORT].mean(axis=0) if count else np.empty(0),
        most=ordered[-SMALLEST_COHORT:].mean(axis=0) if count else np.empty(0),
    )


class ReferenceSample:
    """The reference population of a model, by patterns of consent.

    Under each pattern the same members are scored with the categories that may be used, and, where the pattern has a
    booster of its own, other members may be the sample.

    Parameters
    ----------
    columns : sequence of str
        Features, in the model's order.
    layout : CategoryLayout
    patterns : dict of frozenset of str to PatternReference
        By the categories used; empty for a model that was saved before these were kept.

    Notes
    -----
    No row and no value of a member is kept. Points are means over cohorts of fifty members or more. The ends of a
    category are such means too: single members have less than what is called least, and more than most. Where the
    sample is smaller than fifty nothing is known of it but its size and hash.
    """

    def __init__(
        self, columns: Collection[str], layout: CategoryLayout, patterns: dict[frozenset[str], PatternReference]
    ) -> None:
        self._columns = tuple(columns)
        self._layout = layout
        self._patterns = patterns

    @property
    def known(self) -> bool:
        """Whether averages are known under every pattern."""
        return bool(self._patterns) and all(len(one.members) for one in self._patterns.values())

    def hash(self, withheld: Collection[str] = ()) -> str:
        """SHA-256 of the feature rows of the sample that members who withhold this are compared with."""
        return self._of(withheld).sha256

    def size(self, withheld: Collection[str] = ()) -> int:
        """Members in it."""
        return self._of(withheld).rows

    def average_score(self, withheld: Collection[str] = ()) -> float:
        """Its mean score: the population average."""
        return self._summed(withheld).average()[2]

    def average_points(self, withheld: Collection[str] = (), mark: float | None = None) -> ReferenceAverage:
        """Mean points of each feature.

        Parameters
        ----------
        withheld : set of str
            Categories that do not enter.
        mark : float, optional
            350 to 950. Of those just above this score alone: the cohorts whose mean score is from there up to
            :data:`JUST_ABOVE` points higher; where there is none, the nearest cohort above, and where nobody is above,
            the highest.

        Raises
        ------
        CategoryError, ParameterError
            If ``withheld`` is no set of categories, or the mark is no score.
        ReferenceUnknown
            If the sample is smaller than fifty, or the model was saved before averages were kept.
        """
        if mark is not None and not SCORE_MIN <= mark <= SCORE_MAX:
            raise ParameterError(
                f"A mark must be within {SCORE_MIN:.0f} to {SCORE_MAX:.0f}, got {mark!r}. Pass a score."
            )
        pattern = self._summed(withheld)
        points, members, score = pattern.average(slice(None) if mark is None else pattern.just_above(mark))
        return ReferenceAverage(dict(zip(self._columns, points.tolist(), strict=True)), members, score)

    def category_range(self, withheld: Collection[str] = ()) -> dict[str, CategoryRange]:
        """Least, average and most points of each category that enters; raises as :meth:`average_points`."""
        pattern = self._summed(withheld)
        average, _, _ = pattern.average()
        return {
            name: CategoryRange(float(pattern.least[c]), float(average[group].sum()), float(pattern.most[c]))
            for c, (name, group) in enumerate(zip(self._layout.names, self._layout.groups, strict=True))
            if name not in withheld
        }

    def _of(self, withheld: Collection[str]) -> PatternReference:
        if not self._patterns:
            raise ReferenceUnknown(
                "A model must know its reference sample, and this one was saved by an older Benne. Fit it anew."
            )
        left_out = withheld_per_row(withheld, 1, self._layout)[0]
        used = frozenset(name for name, out in zip(self._layout.names, left_out, strict=True) if not out)
        if used not in self._patterns:
            raise ReferenceUnknown("Categories must be withheld as a score allows it, got others. See model.patterns.")
        return self._patterns[used]

    def _summed(self, withheld: Collection[str]) -> PatternReference:
        pattern = self._of(withheld)
        if not len(pattern.members):
            raise ReferenceUnknown(
                f"Averages must be over {SMALLEST_COHORT} members or more of the reference sample, got "
                f"{pattern.rows}. Fit on more rows."
            )
        return pattern
