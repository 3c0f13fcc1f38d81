"""What governance keeps in its tables, held against the audit chain: a row that was changed, or slipped in, is noticed.

The chain itself is verified by ``benne audit verify`` and its anchors; here one record is looked up and its own hash
made again, so that whoever changes a row must have forged the chain as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from benne.scoring.audit.links import digest
from benne.scoring.audit.vocabulary import EventType
from benne.scoring.canonical import canonical_json
from benne.scoring.store.audit_tables import audit_records

__all__ = ["hash_of", "is_on_chain", "text_hash"]


def hash_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of a document's one spelling, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(content)).hexdigest()


def text_hash(text: str) -> str:
    """SHA-256 of a text as UTF-8, 64 hexadecimal digits.

    Examples
    --------
    >>> text_hash("gates")[:8]
    '7a3b3573'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def is_on_chain(connection: Connection, event_id: str, kind: EventType, **columns: str) -> bool:
    """Whether the chain has an event of this kind whose columns say what is given, and which is as it was hashed.

    Parameters
    ----------
    connection : Connection
    event_id : str
    kind : str
    columns : str
        Names and values of columns of the record, such as ``output_digest``.
    """
    query = select(audit_records).where(audit_records.c.event_id == event_id)
    row: Row[Any] | None = connection.execute(query).one_or_none()
    if row is None or digest(tuple(row)[:-1]) != row.hash:
        return False
    said = row._mapping
    return said["type"] == kind and all(said[name] == value for name, value in columns.items())
