"""The database of an event store: readers that wait for nobody, one writer, and no remains of what was deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from benne.errors import StoreError

__all__ = ["MAKE_ONE", "Database"]

MAKE_ONE: Final = "Make it: benne store create, or EventStore.create."

_BUSY_MILLISECONDS: Final = 30_000
_WIPING_MILLISECONDS: Final = 2_000  # writers wait while the log is wiped


class Database:
    """A database with two ways in: to read one instant of it, and to write alone.

    Parameters
    ----------
    engine : Engine
        From :meth:`at`, which sets the connections' rules.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def at(cls, url: str | Path, *, must_exist: bool = False) -> Database:
        """The database at a SQLAlchemy address or in a SQLite file.

        Raises
        ------
        StoreError
            If a SQLite file must exist and does not.
        """
        address = make_url(url) if isinstance(url, str) and "://" in url else URL.create("sqlite", database=str(url))
        if must_exist and address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
            raise StoreError(f"An event store must be at {address.database}, got none. {MAKE_ONE}")
        engine = create_engine(address, hide_parameters=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return cls(engine)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One instant of the database; waits for no writer where the database is SQLite."""
        with _typed_failures(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is kept, or nothing."""
        with _typed_failures(), self._engine.connect() as connection:
            alone = connection.execution_options(benne_write=True)
            with alone.begin():
                yield alone

    def wipe(self) -> bool:
        """Move SQLite's write-ahead log into the database and empty it: it still holds what was deleted.

        Returns
        -------
        bool
            False where somebody reads an older state of the database, which needs the log. True
            where the log is empty, and for other databases, whose own means see to their files
            (PostgreSQL: vacuum).
        """
        if self._engine.dialect.name != "sqlite":
            return True
        with _typed_failures():
            pooled = self._engine.raw_connection()  # a connection of SQLAlchemy's own would begin a transaction
            cursor = pooled.cursor()
            try:
                cursor.execute(f"pragma busy_timeout = {_WIPING_MILLISECONDS}")
                busy, *_ = cursor.execute("pragma wal_checkpoint(truncate)").fetchone()
            finally:
                cursor.execute(f"pragma busy_timeout = {_BUSY_MILLISECONDS}")
                pooled.close()
        return not busy

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()


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
    except (SQLAlchemyError, sqlite3.Error) as problem:
        kind = type(problem).__name__
        raise StoreError(
            f"The event store must be reachable and whole, got {kind}. Check its address, rights and disk."
        ) from None
