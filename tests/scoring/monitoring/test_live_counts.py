"""Counts of running services: several add to the same rows, a store that fails loses none, memory is bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benne.errors import MonitoringError, StoreError
from benne.scoring import Store, open_store
from benne.scoring.monitoring import live_counts as module
from benne.scoring.monitoring.live_counts import LiveCounts, day_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = day_of(NOON)


@pytest.fixture
def store(database: Callable[[], Path | str]) -> Iterator[Store]:
    opened = open_store(database())
    yield opened
    opened.close()


def rows(store: Store, scope: str = "benne/1", since_day: int | None = None) -> list[tuple[object, ...]]:
    with store.read() as connection:
        return list(LiveCounts.read(connection, scope, since_day).itertuples(index=False, name=None))


def test_what_is_counted_twice_is_one_row_with_the_sum(store: Store) -> None:
    counts = LiveCounts(store, lambda: NOON)
    counts.add("benne/1", "score", 3, n=2, amount=1.5)
    counts.add("benne/1", "score", 3, n=5, amount=-0.25)
    counts.add("benne/2", "score", 3)
    assert counts.waiting == 2
    assert counts.flush() == 2
    assert counts.waiting == 0
    assert rows(store) == [(TODAY, "score", 3, 7, 1.25)]


def test_several_instances_add_to_the_same_rows_and_none_overwrites_another(store: Store) -> None:
    instances = [LiveCounts(store, lambda: NOON) for _ in range(3)]

    def work(counts: LiveCounts) -> None:
        for _ in range(4):
            counts.add_cells("benne/1", "income", np.arange(3), np.array([1, 0, 2]), np.array([0.5, 0.0, 0.0]))
            counts.flush()

    threads = [threading.Thread(target=work, args=(counts,)) for counts in instances for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(store) == [(TODAY, "income", 0, 24, 12.0), (TODAY, "income", 2, 48, 0.0)]


def test_a_restart_goes_on_from_what_was_flushed(store: Store) -> None:
    before = LiveCounts(store, lambda: NOON)
    before.add("benne/1", "thin", 0)
    before.flush()
    after = LiveCounts(store, lambda: NOON + timedelta(hours=1))
    after.add("benne/1", "thin", 0)
    after.flush()
    assert rows(store) == [(TODAY, "thin", 0, 2, 0.0)]


def test_a_flush_that_fails_keeps_its_counts_and_those_that_came_meanwhile(tmp_path: Path) -> None:
    store = open_store(tmp_path / "benne.db")
    counts = LiveCounts(store, lambda: NOON)
    counts.add("benne/1", "thin", 0, n=3)
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE live_counts RENAME TO elsewhere")
    with pytest.raises(StoreError, match="The store must be reachable and readable"):
        counts.flush()
    counts.add("benne/1", "thin", 0)
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO live_counts")
    assert counts.flush() == 1
    assert rows(store) == [(TODAY, "thin", 0, 4, 0.0)]
    store.close()


def test_memory_is_bounded_and_what_is_let_go_of_is_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CELLS", 2)
    counts = LiveCounts(store, lambda: NOON)
    counts.add_cells("benne/1", "score", np.arange(4), np.array([1, 1, 5, 6]))
    counts.add("benne/1", "score", 0)
    assert (counts.waiting, counts.lost) == (2, 11)
    counts.flush()
    assert rows(store) == [(TODAY, "score", 0, 2, 0.0), (TODAY, "score", 1, 1, 0.0)]


def test_days_are_told_apart_and_old_ones_are_forgotten(store: Store) -> None:
    now = [NOON]
    counts = LiveCounts(store, lambda: now[0])
    for _ in range(3):
        counts.add("benne/1", "thin", 0)
        now[0] += timedelta(days=1)
    counts.flush()
    assert [row[0] for row in rows(store)] == [TODAY, TODAY + 1, TODAY + 2]
    assert [row[0] for row in rows(store, since_day=TODAY + 1)] == [TODAY + 1, TODAY + 2]
    with store.write() as connection:
        assert LiveCounts.forget(connection, TODAY + 2) == 2
    assert [row[0] for row in rows(store)] == [TODAY + 2]


def test_nothing_waiting_is_no_transaction(store: Store) -> None:
    assert LiveCounts(store, lambda: NOON).flush() == 0
    assert rows(store) == []


def test_a_name_that_is_none_or_an_amount_that_is_none_is_refused(store: Store) -> None:
    counts = LiveCounts(store, lambda: NOON)
    with pytest.raises(MonitoringError, match="scope must have 1 to 128 characters, got 0"):
        counts.add("", "thin", 0)
    with pytest.raises(MonitoringError, match="a finite amount for each cell"):
        counts.add("benne/1", "thin", 0, amount=float("nan"))
    with pytest.raises(MonitoringError, match="a finite amount for each cell"):
        counts.add_cells("benne/1", "thin", np.arange(2), np.array([1]))
    assert counts.waiting == 0
