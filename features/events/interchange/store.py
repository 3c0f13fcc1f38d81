"""What was imported before: the rows of other institutions with their provenance, and from which packages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa

from benne.errors import EventSchemaError
from benne.features.events.interchange.columns import RECORDS, WIRE_TABLES, wire_schema
from benne.features.events.interchange.package import digest_of

__all__ = ["ImportRecord", "Imported", "store_schema", "stored_path"]

RECORD_NAME: Final = "interchange.json"
_FORMAT: Final = "benne-imported"
_VERSION: Final = 1
_MOMENT: Final = pa.timestamp("us", "UTC")


def store_schema(table: str) -> pa.Schema:
    """What is kept of an imported row: the event as the door takes it, then its provenance."""
    if table not in RECORDS:
        return pa.schema([("source", pa.string()), ("member_ref", pa.string()), ("withdrawn_at", _MOMENT)])
    wire = wire_schema(WIRE_TABLES[table])
    event = [("record_id", pa.string()), ("supersedes", pa.string()), ("member_id", pa.string()),
             ("event_time", _MOMENT), ("known_at", _MOMENT), ("source", pa.string())]  # fmt: skip
    content = [(c.name, wire.field(c.name).type) for c in WIRE_TABLES[table].content]
    provenance = [("source_record_id", pa.string()), ("member_ref", pa.string()), ("collected_at", _MOMENT),
                  ("legal_basis", pa.string()), ("quality", pa.string()), ("sent_at", _MOMENT),
                  ("package", pa.string())]  # fmt: skip
    return pa.schema(event + content + provenance)


def stored_path(folder: Path, table: str) -> Path:
    """Where a table of imported rows lies in an import's folder."""
    return folder / "imported" / f"{table}.parquet"


@dataclass(frozen=True)
class ImportRecord:
    """One package that was imported: from whom, made when, known from when on."""

    institution: str
    record_series: str
    package: str
    created_at: str
    imported_at: str


@dataclass(frozen=True)
class Imported:
    """The state after some imports.

    Parameters
    ----------
    folder : Path or None
        None before the first.
    records : tuple of ImportRecord
        In the order of import.
    """

    folder: Path | None = None
    records: tuple[ImportRecord, ...] = ()

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open what an import wrote, and make sure that nobody changed it.

        Raises
        ------
        EventSchemaError
            If it is something else, or a file is not as it was written.
        """
        root = Path(folder)
        document = _read(root)
        for name, digest in document["files"].items():
            path = root / "imported" / name
            if path.parent != root / "imported" or not path.is_file() or digest_of(path)[1] != digest:
                raise EventSchemaError(
                    f"{root} must be as an import wrote it, got a changed or missing file. Restore it, or import anew."
                )
        return cls(root, tuple(ImportRecord(**record) for record in document["packages"]))

    def path(self, table: str) -> Path | None:
        """Where a table lies; None where nothing of it was imported."""
        path = None if self.folder is None else stored_path(self.folder, table)
        return path if path is not None and path.is_file() else None

    def series_of(self, institution: str) -> str | None:
        """Which series of record ids an institution used before."""
        return next((r.record_series for r in self.records if r.institution == institution), None)

    def latest(self) -> datetime | None:
        """The clock of the latest import."""
        return max((datetime.fromisoformat(r.imported_at) for r in self.records), default=None)


def write_record(folder: Path, records: tuple[ImportRecord, ...]) -> None:
    """Write what :meth:`Imported.open` reads."""
    files = {path.name: digest_of(path)[1] for path in sorted((folder / "imported").iterdir())}
    document = {"format": _FORMAT, "version": _VERSION, "packages": [dict(vars(r)) for r in records], "files": files}
    (folder / RECORD_NAME).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _read(root: Path) -> Mapping[str, Any]:
    try:
        document: dict[str, Any] = json.loads((root / RECORD_NAME).read_text(encoding="utf-8"))
        whole = document["files"].keys() and [ImportRecord(**record) for record in document["packages"]]
        if whole and (document["format"], document["version"]) == (_FORMAT, _VERSION):
            return document
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise EventSchemaError(f"{root} must be the folder of an earlier import, got another. Name one, or none.")
