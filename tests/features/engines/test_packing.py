"""The limit on one member's rows holds wherever rows are packed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from benne.errors import EventValueError
from benne.features.engines import packing
from benne.features.engines.event_store import EventStore
from benne.features.engines.member_rows import loaded_from

TOO_MANY = "A member must have at most 2 rows in payments, got 3. Split what is not one person's"


def _world(row: Any, payments: int) -> dict[str, list[dict[str, Any]]]:
    paid = [row("anna", day, direction="out", amount=5) for day in range(1, payments + 1)]
    return {"members": [row("anna", 0, adult=True)], "payments": paid}


def test_more_rows_of_one_member_than_sums_are_exact_for_are_not_packed(
    row: Any, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MAXIMUM_EVENTS", 2)
    assert loaded_from(load(_world(row, 2)).sources).subjects == 1
    with pytest.raises(EventValueError, match=TOO_MANY):
        loaded_from(load(_world(row, 3)).sources)


def test_they_enter_no_store_either_at_once_or_row_by_row(
    row: Any, load: Any, frames: Any, key: Any, clock: datetime, make_store: Any, tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(packing, "MAXIMUM_EVENTS", 2)
    with pytest.raises(EventValueError, match=TOO_MANY):
        EventStore.create(tmp_path / "full.db", load(_world(row, 3)), watermark=clock)
    store = make_store(_world(row, 2))
    later = clock + timedelta(days=2)
    raw = frames({"payments": [row("anna", 1097, direction="out", amount=5)]})
    with pytest.raises(EventValueError, match=TOO_MANY):
        store.append(raw, key=key, ingested_at=later)
    assert store.rows(key.subject_ids(["anna"])[0])["payments"].num_rows == 2
