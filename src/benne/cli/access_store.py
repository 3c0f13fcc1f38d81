"""The service's database, opened for commands that change who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benne.cli.console import note
from benne.errors import StoreError

if TYPE_CHECKING:
    from benne.scoring import Store
    from benne.scoring.access import Administration
    from benne.scoring.audit.unit_of_work import Work

__all__ = ["administration", "opened", "recorded"]

T = TypeVar("T")
_NO_POLICIES = "console"
"""Stands for a version of policies in records of what the console did: it asks none."""


@contextmanager
def opened(address: str, *, make: bool = False) -> Iterator[Store]:
    """A store that is there, or with ``make`` one that is made."""
    from benne.scoring import open_store

    missing = "://" not in address and not Path(address).is_file()
    if missing and not make:
        raise StoreError(f"The ledger must exist, got no file {address}. Register a recipient: benne recipients add")
    if missing:
        note(f"{address} is new.")
    store = open_store(address)
    try:
        yield store
    finally:
        store.close()


def administration() -> Administration:
    """Changes in the name of whoever sits at the console."""
    from benne.scoring.access import Administration, Principal
    from benne.scoring.wiring import random_id

    return Administration(Principal(id="console", role="admin"), random_id, _NO_POLICIES)


def recorded(store: Store, work: Work[T]) -> T:
    """What came of a unit of work, kept with its audit record."""
    from benne.scoring.access.administration import run
    from benne.scoring.consent.moments import to_microseconds
    from benne.scoring.wiring import system_clock

    return run(store, work, now_us=to_microseconds(system_clock(), "now"))
