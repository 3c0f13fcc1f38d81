"""What must hold between rows and tables: unique records, known members, honest corrections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from benne.errors import EventSchemaError, EventValueError
from benne.features.events.tables import TABLES
from benne.features.events.views import connect, create_view

__all__ = ["check_integrity"]

_EXAMPLES = 5

# Each query names the rows that break a rule. A rule over keys first finds the keys, by a
# cheap grouping, and only then their rows.
_UNIQUE_RECORD = """
    select row from {table} where record_id in (select record_id from {table} group by 1 having count(*) > 1)"""
_UNIQUE_MEMBER = """
    select row from members where supersedes is null and subject_id in (
      select subject_id from members where supersedes is null group by 1 having count(*) > 1)"""
_KNOWN_MEMBER = "select row from {table} where subject_id not in (select subject_id from members)"
_HONEST_CORRECTION = """
    select new.row from (select * from {table} where supersedes is not null) new left join {table} old
      on old.record_id = new.supersedes and old.subject_id = new.subject_id
    where old.record_id is null or new.known_at < old.known_at"""
_CORRECTED_ONCE = """
    select row from {table} where supersedes in (
      select supersedes from {table} where supersedes is not null group by 1 having count(*) > 1)"""
_CORRECTION_OF_SOMETHING = """
    with recursive new as (select record_id, supersedes, row from {table} where supersedes is not null),
    sound as (
      select record_id from new where supersedes not in (select record_id from new)
      union all select new.record_id from new join sound on new.supersedes = sound.record_id)
    select row from new where record_id not in (select record_id from sound)"""
_KNOWN_DUE = """
    select row from repayments where not exists (
      select 1 from dues where dues.due_id = repayments.due_id and dues.subject_id = repayments.subject_id)"""
_UNIQUE_DUE = """
    select row from dues where supersedes is null and due_id in (
      select due_id from dues where supersedes is null group by 1 having count(*) > 1)"""
_SAME_DUE = """
    select new.row from (select * from dues where supersedes is not null) new
    join dues old on old.record_id = new.supersedes where old.due_id <> new.due_id"""
_OTHER_MEMBER = "select row from interactions where other_id = subject_id"
_CURRENCY = "select distinct currency from {table} where currency is not null"


def check_integrity(tables: Mapping[str, pa.Table | Path], currency: str | None) -> None:
    """Check a whole load.

    Raises
    ------
    EventValueError
        Records, members or dues repeat; a member, due or superseded record is unknown;
        currencies mix.
    """
    with connect() as connection:
        for name, source in tables.items():
            create_view(connection, name, source)
        for name in tables:
            for query, where, must, advice in _rules(name, tables):
                _refuse(connection, query.format(table=name), f"{name}{where} must {must}", advice)
        _check_currency(connection, tables, currency)


def _rules(name: str, tables: Mapping[str, pa.Table | Path]) -> Iterator[tuple[str, str, str, str]]:
    yield _UNIQUE_RECORD, ".record_id", "be unique in the table", "Give a correction its own record_id."
    if name == "members":
        yield _UNIQUE_MEMBER, ".member_id", "join once", "Drop the second, or let it supersede the first."
    else:
        yield _KNOWN_MEMBER, ".member_id", "be in members", "Load the members these events belong to."
    yield (
        _HONEST_CORRECTION, ".supersedes", "name an earlier record of the same member and table",
        "Correct the reference.",
    )  # fmt: skip
    yield _CORRECTED_ONCE, ".supersedes", "name a record no other row corrects", "Let the later correct the earlier."
    yield _CORRECTION_OF_SOMETHING, ".supersedes", "lead back to a first record", "Break the circle."
    if name == "repayments":
        if "dues" not in tables:
            raise EventSchemaError("repayments must come with the table dues, got none. Load the dues they settle.")
        yield _KNOWN_DUE, ".due_id", "name a due of the same member", "Load the dues they settle."
    if name == "dues":
        yield _UNIQUE_DUE, ".due_id", "be unique unless superseding", "Let the second supersede the first."
        yield _SAME_DUE, ".due_id", "stay the same in a correction", "Give it the id of the due it corrects."
    if name == "interactions":
        yield _OTHER_MEMBER, ".other_id", "be another member than member_id", "Drop those rows."


def _refuse(connection: duckdb.DuckDBPyConnection, query: str, must: str, advice: str) -> None:
    counted = f"select row, count(*) over () from ({query}) order by row limit {_EXAMPLES}"  # noqa: S608 our own text
    wrong = connection.execute(counted).fetchall()
    if wrong:
        rows = ", ".join(str(row) for row, _ in wrong)
        more = ", …" if wrong[0][1] > len(wrong) else ""
        raise EventValueError(f"{must}, got {wrong[0][1]} row(s) where it is not (rows {rows}{more}). {advice}")


def _check_currency(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table | Path], currency: str | None
) -> None:
    found: set[str] = {currency} if currency else set()
    for name in tables:
        if any(c.name == "currency" for c in TABLES[name].columns):
            found |= {code for (code,) in connection.execute(_CURRENCY.format(table=name)).fetchall()}
    if len(found) > 1:
        raise EventValueError(
            f"Amounts must be in one currency in one load, got {', '.join(sorted(found))}. Convert them first."
        )
