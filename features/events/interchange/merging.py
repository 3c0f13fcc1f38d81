"""What is new in a package: known members' rows, each source record once, withdrawn members' none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from benne.features.events.interchange.columns import RECORDS, WIRE_TABLES
from benne.features.events.interchange.findings import Findings
from benne.features.events.interchange.namespace import id_prefix, source_name
from benne.features.events.interchange.staging import StagedPackage, ticks_schema
from benne.features.events.interchange.store import Imported, store_schema
from benne.features.events.validation import microseconds
from benne.features.events.views import create_view

__all__ = ["TableCount", "merge"]

_WITHDRAWN: Final = """
create temp table all_withdrawals as
select source, member_ref, max(withdrawn_at) as withdrawn_at from (
  select source, member_ref, withdrawn_at from previous_withdrawals
  union all select '{source}', member_ref, withdrawn_at from wire_withdrawals) group by 1, 2"""

_INCOMING: Final = """
create temp table incoming_{table} as
select w.row, {columns} from wire_{table} w join known_refs m on m.member_ref = w.member_ref
where not exists (select 1 from all_withdrawals x
  where x.source = '{source}' and x.member_ref = w.member_ref and x.withdrawn_at >= {sent})"""

# The reference of a row imported long ago may have been made with an exchange key since replaced.
_KEPT: Final = """
create temp table kept_{table} as
select p.* from previous_{table} p left join known_refs m on m.member_id = p.member_id
where p.member_id in (select member_id from own_members) and not exists (select 1 from all_withdrawals x
  where x.source = p.source and (x.member_ref = p.member_ref or x.member_ref = m.member_ref)
  and x.withdrawn_at >= p.sent_at)"""

_CHANGED: Final = """
select i.row, count(*) over () from incoming_{table} i join kept_{table} k on k.record_id = i.record_id
where {differs} order by i.row limit 5"""

_MERGED: Final = """
create temp table merged_{table} as
select {columns}, row as place, 0 as fresh from kept_{table}
union all select {columns}, row, 1 from incoming_{table} i
where not exists (select 1 from kept_{table} k where k.record_id = i.record_id)"""


@dataclass(frozen=True)
class TableCount:
    """What became of the rows of one table.

    Parameters
    ----------
    received : int
        Rows in the package; each is one of the next four.
    new, already_there, of_unknown_members, withdrawn : int
    dropped : int
        Rows imported before whose member left or withdrew.
    """

    received: int
    new: int
    already_there: int
    of_unknown_members: int
    withdrawn: int
    dropped: int


def merge(
    connection: duckdb.DuckDBPyConnection, staged: StagedPackage, previous: Imported, clock: int, findings: Findings
) -> dict[str, TableCount]:
    """Make the tables ``merged_<table>`` and ``all_withdrawals`` of what there is after this package.

    Parameters
    ----------
    connection : duckdb connection
        With ``own_members`` and ``known_refs`` (``member_ref``, ``member_id``).
    staged : StagedPackage
    previous : Imported
    clock : int
        When the importer came to know the new rows, in microseconds.
    findings : Findings
        Told of rows that say something else than before under the same id.
    """
    source = source_name(staged.manifest.terms.institution_id)
    for name in WIRE_TABLES:
        _views(connection, name, staged, previous)
    connection.execute(_WITHDRAWN.format(source=source))
    return {name: _merge_table(connection, name, staged, clock, findings) for name in RECORDS}


def _views(connection: duckdb.DuckDBPyConnection, name: str, staged: StagedPackage, previous: Imported) -> None:
    there = staged.path(name)
    create_view(connection, f"wire_{name}", there if there.is_file() else ticks_schema(WIRE_TABLES[name]).empty_table())
    before, schema = previous.path(name), store_schema(name)
    create_view(connection, f"stored_{name}", before if before else schema.empty_table())
    columns = ", ".join(f'epoch_us("{f.name}") as "{f.name}"' if _is_time(f) else f'"{f.name}"' for f in schema)
    connection.execute(f"create view previous_{name} as select {columns}, row from stored_{name}")  # noqa: S608


def _merge_table(
    connection: duckdb.DuckDBPyConnection, name: str, staged: StagedPackage, clock: int, findings: Findings
) -> TableCount:
    terms, sent = staged.manifest.terms, microseconds(staged.manifest.created_at)
    source = source_name(terms.institution_id)
    columns = _incoming_columns(name, id_prefix(terms.institution_id), source, clock, sent, staged.sha256)
    connection.execute(_INCOMING.format(table=name, columns=columns, source=source, sent=sent))
    connection.execute(_KEPT.format(table=name))
    _refuse_changes(connection, name, findings)
    kept = ", ".join(f'"{c}"' for c in store_schema(name).names)
    connection.execute(_MERGED.format(table=name, columns=kept))
    return _count(connection, name, staged.rows.get(name, 0))


def _incoming_columns(name: str, prefix: str, source: str, clock: int, sent: int, package: str) -> str:
    def sent_id(column: str) -> str:
        return f"'{prefix}' || w.{column}"

    said = {
        "record_id": sent_id("source_record_id"),
        "supersedes": sent_id("supersedes"),
        "member_id": "m.member_id",
        "known_at": f"cast({clock} as bigint)",
        "source": f"'{source}'",
        "sent_at": f"cast({sent} as bigint)",
        "package": f"'{package}'",
        **{c.name: sent_id(c.name) for c in WIRE_TABLES[name].content if c.kind == "id"},
    }
    return ", ".join(f'{said.get(c, f"w.{chr(34)}{c}{chr(34)}")} as "{c}"' for c in store_schema(name).names)


def _refuse_changes(connection: duckdb.DuckDBPyConnection, name: str, findings: Findings) -> None:
    compared = ["member_id", "supersedes", "event_time", "collected_at", *(c.name for c in WIRE_TABLES[name].content)]
    differs = " or ".join(f'i."{c}" is distinct from k."{c}"' for c in compared)
    found = connection.execute(_CHANGED.format(table=name, differs=differs)).fetchall()
    if found:
        must = f"{name}.source_record_id must name the row it named before (a change is a new row that supersedes it)"
        findings.positions(must, [row for row, _ in found], found[0][1])


_COUNTS: Final = """
select (select count(*) from incoming_{table}), (select count(*) from kept_{table}),
  (select count(*) from merged_{table} where fresh = 1), (select count(*) from previous_{table}),
  (select count(*) from wire_{table} anti join known_refs using (member_ref))"""


def _count(connection: duckdb.DuckDBPyConnection, name: str, received: int) -> TableCount:
    taken, kept, new, before, unknown = connection.execute(_COUNTS.format(table=name)).fetchall()[0]
    return TableCount(received, new, taken - new, unknown, received - unknown - taken, before - kept)


def _is_time(field: pa.Field) -> bool:
    return bool(pa.types.is_timestamp(field.type))
