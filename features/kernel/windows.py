"""From observations and windows to bounds in a sorted stream: exact, ties handled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benne.features.kernel.stream import Integers, Observations, Stream

__all__ = ["DAY", "MAXIMUM_SUBJECTS", "Bounds", "Locator"]

DAY = 86_400_000_000
"""Microseconds in a day of UTC."""

MAXIMUM_SUBJECTS = 4096
"""Subjects in one partition, so that (subject, time) fits one int64 over 70 years."""


@dataclass(frozen=True)
class Bounds:
    """Half-open index ranges [lo, hi) of each observation's events in one stream."""

    lo: Integers
    hi: Integers

    @property
    def count(self) -> Integers:
        """How many events each range holds."""
        return self.hi - self.lo


class Locator:
    """Finds each observation's events in one stream by binary search.

    Parameters
    ----------
    stream : Stream
    observations : Observations

    Notes
    -----
    Subject and time are packed into one int64, time from the earliest event. Where the times
    lie too far apart for that, their ranks take their place: exact too, but with a search more.
    """

    def __init__(self, stream: Stream, observations: Observations) -> None:
        self._subject, self._as_of = observations.subject, observations.as_of
        self._base = int(stream.time.min()) if len(stream) else 0
        self._span = (int(stream.time.max()) - self._base if len(stream) else 0) + 2
        subjects = max((int(s.max()) for s in (stream.subject, observations.subject) if len(s)), default=0)
        self._ranks = np.unique(stream.time) if (subjects + 1) * self._span >= 2**63 else None
        if self._ranks is not None:
            self._span = len(self._ranks) + 1
        self._key = stream.subject * self._span + self._place(stream.time)

    def before(self, microseconds: int) -> Integers:
        """Index of the first event at or after ``as_of - microseconds`` of the same subject."""
        return np.searchsorted(self._key, self._subject * self._span + self._place(self._as_of - microseconds), "left")

    def start(self) -> Integers:
        """Index of the subject's first event."""
        return np.searchsorted(self._key, self._subject * self._span, "left")

    def _place(self, moments: Integers) -> Integers:
        if self._ranks is not None:
            return np.searchsorted(self._ranks, moments, "left")
        return np.clip(moments, self._base, self._base + self._span - 1) - self._base

    def window(self, near_days: int, far_days: int | None) -> Bounds:
        """Events in ``[as_of - far_days, as_of - near_days)``; all before where far is None."""
        hi = self.before(near_days * DAY)
        return Bounds(self.start() if far_days is None else self.before(far_days * DAY), hi)
