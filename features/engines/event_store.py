"""Members' events in a database, one row a member: appended through the door, read in one query."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, select

from benne.errors import EventSchemaError, EventValueError, StoreError
from benne.features.compute import Loaded
from benne.features.engines.appending import Held, appended
from benne.features.engines.packed import restore
from benne.features.engines.store_database import MAKE_ONE, Database
from benne.features.engines.store_erasure import erase
from benne.features.engines.store_filling import Progress, currency_of, fill
from benne.features.engines.store_identities import identities, remember, taken
from benne.features.engines.store_members import Tables, add_links, put, rows_of
from benne.features.engines.store_state import State, begin, change, locked, pairs
from benne.features.engines.store_tables import FORMAT, METADATA, ONE_MEMBER, STORE
from benne.features.events.batches import Door
from benne.features.events.events import Events, KnownSince
from benne.features.events.keys import SubjectKey
from benne.features.events.moments import microseconds

__all__ = ["EventStore", "StoredMember"]

_NO_SKEW: Final = timedelta(0)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredMember:
    """What the store knows of one member at one instant.

    Parameters
    ----------
    loaded : Loaded or None
        None where the store does not know the member.
    watermark : int
        Everything known before this moment is in the store; microseconds since 1970-01-01 UTC.
    known_since : mapping of (str, str) to int
        As in :class:`benne.features.events.events.Events`; the same object while nothing is added to it.
    """

    loaded: Loaded | None
    watermark: int
    known_since: KnownSince


class EventStore:
    """The events of a platform's members, for features one member at a time.

    Parameters
    ----------
    database : Database
        From :meth:`create` or :meth:`open`.

    Notes
    -----
    Each member's rows lie in one database row, twice: as they were stored, and in the kernel's
    form. The watermark only moves on; a row that becomes known later belongs after it, so that
    nothing changes an observation before the watermark: neither a row of the member's own, nor
    the first row that anybody has in a table. A reader sees an append whole or not at all.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_since = ("", dict[tuple[str, str], int]())  # as text, and read

    @classmethod
    def create(
        cls, url: str | Path, events: Events, *, watermark: datetime, progress: Progress | None = None
    ) -> EventStore:
        """Make a store from ingested events.

        Parameters
        ----------
        url : str or Path
            A SQLAlchemy address, or the path of a SQLite file; must hold no store yet.
        events : Events
        watermark : datetime
            The ingest clock: nothing is known later than it.
        progress : callable, optional
            Called with members done and in all.

        Raises
        ------
        StoreError
            If there is a store, or the database cannot be used; nothing is kept then.
        EventValueError
            If a row was known after the watermark.
        """
        store = cls(Database.at(url))
        moment = microseconds(watermark)
        try:
            with store._database.writing() as connection:
                if inspect(connection).has_table(STORE.name):
                    raise StoreError("A new event store must be made where none is, got one. Open it, or name another.")
                METADATA.create_all(connection)
                begin(connection, State(events.key_fingerprint, moment + 1, events.known_since, currency_of(events)))
                fill(connection, events, moment, progress)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open(cls, url: str | Path) -> EventStore:
        """Open a store.

        Raises
        ------
        StoreError
            If there is none, it is of another version, or the database cannot be used.
        """
        store = cls(Database.at(url, must_exist=True))
        try:
            with store._database.reading() as connection:
                found = inspect(connection).has_table(STORE.name)
                formats = connection.execute(select(STORE.c.format)).scalars().all() if found else []
            if formats != [FORMAT]:
                got = formats or "no store"
                raise StoreError(f"An event store must have format {FORMAT}, got {got}. {MAKE_ONE}")
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Give every connection back."""
        self._database.close()

    @property
    def watermark(self) -> int:
        """Everything known before this moment is in the store; microseconds since 1970-01-01 UTC."""
        with self._database.reading() as connection:
            return int(connection.execute(select(STORE.c.watermark)).scalar_one())

    def member(self, subject_id: str) -> StoredMember:
        """Everything of one member, the watermark and what columns there are, of one instant."""
        with self._database.reading() as connection:
            watermark, text, packed = connection.execute(ONE_MEMBER, {"subject": subject_id}).one()
        known_since = self._known_since
        if known_since[0] != text:
            known_since = self._known_since = text, pairs(text)
        return StoredMember(None if packed is None else restore(packed), int(watermark), known_since[1])

    def rows(self, subject_id: str) -> Tables:
        """A member's stored tables, for export and replay; empty where the store does not know them."""
        with self._database.reading() as connection:
            return rows_of(connection, [subject_id]).get(subject_id, {})

    def append(
        self, raw: Mapping[str, Any], *, key: SubjectKey, ingested_at: datetime, currency: str | None = None,
        clock_skew: timedelta = _NO_SKEW,
    ) -> int:  # fmt: skip
        """Add raw rows, of members the store knows or who join with them; all of them or none.

        Parameters
        ----------
        raw : mapping of str to table
            As for :func:`benne.features.load_events`, without ``members`` where nobody joins.
        key : SubjectKey
        ingested_at : datetime
            The ingest clock, later than every one before, and ``known_at`` of rows that have none.
            The watermark moves just behind it, so that what was added can be asked for at once.
        currency, clock_skew
            As for :func:`benne.features.load_events`. The first currency that is named is the
            store's from then on.

        Returns
        -------
        int
            How many rows were added.

        Raises
        ------
        EventSchemaError, EventValueError
            As for :func:`benne.features.load_events`; rows are held against the stored ones too,
            and may not have been known before the watermark.
        """
        door = Door(key, ingested_at, clock_skew, currency)
        with self._database.writing() as connection:
            state = locked(connection)
            if state.key_fingerprint != key.fingerprint:
                raise EventSchemaError("Rows must be keyed with the store's own key, got another. Name the right one.")
            _check_clock(door.clock, state.watermark)
            new = appended(raw, door, _held(connection, state))
            put(connection, new.members)
            remember(connection, identities(new.new))
            if "interactions" in new.new:
                add_links(connection, new.new["interactions"])
            known_since = {**new.known_since, **state.known_since}  # what is new came later
            # What became known now is seen from the next microsecond on, and nothing more will be known now.
            change(connection, State(state.key_fingerprint, door.clock + 1, known_since, new.currency))
        return new.rows

    def check(
        self, raw: Mapping[str, Any], *, key: SubjectKey, ingested_at: datetime, currency: str | None = None,
        clock_skew: timedelta = _NO_SKEW,
    ) -> int:  # fmt: skip
        """Hold raw rows against everything that :meth:`append` would, and add none; gives how many there are.

        Raises
        ------
        EventSchemaError, EventValueError
            As :meth:`append` would.
        """
        door = Door(key, ingested_at, clock_skew, currency)
        with self._database.writing() as connection:  # alone, so that it is held against one state of the store
            state = locked(connection)
            if state.key_fingerprint != key.fingerprint:
                raise EventSchemaError("Rows must be keyed with the store's own key, got another. Name the right one.")
            _check_clock(door.clock, state.watermark)
            return appended(raw, door, _held(connection, state)).rows

    def advance(self, ingested_at: datetime) -> None:
        """Say that everything known up to a moment is in the store, though nothing new came.

        Raises
        ------
        EventValueError
            If it lies before the watermark.
        """
        clock = microseconds(ingested_at)
        with self._database.writing() as connection:
            state = locked(connection)
            _check_clock(clock, state.watermark)
            change(connection, state._replace(watermark=clock + 1))

    def erase(self, subject_id: str) -> bool:
        """Remove everything of one member, and their id from the interactions of others.

        Parameters
        ----------
        subject_id : str

        Returns
        -------
        bool
            Whether there was anything.

        Raises
        ------
        EventValueError
            If it is no subject id: nobody's rows would be found.

        Notes
        -----
        Others keep what they did with them, under a random id that leads to nobody; a row that is
        appended afterwards and names the member again brings their id back. SQLite's log is wiped
        at last. Where somebody reads an older state of the store just then, that cannot be done
        yet: a warning says so, and :meth:`wipe` does it later.
        """
        if not re.fullmatch("[0-9a-f]{32}", subject_id):
            raise EventValueError(
                "subject_id must be 32 hexadecimal digits, got something else. Make it with SubjectKey.subject_ids."
            )
        with self._database.writing() as connection:
            locked(connection)
            found = erase(connection, subject_id)
        if not self.wipe():
            _log.warning(
                "What was erased from the event store stays in the log of its database, as somebody reads an older "
                "state of it. Call EventStore.wipe, or erase again, when they have done."
            )
        return found

    def wipe(self) -> bool:
        """Leave nothing in SQLite's files of what was erased; :meth:`erase` does so already.

        Returns
        -------
        bool
            False while somebody reads an older state of the store: wipe again when they have done.

        Notes
        -----
        Another database's files are not touched, and the answer is True: they are seen to by its
        own means (PostgreSQL: vacuum, and the log archive).
        """
        return self._database.wipe()


def _held(connection: Connection, state: State) -> Held:
    return Held(
        state.watermark, state.currency,
        lambda subjects: rows_of(connection, subjects),
        lambda wanted: taken(connection, wanted),
    )  # fmt: skip


def _check_clock(clock: int, watermark: int) -> None:
    if clock < watermark:
        raise EventValueError("The ingest clock must not run back, got one before the watermark. Check the clock.")
