"""A random world and an event store of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from benne.features.engines.event_store import EventStore

Row = dict[str, Any]


@pytest.fixture(scope="session")
def world(random_world: Any) -> dict[str, list[Row]]:
    """Twenty-five members with everything awkward; tests that change it work on a copy."""
    tables: dict[str, list[Row]] = random_world(91, members=25)
    return tables


@pytest.fixture
def make_store(load: Any, clock: datetime, tmp_path: Any) -> Iterator[Callable[..., EventStore]]:
    """From rows to a store that knows everything until the clock."""
    made: list[EventStore] = []

    def make(rows: dict[str, list[Row]], name: str = "events.db") -> EventStore:
        made.append(EventStore.create(tmp_path / name, load(rows), watermark=clock))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(world: Any, make_store: Any) -> EventStore:
    """A store of the random world."""
    made: EventStore = make_store(world)
    return made
