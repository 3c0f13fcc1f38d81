"""Opening the store: one SQL schema, SQLite embedded by default, PostgreSQL in production."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from benne.errors import StoreError
from benne.scoring.store import upgrade

__all__ = ["Store", "open_store"]

_BUSY_MILLISECONDS = 30_000
_WRITE = "benne_write"
_LOGGER = "benne"
_WRITER_LOCK = 0x62656E6E65  # "benne", the key of PostgreSQL's advisory lock


class Store:
    """A migrated database with two ways in: to read, and to write alone.

    Parameters
    ----------
    engine : Engine
        From :func:`open_store`, which sets the connection's rules and migrates.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the store."""
        with _typed_failures(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction while nobody else writes: all of it is kept, or nothing.

        The lock is taken before the first read, so that what was read is still so when it commits.
        """
        with _typed_failures(), self.engine.connect() as connection:
            locked = connection.execution_options(**{_WRITE: True})
            with locked.begin():
                if locked.dialect.name == "postgresql":
                    locked.exec_driver_sql(f"SET LOCAL lock_timeout = {_BUSY_MILLISECONDS}")
                    locked.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
                yield locked

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def open_store(url: str | Path | URL, *, migrate: bool = True) -> Store:
    """Open a store, making or migrating it first.

    Parameters
    ----------
    url : str, Path or URL
        A SQLAlchemy address, or the path of a SQLite file. ``sqlite://`` is a store in memory,
        for one thread.
    migrate : bool, default=True
        Bring an empty or older schema up to date. Production databases that are migrated by
        somebody else pass False and are only checked.

    Raises
    ------
    StoreError
        If the database cannot be reached or read, is not Benne's, or is of another version.

    Examples
    --------
    >>> store = open_store("sqlite://")
    >>> store.close()
    >>> open_store("sqlite:////nowhere/at/all.db")
    Traceback (most recent call last):
    ...
    benne.errors.StoreError: The store must be reachable and readable, got OperationalError. ...
    """
    with _typed_failures():
        store = Store(_engine(_address(url)))
        try:
            with store.write() as connection:
                upgrade.bring_up_to_date(connection, migrate=migrate)
        except BaseException:
            store.close()
            raise
    return store


def _address(url: str | Path | URL) -> URL:
    if isinstance(url, URL):
        return url
    if isinstance(url, str) and "://" in url:
        return make_url(url)
    if not isinstance(url, str | Path) or not str(url).strip():
        raise StoreError(f"A store's address must be a path or URL, got {type(url).__name__}. Name the ledger's file.")
    return URL.create("sqlite", database=str(url))


def _engine(url: URL) -> Engine:
    in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
    # Neither parameters nor, with the logger below, result rows reach exceptions or logs.
    logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGER}").addFilter(_without_rows)
    if in_memory:
        engine = create_engine(url, hide_parameters=True, logging_name=_LOGGER, poolclass=StaticPool)
    else:
        engine = create_engine(url, hide_parameters=True, logging_name=_LOGGER)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _without_rows(record: logging.LogRecord) -> bool:
    """SQLAlchemy logs every row it fetches on DEBUG, members' ids included."""
    return record.levelno > logging.DEBUG


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    for pragma in (
        f"busy_timeout = {_BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged withdrawal survives a power cut
        "foreign_keys = ON",
        "secure_delete = ON",  # what is deleted is overwritten
        "recursive_triggers = ON",  # else INSERT OR REPLACE would slip past the DELETE triggers
        "trusted_schema = OFF",
        "cache_size = -65536",  # KiB; the chains' indexes stay in memory during bulk grants
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _typed_failures() -> Iterator[None]:
    try:
        yield
    except ArgumentError:
        raise StoreError("The store's address must be a SQLAlchemy URL or a file path, got something else.") from None
    except (SQLAlchemyError, sqlite3.Error, ModuleNotFoundError) as error:
        _raise_alone(
            f"The store must be reachable and readable, got {type(error).__name__}. "
            "Check its address, its permissions and that it is a Benne database."
        )


def _raise_alone(message: str) -> NoReturn:
    """Raise without what it came from: a driver's own text may quote the row it refused, and tools print contexts."""
    try:
        raise StoreError(message)
    except StoreError as error:
        error.__context__ = None
        raise
