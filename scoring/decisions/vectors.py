"""Where features of a member come from at the moment of a decision: stored vectors, or the member's own events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from benne.errors import ObservationError
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import ConsentMask
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import FeatureVector, OnlineFeatures
from benne.scoring.consent.masking import frame_of_periods
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.reading import load_events

__all__ = ["EventVectors", "FeatureSource", "Occasion"]

_Times = npt.NDArray[np.int64]
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Occasion:
    """For what, for whom and when features are wanted; what is older than ``oldest_us`` is too old."""

    purpose: str
    recipient: str
    now_us: int
    oldest_us: int


class FeatureSource(Protocol):
    """Features of members who have just been found to consent."""

    def vectors(
        self, connection: Connection, consented: Mapping[str, Mapping[str, int]], occasion: Occasion
    ) -> dict[str, FeatureVector]:
        """The newest vector of each member for whom there is one that is new enough.

        Parameters
        ----------
        connection : Connection
            The view of the store in which consent was read.
        consented : mapping of str to mapping of str to int
            By subject id, the categories that may be computed, each with the moment in microseconds since 1970-01-01
            UTC since which it may be; nothing that was computed before is used.
        occasion : Occasion
        """
        ...


class EventVectors:
    """Features computed now from an event store.

    The moment of the features is the store's watermark, or now if that is earlier. The member's own consent is the one
    that stands now; another member's part in an interaction counts only where that member consents too.

    Parameters
    ----------
    events : EventStore
    """

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._online = OnlineFeatures(events)

    def vectors(
        self, connection: Connection, consented: Mapping[str, Mapping[str, int]], occasion: Occasion
    ) -> dict[str, FeatureVector]:
        """See :class:`FeatureSource`; members of whom nothing is known, or who are no adults, are left out."""
        as_of_us = min(self._events.watermark, occasion.now_us)
        if as_of_us < occasion.oldest_us:
            return {}
        found = {}
        for subject_id, categories in consented.items():
            consents = _LiveConsents(connection, categories, occasion)
            try:
                found[subject_id] = self._online.compute(subject_id, from_microseconds(as_of_us), consents=consents)
            except ObservationError:
                continue
        return found


class _LiveConsents:
    """Consent as it stands: the member's own as just decided, other members' from the ledger when asked."""

    grants_everything = False

    def __init__(self, connection: Connection, own: Collection[str], occasion: Occasion) -> None:
        self._connection = connection
        self._own = own
        self._occasion = occasion

    def of_one(self, subject_id: str, as_of: int) -> npt.NDArray[np.bool_]:
        return np.array([[category in self._own for category in CATEGORIES]])

    def periods_of(self, subject_ids: Sequence[str], category: str) -> tuple[_Times, _Times, _Times]:
        occasion = self._occasion
        events = load_events(self._connection, occasion.purpose, occasion.recipient, subject_ids=list(subject_ids))
        frame = frame_of_periods(events, occasion.now_us, include_ended=False)
        mask = ConsentMask(frame, reason=f"consent ledger: {occasion.purpose} for {occasion.recipient}")
        return mask.periods_of(list(subject_ids), category)
