"""What governance keeps in its tables, held against the audit chain: a row that was changed, or slipped in, is noticed.

The chain itself is verified by ``benne audit verify`` and its anchors; here one record is looked up and its own hash
made again, so that whoever changes a row must have forged the chain as well. What was recorded is looked for from the
chain's side too: a row that was taken away, or put into another place, is missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from benne.scoring.audit.links import digest
from benne.scoring.audit.vocabulary import EventType
from benne.scoring.canonical import canonical_json
from benne.scoring.store.audit_tables import audit_records

__all__ = ["events_on_chain", "hash_of", "is_on_chain", "newest_says", "text_hash"]

_C = audit_records.c


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


def events_on_chain(connection: Connection, kind: EventType, config_hash: str | None = None) -> list[str]:
    """Ids of the events of a kind that were not refused, the newest first.

    Parameters
    ----------
    connection : Connection
    kind : str
    config_hash : str, optional
        Of the model's files that they are about; by default of any.
    """
    query = _of_kind(select(_C.event_id), kind)
    if config_hash is not None:
        query = query.where(_C.config_hash == config_hash)
    return list(connection.execute(query).scalars())


def newest_says(connection: Connection, kinds: Sequence[EventType], **columns: str | None) -> bool:
    """Whether the newest event of some kinds that was not refused says what is given, and is as it was hashed.

    Parameters
    ----------
    connection : Connection
    kinds : sequence of str
    columns : str or None
        Names and values of columns of the record.
    """
    newest = (connection.execute(_of_kind(select(audit_records), kind).limit(1)).one_or_none() for kind in kinds)
    row: Row[Any] | None = max((one for one in newest if one is not None), key=lambda one: int(one.seq), default=None)
    if row is None or digest(tuple(row)[:-1]) != row.hash:
        return False
    return all(row._mapping[name] == value for name, value in columns.items())


def _of_kind(query: Select[Any], kind: EventType) -> Select[Any]:
    """The first condition is the index's own, so that a database can use it."""
    about_nobody = query.where(_C.subject_hmac.is_(None), _C.type == kind, _C.deny_reason.is_(None))
    return about_nobody.order_by(_C.seq.desc())
