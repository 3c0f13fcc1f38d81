"""What else holds something about members, and can be told to forget one."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import URL

from benne.features.engines.event_store import EventStore
from benne.features.engines.store_tables import IDENTITIES, LINKS, MEMBERS
from benne.scoring.erasure.compaction import compact

__all__ = ["Erasable", "EventStorePart"]

_TABLES: Final = (MEMBERS.name, LINKS.name, IDENTITIES.name)


class Erasable(Protocol):
    """Something beside the store that members are erased from.

    Both methods may be called again for what they have done already: whoever calls them may have been killed
    before it could write down that they had returned.
    """

    @property
    def name(self) -> str:
        """A name of letters, digits and any of ``_.-``, as the audit chain shall say it."""

    def erase(self, subject_id: str) -> None:
        """Take a member out, for good once :meth:`compact` has been called."""

    def compact(self) -> bool:
        """Leave no byte of what was taken out; False where that must be tried again later."""


class EventStorePart:
    """The event store of :mod:`benne.features.engines.event_store`, at an address.

    Parameters
    ----------
    url : str or Path
        As for :meth:`benne.features.engines.event_store.EventStore.open`.
    name : str, default='event_store'
    """

    def __init__(self, url: str | Path, name: str = "event_store") -> None:
        self._url = url
        self.name = name

    def erase(self, subject_id: str) -> None:
        """Erase a member's events, and their id from the events of others.

        Raises
        ------
        StoreError
            If there is no event store, or it cannot be used.
        """
        store = EventStore.open(self._url)
        try:
            store.erase(subject_id)
        finally:
            store.close()

    def compact(self) -> bool:
        """Write the database's files anew."""
        EventStore.open(self._url).close()  # says what is wrong where it cannot be used
        engine = create_engine(_address(self._url), hide_parameters=True)
        try:
            return compact(engine, _TABLES)
        finally:
            engine.dispose()


def _address(url: str | Path) -> URL:
    return make_url(url) if isinstance(url, str) and "://" in url else URL.create("sqlite", database=str(url))
