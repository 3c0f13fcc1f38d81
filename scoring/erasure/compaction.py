"""Leaving no byte of what was deleted in the files of a database.

A deleted row stays where it was until its place is used again, and in the write-ahead log. Both databases can
write themselves anew; neither drops a row that somebody who reads an older state might still want to see.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

__all__ = ["compact"]

_TRIES: Final = 50
_SECONDS_BETWEEN: Final = 0.1
_LOCK_PATIENCE: Final = "30s"
_WIPING_TRIES: Final = 5_000
_WIPING_PAUSE: Final = 0.001

_OLDER_READERS: Final = """
SELECT (SELECT count(*) FROM pg_stat_activity
        WHERE (datname = current_database() OR datname IS NULL) AND pid <> pg_backend_pid()
        AND (age(backend_xmin) > age(%(now)s::xid) OR age(backend_xid) > age(%(now)s::xid)))
     + (SELECT count(*) FROM pg_prepared_xacts
        WHERE database = current_database() AND age(transaction) > age(%(now)s::xid))
     + (SELECT count(*) FROM pg_replication_slots WHERE age(xmin) > age(%(now)s::xid))
"""
"""Sessions, prepared transactions and standbys for whom PostgreSQL keeps what was deleted before now."""

_log = logging.getLogger(__name__)


def compact(engine: Engine, tables: Collection[str]) -> bool:
    """Write a database's files anew, without what was deleted.

    Parameters
    ----------
    engine : Engine
        Of SQLite or PostgreSQL.
    tables : collection of str
        Of PostgreSQL's, those from which something was deleted; SQLite is written anew as a whole.

    Returns
    -------
    bool
        False while somebody reads an older state of the database, or holds it locked: try again when they have done.

    Notes
    -----
    PostgreSQL's write-ahead log is left behind as far as the role may do so (``pg_switch_wal`` and ``CHECKPOINT``);
    a warning says where it may not, or where old segments are kept for use again.
    """
    return _sqlite(engine) if engine.dialect.name == "sqlite" else _postgresql(engine, tables)


def _sqlite(engine: Engine) -> bool:
    pooled = engine.raw_connection()  # a connection of SQLAlchemy's own would begin a transaction
    cursor = pooled.cursor()
    (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
    try:
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA busy_timeout = 0")
        return _log_is_emptied(cursor)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        return False
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {patience}")
        pooled.close()


def _log_is_emptied(cursor: Any) -> bool:
    # Often and not long: where a service writes without a break, only the gap between two transactions will do,
    # and SQLite's own waiting, which gets longer each time, misses it.
    for _ in range(_WIPING_TRIES):
        busy, *_rest = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return True
        time.sleep(_WIPING_PAUSE)
    return False


def _postgresql(engine: Engine, tables: Collection[str]) -> bool:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not _readers_are_gone(connection):
            return False
        try:
            connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_PATIENCE}'")
            for table in tables:
                connection.exec_driver_sql(f"VACUUM FULL {table}")
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
                raise
            return False
        finally:
            connection.exec_driver_sql("RESET lock_timeout")
        _leave_the_log_behind(connection)
    return True


def _readers_are_gone(connection: Connection) -> bool:
    now = connection.exec_driver_sql("SELECT pg_current_xact_id()::xid::text").scalar_one()
    for _ in range(_TRIES):
        if not connection.exec_driver_sql(_OLDER_READERS, {"now": now}).scalar_one():
            return True
        connection.exec_driver_sql(f"SELECT pg_sleep({_SECONDS_BETWEEN})")
    return False


def _leave_the_log_behind(connection: Connection) -> None:
    recycled = connection.exec_driver_sql("SHOW wal_recycle").scalar_one() == "on"
    try:
        connection.exec_driver_sql("SELECT pg_switch_wal()")
        connection.exec_driver_sql("CHECKPOINT")
    except ProgrammingError:  # insufficient_privilege
        recycled = True
    if recycled:
        _log.warning(
            "What was erased, unreadable without its key, may stay in segments of PostgreSQL's write-ahead log until "
            "they are used again. Set wal_recycle = off, and let the role call pg_switch_wal and CHECKPOINT."
        )
