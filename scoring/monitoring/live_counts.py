"""Counts that running services keep of what they did: sums over many, by day, name and cell, and nothing of whom.

Counting happens in memory and takes no time to speak of; every few seconds what has gathered is added to the rows of
the table, where several workers and instances add to the same ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from benne.errors import MonitoringError
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.store.database import Store
from benne.scoring.store.governance_tables import live_counts

__all__ = ["KEPT_DAYS", "MOST_CELLS", "LiveCounts", "day_of"]

KEPT_DAYS: Final = 400
"""For how long counts are kept: a year, and a month to compare with."""
MOST_CELLS: Final = 200_000
"""Different cells that wait in memory at most: a model has some hundreds a day, so the store may be away for weeks."""

_C: Final = live_counts.c
_COLUMNS: Final = ["day", "name", "cell", "n", "amount"]
_LONGEST_SCOPE: Final = 128
_LONGEST_NAME: Final = 160
_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)


class _Key(NamedTuple):
    scope: str
    day: int
    name: str
    cell: int


class LiveCounts:
    """Counts in memory on their way to the table.

    Parameters
    ----------
    store : Store
    clock : callable returning datetime
        Says on which day something is counted.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from benne.scoring import open_store
    >>> store = open_store("sqlite://")
    >>> counts = LiveCounts(store, lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    >>> counts.add("benne/1", "refused", 0)
    >>> counts.add("benne/1", "refused", 0, n=2)
    >>> counts.flush()
    1
    >>> with store.read() as connection:
    ...     LiveCounts.read(connection, "benne/1")
         day     name  cell  n  amount
    0  20513  refused     0  3     0.0

    What is counted has a name of ours, never a text that somebody sent:

    >>> counts.add("benne/1", "x" * 200, 0)
    Traceback (most recent call last):
    ...
    benne.errors.MonitoringError: A count's name must have 1 to 160 characters, got 200. Shorten it.
    >>> store.close()
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[_Key, list[float]] = {}
        self._alone = threading.Lock()
        self._flushing = threading.Lock()
        self._lost = 0

    @property
    def waiting(self) -> int:
        """Cells that have not been added to the table yet."""
        return len(self._waiting)

    @property
    def lost(self) -> int:
        """Counts let go of since the start, because the store did not answer and memory is bounded."""
        return self._lost

    def add(self, scope: str, name: str, cell: int, n: int = 1, amount: float = 0.0) -> None:
        """Count something, today.

        Parameters
        ----------
        scope : str
            A model's id, or a roll-out's.
        name : str
            Of what is counted.
        cell : int
            Which bin of it.
        n : int, default=1
        amount : float, default=0.0
            Sum of what is counted, where it has a size.

        Raises
        ------
        MonitoringError
            If a name is empty or too long, or an amount no number.
        """
        self.add_cells(scope, name, np.array([cell]), np.array([n]), np.array([amount]))

    def add_cells(
        self,
        scope: str,
        name: str,
        cells: npt.NDArray[np.integer[Any]],
        n: npt.NDArray[np.integer[Any]],
        amounts: npt.NDArray[np.float64] | None = None,
        day: int | None = None,
    ) -> None:
        """Count many cells of one name at once; of cells where nothing is to be added, nothing is kept.

        Parameters
        ----------
        scope, name : str
            As of :meth:`add`.
        cells : ndarray of int, shape (k,)
        n : ndarray of int, shape (k,)
        amounts : ndarray of float64, shape (k,), optional
        day : int, optional
            Days since 1970-01-01 UTC; by default today.

        Raises
        ------
        MonitoringError
            If a name is empty or too long, shapes differ, or an amount is no number.
        """
        _check(scope, "scope", _LONGEST_SCOPE)
        _check(name, "name", _LONGEST_NAME)
        sums = np.zeros(len(cells)) if amounts is None else np.asarray(amounts, dtype=np.float64)
        if not len(cells) == len(n) == len(sums) or not np.isfinite(sums).all():
            raise MonitoringError(
                "Counts must have a number and a finite amount for each cell, got others. Count what is there."
            )
        on = day_of(self._clock()) if day is None else day
        added = [
            (_Key(scope, on, name, cell), count, amount)
            for cell, count, amount in zip(cells.tolist(), n.tolist(), sums.tolist(), strict=True)
            if count or amount
        ]
        with self._alone:
            for key, count, amount in added:
                self._add(key, count, amount)

    def flush(self) -> int:
        """Add what waits to the table, in one transaction; what could not be added waits on.

        Returns
        -------
        int
            Rows that were added to.

        Raises
        ------
        StoreError
            If the store does not answer; nothing is lost by that.
        """
        with self._flushing:
            with self._alone:
                taken, self._waiting = self._waiting, {}
            try:
                self._write(taken)
            except BaseException:
                with self._alone:
                    for key, (count, amount) in taken.items():
                        self._add(key, int(count), amount)
                raise
            return len(taken)

    @staticmethod
    def read(
        connection: Connection, scope: str, since_day: int | None = None, names: Sequence[str] = ()
    ) -> pd.DataFrame:
        """What was counted, by every instance, as far as it has been flushed.

        Parameters
        ----------
        connection : Connection
        scope : str
        since_day : int, optional
            First day to read, in days since 1970-01-01 UTC.
        names : sequence of str, optional
            By default everything that was counted.

        Returns
        -------
        DataFrame
            ``day``, ``name``, ``cell``, ``n`` and ``amount``, sorted by the first three.
        """
        query = select(*(_C[name] for name in _COLUMNS)).where(_C.scope == scope)
        if since_day is not None:
            query = query.where(_C.day >= since_day)
        if names:
            query = query.where(_C.name.in_(names))
        rows = connection.execute(query.order_by(_C.day, _C.name, _C.cell)).all()
        found = pd.DataFrame(rows, columns=_COLUMNS)
        return found.astype({"day": "int64", "cell": "int64", "n": "int64", "amount": "float64"})

    @staticmethod
    def totals(connection: Connection, scope: str, names: Sequence[str]) -> dict[str, int]:
        """How often each was counted in all, over days and cells; those that were not are left out."""
        query = select(_C.name, func.sum(_C.n)).where(_C.scope == scope, _C.name.in_(names))
        return {name: int(n) for name, n in connection.execute(query.group_by(_C.name))}

    @staticmethod
    def forget(connection: Connection, before_day: int) -> int:
        """Delete what was counted before a day; gives how many rows."""
        return connection.execute(delete(live_counts).where(_C.day < before_day)).rowcount

    def _add(self, key: _Key, n: int, amount: float) -> None:
        held = self._waiting.get(key)
        if held is not None:
            held[0] += n
            held[1] += amount
        elif len(self._waiting) < MOST_CELLS:
            self._waiting[key] = [n, amount]
        else:
            self._lost += n

    def _write(self, taken: dict[_Key, list[float]]) -> None:
        if not taken:
            return
        rows = [{**key._asdict(), "n": int(count), "amount": amount} for key, (count, amount) in sorted(taken.items())]
        with self._store.write() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            new = dialect.insert(live_counts)
            summed = {"n": _C.n + new.excluded.n, "amount": _C.amount + new.excluded.amount}
            connection.execute(
                new.on_conflict_do_update(index_elements=list(live_counts.primary_key), set_=summed), rows
            )


def day_of(moment: datetime) -> int:
    """Days since 1970-01-01 UTC.

    Examples
    --------
    >>> from datetime import UTC
    >>> day_of(datetime(1970, 1, 3, 23, 59, tzinfo=UTC))
    2
    """
    return to_microseconds(moment, "The clock") // _DAY


def _check(text: str, what: str, longest: int) -> None:
    if not 0 < len(text) <= longest:
        raise MonitoringError(f"A count's {what} must have 1 to {longest} characters, got {len(text)}. Shorten it.")
