"""Consents that ran out, and those that soon will."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, or_

from benne.errors import ConsentRecordError
from benne.scoring.consent.last_acts import Category, last_acts, read
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.writing import NewEvent, append_events
from benne.scoring.store.schema import consent_events

__all__ = ["Ending", "Sweep", "ending_between", "expire"]

_START: Final = (0, 0)


class Sweep(NamedTuple):
    """What one batch did.

    ``after`` is where the next batch goes on; None when nothing is left.
    """

    expired: int
    after: tuple[int, int] | None


class Ending(NamedTuple):
    """What one record still gives, and until when."""

    subject_id: str
    purpose: str
    recipient: str
    record_id: str
    categories: tuple[str, ...]
    valid_until: datetime


def expire(connection: Connection, now_us: int, batch: int = 1_000, after: tuple[int, int] | None = None) -> Sweep:
    """Write down that consents ran out: one ``expired`` event for each category whose last act gave it until then.

    A consent ends when it ends, whether or not anybody sweeps; this only puts it on record. Swept again, nothing is
    added.

    Parameters
    ----------
    connection : Connection
        Of a transaction that holds the writers' lock.
    now_us : int
        Microseconds since 1970-01-01 UTC; not before the ledger's own time.
    batch : int, default=1000
        Events at most.
    after : tuple of int, optional
        Where the last batch said to go on.

    Raises
    ------
    ConsentRecordError
        If ``batch`` is no whole number from 1.

    Examples
    --------
    >>> from benne.scoring import open_store
    >>> store = open_store("sqlite://")
    >>> with store.write() as connection:
    ...     expire(connection, now_us=1_772_366_400_000_000)
    Sweep(expired=0, after=None)
    >>> with store.write() as connection:
    ...     expire(connection, now_us=1_772_366_400_000_000, batch=0)
    Traceback (most recent call last):
    ...
    benne.errors.ConsentRecordError: A batch must be a whole number from 1, got another. ...
    >>> store.close()
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ConsentRecordError("A batch must be a whole number from 1, got another. Say how many to write at once.")
    e = consent_events.c
    until, seq = after or _START
    query = (
        last_acts()
        .where(e.valid_until_us <= now_us, or_(e.valid_until_us > until, and_(e.valid_until_us == until, e.seq > seq)))
        .order_by(e.valid_until_us, e.seq)
        .limit(batch)
    )
    ended = read(connection, query)
    append_events(connection, [_expired(one) for one in ended], now_us)
    last = ended[-1] if len(ended) == batch else None
    return Sweep(len(ended), None if last is None else (_end(last), last.seq))


def ending_between(connection: Connection, from_us: int, until_us: int) -> list[Ending]:
    """Consents that stand at ``from_us`` and run out by ``until_us``, soonest first, a record at a time.

    Parameters
    ----------
    connection : Connection
    from_us, until_us : int
        Microseconds since 1970-01-01 UTC.
    """
    e = consent_events.c
    query = last_acts().where(e.valid_until_us > from_us, e.valid_until_us <= until_us)
    return _by_record(read(connection, query.order_by(e.valid_until_us, e.seq)))


def _by_record(categories: Iterable[Category]) -> list[Ending]:
    records: dict[str, list[Category]] = {}
    for one in categories:
        records.setdefault(one.record_id, []).append(one)
    return [
        Ending(
            subject_id=alike[0].subject_id,
            purpose=alike[0].purpose,
            recipient=alike[0].recipient,
            record_id=record_id,
            categories=tuple(sorted(one.category for one in alike)),
            valid_until=from_microseconds(_end(alike[0])),
        )
        for record_id, alike in records.items()
    ]


def _expired(category: Category) -> NewEvent:
    return NewEvent(
        category.record_id, category.category, _end(category), None, "system", category.consent_type, "expired"
    )


def _end(category: Category) -> int:
    """Queries above ask only for acts that give something, which all have an end."""
    return category.valid_until_us or 0
