"""Inserting many rows without compiling each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, insert

__all__ = ["insert_rows"]

_STATEMENTS: Final = 64  # of a few tables on one or two databases


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have every column of the table.

    The statement is compiled once and the driver takes plain values: half the time SQLAlchemy needs
    to bind a hundred thousand dictionaries. No column of ours converts its values, so nothing is lost.
    """
    if not rows:
        return
    statement, in_order = _statement(table, connection.dialect)
    connection.exec_driver_sql(statement, [in_order(row) for row in rows])


@lru_cache(_STATEMENTS)
def _statement(table: Table, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
    """The statement of a table, and what makes a row the values it takes."""
    compiled = insert(table).compile(dialect=dialect)
    names = compiled.positiontup
    return str(compiled), dict if names is None else itemgetter(*names)
