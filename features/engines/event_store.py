"""Members' events in a database, one row a member: appended through the door, read in one query."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from benne.errors import EventSchemaError, EventValueError, StoreError
from benne.features.compute import Loaded
from benne.features.engines.appending import Tables, appended
from benne.features.engines.embedded import Layout, RangeReader
from benne.features.engines.member_rows import from_bytes, loaded_from, to_bytes
from benne.features.engines.packed import dump, one_member, restore
from benne.features.engines.task import Members
from benne.features.events.batches import Door
from benne.features.events.events import Events
from benne.features.events.keys import SubjectKey
from benne.features.events.moments import microseconds
from benne.features.events.validation import LATEST

__all__ = ["EventStore", "StoredMember"]

_FORMAT: Final = 2
_BUSY_MILLISECONDS: Final = 30_000
_MAKE_ONE: Final = "Make it: benne store create, or EventStore.create."
_NO_SKEW: Final = timedelta(0)

_METADATA = MetaData()
_STORE = Table(
    "event_store", _METADATA,
    Column("format", Integer, primary_key=True, autoincrement=False),
    Column("key_fingerprint", String(64), nullable=False),
    Column("watermark", BigInteger, nullable=False),
    Column("known_since", String, nullable=False),
)  # fmt: skip
_MEMBERS = Table(
    "member_events", _METADATA,
    Column("subject_id", String(32), primary_key=True),
    Column("rows", LargeBinary, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)  # fmt: skip
_SUBJECT = bindparam("subject", type_=String)
_ONE = select(_STORE.c.watermark, _STORE.c.known_since, _MEMBERS.c.packed).select_from(
    _STORE.outerjoin(_MEMBERS, _MEMBERS.c.subject_id == _SUBJECT)
)

KnownSince = Mapping[tuple[str, str], int]
Progress = Callable[[int, int], None]


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
    engine : Engine
        From :meth:`create` or :meth:`open`.

    Notes
    -----
    Each member's rows lie in one database row, twice: as they were stored, and in the kernel's
    form. The watermark only moves on; a row that becomes known later belongs after it, so that
    nothing changes an observation before the watermark: neither a row of the member's own, nor
    the first row that anybody has in a table.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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
        store = cls(_engine(url))
        moment = microseconds(watermark)
        try:
            with store._transaction() as connection:
                if inspect(connection).has_table(_STORE.name):
                    raise StoreError("A new event store must be made where none is, got one. Open it, or name another.")
                _METADATA.create_all(connection)
                connection.execute(insert(_STORE), {
                    "format": _FORMAT, "key_fingerprint": events.key_fingerprint, "watermark": moment + 1,
                    "known_since": _text(events.known_since),
                })  # fmt: skip
                for rows in _all_members(events, moment, progress):
                    connection.execute(insert(_MEMBERS), rows)
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
        store = cls(_engine(url, must_exist=True))
        try:
            with store._transaction() as connection:
                found = inspect(connection).has_table(_STORE.name)
                formats = connection.execute(select(_STORE.c.format)).scalars().all() if found else []
            if formats != [_FORMAT]:
                got = formats or "no store"
                raise StoreError(f"An event store must have format {_FORMAT}, got {got}. {_MAKE_ONE}")
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    @property
    def watermark(self) -> int:
        """Everything known before this moment is in the store; microseconds since 1970-01-01 UTC."""
        with self._transaction() as connection:
            return int(connection.execute(select(_STORE.c.watermark)).scalar_one())

    def member(self, subject_id: str) -> StoredMember:
        """Everything of one member, the watermark and what columns there are, of one instant."""
        with _typed_failures(), self._engine.connect() as connection:
            watermark, text, packed = connection.execute(_ONE, {"subject": subject_id}).one()
        known_since = self._known_since
        if known_since[0] != text:
            known_since = self._known_since = text, _pairs(text)
        return StoredMember(None if packed is None else restore(packed), int(watermark), known_since[1])

    def rows(self, subject_id: str) -> Tables:
        """A member's stored tables, for export and replay; empty where the store does not know them."""
        with self._transaction() as connection:
            return _stored(connection, [subject_id]).get(subject_id, {})

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
            As for :func:`benne.features.load_events`.

        Returns
        -------
        int
            How many rows were added.

        Raises
        ------
        EventSchemaError, EventValueError
            As for :func:`benne.features.load_events`; rows are held against the stored ones of
            their members too, and may not have been known before the watermark.
        """
        door = Door(key, ingested_at, clock_skew, currency)
        with self._transaction() as connection:
            fingerprint, watermark, text = connection.execute(
                select(_STORE.c.key_fingerprint, _STORE.c.watermark, _STORE.c.known_since).with_for_update()
            ).one()
            if fingerprint != key.fingerprint:
                raise EventSchemaError("Rows must be keyed with the store's own key, got another. Name the right one.")
            _check_clock(door.clock, watermark)
            new = appended(raw, door, watermark, lambda subjects: _stored(connection, subjects))
            if new.members:
                connection.execute(delete(_MEMBERS).where(_MEMBERS.c.subject_id.in_(list(new.members))))
                connection.execute(insert(_MEMBERS), [_member(s, tables) for s, tables in new.members.items()])
            known_since = _text({**new.known_since, **_pairs(text)})  # what is new came later
            # What became known now is seen from the next microsecond on, and nothing more will be known now.
            connection.execute(update(_STORE).values(watermark=door.clock + 1, known_since=known_since))
        return new.rows

    def advance(self, ingested_at: datetime) -> None:
        """Say that everything known up to a moment is in the store, though nothing new came.

        Raises
        ------
        EventValueError
            If it lies before the watermark.
        """
        clock = microseconds(ingested_at)
        with self._transaction() as connection:
            _check_clock(clock, connection.execute(select(_STORE.c.watermark).with_for_update()).scalar_one())
            connection.execute(update(_STORE).values(watermark=clock + 1))

    def erase(self, subject_id: str) -> bool:
        """Remove everything of one member; whether there was anything."""
        with self._transaction() as connection:
            gone = connection.execute(delete(_MEMBERS).where(_MEMBERS.c.subject_id == subject_id))
            return bool(gone.rowcount)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _typed_failures(), self._engine.connect() as connection:
            writing = connection.execution_options(benne_write=True)
            with writing.begin():
                yield writing


def _check_clock(clock: int, watermark: int) -> None:
    if clock < watermark:
        raise EventValueError("The ingest clock must not run back, got one before the watermark. Check the clock.")


def _stored(connection: Connection, subjects: list[str]) -> dict[str, Tables]:
    wanted = select(_MEMBERS.c.subject_id, _MEMBERS.c.rows).where(_MEMBERS.c.subject_id.in_(subjects))
    return {subject: from_bytes(rows) for subject, rows in connection.execute(wanted)}


def _member(subject: str, tables: Tables) -> dict[str, object]:
    return {"subject_id": subject, "rows": to_bytes(tables), "packed": dump(loaded_from(tables))}


def _text(known_since: KnownSince) -> str:
    return json.dumps(sorted((table, column, since) for (table, column), since in known_since.items()))


def _pairs(text: str) -> dict[tuple[str, str], int]:
    return {(table, column): since for table, column, since in json.loads(text)}


def _all_members(events: Events, watermark: int, progress: Progress | None) -> Iterator[list[dict[str, object]]]:
    """The rows of the table of members, a range at a time."""
    subjects = np.unique(events.read("members").column("subject_id").to_numpy(zero_copy_only=False))
    members = Members(subjects, {name: np.full(len(subjects), LATEST) for name in events.tables})
    with TemporaryDirectory(prefix="benne-sorted-") as folder:
        layout = Layout(events, members, Path(folder))
        reader = RangeReader(layout)
        for first, last in layout.ranges():
            loaded = reader.read(first, last)
            if loaded.partition.rows.known_at.max(initial=watermark) > watermark:
                raise EventValueError("No row may be known after the watermark, got some. Give the ingest clock.")
            stored = reader.stored(first, last)
            yield [
                {"subject_id": str(subjects[first + k]), "packed": dump(one_member(loaded, k)),
                 "rows": to_bytes({name: table for name, tables in stored.items() if (table := tables.get(k))})}
                for k in range(last - first)
            ]  # fmt: skip
            if progress is not None:
                progress(last, len(subjects))
        reader.close()


def _engine(url: str | Path, *, must_exist: bool = False) -> Engine:
    address = make_url(url) if isinstance(url, str) and "://" in url else URL.create("sqlite", database=str(url))
    if must_exist and address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        raise StoreError(f"An event store must be at {address.database}, got none. {_MAKE_ONE}")
    engine = create_engine(address, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None
    for setting in (
        "journal_mode = wal",
        "secure_delete = on",
        "synchronous = full",
        f"busy_timeout = {_BUSY_MILLISECONDS}",
    ):
        connection.execute(f"pragma {setting}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock before it reads; readers get a snapshot and wait for nobody.
    writes = connection.get_execution_options().get("benne_write", False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


@contextmanager
def _typed_failures() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as problem:
        kind = type(problem).__name__
        raise StoreError(
            f"The event store must be reachable and whole, got {kind}. Check its address, rights and disk."
        ) from None
