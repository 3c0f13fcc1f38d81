"""What a batch is made with: a store, the time, and chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from benne.scoring.consent.moments import to_microseconds
from benne.scoring.consent.reading import load_time
from benne.scoring.store.database import Store

__all__ = ["Live"]


@dataclass(frozen=True, slots=True)
class Live:
    """What a batch is made with.

    Parameters
    ----------
    store : Store
    clock : callable returning datetime
    random_bytes : callable
        Takes a number and gives as many bytes that nobody can guess.
    ids : callable returning str
        A new unique id, a UUID, at every call.
    """

    store: Store
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    ids: Callable[[], str]

    def now_us(self, connection: Connection) -> int:
        """Now, and never earlier than what is on record."""
        return max(to_microseconds(self.clock(), "The clock"), load_time(connection))
