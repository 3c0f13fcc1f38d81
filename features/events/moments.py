"""Moments as the door counts them: whole microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from benne.errors import EventSchemaError

__all__ = ["EARLIEST", "LATEST", "microseconds", "moment_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware datetime.

    Raises
    ------
    EventSchemaError
        If it is no datetime, or a naive one.

    Examples
    --------
    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    if not isinstance(moment, datetime):
        raise EventSchemaError(
            f"A clock must be a timezone-aware datetime, got {type(moment).__name__}. Use datetime.now(UTC)."
        )
    if moment.tzinfo is None:
        raise EventSchemaError("A clock must be timezone-aware, got a naive datetime. Use datetime.now(UTC).")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(count: int) -> datetime:
    """The moment so many microseconds after 1970-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=count)


EARLIEST = microseconds(datetime(1900, 1, 1, tzinfo=UTC))
"""The first moment an event may have: before it stand only mistaken dates."""

LATEST = microseconds(datetime(2200, 1, 1, tzinfo=UTC))
"""The first moment no event may have: from it on stand only placeholders for 'no end'."""
