"""What an observation may see: a prefix of the sorted events, or a copy of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from benne.features.kernel import primitives
from benne.features.kernel.stream import NEVER, Integers, Mask, Observations, Stream
from benne.features.kernel.windows import MAXIMUM_SUBJECTS, Bounds, Locator

__all__ = ["SCHEDULE_DAYS", "Footprint", "Partition", "RowFilter", "Visibility"]

RowFilter = Callable[[Stream, Integers], Mask]
"""From a stream and each row's ``as_of`` to whether the row may be used there."""

SCHEDULE_DAYS = 366
"""How far ahead a scheduled event can be seen."""

_MAXIMUM_ROWS = 2_000_000


@dataclass(frozen=True)
class Partition:
    """Everything known about some members, as the kernel reads it.

    Parameters
    ----------
    streams : mapping of str to Stream
        Event tables that the source has.
    scheduled : frozenset of str
        Tables whose rows may be known before they happen.
    filters : mapping of str to RowFilter
        Tables of which a row may be used at some ``as_of`` and not at others.
    """

    streams: Mapping[str, Stream]
    scheduled: frozenset[str] = frozenset()
    filters: Mapping[str, RowFilter] = field(default_factory=dict)


@dataclass(frozen=True)
class Footprint:
    """Which event tables an expression reads, and whether it looks ahead in the scheduled ones."""

    tables: frozenset[str]
    looks_ahead: bool


class Visibility:
    """What each observation may see of a partition."""

    def __init__(self, partition: Partition, observations: Observations) -> None:
        self._partition = partition
        self._observations = observations
        self._reach: dict[tuple[str, bool], Bounds] = {}

    def needs_copies(self, footprint: Footprint) -> Mask:
        """Which observations cannot be computed on the prefix of events.

        Something within their reach was not yet known, had been corrected, or is filtered.
        """
        late = np.zeros(len(self._observations), dtype=bool)
        for name in sorted(footprint.tables):
            late |= self._is_late(name, footprint)
        return late

    def copies(
        self, footprint: Footprint, rows: Integers
    ) -> Iterator[tuple[Integers, dict[str, Stream], Observations]]:
        """Visible events in which each observation is a subject of its own, some at a time.

        Yields
        ------
        rows : ndarray of int64
            Which observations.
        streams : dict of str to Stream
        observations : Observations
            The same ones, as the subjects they are in ``streams``.
        """
        sizes = np.sum([self._bounds(name, footprint).count[rows] for name in footprint.tables], axis=0)
        for chunk in _chunks(rows, np.broadcast_to(sizes, rows.shape)):
            streams = {name: self._copy(name, footprint, chunk) for name in footprint.tables}
            yield chunk, streams, Observations(np.arange(len(chunk)), self._observations.as_of[chunk])

    def _is_late(self, name: str, footprint: Footprint) -> Mask:
        stream, bounds, as_of = self._partition.streams[name], self._bounds(name, footprint), self._observations.as_of
        if name in self._partition.filters:
            return np.ones(len(as_of), dtype=bool)
        unknown = primitives.largest(stream.known_at, bounds, np.iinfo(np.int64).min) >= as_of
        corrected = primitives.smallest(stream.superseded_at, bounds, NEVER) < as_of
        late: Mask = unknown | corrected
        return late

    def _bounds(self, name: str, footprint: Footprint) -> Bounds:
        ahead = footprint.looks_ahead and name in self._partition.scheduled
        if (name, ahead) not in self._reach:
            locator = Locator(self._partition.streams[name], self._observations)
            self._reach[name, ahead] = locator.window(-SCHEDULE_DAYS if ahead else 0, None)
        return self._reach[name, ahead]

    def _copy(self, name: str, footprint: Footprint, chunk: Integers) -> Stream:
        stream, bounds = self._partition.streams[name], self._bounds(name, footprint)
        lo, sizes = bounds.lo[chunk], bounds.count[chunk]
        owner = np.repeat(np.arange(len(chunk)), sizes)
        rows = primitives.spread(lo, sizes)
        as_of = self._observations.as_of[chunk][owner]
        keep = (stream.known_at[rows] < as_of) & (stream.superseded_at[rows] >= as_of)
        if name in self._partition.filters:
            keep &= self._partition.filters[name](stream.take(rows), as_of)
        return stream.take(rows[keep], subject=owner[keep])


def _chunks(rows: Integers, sizes: Integers) -> Iterable[Integers]:
    """Cut so that no piece copies more than two million events, unless one observation has more."""
    done = np.concatenate([[0], np.cumsum(sizes)])
    start = 0
    while start < len(rows):
        full = int(np.searchsorted(done, done[start] + _MAXIMUM_ROWS, "right")) - 1
        stop = min(max(full, start + 1), start + MAXIMUM_SUBJECTS)
        yield rows[start:stop]
        start = stop
