"""Moments as the store keeps them: whole microseconds since 1970-01-01 UTC.

SQLite has no time zone and PostgreSQL converts to the session's, so neither is trusted with one:
columns named ``*_us`` are 64-bit integers, and everything outside the store is timezone-aware.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from benne.errors import ConsentRecordError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(moment: datetime, name: str) -> int:
    """Microseconds since 1970-01-01 UTC.

    Raises
    ------
    ConsentRecordError
        If ``moment`` carries no time zone.

    Examples
    --------
    >>> to_microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "known_at")
    1000000
    """
    if moment.tzinfo is None:
        raise ConsentRecordError(f"{name} must be timezone-aware, got a naive datetime. Attach its zone.")
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Timezone-aware UTC datetime, the inverse of :func:`to_microseconds`."""
    return _EPOCH + timedelta(microseconds=microseconds)
