"""What a caller does in the group's transaction: one unit, kept whole with its audit records or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from benne.errors import AuditRecordError, AuditWriteError
from benne.scoring.audit.chain import append
from benne.scoring.audit.links import Head
from benne.scoring.audit.record import AuditEntry, AuditRecord

__all__ = ["Committed", "Work", "in_a_savepoint"]

T = TypeVar("T")
Work = Callable[[Connection, int], tuple[Iterable[AuditEntry], T]]
"""Takes the transaction and its moment in microseconds; gives what to record, and an answer of its own."""


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """What came of a unit of work, after its commit.

    Attributes
    ----------
    result
        The answer of the work.
    records : tuple of AuditRecord
        Its entries in their places in the chain.
    """

    result: T
    records: tuple[AuditRecord, ...]


def in_a_savepoint(connection: Connection, work: Work[T], last: Head, now_us: int) -> Committed[T] | Exception:
    """Run work and append its entries after ``last``.

    Returns
    -------
    Committed or Exception
        What came of it, to be given once the transaction has committed; or what went wrong, and then nothing
        of it is left.

    Raises
    ------
    Exception
        If the transaction itself is lost.
    """
    connection.exec_driver_sql("SAVEPOINT benne_unit")
    try:
        entries, result = work(connection, now_us)
        _require_a_transaction(connection)
        records = append(connection, entries, now_us=now_us, after=last)
        if not records:
            raise AuditRecordError("Work must record at least one entry, got none. No audit, no answer.")
    except Exception as error:
        if connection.invalidated:  # the transaction went with the connection, and everybody's work with it
            raise
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT benne_unit")
        connection.exec_driver_sql("RELEASE SAVEPOINT benne_unit")
        return _refused(error) if isinstance(error, SQLAlchemyError | sqlite3.Error) else error
    connection.exec_driver_sql("RELEASE SAVEPOINT benne_unit")
    return Committed(result, records)


def _require_a_transaction(connection: Connection) -> None:
    """SQLite rolls everything back by itself where a disk is full; what came after would commit on its own."""
    if not getattr(connection.connection.dbapi_connection, "in_transaction", True):
        raise AuditWriteError("Work must leave the transaction open, got it ended. Neither commit nor roll back in it.")


def _refused(error: Exception) -> AuditWriteError:
    # The cause stays out: a driver's own text may quote the row it refused.
    return AuditWriteError(
        f"Work must be such that the database takes it, got {type(error).__name__}. Nothing of it was kept."
    )
