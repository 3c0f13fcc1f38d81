"""The files of one package being written: tables, manifest, seal."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benne.features.events.events import Events
from benne.features.events.interchange.columns import RECORDS, WIRE_TABLES, WITHDRAWALS, WireTable, wire_schema
from benne.features.events.interchange.findings import Findings
from benne.features.events.interchange.manifest import MANIFEST_NAME, SEAL_NAME, FileEntry, Manifest, seal
from benne.features.events.interchange.namespace import IMPORTED_PREFIX
from benne.features.events.interchange.options import ExportOptions, RowTerms
from benne.features.events.interchange.package import digest_of
from benne.features.events.interchange.rules import check_batch
from benne.features.events.interchange.writing import TableWriter
from benne.features.events.keys import SubjectKey
from benne.features.events.tables import TABLES
from benne.features.events.validation import microseconds
from benne.features.events.views import connect, create_view

__all__ = ["Packing"]

_BATCH_ROWS: Final = 131_072

# Rows that another institution sent never travel on: whoever wants them asks their source.
_SHARED = """
select e.*, m.member_ref from {table} e join shared m on m.subject_id = e.subject_id
where e.known_at >= {start} and e.known_at < {end}
and (e.source is null or not starts_with(e.source, '{prefix}')) order by e.row"""

_RENAMED: Final = {"source_record_id": "record_id", "collected_at": "known_at"}


class Packing:
    """One export on its way into a folder.

    Parameters
    ----------
    manifest : Manifest
        Without its files.
    key : SubjectKey
        Of the events: ids leave keyed once more with it.
    options : ExportOptions
    progress : callable or None
    """

    def __init__(
        self, manifest: Manifest, key: SubjectKey, options: ExportOptions, progress: Callable[[str, int], None] | None
    ) -> None:
        self._manifest, self._key, self._options, self._progress = manifest, key, options, progress
        self._findings = Findings()

    def write(
        self, folder: Path, events: Events, shared: pa.Table, withdrawn: pa.Array, exchange_key: SubjectKey
    ) -> tuple[dict[str, int], str]:
        """Write everything; rows by table, and the manifest's SHA-256.

        Raises
        ------
        EventValueError
            Rows hold what the format cannot say.
        """
        entries = []
        with tempfile.TemporaryDirectory(prefix="benne-interchange-") as spill, connect(Path(spill)) as connection:
            connection.register("shared", shared)
            for name in (n for n in RECORDS if n in events.sources):
                create_view(connection, name, events.sources[name])
                entries.append(self._table(folder, WIRE_TABLES[name], self._records(connection, name)))
        entries.append(self._table(folder, WITHDRAWALS, iter([self._withdrawals(withdrawn)])))
        self._findings.refuse("What is exported must be what the format can say", "Correct the events")
        text = json.dumps(self._manifest.with_files(tuple(entries)).to_json(), indent=1, ensure_ascii=False) + "\n"
        (folder / MANIFEST_NAME).write_bytes(text.encode())
        (folder / SEAL_NAME).write_text(seal(text.encode(), exchange_key) + "\n", encoding="ascii")
        return {entry.table: entry.rows for entry in entries}, digest_of(folder / MANIFEST_NAME)[1]

    def _table(self, folder: Path, table: WireTable, batches: Iterator[pa.Table]) -> FileEntry:
        form = self._options.file_format
        name, rows = f"{table.name}.{form}", 0
        with TableWriter(folder / name, table, form) as writer:
            for batch in batches:
                check_batch(table, batch, self._manifest, self._findings, rows)
                writer.write(batch)
                rows += batch.num_rows
                if self._progress is not None:
                    self._progress(table.name, batch.num_rows)
        return FileEntry(table.name, name, form, rows, *digest_of(folder / name))

    def _withdrawals(self, refs: pa.Array) -> pa.Table:
        sender, moment = self._manifest.terms.institution_id, microseconds(self._manifest.created_at)
        columns = [pa.array([sender] * len(refs), pa.string()), refs, pa.array([moment] * len(refs), pa.int64())]
        return pa.table(columns, names=WITHDRAWALS.names).cast(wire_schema(WITHDRAWALS))

    def _records(self, connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[pa.Table]:
        start, end = microseconds(self._manifest.period_start), microseconds(self._manifest.period_end)
        query = _SHARED.format(table=name, start=start, end=end, prefix=IMPORTED_PREFIX)
        for batch in connection.sql(query).to_arrow_reader(_BATCH_ROWS):
            yield self._as_sent(WIRE_TABLES[name], pa.Table.from_batches([batch]))

    def _as_sent(self, table: WireTable, stored: pa.Table) -> pa.Table:
        columns = [self._column(table, column, stored) for column in table.names]
        return pa.table(columns, names=table.names).cast(wire_schema(table))

    def _column(self, table: WireTable, name: str, stored: pa.Table) -> pa.Array:
        terms = self._manifest.terms
        if name == "source":
            return pa.array([terms.institution_id] * stored.num_rows, pa.string())
        if name in ("legal_basis", "quality"):
            return self._by_source(name, stored.column("source").combine_chunks())
        if _RENAMED.get(name, name) not in stored.column_names:
            return pa.nulls(stored.num_rows, wire_schema(table).field(name).type)
        values = stored.column(_RENAMED.get(name, name)).combine_chunks()
        if name == "currency":
            return pc.fill_null(values, terms.currency)
        column = next(c for c in table.columns if c.name == name)
        if column.kind != "id" or name == "member_ref":
            return values
        domain = TABLES[table.name].column(_RENAMED.get(name, name)).domain
        return self._key.key_column(values, f"interchange {terms.recipient_id} {domain}")

    def _by_source(self, name: str, sources: pa.Array) -> pa.Array:
        def word(terms: RowTerms) -> str:
            return terms.quality if name == "quality" else terms.legal_basis or self._manifest.terms.legal_basis

        named = self._options.by_source
        words = pa.array([word(self._options.rows), *(word(terms) for terms in named.values())], pa.string())
        places = pc.index_in(sources, value_set=pa.array(list(named), pa.string()))
        return words.take(pc.add(pc.fill_null(places, -1), 1))
