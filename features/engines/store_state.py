"""What is true of a whole event store, in its database's one row for it."""

from __future__ import annotations

import json
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from benne.features.engines.store_tables import FORMAT, STORE
from benne.features.events.events import KnownSince

__all__ = ["State", "begin", "change", "locked", "pairs"]


class State(NamedTuple):
    """What is true of a store.

    Parameters
    ----------
    key_fingerprint : str
        Which key its ids were made with.
    watermark : int
        Everything known before this moment is in the store; microseconds since 1970-01-01 UTC.
    known_since : mapping of (str, str) to int
        As in :class:`benne.features.events.events.Events`.
    currency : str or None
        Of every amount; None while no row has named it.
    """

    key_fingerprint: str
    watermark: int
    known_since: KnownSince
    currency: str | None


def begin(connection: Connection, state: State) -> None:
    """Write it for the first time."""
    connection.execute(insert(STORE), {"format": FORMAT, **_columns(state)})


def change(connection: Connection, state: State) -> None:
    """Write it anew."""
    connection.execute(update(STORE).values(_columns(state)))


def locked(connection: Connection) -> State:
    """Read it, and let nobody else change the store until this transaction ends."""
    columns = (STORE.c[name] for name in State._fields)
    state = State(*connection.execute(select(*columns).with_for_update()).one())
    return state._replace(known_since=pairs(str(state.known_since)))


def pairs(text: str) -> dict[tuple[str, str], int]:
    """The columns that are known, from the text they are stored as."""
    return {(table, column): since for table, column, since in json.loads(text)}


def _columns(state: State) -> dict[str, object]:
    known_since = sorted((table, column, since) for (table, column), since in state.known_since.items())
    return {**state._asdict(), "known_since": json.dumps(known_since)}
