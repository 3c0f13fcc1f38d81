"""A package taken apart and checked: everything that is wrong with it is said before a row of it is used."""

from __future__ import annotations

import hmac
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benne.features.events.interchange.columns import WIRE_TABLES, WireTable, wire_schema
from benne.features.events.interchange.findings import Findings
from benne.features.events.interchange.manifest import MANIFEST_NAME, SEAL_NAME, FileEntry, Manifest, seal
from benne.features.events.interchange.package import Limits, digest_of, opened, read_small
from benne.features.events.interchange.reading import read_table
from benne.features.events.interchange.rules import check_batch, check_whole
from benne.features.events.keys import SubjectKey
from benne.features.events.views import connect

__all__ = ["PackageReport", "Progress", "StagedPackage", "check_package", "stage"]

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class PackageReport:
    """What a check of a package found.

    Parameters
    ----------
    manifest : Manifest
    sealed : bool or None
        Whether a holder of the exchange key made it; None where no key was given to tell.
    rows : mapping of str to int
        Rows read of each table.
    problems : tuple of str
        All that is wrong, without a value in it; empty for a package that can be imported.
    """

    manifest: Manifest
    sealed: bool | None
    rows: Mapping[str, int]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class StagedPackage:
    """A package whose tables lie as Parquet in a folder of our own, times in microseconds."""

    manifest: Manifest
    sha256: str
    folder: Path
    rows: Mapping[str, int]
    sealed: bool | None

    def path(self, table: str) -> Path:
        """Where a table lies."""
        return self.folder / f"{table}.parquet"


def check_package(
    package: str | Path,
    *,
    checked_at: datetime,
    exchange_key: SubjectKey | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> PackageReport:
    """Read a whole package and say everything that is wrong with it.

    Parameters
    ----------
    package : path
        A folder or a zip.
    checked_at : datetime
        The clock (aware): no package is from the future.
    exchange_key : SubjectKey, optional
        To tell whether the manifest's seal is right.
    limits : Limits, optional
    progress : callable, optional
        Called with a table's name and the rows just read.

    Returns
    -------
    PackageReport

    Raises
    ------
    EventSchemaError
        There is no package, it holds foreign files, or its manifest is not one.
    """
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="benne-interchange-") as folder:
        staged = stage(package, Path(folder), findings, checked_at, exchange_key, limits, progress)
    return PackageReport(staged.manifest, staged.sealed, staged.rows, findings.messages)


def stage(
    package: str | Path, folder: Path, findings: Findings, clock: datetime, exchange_key: SubjectKey | None,
    limits: Limits | None = None, progress: Progress | None = None,
) -> StagedPackage:  # fmt: skip
    """Check a package against its manifest and the format's rules, and keep its tables in ``folder``."""
    allowed = Limits() if limits is None else limits
    with opened(package, allowed) as source:
        text = read_small(source, MANIFEST_NAME)
        manifest = Manifest.from_json(text)
        if manifest.created_at > clock:
            findings.form(f"{MANIFEST_NAME} must not be from the future")
        sealed = None if exchange_key is None else _is_sealed(text, source, manifest, exchange_key, findings)
        rows = {
            entry.table: _stage_table(source, entry, manifest, folder, allowed, findings, progress)
            for entry in manifest.files
        }
        _check_all_named(source, manifest, findings)
    _check_among_rows(folder, findings)
    return StagedPackage(manifest, sha256(text).hexdigest(), folder, rows, sealed)


def _is_sealed(text: bytes, source: Path, manifest: Manifest, key: SubjectKey, findings: Findings) -> bool:
    found = read_small(source, SEAL_NAME).strip()
    if manifest.member_key != key.fingerprint:
        findings.form(f"{MANIFEST_NAME} must name the exchange key that was given (fingerprint {key.fingerprint})")
    elif not hmac.compare_digest(found, seal(text, key).encode()):
        findings.form(f"{MANIFEST_NAME} must carry the seal of a holder of the exchange key")
    else:
        return True
    return False


def _check_all_named(source: Path, manifest: Manifest, findings: Findings) -> None:
    known = {MANIFEST_NAME, SEAL_NAME, *(entry.name for entry in manifest.files)}
    if any(path.name not in known for path in source.iterdir()):
        findings.form(f"{MANIFEST_NAME} must name every table that is there")


def _stage_table(
    source: Path, entry: FileEntry, manifest: Manifest, folder: Path, limits: Limits, findings: Findings,
    progress: Progress | None,
) -> int:  # fmt: skip
    if not _is_as_declared(source / entry.name, entry, limits, findings):
        return 0
    table, rows = WIRE_TABLES[entry.table], 0
    stored = folder / f"{entry.table}.parquet"
    with pq.ParquetWriter(stored, ticks_schema(table)) as writer:
        for batch in read_table(source, entry, table, limits, findings):
            check_batch(table, batch, manifest, findings, rows)
            writer.write_table(batch.cast(ticks_schema(table)))
            rows += batch.num_rows
            if progress is not None:
                progress(entry.table, batch.num_rows)
    return rows


def _check_among_rows(folder: Path, findings: Findings) -> None:
    with connect(folder) as connection:
        for table in WIRE_TABLES.values():
            stored = folder / f"{table.name}.parquet"
            if stored.is_file():
                check_whole(connection, table, stored, findings)


def _is_as_declared(path: Path, entry: FileEntry, limits: Limits, findings: Findings) -> bool:
    if entry.rows > limits.rows or entry.bytes > limits.bytes:
        findings.form(f"{entry.name} must be within the limits of rows and bytes")
    elif not path.is_file():
        findings.form(f"{entry.name} must be there, as the manifest says")
    elif path.stat().st_size != entry.bytes or digest_of(path) != (entry.bytes, entry.sha256):
        findings.form(f"{entry.name} must be the file that the manifest describes (bytes, sha256)")
    else:
        return True
    return False


def ticks_schema(table: WireTable) -> pa.Schema:
    """The types of a table in which its times are microseconds since 1970-01-01 UTC."""
    return pa.schema([(f.name, pa.int64() if pa.types.is_timestamp(f.type) else f.type) for f in wire_schema(table)])
