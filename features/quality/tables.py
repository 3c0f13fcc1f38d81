"""How an event table has been delivered: coverage, freshness, lag, corrections, duplicates, nulls, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Any, Final

import duckdb

from benne.features.events.events import Events
from benne.features.events.tables import TABLES
from benne.features.events.validation import microseconds
from benne.features.events.views import connect, create_view
from benne.features.quality.cells import SMALLEST_CELL, Share
from benne.features.quality.duplicates import Duplicates, count_duplicates

__all__ = ["LAG_QUANTILES", "SourceQuality", "TableQuality", "measure_tables"]

LAG_QUANTILES: Final = (0.5, 0.95, 0.99)
_DAY: Final = 86_400_000_000
_HOUR: Final = 3_600_000_000

# By member first, so that a cell knows how many people it concerns. The newest moment is the one
# that fifty members have reached: no single member's, and one wrong clock cannot move it.
_DELIVERED = """
    with by_member as (
      select count(*) as n, count(supersedes) as corrected,
        max(event_time) filter (event_time < {clock} and known_at < {clock}) as happened,
        max(known_at) filter (known_at < {clock}) as known {filled}
      from {table} group by hash(subject_id))
    select count(*), coalesce(sum(n), 0), max(happened, {cell})[{cell}], max(known, {cell})[{cell}],
      struct_pack(part := sum(corrected), inside := count(*) filter (corrected > 0),
        outside := count(*) filter (corrected < n)) {nulls}
    from by_member"""
_FILLED = ', count("{column}") as "{column}"'
_NULLS = """, struct_pack(part := sum(n - "{column}"), inside := count(*) filter ("{column}" < n),
        outside := count(*) filter ("{column}" > 0))"""
_LAGS = """
    select greatest(known_at - event_time, 0) // {hour} as hours, count(*) from {table} group by 1 order by 1"""
_SOURCES = """
    with by_member as (
      select coalesce(source, '') as source, count(*) as n, max(known_at) filter (known_at < {clock}) as known
      from {table} group by 1, hash(subject_id))
    select source, sum(n), count(*), max(known, {cell})[{cell}] from by_member group by 1 order by 2 desc, 1"""


@dataclass(frozen=True)
class SourceQuality:
    """What one source has delivered into a table.

    Parameters
    ----------
    name : str
        ``"not named"`` for rows without a source.
    rows, members : int
    stale_days : float or None
        As of the table.
    duplicates : Share
        Of its rows, those that repeat an event already there.
    """

    name: str
    rows: int
    members: int
    stale_days: float | None
    duplicates: Share


@dataclass(frozen=True)
class TableQuality:
    """What has been delivered into one event table.

    Parameters
    ----------
    name : str
    rows, members : int
        Rows, and members with at least one.
    covered : Share
        Of all members, those with at least one row.
    newest_event, newest_known : date or None
        The latest day (UTC) by which :data:`SMALLEST_CELL` members had an event happen, or
        become known, before the clock; None with fewer members.
    stale_days : float or None
        Days from that moment of becoming known to the clock.
    lag_days : mapping of float to float
        Quantiles of ``known_at - event_time``, to the hour; none with fewer members.
    corrected, duplicates : Share
        Of all rows, those that a later one corrects, and those that repeat an event.
    nulls : mapping of str to Share
        Of all rows, those without a value, by optional column.
    sources : tuple of SourceQuality
        Those with at least :data:`SMALLEST_CELL` members, the largest first.
    sources_not_shown : int
    """

    name: str
    rows: int
    members: int
    covered: Share
    newest_event: date | None
    newest_known: date | None
    stale_days: float | None
    lag_days: Mapping[float, float]
    corrected: Share
    duplicates: Share
    nulls: Mapping[str, Share]
    sources: tuple[SourceQuality, ...]
    sources_not_shown: int


def measure_tables(events: Events, as_of: datetime) -> tuple[TableQuality, ...]:
    """Measure every event table, in the order of the schema, without loading one.

    Parameters
    ----------
    events : Events
    as_of : datetime
        The clock (aware) that freshness is measured against; what became known at or after it
        makes nothing fresh.

    Returns
    -------
    tuple of TableQuality

    Raises
    ------
    EventSchemaError
        The clock is naive.
    """
    clock = microseconds(as_of)
    with connect() as connection:
        for name in events.tables:
            create_view(connection, name, events.sources[name])
        (joined,) = _row(connection, "select count(distinct hash(subject_id)) from members")
        return tuple(_measure(connection, name, events.rows(name), joined, clock) for name in events.tables)


def _measure(connection: duckdb.DuckDBPyConnection, table: str, rows: int, joined: int, clock: int) -> TableQuality:
    columns = list(_optional(table))
    query = _DELIVERED.format(
        table=table, clock=clock, cell=SMALLEST_CELL,
        filled="".join(_FILLED.format(column=c) for c in columns),
        nulls="".join(_NULLS.format(column=c) for c in columns),
    )  # fmt: skip
    members, _, happened, known, corrected, *nulls = _row(connection, query)
    again = count_duplicates(connection, table, rows)
    sources, not_shown = _sources(connection, table, clock, again)
    return TableQuality(
        name=table, rows=rows, members=members, covered=Share.of(members, joined),
        newest_event=_day(happened), newest_known=_day(known), stale_days=_stale(known, clock),
        lag_days=_lags(connection, table) if members >= SMALLEST_CELL else {},
        corrected=_share(corrected, rows), duplicates=_duplicated(again.rows, again.members, rows),
        nulls={column: _share(cell, rows) for column, cell in zip(columns, nulls, strict=True)},
        sources=sources, sources_not_shown=not_shown,
    )  # fmt: skip


def _sources(
    connection: duckdb.DuckDBPyConnection, table: str, clock: int, again: Duplicates
) -> tuple[tuple[SourceQuality, ...], int]:
    found = connection.execute(_SOURCES.format(table=table, clock=clock, cell=SMALLEST_CELL)).fetchall()
    shown = []
    for source, rows, members, known in found:
        if members >= SMALLEST_CELL:
            copies = _duplicated(*again.by_source.get(source, (0, 0)), rows)
            shown.append(SourceQuality(source or "not named", int(rows), members, _stale(known, clock), copies))
    return tuple(shown), len(found) - len(shown)


def _lags(connection: duckdb.DuckDBPyConnection, table: str) -> dict[float, float]:
    counted = connection.execute(_LAGS.format(table=table, hour=_HOUR)).fetchall()
    reached = list(accumulate(count for _, count in counted))
    lags = {}
    for quantile in LAG_QUANTILES:
        if reached[-1] * (1 - quantile) >= SMALLEST_CELL:
            place = next(i for i, count in enumerate(reached) if count >= quantile * reached[-1])
            lags[quantile] = round(counted[place][0] / 24, 3)
    return lags


def _optional(table: str) -> Iterator[str]:
    """The table's own columns that may be null."""
    return (column.name for column in TABLES[table].columns if not column.required)


def _share(cell: Mapping[str, int | None], rows: int) -> Share:
    small = any(0 < (cell[side] or 0) < SMALLEST_CELL for side in ("inside", "outside"))
    return Share(int(cell["part"] or 0), rows, small)


def _duplicated(copies: int, members: int, rows: int) -> Share:
    return Share(copies, rows, 0 < members < SMALLEST_CELL)


def _stale(known: int | None, clock: int) -> float | None:
    return None if known is None else round((clock - known) / _DAY, 3)


def _day(moment: int | None) -> date | None:
    return None if moment is None else datetime.fromtimestamp(moment // 1_000_000, tz=UTC).date()


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    return tuple(connection.execute(query).fetchone() or ())
