"""Import: another institution's package beside one's own tables, as a raw folder for the door."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import EventSchemaError
from benne.features.events.events import written_whole
from benne.features.events.ingest import ingest
from benne.features.events.interchange.agreement import Agreement
from benne.features.events.interchange.columns import RECORDS, WITHDRAWALS
from benne.features.events.interchange.duplicates import write_possible_duplicates
from benne.features.events.interchange.findings import Findings
from benne.features.events.interchange.identifiers import member_refs, read_identifiers
from benne.features.events.interchange.manifest import MANIFEST_NAME, Manifest
from benne.features.events.interchange.merging import TableCount, merge
from benne.features.events.interchange.own_tables import OwnTables
from benne.features.events.interchange.package import Limits
from benne.features.events.interchange.staging import StagedPackage, stage
from benne.features.events.interchange.store import Imported, ImportRecord, store_schema, stored_path, write_record
from benne.features.events.tables import TABLES
from benne.features.events.validation import microseconds
from benne.features.events.views import connect

__all__ = ["ImportOptions", "ImportReport", "import_package"]

_log = logging.getLogger(__name__)
_BATCH_ROWS: Final = 131_072
_IMPORTED: Final = "imported.parquet"
_DUPLICATES: Final = "possible_duplicates.parquet"


@dataclass(frozen=True)
class ImportOptions:
    """What one may choose about an import.

    Parameters
    ----------
    duplicate_days : int
        How many days apart two institutions may date the same contract.
    limits : Limits
        How much a package may hold.
    """

    duplicate_days: int = 3
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class ImportReport:
    """What became of a package.

    Parameters
    ----------
    raw : Path
        The folder that ``ingest`` takes next.
    institution : str
    sha256 : str
        Of the manifest: names the package.
    tables : mapping of str to TableCount
    members : int
        Own members the package speaks of.
    unknown_members : int
        References that belong to no own member.
    possible_duplicates : int
        Pairs of contracts, in ``possible_duplicates.parquet``.
    """

    raw: Path
    institution: str
    sha256: str
    tables: Mapping[str, TableCount]
    members: int
    unknown_members: int
    possible_duplicates: int


def import_package(
    package: str | Path, own: str | Path, out: str | Path, *, agreement: Agreement, identifiers: Any,
    imported_at: datetime, previous: str | Path | None = None, options: ImportOptions | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> ImportReport:  # fmt: skip
    """Check a package, take what is new of it, and write it beside one's own tables.

    Parameters
    ----------
    package : path
        A folder or a zip.
    own : path
        One's own raw tables, as ``ingest`` takes them.
    out : path
        Must not exist; appears whole or not at all. Holds ``raw`` (for ``ingest``), ``imported``
        (rows with their provenance), ``possible_duplicates.parquet`` and ``interchange.json``.
    agreement : Agreement
    identifiers : DataFrame, pyarrow.Table or path
        ``member_id`` and ``identifier`` of one's own members.
    imported_at : datetime
        The clock (aware): ``known_at`` of the new rows. The source's own is kept as ``collected_at``.
    previous : path, optional
        The ``out`` of the import before this one: its rows are taken over, and known again.
    options : ImportOptions, optional
    progress : callable, optional
        Called with a table's name and the rows just read.

    Returns
    -------
    ImportReport

    Raises
    ------
    EventSchemaError, EventValueError
        The package, or what it would make of the tables, is not as it must be. The message
        names everything that is wrong with the package, and no value. Nothing is written then.
    """
    chosen = ImportOptions() if options is None else options
    before = Imported() if previous is None else Imported.open(previous)
    known = read_identifiers(identifiers)
    own_tables = OwnTables(own)
    with (
        written_whole(out) as (staging, target),
        tempfile.TemporaryDirectory(prefix="benne-interchange-") as folder,
    ):
        staged = _checked(package, Path(folder), agreement, before, imported_at, chosen.limits, progress)
        with connect(Path(folder)) as connection:
            own_tables.check(connection)
            _know_members(connection, known, agreement)
            counts = _merged(connection, staged, before, imported_at)
            _write(connection, staging, own_tables)
            pairs = write_possible_duplicates(connection, staging / _DUPLICATES, chosen.duplicate_days)
            report = _report(connection, staged, target, counts, pairs)
        write_record(staging, (*before.records, _record(staged, imported_at)))
        _try_the_door(staging, Path(folder), agreement, imported_at)
    _log.info("%d new rows of %d members from %s", sum(c.new for c in counts.values()), report.members,
              report.institution)  # fmt: skip
    return report


def _checked(
    package: str | Path, folder: Path, agreement: Agreement, before: Imported, clock: datetime, limits: Limits,
    progress: Callable[[str, int], None] | None,
) -> StagedPackage:  # fmt: skip
    findings = Findings()
    staged = stage(package, folder, findings, clock, agreement.exchange_key, limits, progress)
    agreement.check(staged.manifest, findings)
    _check_against(before, staged.manifest, clock, findings)
    findings.refuse("A package must be as its manifest, the format and the agreement say")
    return staged


def _check_against(before: Imported, manifest: Manifest, clock: datetime, findings: Findings) -> None:
    latest = before.latest()
    if latest is not None and clock < latest:
        raise EventSchemaError(
            "imported_at must not be before the previous import, got an earlier moment. Check the clock."
        )
    series = before.series_of(manifest.terms.institution_id)
    if series is not None and series != manifest.record_series:
        findings.form(f"{MANIFEST_NAME} record_ids.series must be the one this institution used before")


def _know_members(connection: duckdb.DuckDBPyConnection, identifiers: pa.Table, agreement: Agreement) -> None:
    refs = pa.table({
        "member_ref": member_refs(identifiers, agreement.exchange_key), "member_id": identifiers.column("member_id"),
    })  # fmt: skip
    connection.register("identified", refs)
    connection.execute("create temp table known_refs as from identified semi join own_members using (member_id)")


def _merged(
    connection: duckdb.DuckDBPyConnection, staged: StagedPackage, before: Imported, imported_at: datetime
) -> dict[str, TableCount]:
    findings = Findings()
    counts = merge(connection, staged, before, microseconds(imported_at), findings)
    findings.refuse("Imported rows must stay as they are")
    return counts


def _write(connection: duckdb.DuckDBPyConnection, staging: Path, own: OwnTables) -> None:
    raw = staging / "raw"
    own.copy_to(raw)
    (staging / "imported").mkdir()
    for name in RECORDS:
        _write_table(connection, name, staging, raw / name)
    withdrawn = connection.sql("select * from all_withdrawals order by 1, 2").to_arrow_table()
    pq.write_table(withdrawn.cast(store_schema(WITHDRAWALS.name)), stored_path(staging, WITHDRAWALS.name))


def _write_table(connection: duckdb.DuckDBPyConnection, name: str, staging: Path, raw: Path) -> None:
    schema = store_schema(name)
    columns = ", ".join(f'"{c}"' for c in schema.names)
    ordered = f"select {columns} from merged_{name} order by fresh, place"  # noqa: S608 names of our own
    event = [c.name for c in TABLES[name].all_columns if c.name in schema.names]
    raw.mkdir(exist_ok=True)
    with (
        pq.ParquetWriter(stored_path(staging, name), schema, compression="zstd") as kept,
        pq.ParquetWriter(raw / _IMPORTED, pa.schema([schema.field(c) for c in event]), compression="zstd") as to_door,
    ):
        for batch in connection.sql(ordered).to_arrow_reader(_BATCH_ROWS):
            table = pa.Table.from_batches([batch]).cast(schema)
            kept.write_table(table)
            to_door.write_table(table.select(event))
    if not pq.read_metadata(raw / _IMPORTED).num_rows:  # a table nobody sent is not there
        (raw / _IMPORTED).unlink()
        if not any(raw.iterdir()):
            raw.rmdir()


def _record(staged: StagedPackage, imported_at: datetime) -> ImportRecord:
    manifest = staged.manifest
    return ImportRecord(
        manifest.terms.institution_id,
        manifest.record_series,
        staged.sha256,
        manifest.created_at.isoformat(),
        imported_at.astimezone(UTC).isoformat(),
    )


def _try_the_door(staging: Path, folder: Path, agreement: Agreement, imported_at: datetime) -> None:
    """Let the imported rows, with the members, through the door once, so that they will pass it later."""
    raw = folder / "door"
    raw.mkdir()
    (raw / "members").symlink_to((staging / "raw" / "members").resolve())
    for name in RECORDS:
        imported = (staging / "raw" / name / _IMPORTED).resolve()
        if imported.is_file():
            (raw / f"{name}.parquet").symlink_to(imported)
    ingest(raw, folder / "events", key=agreement.exchange_key, ingested_at=imported_at, currency=agreement.currency)


def _report(
    connection: duckdb.DuckDBPyConnection, staged: StagedPackage, target: Path, counts: Mapping[str, TableCount],
    pairs: int,
) -> ImportReport:  # fmt: skip
    refs = " union ".join(f"select member_ref from wire_{name}" for name in RECORDS)  # noqa: S608 names of our own
    known, unknown = connection.sql(
        f"select count(k.member_ref), count(*) - count(k.member_ref) "  # noqa: S608 names of our own
        f"from ({refs}) r left join known_refs k using (member_ref)"
    ).fetchall()[0]
    institution = staged.manifest.terms.institution_id
    return ImportReport(target / "raw", institution, staged.sha256, counts, known, unknown, pairs)
