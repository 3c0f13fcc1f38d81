"""Where the live side is put together: the only place that reaches for a clock or for chance."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.store.database import open_store

__all__ = ["open_ledger", "random_id", "system_clock"]


def system_clock() -> datetime:
    """The operating system's time, in UTC."""
    return datetime.now(UTC)


def random_id() -> str:
    """A random UUID as 36 characters."""
    return str(uuid.uuid4())


def open_ledger(url: str | Path | URL) -> ConsentLedger:
    """Open (or make) a store and the ledger in it, on the system's clock.

    Raises
    ------
    StoreError
        If the database cannot be opened, is not Benne's, or is of a newer version.
    """
    return ConsentLedger(open_store(url), clock=system_clock, ids=random_id)
