"""Validated, keyed, immutable events, in memory or on disk."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import EventSchemaError
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema

__all__ = ["MANIFEST", "Events", "KnownSince"]

MANIFEST = "events.json"
KnownSince = Mapping[tuple[str, str], int]
"""For every (table, column) that holds a value, when the first one became known: microseconds since 1970-01-01 UTC."""

_FORMAT = 2
_BATCH_ROWS = 131_072
_MANIFEST_KEYS = {"format", "tables", "known_since", "key_fingerprint", "fingerprint", "files"}
_LIFTED = "known_at_lifted"


@dataclass(frozen=True)
class Events:
    """Event tables that have passed the door.

    Made by :func:`load_events`, :func:`ingest` or :meth:`open`; nothing else promises that
    the rows are valid and their ids keyed.

    Parameters
    ----------
    sources : mapping of str to pyarrow.Table or Path
        Each table in its stored form, in memory or as one Parquet file.
    known_since : mapping of (str, str) to int
        For every (table, column) that holds a value, when the first row with one became known,
        in microseconds since 1970-01-01 UTC: before that nobody's features could need it.
    key_fingerprint : str
        Which key the ids were made with.
    fingerprint : str
        sha256 over the content of every table, the same whatever order its rows came in.
    lifted : mapping of str to int
        Per table, how many rows were known up to the tolerated clock skew before their event
        and now count as known with it; tables without such rows are left out.
    """

    sources: Mapping[str, pa.Table | Path] = field(repr=False)
    known_since: KnownSince = field(repr=False)
    key_fingerprint: str
    fingerprint: str
    lifted: Mapping[str, int] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables there are, in the order of the schema."""
        return tuple(name for name in TABLES if name in self.sources)

    def has(self, table: str, column: str) -> bool:
        """Whether the column is there and not null throughout."""
        return (table, column) in self.known_since

    def rows(self, table: str) -> int:
        """How many rows a table has; 0 where it is absent."""
        source = self.sources.get(table)
        if source is None:
            return 0
        return int(source.num_rows if isinstance(source, pa.Table) else pq.read_metadata(source).num_rows)

    def read(self, table: str) -> pa.Table:
        """One whole table in memory."""
        source = self.sources[table]
        return source if isinstance(source, pa.Table) else pq.read_table(source)

    def save(self, folder: str | Path) -> Path:
        """Write the tables as Parquet with a manifest; the folder must not exist.

        Raises
        ------
        EventSchemaError
            If the folder exists.

        Notes
        -----
        The folder appears whole or not at all.
        """
        with written_whole(folder) as (staging, target):
            for name in self.tables:
                with pq.ParquetWriter(staging / f"{name}.parquet", stored_schema(TABLES[name])) as writer:
                    for batch in batches(self.sources[name]):
                        writer.write_table(batch)
            write_manifest(staging, self)
        return target

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open what :meth:`save` or :func:`ingest` wrote.

        Raises
        ------
        EventSchemaError
            If the folder has no manifest, or one of a newer Benne, or a table of another form
            or not as it was ingested.
        """
        root = Path(folder)
        manifest = _read_manifest(root)
        sources: dict[str, pa.Table | Path] = {name: root / f"{name}.parquet" for name in manifest["tables"]}
        for name in sources:
            if _stored_form(root / f"{name}.parquet") != stored_schema(TABLES[name]):
                raise EventSchemaError(
                    f"{root / name}.parquet must be a stored {name} table, got another form or none. "
                    "Ingest the events again."
                )
            if _file_sha256(root / f"{name}.parquet") != manifest["files"].get(name):
                raise EventSchemaError(
                    f"{root / name}.parquet must be as it was ingested, got another file. Ingest the events again."
                )
        return cls(
            sources=sources,
            known_since={(t, c): since for t, c, since in manifest["known_since"]},
            key_fingerprint=manifest["key_fingerprint"],
            fingerprint=manifest["fingerprint"],
            lifted=manifest.get(_LIFTED, {}),
        )


@contextmanager
def written_whole(folder: str | Path) -> Iterator[tuple[Path, Path]]:
    """A folder to write into, and the new folder it becomes when all went well; else neither stays."""
    target = Path(folder)
    if target.exists():
        raise EventSchemaError(f"{target} must not exist yet: events are never overwritten. Name another folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield staging, target
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def write_manifest(folder: Path, events: Events) -> None:
    """Write what :meth:`Events.open` reads."""
    manifest = {
        "format": _FORMAT,
        "tables": list(events.tables),
        "known_since": sorted((t, c, since) for (t, c), since in events.known_since.items()),
        "key_fingerprint": events.key_fingerprint,
        "fingerprint": events.fingerprint,
        _LIFTED: dict(events.lifted),
        "files": {name: _file_sha256(folder / f"{name}.parquet") for name in events.tables},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _read_manifest(root: Path) -> dict[str, Any]:
    path = root / MANIFEST
    if not path.exists():
        raise EventSchemaError(
            f"{root} must be a folder of ingested events, got one without {MANIFEST}. Run ingest first."
        )
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        form, tables = manifest["format"], set(manifest["tables"])
    except (ValueError, TypeError, KeyError):
        raise EventSchemaError(f"{path} must be a manifest of events, got something else. Ingest again.") from None
    if form != _FORMAT:
        raise EventSchemaError(
            f"{path} must have format {_FORMAT}, got {form!r}. Upgrade Benne, or ingest the events again."
        )
    named = isinstance(manifest.get("files"), dict) and all(
        isinstance(one, list) and list(map(type, one)) == [str, str, int] for one in manifest.get("known_since", ())
    )
    if not (named and set(manifest) >= _MANIFEST_KEYS and {"members"} <= tables <= set(TABLES)):
        raise EventSchemaError(f"{path} must name its tables and fingerprints, got others. Ingest the events again.")
    return manifest


def _stored_form(path: Path) -> pa.Schema | None:
    try:
        return pq.read_schema(path).remove_metadata()
    except (OSError, pa.ArrowInvalid):
        return None


def batches(source: pa.Table | Path) -> Iterator[pa.Table]:
    """A source in pieces of bounded size, at least one, so that an empty table shows its columns too."""
    if isinstance(source, pa.Table):
        for start in range(0, max(source.num_rows, 1), _BATCH_ROWS):
            yield source.slice(start, _BATCH_ROWS)
        return
    with pq.ParquetFile(source) as file:
        if not file.metadata.num_rows:
            yield file.schema_arrow.empty_table()
        for batch in file.iter_batches(_BATCH_ROWS):
            yield pa.Table.from_batches([batch])
