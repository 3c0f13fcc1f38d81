"""What live counts are checked for, and from where on somebody is told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scipy.special import chdtri

from benne.scoring.monitoring.alerts import Severity
from benne.scoring.monitoring.live_watch import RARE, THIN, Reference
from benne.scoring.monitoring.live_window import FEWEST, LiveWindow, Shift
from benne.scoring.monitoring.thresholds import Limit, Thresholds
from benne.scoring.reviews.statistics import OverturnRate

__all__ = ["LIMITS", "SILENCE", "LiveFinding", "beyond_chance", "check_window"]

SILENCE: Final = "answers.none"
"""Nothing was scored, where much was before; it has no limit to choose."""

_BY_CHANCE: Final = 0.001
"""How likely one evaluation may find a shift where nothing has moved, all features together."""
_DEVIATIONS: Final = 4.0  # standard errors that a share must have moved by, however large the step


_DEFAULT: Final = Thresholds.default().limits
LIMITS: Final[dict[str, Limit]] = {
    "score.psi": _DEFAULT["psi"],
    "feature.psi": _DEFAULT["psi"],
    "answers.refused_rise": _DEFAULT["refused"],
    "scores.thin_rise": _DEFAULT["thin"],
    "scores.rare_share": _DEFAULT["rare"],
    "reviews.overturned_share": _DEFAULT["overturned"],
}
"""By check, the limits that data at hand are held against too; rises are in shares of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFinding:
    """A figure beyond its limit.

    Attributes
    ----------
    name : str
        Of the check; of a feature's shift, ``feature.psi.`` and the feature.
    severity : {'warning', 'alarm'}
    value, threshold : float
    n : int
        Observations that it rests on; of silence, those of the days before.
    days : int
    """

    name: str
    severity: Severity
    value: float
    threshold: float
    n: int
    days: int

    @property
    def message(self) -> str:
        """In one line, for a log or a pager; about no member."""
        if self.name == SILENCE:
            return f"{self.name}: nothing was scored in {self.days} days, and {self.n} in those before. Look why."
        return (
            f"{self.name} was {self.value:.3g} over {self.days} days, above {self.threshold:.3g}, "
            f"from {self.n} observations. Look at /console/monitoring."
        )


def check_window(
    window: LiveWindow, before: LiveWindow, reference: Reference | None, overturned: OverturnRate | None
) -> list[LiveFinding]:
    """Everything that is beyond its limit.

    Parameters
    ----------
    window, before : LiveWindow
        The days that are checked, and those before them.
    reference : Reference or None
        Of the model; without it nothing is said of shifts.
    overturned : OverturnRate or None
        Of reviews decided within the window.
    """
    return [
        *_shifts(window, reference),
        *_refusals(window, before),
        *_flags(window, reference),
        *_overturned(window, overturned),
        *_silence(window, before),
    ]


def beyond_chance(shift: Shift, tests: int) -> bool:
    """Whether an index is larger than chance makes it, though so many are looked at.

    Notes
    -----
    Where nothing has moved, ``PSI / (1/n + 1/m)`` is about chi-squared with one degree of freedom less than there
    are bins (Yurdakul & Naranjo 2020); the limit is shared among the tests (Bonferroni).

    Examples
    --------
    >>> beyond_chance(Shift(index=0.4, by_chance=0.02, bins=11, n=500), tests=70)
    True
    >>> beyond_chance(Shift(index=0.05, by_chance=0.02, bins=11, n=500), tests=70)
    False
    """
    freedom = shift.bins - 1
    if freedom < 1:
        return False
    return bool(shift.index > chdtri(freedom, _BY_CHANCE / tests) * shift.by_chance / freedom)


def _shifts(window: LiveWindow, reference: Reference | None) -> Iterator[LiveFinding]:
    if reference is None:
        return
    tests = len(reference.features) + 1
    shifts = [("score.psi", window.score_shift(reference.score))]
    shifts += [(f"feature.psi.{name}", window.feature_shift(name, bins)) for name, bins in reference.features.items()]
    for name, shift in shifts:
        if shift is not None and beyond_chance(shift, tests):
            kind = "score.psi" if name == "score.psi" else "feature.psi"
            yield from _found(name, kind, shift.index, shift.n, window.days)


def _refusals(window: LiveWindow, before: LiveWindow) -> Iterator[LiveFinding]:
    now, then = window.refused_share, before.refused_share
    if now is not None and then is not None and _has_moved(now, window.asked, then, before.asked):
        yield from _found("answers.refused_rise", "answers.refused_rise", now - then, window.asked, window.days)


def _flags(window: LiveWindow, reference: Reference | None) -> Iterator[LiveFinding]:
    thin, known = window.flagged_share(THIN), getattr(reference, "thin", None)
    if reference is not None and thin is not None and known is not None:
        then = known / reference.rows
        if _has_moved(thin, window.scored, then, reference.rows):
            yield from _found("scores.thin_rise", "scores.thin_rise", thin - then, window.scored, window.days)
    rare = window.flagged_share(RARE)
    if rare is not None:
        yield from _found("scores.rare_share", "scores.rare_share", rare, window.scored, window.days)


def _overturned(window: LiveWindow, overturned: OverturnRate | None) -> Iterator[LiveFinding]:
    if overturned is not None and overturned.rate is not None:
        name = "reviews.overturned_share"
        yield from _found(name, name, overturned.rate, overturned.decided, window.days)


def _silence(window: LiveWindow, before: LiveWindow) -> Iterator[LiveFinding]:
    """Nothing scored in the whole window, though there was as much before as lets one tell."""
    if window.scored == 0 and before.scored >= FEWEST:
        yield LiveFinding(name=SILENCE, severity="alarm", value=0.0, threshold=1.0, n=before.scored, days=window.days)


def _found(name: str, kind: str, value: float, n: int, days: int) -> Iterator[LiveFinding]:
    severity = LIMITS[kind].judge(value)
    if severity is not None:
        limit = LIMITS[kind].of(severity)
        yield LiveFinding(name=name, severity=severity, value=value, threshold=limit, n=n, days=days)


def _has_moved(now: float, n: int, then: float, m: int) -> bool:
    """Whether two shares differ by more than their numbers let them by chance."""
    pooled = (now * n + then * m) / (n + m)
    error = math.sqrt(max(pooled * (1.0 - pooled), 0.0) * (1.0 / n + 1.0 / m))
    return abs(now - then) > _DEVIATIONS * error
