"""The importer's own raw tables: found, looked into, and copied beside what was imported."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import EventSchemaError, EventValueError
from benne.features.events.interchange.columns import RECORDS
from benne.features.events.interchange.namespace import IMPORTED_PREFIX
from benne.features.events.tables import TABLES

__all__ = ["OwnTables"]

_ID_COLUMNS: Final = frozenset(c.name for name in RECORDS for c in TABLES[name].all_columns if c.kind == "id")
_AMOUNTS: Final = ("principal", "limit")
_OPENINGS: Final = ("record_id", "supersedes", "member_id", "obligation_id", "source", "kind", "event")


class OwnTables:
    """A raw folder as :func:`ingest` takes it.

    Parameters
    ----------
    folder : path
        Holds ``<table>.parquet`` or ``<table>/*.parquet``; at least the members.

    Raises
    ------
    EventSchemaError
        If it does not, or holds a table of another name.
    """

    def __init__(self, folder: str | Path) -> None:
        root = Path(folder)
        visible = sorted(p for p in root.iterdir() if not p.name.startswith(".")) if root.is_dir() else []
        self._files = {name: _files(root, name) for name in TABLES if _files(root, name)}
        known = {n for name in TABLES for n in (name, f"{name}.parquet")}
        if "members" not in self._files or any(path.name not in known for path in visible):
            raise EventSchemaError(
                f"{root} must be a folder of raw tables with at least the members, got another. "
                "Name the folder that `benne ingest` takes."
            )

    def check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Refuse rows that were themselves imported, and read who the members are.

        Makes the table ``own_members`` of ``member_id`` and ``own_openings`` of contracts opened.
        """
        try:
            for name, files in self._files.items():
                self._refuse_imported(connection, name, files)
            connection.execute(
                f"create temp table own_members as select distinct cast(member_id as varchar) as member_id "  # noqa: S608
                f"from {_source(self._files['members'])}"
            )
            connection.execute(f"create temp table own_openings as {self._openings()}")
        except (duckdb.Error, pa.ArrowException):  # DuckDB's own message may quote a value
            raise EventSchemaError(
                "Your own tables must be such as `benne ingest` takes, got others. "
                "Ingest them alone to see what is wrong."
            ) from None

    def copy_to(self, raw: Path) -> None:
        """Copy every table into its folder; the imported rows come beside them."""
        for name, files in self._files.items():
            (raw / name).mkdir(parents=True)
            for number, file in enumerate(files):
                target = raw / name / f"own-{number:05d}.parquet"
                if name in RECORDS and _number_ids(file):
                    _copy_with_text_ids(file, target)
                else:
                    shutil.copyfile(file, target)

    def _refuse_imported(self, connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path]) -> None:
        for column in ("record_id", "source"):
            if column in _columns(files):
                found = connection.execute(
                    f"select count(*) from {_source(files)} "  # noqa: S608 names of our own
                    f"where starts_with(cast({column} as varchar), '{IMPORTED_PREFIX}')"
                ).fetchall()[0][0]
                if found:
                    raise EventValueError(
                        f"{name}.{column} of your own tables must not begin with {IMPORTED_PREFIX}, got {found} "
                        "row(s) that do. Name the folder of your own tables, and an earlier import as the previous one."
                    )

    def _openings(self) -> str:
        files = self._files.get("obligation_events", [])
        there = _columns(files)
        named = {c: f'"{c}"' if c in there else "null" for c in (*_OPENINGS, *_AMOUNTS)}
        texts = [f"cast({named[c]} as varchar) as {c}" for c in _OPENINGS]
        money = [f'cast({named[c]} as bigint) as "{c}"' for c in _AMOUNTS]
        moment = "epoch_us(event_time)" if files else "cast(null as bigint)"
        rows = _source(files) if files else "(select 1 where false)"
        return f"select {', '.join([*texts, *money])}, {moment} as event_time from {rows}"  # noqa: S608


def _files(root: Path, name: str) -> list[Path]:
    alone, folder = root / f"{name}.parquet", root / name
    if alone.exists() and folder.exists():
        raise EventSchemaError(f"{root} must hold the table {name} once, got a file and a folder. Keep one.")
    return sorted(folder.glob("*.parquet")) if folder.is_dir() else [alone] if alone.is_file() else []


def _number_ids(file: Path) -> bool:
    return any(field.name in _ID_COLUMNS and pa.types.is_integer(field.type) for field in pq.read_schema(file))


def _copy_with_text_ids(file: Path, target: Path) -> None:
    """Imported ids are text, and a column has one kind of ids; the door keys a number as its text anyway."""
    with pq.ParquetFile(file) as rows:
        schema = pa.schema([
            f.with_type(pa.string()) if f.name in _ID_COLUMNS and pa.types.is_integer(f.type) else f
            for f in rows.schema_arrow.remove_metadata()
        ])  # fmt: skip
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for batch in rows.iter_batches():
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))


def _columns(files: Sequence[Path]) -> set[str]:
    return {name for file in files for name in pq.read_schema(file).names}


def _source(files: Sequence[Path]) -> str:
    paths = ", ".join("'" + glob.escape(str(file)).replace("'", "''") + "'" for file in files)
    return f"read_parquet([{paths}], union_by_name = true)"
