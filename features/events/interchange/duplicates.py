"""Contracts that two institutions may both have reported: named, never merged."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["write_possible_duplicates"]

_DAY: Final = 86_400_000_000

_PAIRS: Final = """
with opened as (
  select * from ({openings}) o
  where event = 'opened' and record_id not in (select supersedes from ({openings}) c where supersedes is not null))
select a.member_id, a.kind,
  a.obligation_id as obligation_id, a.teller as source,
  b.obligation_id as other_obligation_id, b.teller as other_source,
  cast(round(abs(a.event_time - b.event_time) / {day}.0) as bigint) as days_apart,
  coalesce(a.principal, a."limit") as amount
from opened a join opened b on b.member_id = a.member_id and a.teller < b.teller
  and a.kind is not distinct from b.kind and abs(a.event_time - b.event_time) <= {days} * {day}
  and (a.principal = b.principal or (a.principal is null and b.principal is null and a."limit" = b."limit"))
order by 1, 3, 5"""

_OPENINGS: Final = """
select record_id, supersedes, member_id, obligation_id, source, kind, event, principal, "limit", event_time,
  'own' as teller from own_openings
union all
select record_id, supersedes, member_id, obligation_id, source, kind, event, principal, "limit", event_time,
  source as teller from merged_obligation_events"""

_SCHEMA: Final = pa.schema([
    ("member_id", pa.string()), ("kind", pa.string()), ("obligation_id", pa.string()), ("source", pa.string()),
    ("other_obligation_id", pa.string()), ("other_source", pa.string()), ("days_apart", pa.int64()),
    ("amount", pa.int64()),
])  # fmt: skip


def write_possible_duplicates(connection: duckdb.DuckDBPyConnection, path: Path, days: int) -> int:
    """Write the pairs of contracts of one member, kind and amount, opened within some days, by different tellers.

    Parameters
    ----------
    connection : duckdb connection
        With ``own_openings`` and ``merged_obligation_events``.
    path : Path
        Parquet file to write. Which of a pair counts is for the importer to decide.
    days : int
        How far apart the openings may lie.

    Returns
    -------
    int
        How many pairs there are.
    """
    pairs = connection.sql(_PAIRS.format(openings=_OPENINGS, day=_DAY, days=days)).to_arrow_table().cast(_SCHEMA)
    pq.write_table(pairs, path)
    return int(pairs.num_rows)
