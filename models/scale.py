"""One log-odds scale from 350 to 950, and the bands read off it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import ParameterError

__all__ = ["BAND_SCHEMES", "DEFAULT_BANDS", "SCORE_MAX", "SCORE_MIN", "Band", "ScoreScale"]

SCORE_MIN: Final = 350.0
SCORE_MAX: Final = 950.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """A named range of whole scores, both ends included."""

    name: str
    lowest: int
    highest: int


DEFAULT_BANDS: Final = (
    Band("poor", 350, 549),
    Band("fair", 550, 599),
    Band("good", 600, 649),
    Band("very good", 650, 699),
    Band("excellent", 700, 950),
)


BAND_SCHEMES: Final[dict[str, tuple[Band, ...]]] = {
    "words": DEFAULT_BANDS,
    "A-D": (Band("D", 350, 549), Band("C", 550, 599), Band("B", 600, 699), Band("A", 700, 950)),
    "AAA-D": (
        Band("D", 350, 499), Band("C", 500, 549), Band("B", 550, 599), Band("BB", 600, 649), Band("BBB", 650, 699),
        Band("A", 700, 749), Band("AA", 750, 799), Band("AAA", 800, 950),
    ),
}  # fmt: skip
"""Some schemes of bands, by name, to be given as ``ScoreScale(bands=BAND_SCHEMES["AAA-D"])``; any other is as good."""


@dataclass(frozen=True)
class ScoreScale:
    """What a score means: ``score = base_score + pdo * log2(odds / base_odds)``.

    Odds are good : bad. The same odds give the same score in every model version.

    Parameters
    ----------
    base_score : float, default=600
        The score at ``base_odds``.
    base_odds : float, default=20
        Good : bad.
    pdo : float, default=40
        Points that double the odds.
    bands : tuple of Band
        From the lowest to the highest, without gaps, covering 350 to 950.

    References
    ----------
    Siddiqi, *Intelligent Credit Scoring*, 2nd ed. 2017, ch. 10 (scaling by points to double the odds).

    Examples
    --------
    >>> import numpy as np
    >>> scale = ScoreScale()
    >>> scale.score(np.log([1 / 20, 1 / 40]))
    array([600., 640.])
    >>> scale.band(np.array([549.6, 549.4, 350.0])).tolist()
    ['fair', 'poor', 'poor']
    >>> ScoreScale(pdo=-40).check()
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: pdo of the score scale must be a positive number, got -40.
    """

    base_score: float = 600.0
    base_odds: float = 20.0
    pdo: float = 40.0
    bands: tuple[Band, ...] = DEFAULT_BANDS

    def check(self) -> None:
        """Refuse a scale that cannot be used.

        Raises
        ------
        ParameterError
            For numbers out of their domain, or bands with gaps.
        """
        for name in ("base_odds", "pdo"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(f"{name} of the score scale must be a positive number, got {value!r}.")
        if not SCORE_MIN <= self.base_score <= SCORE_MAX:
            raise ParameterError(
                f"base_score of the score scale must lie within {SCORE_MIN:.0f} to {SCORE_MAX:.0f}, "
                f"got {self.base_score!r}."
            )
        edges = [edge for band in self.bands for edge in (band.lowest, band.highest + 1)]
        joined = all(a == b for a, b in zip(edges[1:-1:2], edges[2:-1:2], strict=True))
        if not edges or edges[0] != SCORE_MIN or edges[-1] != SCORE_MAX + 1 or not joined or sorted(edges) != edges:
            raise ParameterError(
                f"Bands must cover {SCORE_MIN:.0f} to {SCORE_MAX:.0f} from the lowest up without gaps, "
                f"got {self.bands!r}."
            )

    @property
    def points_per_log_odds(self) -> float:
        """Points that one unit of log odds of bad takes away."""
        return self.pdo / math.log(2.0)

    def base(self, log_odds_of_bad: float) -> float:
        """Points at the given log odds of bad, before clipping."""
        return self.base_score - self.pdo * math.log2(self.base_odds) - self.points_per_log_odds * log_odds_of_bad

    def score(self, log_odds_of_bad: Floats) -> Floats:
        """Score of each log odds of bad, clipped to 350–950; shape is kept."""
        zero = self.base(0.0)
        return np.asarray(np.clip(zero - self.points_per_log_odds * log_odds_of_bad, SCORE_MIN, SCORE_MAX))

    def band(self, score: Floats) -> npt.NDArray[np.str_]:
        """Band of each score, read off the whole number that is shown."""
        lowest = np.array([band.lowest for band in self.bands[1:]])
        names = np.array([band.name for band in self.bands])
        return np.asarray(names[np.searchsorted(lowest, np.rint(score), side="right")])
