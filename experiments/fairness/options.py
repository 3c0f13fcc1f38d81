"""What a fairness audit assumes, and from how many rows on it says anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from benne.errors import FairnessError
from benne.models import SCORE_MAX, SCORE_MIN
from benne.models.resampling import RESAMPLES

__all__ = ["AGE_EDGES", "FairnessOptions", "checked_cutoffs"]

AGE_EDGES: Final = (25.0, 35.0, 45.0, 55.0, 62.0)
"""First years of age of each band after the youngest; from 62 on the Equal Credit Opportunity Act calls it elderly."""


@dataclass(frozen=True, kw_only=True)
class FairnessOptions:
    """How groups are made and compared.

    Parameters
    ----------
    reference : mapping of str to str
        Group of an attribute that the others are compared with; by default its largest.
    edges : mapping of str to sequence of float
        Where the bands of an attribute that is a number begin; each holds values from its edge up to the next.
    intersections : sequence of pair of str
        Attributes that are also looked at together.
    fewest_rows : int, default=50
        Rows of a group, and of its reference, from which on it is compared at all.
    fewest_outcomes : int, default=10
        Good rows of both for a rate among the good, bad rows for one among the bad. For a ratio, rows of the reference
        that are selected, and rows of the group that would be at the reference's rate.
    review_below : float, default=0.8
        Adverse impact ratio under which a person must look: the four-fifths rule.
    proxy_from : float, default=0.7
        AUC with which features tell a group from the others, or R2 halved and added to 0.5, from which on a person must
        look.
    resamples : int
        Of the bootstrap.

    References
    ----------
    Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4(D) (four fifths).

    Examples
    --------
    >>> FairnessOptions(review_below=1.2).check()
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: review_below must be above 0 and at most 1, got 1.2. Take 0.8, the four-fifths rule.
    """

    reference: Mapping[str, str] = field(default_factory=dict)
    edges: Mapping[str, Sequence[float]] = field(default_factory=lambda: {"age": AGE_EDGES})
    intersections: Sequence[tuple[str, str]] = ()
    fewest_rows: int = 50
    fewest_outcomes: int = 10
    review_below: float = 0.8
    proxy_from: float = 0.7
    resamples: int = RESAMPLES

    def check(self) -> None:
        """Refuse what is out of its domain.

        Raises
        ------
        FairnessError
        """
        for name, least in (("fewest_rows", 10), ("fewest_outcomes", 1), ("resamples", 20)):
            if getattr(self, name) < least:
                raise FairnessError(f"{name} must be at least {least}, got {getattr(self, name)!r}. Take more.")
        if not 0.0 < self.review_below <= 1.0:
            raise FairnessError(
                f"review_below must be above 0 and at most 1, got {self.review_below!r}. "
                "Take 0.8, the four-fifths rule."
            )
        if not 0.5 < self.proxy_from <= 1.0:
            raise FairnessError(f"proxy_from must be above 0.5 and at most 1, got {self.proxy_from!r}. Take 0.7.")
        for name, edges in self.edges.items():
            if not edges or not all(map(math.isfinite, edges)) or any(b <= a for a, b in pairwise(edges)):
                raise FairnessError(f"Edges of {name!r} must be finite numbers that rise, got others. Correct them.")


def checked_cutoffs(cutoffs: Sequence[float]) -> tuple[float, ...]:
    """Cut-offs in their order, each once.

    Raises
    ------
    FairnessError
        If there is none, or one is no score.

    Examples
    --------
    >>> checked_cutoffs([650, 600, 650])
    (600.0, 650.0)
    >>> checked_cutoffs([1200])
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: A cut-off must be a score from 350 to 950, got 1200. Name the lowest score that passes.
    """
    if not len(cutoffs):
        raise FairnessError("At least one cut-off must be given, got none. Name the lowest score that passes.")
    for cutoff in cutoffs:
        if not SCORE_MIN <= cutoff <= SCORE_MAX:  # NaN neither
            raise FairnessError(
                f"A cut-off must be a score from 350 to 950, got {cutoff!r}. Name the lowest score that passes."
            )
    return tuple(sorted({float(cutoff) for cutoff in cutoffs}))
