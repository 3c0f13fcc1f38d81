"""Ids that may be there once in the whole store, and not only among one member's rows.

A record that is booked to two members, or a due that two members owe, would count for both of
them. A load refuses them by looking at all of its rows. A store remembers the ids alone, sixteen
bytes each, so that an append need not read everybody's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, bindparam, delete, insert, select

from benne.features.engines.store_tables import IDENTITIES, portions
from benne.features.events.refusals import Findings, Place, Rule, row_refusals
from benne.features.events.tables import TABLES

__all__ = ["UNIQUE", "Taken", "Unique", "check_identities", "forget", "identities", "remember", "taken"]

Taken = Callable[[Sequence[bytes]], Collection[bytes]]
"""Of some identities, those that the store holds already."""

_ADVICE: Final = "The store holds it of another member: give every member's rows ids of their own."


@dataclass(frozen=True)
class Unique:
    """A column whose ids may be there once.

    Parameters
    ----------
    table, column : str
    rule : Rule
        As a load words it, see :mod:`benne.features.events.integrity`.
    first : bool
        Whether rows that correct another one may repeat its id.
    """

    table: str
    column: str
    rule: Rule
    first: bool = False


UNIQUE: Final = (
    *(Unique(name, "record_id", Rule("record_id", "be unique in the table", _ADVICE)) for name in TABLES),
    Unique("dues", "due_id", Rule("due_id", "be unique unless superseding", _ADVICE), first=True),
)
"""An identity is the place in here, as one byte, and the id. Where tables change places, packed rows
and with them the store are of another version."""


def identities(tables: Mapping[str, pa.Table]) -> list[bytes]:
    """Every identity in some stored tables."""
    return [one for _, ids in _numbered(tables) for one in ids if one is not None]


def check_identities(new: Mapping[str, pa.Table], taken_by_others: Taken, findings: Findings) -> None:
    """Check that new rows, which repeat no id of their own members, repeat none of others either.

    Raises
    ------
    EventValueError
        If they do.
    """
    for unique, ids in _numbered(new):
        held = set(taken_by_others([one for one in ids if one is not None]))
        wrong = np.array([row for row, one in enumerate(ids) if one in held], dtype=np.int64)
        findings.add(list(row_refusals(unique.rule, Place(unique.table), [("", wrong)])))


def taken(connection: Connection, wanted: Sequence[bytes]) -> set[bytes]:
    """Of some identities, those that are in the store."""
    found: set[bytes] = set()
    for some in portions(wanted):
        found.update(connection.execute(select(IDENTITIES).where(IDENTITIES.c.identity.in_(some))).scalars())
    return found


def remember(connection: Connection, new: Sequence[bytes]) -> None:
    """Put identities into the store."""
    if new:
        connection.execute(insert(IDENTITIES), [{"identity": one} for one in sorted(new)])


def forget(connection: Connection, gone: Sequence[bytes]) -> None:
    """Take identities out of the store."""
    if gone:
        named = delete(IDENTITIES).where(IDENTITIES.c.identity == bindparam("gone"))
        connection.execute(named, [{"gone": one} for one in gone])


def _numbered(tables: Mapping[str, pa.Table]) -> Iterator[tuple[Unique, list[bytes | None]]]:
    """Per unique column, the identity of each row; None where it corrects another and may repeat it."""
    for place, unique in enumerate(UNIQUE):
        if unique.table in tables:
            table = tables[unique.table]
            ids = table.column(unique.column)
            if unique.first:
                ids = pc.if_else(pc.is_null(table.column("supersedes")), ids, pa.scalar(None, ids.type))
            mark = bytes([place])
            yield unique, [None if one is None else mark + bytes.fromhex(one) for one in ids.to_pylist()]
