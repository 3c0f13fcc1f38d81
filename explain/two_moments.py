"""A member's history looked at between two moments: only older, or only with what is new.

Between a first and a second moment of looking two things happen: events come in, and time passes over all of them.
:func:`only_older` lets time pass and nothing come in; :func:`only_newer` lets events come in and no time pass. Both
are worlds that never were, and this is how they are made:

* *only older*: looked at from the second moment, with what was known at the first. What fell due in between is
  something that happened, and so left out.
* *only newer*: looked at from the first moment. What happened in between is put before it, as old as it is at the
  second moment; never before an older row of the same contract, account, item, detail or kind of balance, so that the
  order of what concerns one thing is kept. A payment moves with its due; of a due that fell before the first moment,
  a payment in between counts as made just before that moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benne.explain.what_if.history import History
from benne.features.events.tables import TABLES

__all__ = ["only_newer", "only_older"]

_Times = npt.NDArray[np.int64]
_THING: Final = {
    "account_status": "obligation_id", "obligation_events": "obligation_id", "adverse_items": "item_id",
    "verifications": "field", "balances": "kind",
}  # fmt: skip
"""What rows of a table are about, where their order matters."""


def only_older(history: History, first: int, second: int) -> History:
    """What was known at the first moment, to be looked at from the second; microseconds since 1970-01-01 UTC.

    Parameters
    ----------
    history : History
    first, second : int
    """
    tables = {}
    for name, rows in history.tables.items():
        happened = rows.column("event_time")
        between = pc.and_(pc.greater_equal(happened, first), pc.less(happened, second))
        tables[name] = rows.filter(pc.and_(pc.less(rows.column("known_at"), first), pc.invert(between)))
    return _with(history, tables)


def only_newer(history: History, first: int, second: int) -> History:
    """What was known at the second moment, to be looked at from the first; microseconds since 1970-01-01 UTC.

    Parameters
    ----------
    history : History
    first, second : int
    """
    known = {name: rows.filter(pc.less(rows.column("known_at"), second)) for name, rows in history.tables.items()}
    moved = {name: _moved(name, rows, first, second) for name, rows in known.items() if name != "repayments"}
    if "repayments" in known:
        moved["repayments"] = _with_their_dues(known["repayments"], known.get("dues"), first, second)
    return _with(history, {name: _shifted(name, known[name], by) for name, by in moved.items()})


def _with(history: History, tables: dict[str, pa.Table]) -> History:
    return History(
        history.subject_id, {name: rows for name, rows in tables.items() if rows.num_rows}, history.known_since,
        history.until,
    )  # fmt: skip


def _moved(name: str, rows: pa.Table, first: int, second: int) -> _Times:
    """When each row happens in a world without the time between."""
    time = _times(rows, "event_time")
    between = (time >= first) & (time < second)
    moved: _Times = np.where(between, time - (second - first), time)
    if name in _THING:
        for own in _by_thing(rows.column(_THING[name])):
            new = own[between[own]]
            new = new[np.argsort(time[new], kind="stable")]
            older = time[own][time[own] < first]
            if len(new) and len(older):
                after = older.max() + 1 + np.arange(len(new))
                moved[new] = np.minimum(np.maximum(moved[new], after), first - 1)
    return moved


def _with_their_dues(repayments: pa.Table, dues: pa.Table | None, first: int, second: int) -> _Times:
    time, passed = _times(repayments, "event_time"), second - first
    between = (time >= first) & (time < second)
    fell = np.full(len(time), np.iinfo(np.int64).min)
    if dues is not None and dues.num_rows:
        place = pc.index_in(repayments.column("due_id"), value_set=dues.column("due_id").combine_chunks())
        known = pc.is_valid(place).to_numpy()
        falls = _times(dues, "event_time")
        fell = np.where(known, falls[pc.fill_null(place, 0).to_numpy()], fell)
    moves = (fell >= first) & (fell < second)
    moved: _Times = np.where(moves, time - passed, np.where(between, first - 1, time))
    return np.where(time >= second, time, moved)


def _by_thing(column: pa.ChunkedArray) -> Iterator[npt.NDArray[np.intp]]:
    """The rows about each thing."""
    codes = column.combine_chunks().dictionary_encode().indices
    numbers = pc.fill_null(codes, -1).to_numpy(zero_copy_only=False)
    return (np.flatnonzero(numbers == number) for number in np.unique(numbers))


def _shifted(name: str, rows: pa.Table, moved: _Times) -> pa.Table:
    """Rows at other moments; what a moved row says of other times moves as far."""
    by = moved - _times(rows, "event_time")
    for column in (c.name for c in TABLES[name].all_columns if c.kind == "time" and c.name != "known_at"):
        values = pc.add(rows.column(column), pa.array(by))
        place = rows.schema.get_field_index(column)
        rows = rows.set_column(place, rows.schema.field(column), values)
    return rows


def _times(rows: pa.Table, column: str) -> _Times:
    times: _Times = rows.column(column).to_numpy().astype(np.int64)
    return times
