"""Rows that look like the same event sent again under another record id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

__all__ = ["Duplicates", "count_duplicates"]

_ROWS_AT_ONCE: Final = 20_000_000
_NOT_CONTENT: Final = frozenset({"record_id", "supersedes", "known_at", "source", "row"})

# A member's rows stay together in a part, and so do a row and its correction. Alike rows are few,
# so only those are looked at closely.
_PART = """
    create or replace temp view part as
    select hash({content}) as content, * from {table} where hash(subject_id) % {parts} = {part}"""
_ALIKE = """
    create or replace temp table alike as select content from part group by content having count(*) > 1"""
_COPIES = """
    select source, count(*), count(distinct subject_id) from (
      select coalesce(source, '') as source, subject_id,
        row_number() over (partition by content order by known_at, row) as copy
      from part semi join alike using (content)
      where record_id not in (select supersedes from part where supersedes is not null))
    where copy > 1 group by grouping sets ((source), ())"""


@dataclass(frozen=True)
class Duplicates:
    """Copies beyond the first, by the source that sent them.

    Parameters
    ----------
    rows, members : int
        Copies, and members whose events they repeat.
    by_source : mapping of str to (int, int)
        The same by source; ``""`` for rows that name none.
    """

    rows: int
    members: int
    by_source: Mapping[str, tuple[int, int]]


def count_duplicates(
    connection: duckdb.DuckDBPyConnection, table: str, rows: int, rows_at_once: int = _ROWS_AT_ONCE
) -> Duplicates:
    """Count rows of one view that repeat another row's content.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With a view of the table, as :func:`benne.features.events.views.create_view` makes it.
    table : str
    rows : int
        How many it has.
    rows_at_once : int
        How many are compared at a time; bounds the memory (about 80 bytes a row).

    Returns
    -------
    Duplicates

    Notes
    -----
    Two rows are alike if all their columns but ``record_id``, ``supersedes``, ``known_at`` and
    ``source`` are, ids and ``event_time`` included. Rows that were superseded do not count: a
    correction may repeat what it corrects. Contents are compared by a 64-bit hash; among 1e8
    rows two unlike ones share one with probability 3e-4.
    """
    columns = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
    content = ", ".join(f'"{name}"' for name in columns if name not in _NOT_CONTENT)
    parts = max(1, -(-rows // rows_at_once))
    found: dict[str, tuple[int, int]] = {}
    total = (0, 0)
    for part in range(parts):
        connection.execute(_PART.format(table=table, content=content, parts=parts, part=part))
        for source, copies, members in _copies(connection):
            if source is None:
                total = (total[0] + copies, total[1] + members)
            else:
                before = found.get(source, (0, 0))
                found[source] = (before[0] + copies, before[1] + members)
    return Duplicates(*total, by_source=found)


def _copies(connection: duckdb.DuckDBPyConnection) -> list[tuple[str | None, int, int]]:
    connection.execute(_ALIKE)
    (alike,) = connection.execute("select count(*) from alike").fetchone() or (0,)
    return connection.execute(_COPIES).fetchall() if alike else []
