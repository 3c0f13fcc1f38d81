"""What live counts are checked for, and from where on somebody is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from scipy.special import chdtri, ndtr

from benne.models.rarity import MOST_OF_TRAINING
from benne.scoring.monitoring.alerts import Severity
from benne.scoring.monitoring.chance import as_many_by_chance, risen_by_chance
from benne.scoring.monitoring.live_watch import RARE, THIN, Reference
from benne.scoring.monitoring.live_window import FEWEST, LiveWindow, Shift
from benne.scoring.monitoring.thresholds import Limit, Thresholds
from benne.scoring.reviews.statistics import OverturnRate

__all__ = ["NOT_FILED", "SILENCE", "LiveFinding", "beyond_chance", "check_filed", "check_window", "live_limits"]

SILENCE: Final = "answers.none"
"""Nothing was scored, where much was before; it has no limit to choose."""

NOT_FILED: Final = "monitoring.not_filed"
"""No monitoring of the model was filed for longer than a setting allows."""

_BY_CHANCE: Final = 0.001
"""How likely one evaluation may find a shift where nothing has moved, all features together."""
_DEVIATIONS: Final = 4.0  # standard errors that a share must have risen by, or what is as unlikely


_OF_DATA: Final = {
    "score.psi": "psi",
    "feature.psi": "psi",
    "answers.refused_rise": "refused",
    "scores.thin_rise": "thin",
    "scores.rare_share": "rare",
    "reviews.overturned_share": "overturned",
}
"""By live check, the check of data at hand whose limits it is held against; rises are in shares of one."""


def live_limits(thresholds: Thresholds) -> dict[str, Limit]:
    """Limits by live check, those that data at hand are held against too.

    Examples
    --------
    >>> live_limits(Thresholds.default())["feature.psi"]
    Limit(warning=0.1, alarm=0.25)
    """
    return {name: thresholds.limits[check] for name, check in _OF_DATA.items()}


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
        if self.name == NOT_FILED:
            return (
                f"{self.name}: no monitoring of this model was filed for {self.value:.0f} days, which is more than "
                f"{self.days}. Run benne monitor with outcomes and --store."
            )
        return (
            f"{self.name} was {self.value:.3g} over {self.days} days, above {self.threshold:.3g}, "
            f"from {self.n} observations. Look at /console/monitoring."
        )


def check_window(
    window: LiveWindow,
    before: LiveWindow,
    reference: Reference | None,
    overturned: OverturnRate | None,
    limits: Mapping[str, Limit],
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
    limits : mapping of str to Limit
        As :func:`live_limits` gives them.
    """
    figures = [
        *_shifts(window, reference),
        *_refusals(window, before),
        *_flags(window, reference),
        *_overturned(window, overturned),
    ]
    found = [_judged(figure, limits[figure.kind], window.days) for figure in figures]
    return [one for one in found if one is not None] + _silence(window, before)


def check_filed(since: datetime | None, now: datetime, days: int) -> list[LiveFinding]:
    """Whether monitoring on data at hand, which alone knows outcomes, is too long ago.

    Parameters
    ----------
    since : datetime or None
        When it was filed last, or the model promoted; None where it never was.
    now : datetime
    days : int
        That may pass; 0 for any number.

    Examples
    --------
    >>> from datetime import UTC
    >>> filed = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [(one.name, one.severity, one.value) for one in check_filed(filed, datetime(2026, 2, 20, tzinfo=UTC), 45)]
    [('monitoring.not_filed', 'warning', 50.0)]
    >>> check_filed(filed, datetime(2026, 2, 10, tzinfo=UTC), 45)
    []
    """
    if since is None or not days or now - since <= timedelta(days=days):
        return []
    passed = (now - since) / timedelta(days=1)
    return [LiveFinding(name=NOT_FILED, severity="warning", value=passed, threshold=float(days), n=0, days=days)]


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


class _Figure(NamedTuple):
    """What is held against a limit, and of how many observations."""

    name: str
    kind: str
    value: float
    n: int


def _shifts(window: LiveWindow, reference: Reference | None) -> Iterator[_Figure]:
    if reference is None:
        return
    tests = len(reference.features) + 1
    shifts = [("score.psi", "score.psi", window.score_shift(reference.score))]
    shifts += [
        (f"feature.psi.{name}", "feature.psi", window.feature_shift(name, bins))
        for name, bins in reference.features.items()
    ]
    for name, kind, shift in shifts:
        if shift is not None and beyond_chance(shift, tests):
            yield _Figure(name, kind, shift.index, shift.n)


def _refusals(window: LiveWindow, before: LiveWindow) -> Iterator[_Figure]:
    now, then, name = window.refused_share, before.refused_share, "answers.refused_rise"
    if now is not None and then is not None and _has_moved(now, window.asked, then, before.asked):
        yield _Figure(name, name, now - then, window.asked)


def _flags(window: LiveWindow, reference: Reference | None) -> Iterator[_Figure]:
    thin, known = window.flagged_share(THIN), getattr(reference, "thin", None)
    if reference is not None and thin is not None and known is not None:
        then = known / reference.rows
        if _has_moved(thin, window.scored, then, reference.rows):
            yield _Figure("scores.thin_rise", "scores.thin_rise", thin - then, window.scored)
    rare = window.flagged_share(RARE)
    if (
        rare is not None
        and as_many_by_chance(round(rare * window.scored), window.scored, MOST_OF_TRAINING) < _BY_CHANCE
    ):
        yield _Figure("scores.rare_share", "scores.rare_share", rare, window.scored)


def _overturned(window: LiveWindow, overturned: OverturnRate | None) -> Iterator[_Figure]:
    if overturned is not None and overturned.rate is not None:
        name = "reviews.overturned_share"
        yield _Figure(name, name, overturned.rate, overturned.decided)


def _silence(window: LiveWindow, before: LiveWindow) -> list[LiveFinding]:
    """Nothing scored in the whole window, though there was as much before as lets one tell."""
    if window.scored or before.scored < FEWEST:
        return []
    return [LiveFinding(name=SILENCE, severity="alarm", value=0.0, threshold=1.0, n=before.scored, days=window.days)]


def _judged(figure: _Figure, limit: Limit, days: int) -> LiveFinding | None:
    severity = limit.judge(figure.value)
    if severity is None:
        return None
    return LiveFinding(
        name=figure.name, severity=severity, value=figure.value, threshold=limit.of(severity), n=figure.n, days=days
    )


def _has_moved(now: float, n: int, then: float, m: int) -> bool:
    """Whether a share has risen by more than its numbers let it by chance: exactly, for it may be of a few of fifty."""
    return now > then and risen_by_chance((round(now * n), n), (round(then * m), m)) < ndtr(-_DEVIATIONS)
