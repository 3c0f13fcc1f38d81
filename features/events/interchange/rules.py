"""What every row of a package must be, batch by batch and then among all rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benne.features.events.interchange.columns import PATTERNS, WITHDRAWALS, WireTable
from benne.features.events.interchange.findings import Findings
from benne.features.events.interchange.manifest import Manifest
from benne.features.events.tables import Column
from benne.features.events.validation import EARLIEST, LATEST, microseconds
from benne.features.events.views import create_view

__all__ = ["check_batch", "check_whole"]

Broken = Iterator[tuple[str, pa.Array]]

# Each names the rows that break a rule among all rows of one table.
_REPEATED = """
    select '{must}' as must, row from {table} where {column} in (
      select {column} from {table} where {column} is not null group by 1 having count(*) > 1)"""
_OTHER_MEMBERS = """
    select '{must}' as must, new.row from {table} new join {table} old
    on old.source_record_id = new.supersedes and old.member_ref <> new.member_ref"""
_OF_RECORDS = (
    (_REPEATED, "source_record_id", "source_record_id must be unique in the table"),
    (_REPEATED, "supersedes", "supersedes must name a record no other row corrects"),
    (_OTHER_MEMBERS, "supersedes", "supersedes must name a record of the same member"),
)
_OF_WITHDRAWALS = ((_REPEATED, "member_ref", "member_ref must be unique in the table"),)
_FIRST = """
select must, list(row order by row)[:5], count(*) from ({broken}) group by 1 order by 1"""


def check_batch(table: WireTable, batch: pa.Table, manifest: Manifest, findings: Findings, first_row: int) -> None:
    """Hold a batch against the columns' rules, the manifest and the order of its times."""
    columns = {name: batch.column(name).combine_chunks() for name in table.names}
    for column in table.columns:
        for must, wrong in _value_rules(column, columns[column.name], manifest):
            _note(findings, f"{table.name}.{column.name} must {must}", wrong, first_row)
    time_rules = _withdrawal_rules if table is WITHDRAWALS else _time_rules
    for must, wrong in time_rules(table, {n: _ticks(c) for n, c in columns.items() if _is_time(c)}, manifest):
        _note(findings, f"{table.name}.{must}", wrong, first_row)


def check_whole(connection: duckdb.DuckDBPyConnection, table: WireTable, stored: Path, findings: Findings) -> None:
    """What must hold among the rows of a table, kept as Parquet in the order of its file."""
    create_view(connection, table.name, stored)
    rules = _OF_WITHDRAWALS if table is WITHDRAWALS else _OF_RECORDS
    broken = " union all ".join(query.format(table=table.name, column=c, must=must) for query, c, must in rules)
    for must, rows, count in connection.execute(_FIRST.format(broken=broken)).fetchall():
        findings.positions(f"{table.name}.{must}", rows, count)


def _note(findings: Findings, must: str, wrong: pa.Array, first_row: int) -> None:
    findings.rows(must, pc.fill_null(wrong, False).to_numpy(zero_copy_only=False), first_row)


def _value_rules(column: Column, values: pa.Array, manifest: Manifest) -> Broken:
    if column.required:
        yield "hold no null", pc.is_null(values)
    if column.kind == "id":
        pattern, must = PATTERNS[column.domain]
        yield must, pc.invert(pc.match_substring_regex(values, pattern))
    if column.kind == "category":
        yield f"be one of {', '.join(column.values)}", _among(values, column.values)
    if column.minimum is not None:
        yield f"be at least {column.minimum}", pc.less(values, column.minimum)
    if column.maximum is not None:
        yield f"be at most {column.maximum}", pc.greater(values, column.maximum)
    if column.name == "source":
        yield "be the institution of the manifest", pc.not_equal(values, manifest.terms.institution_id)
    if column.name == "currency":
        yield "be the currency of the manifest", pc.not_equal(values, manifest.terms.currency)
    if column.kind == "time":
        ticks = _ticks(values)
        outside = pc.or_kleene(pc.less(ticks, EARLIEST), pc.greater_equal(ticks, LATEST))
        yield "lie in the years 1900 to 2199", outside


def _time_rules(table: WireTable, times: dict[str, pa.Array], manifest: Manifest) -> Broken:
    collected, happened = times["collected_at"], times["event_time"]
    start, end = microseconds(manifest.period_start), microseconds(manifest.period_end)
    outside = pc.or_kleene(pc.less(collected, start), pc.greater_equal(collected, end))
    yield "collected_at must lie in the period of the manifest", outside
    if not table.schedule:
        yield "collected_at must not be before event_time", pc.less(collected, happened)
    if "period_start" in times:
        yield "period_start must not be after event_time", pc.greater(times["period_start"], happened)


def _withdrawal_rules(_: WireTable, times: dict[str, pa.Array], manifest: Manifest) -> Broken:
    late = pc.greater(times["withdrawn_at"], microseconds(manifest.created_at))
    yield "withdrawn_at must not be after created_at of the manifest", late


def _among(values: pa.Array, allowed: tuple[str, ...]) -> pa.Array:
    return pc.invert(pc.or_(pc.is_in(values, pa.array(allowed)), pc.is_null(values)))


def _is_time(values: pa.Array) -> bool:
    return bool(pa.types.is_timestamp(values.type))


def _ticks(values: pa.Array) -> pa.Array:
    return pc.cast(values, pa.int64())
