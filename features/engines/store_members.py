"""Members' rows in the database of an event store, and who is named in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
from sqlalchemy import Connection, bindparam, delete, insert, select

from benne.features.engines.member_rows import from_bytes, loaded_from, to_bytes
from benne.features.engines.packed import dump
from benne.features.engines.store_tables import LINKS, MEMBERS, portions

__all__ = ["Tables", "add_links", "put", "rows_of"]

Tables = dict[str, pa.Table]

_ONE_GONE = delete(MEMBERS).where(MEMBERS.c.subject_id == bindparam("gone"))


def rows_of(connection: Connection, subjects: Sequence[str]) -> dict[str, Tables]:
    """The stored tables of some members; those the store does not know are left out."""
    found = {}
    for some in portions(subjects):
        wanted = select(MEMBERS.c.subject_id, MEMBERS.c.rows).where(MEMBERS.c.subject_id.in_(some))
        found.update({subject: from_bytes(rows) for subject, rows in connection.execute(wanted)})
    return found


def put(connection: Connection, members: Mapping[str, Tables]) -> None:
    """Store all rows of some members, in place of what is stored of them."""
    for some in portions(list(members)):
        connection.execute(_ONE_GONE, [{"gone": subject} for subject in some])
        connection.execute(insert(MEMBERS), [_row(subject, members[subject]) for subject in some])


def add_links(connection: Connection, interactions: pa.Table) -> None:
    """Remember who is named in new interactions."""
    named, naming = (interactions.column(c).to_pylist() for c in ("other_id", "subject_id"))
    pairs = set(zip(named, naming, strict=True))
    for some in portions(sorted(set(naming))):
        known = connection.execute(select(LINKS.c.other_id, LINKS.c.subject_id).where(LINKS.c.subject_id.in_(some)))
        pairs.difference_update((other, subject) for other, subject in known)
    if pairs:
        connection.execute(insert(LINKS), [{"other_id": other, "subject_id": one} for other, one in sorted(pairs)])


def _row(subject: str, tables: Tables) -> dict[str, object]:
    return {"subject_id": subject, "rows": to_bytes(tables), "packed": dump(loaded_from(tables))}
