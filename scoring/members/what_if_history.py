"""A member's events out of the store, of one instant."""

from __future__ import annotations

from typing import Final

from benne.errors import WhatIfNotPossible
from benne.explain.what_if import History
from benne.features.engines.event_store import EventStore

__all__ = ["history_of"]

_TRIES: Final = 20


def history_of(events: EventStore | None, subject_id: str) -> History:
    """Everything that is known of a member until the store's watermark.

    Raises
    ------
    WhatIfNotPossible
        If the service has no events, or none of this member.
    """
    if events is None:
        raise WhatIfNotPossible(
            "A what-if must start from a member's events, got loaded features only. Serve with an event store."
        )
    for _ in range(_TRIES):
        before = events.member(subject_id)
        tables = events.rows(subject_id)
        if events.watermark == before.watermark:  # every append moves it: nothing came between the readings
            if before.loaded is None:
                break
            return History(subject_id, tables, before.known_since, before.watermark)
    raise WhatIfNotPossible(
        "A what-if must start from a member's events, got none of this member. Append them to the event store first."
    )
