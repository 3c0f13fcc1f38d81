"""The tables of an event store in its database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, bindparam, select

__all__ = ["FORMAT", "IDENTITIES", "LINKS", "MEMBERS", "METADATA", "ONE_MEMBER", "STORE", "portions"]

FORMAT: Final = 2

METADATA: Final = MetaData()

STORE: Final = Table(
    "event_store", METADATA,
    Column("format", Integer, primary_key=True, autoincrement=False),
    Column("key_fingerprint", String(64), nullable=False),
    Column("watermark", BigInteger, nullable=False),
    Column("known_since", String, nullable=False),
    Column("currency", String(3)),
)  # fmt: skip
"""One row: what is true of the whole store. ``currency`` is null until an amount's is known."""

MEMBERS: Final = Table(
    "member_events", METADATA,
    Column("subject_id", String(32), primary_key=True),
    Column("rows", LargeBinary, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)  # fmt: skip
"""Every member's rows, twice: as they were stored, and in the kernel's form."""

LINKS: Final = Table(
    "member_links", METADATA,
    Column("other_id", String(32), primary_key=True),
    Column("subject_id", String(32), primary_key=True),
    Index("member_links_by_subject", "subject_id"),
    sqlite_with_rowid=False,
)  # fmt: skip
"""Who is named (``other_id``) in whose interactions (``subject_id``): every such pair, and no other."""

IDENTITIES: Final = Table(
    "store_identities", METADATA,
    Column("identity", LargeBinary, primary_key=True),
    sqlite_with_rowid=False,
)  # fmt: skip
"""Every id that may be there once in the whole store; see :mod:`benne.features.engines.store_identities`."""

ONE_MEMBER: Final = select(STORE.c.watermark, STORE.c.known_since, MEMBERS.c.packed).select_from(
    STORE.outerjoin(MEMBERS, MEMBERS.c.subject_id == bindparam("subject", type_=String))
)
"""Watermark, what columns there are and one member's packed rows, in one statement and so of one instant."""

_AT_ONCE: Final = 500  # SQLite may be built to take as few as 999 parameters

_Item = TypeVar("_Item")


def portions(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """As many at a time as one statement may name, and as fit into memory with their rows."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
