"""Rows that correct what is known of a member: from JSON through the event store's own door, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from benne.errors import EventError, RightsError
from benne.features import SubjectKey
from benne.features.engines.event_store import EventStore
from benne.features.events.tables import TABLES, EventTable
from benne.scoring.consent.moments import from_microseconds

__all__ = ["EventRows", "Rows"]

Rows = Mapping[str, list[dict[str, Any]]]
_MOST: Final = 1_000
_MICROSECOND: Final = timedelta(microseconds=1)
_TYPES: Final[dict[str, Any]] = {"money": "Int64", "integer": "Int64", "flag": "boolean"}


@dataclass(frozen=True, slots=True)
class EventRows:
    """The way of corrections into an event store.

    Parameters
    ----------
    events : EventStore
    key : SubjectKey
        Of the store's ids.
    clock : callable returning datetime
    """

    events: EventStore
    key: SubjectKey
    clock: Callable[[], datetime]

    def check(self, subject_id: str, rows: Rows) -> None:
        """Refuse rows that the store would not take, or that are about anybody else.

        Raises
        ------
        RightsError
            If there are none or too many, a moment is none, one is not about this member, or the store's door would
            refuse them.
        """
        tables = self._tables(subject_id, rows)
        try:
            self.events.check(tables, key=self.key, ingested_at=self._now())
        except EventError as error:  # which names tables and columns, and no value
            raise RightsError(f"Rows of a correction must pass the event store's door, got others. {error}") from None

    def append(self, subject_id: str, rows: Rows) -> bool:
        """Add rows, all or none; False where they are in the store already, as after a crash."""
        if self._are_there(subject_id, rows):
            return False
        self.events.append(self._tables(subject_id, rows), key=self.key, ingested_at=self._now())
        return True

    def _are_there(self, subject_id: str, rows: Rows) -> bool:
        stored = self.events.rows(subject_id)
        for name, some in rows.items():
            ids = self._keyed([one.get("record_id") for one in some], "record")
            if name not in stored or not ids <= set(stored[name].column("record_id").to_pylist()):
                return False
        return True

    def _now(self) -> datetime:
        """The clock, or just behind what the store knows already: corrections are made one after another."""
        return max(self.clock(), from_microseconds(self.events.watermark) + _MICROSECOND)

    def _tables(self, subject_id: str, rows: Rows) -> dict[str, pd.DataFrame]:
        if not rows or not all(rows.values()) or sum(map(len, rows.values())) > _MOST:
            raise RightsError(f"A correction must be of 1 to {_MOST} rows, got none of a table, or more. Give them.")
        _require_plain(rows)
        if "members" in rows or not rows.keys() <= TABLES.keys():
            allowed = ", ".join(name for name in TABLES if name != "members")
            raise RightsError(f"Rows of a correction must be of {allowed}, got another table. Rename it.")
        for some in rows.values():
            if self._keyed([one.get("member_id") for one in some], "member") != {subject_id}:
                raise RightsError(
                    "Rows of a correction must be about the member of the dispute, got one that is not. Drop it."
                )
        return {name: _frame(TABLES[name], some) for name, some in rows.items()}

    def _keyed(self, ids: list[Any], domain: str) -> set[str]:
        if not all(isinstance(one, str) for one in ids):
            raise RightsError("Ids of a correction's rows must be text, got something else. Write them as the events'.")
        return set(self.key.key_column(pa.array(ids, pa.string()), domain).to_pylist())


def _require_plain(rows: Rows) -> None:
    """Nothing that could be neither kept nor stored: half of a pair of signs, a number that is none."""
    try:
        json.dumps(rows, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):
        raise RightsError(
            "Rows of a correction must hold texts, numbers, flags and nulls, got something that cannot be written. "
            "Write it as JSON does."
        ) from None


def _frame(table: EventTable, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows in the types that the door takes; what no table has is left for the door to name."""
    kinds = {column.name: column.kind for column in table.all_columns}
    frame = pd.DataFrame(rows)
    try:
        for name in frame.columns:
            if kinds.get(str(name)) == "time":
                if not all(value is None or isinstance(value, str) for value in frame[name]):
                    raise TypeError  # a number would be read as nanoseconds
                frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
            elif kinds.get(str(name)) in _TYPES:
                frame[name] = frame[name].astype(_TYPES[kinds[str(name)]])
    except (OverflowError, TypeError, ValueError):
        raise RightsError(
            f"Rows of {table.name} must hold whole numbers, flags and moments in ISO 8601 where the event tables say "
            "so, got something else. See the event tables in docs/rights.md."
        ) from None
    return frame
