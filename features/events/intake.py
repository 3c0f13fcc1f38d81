"""Raw tables on their way in: batch by batch held against the rules, then as a whole."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benne.features.events.batches import Batch, Door
from benne.features.events.currency import check_currency
from benne.features.events.integrity import check_integrity
from benne.features.events.layout import Layout
from benne.features.events.sources import RawTable
from benne.features.events.tables import TABLES
from benne.features.events.validation import conform, stored_schema
from benne.features.events.views import create_view

__all__ = ["Intake", "Progress", "Taken", "in_file", "in_memory", "take_in"]

_log = logging.getLogger(__name__)

Progress = Callable[[str, int], None]
"""Called with the table's name and the rows just taken."""


class Intake:
    """One raw table on its way in; iterating gives its batches in stored form.

    Parameters
    ----------
    raw : RawTable
        Its names checked.
    door : Door
    progress : callable, optional
    """

    def __init__(self, raw: RawTable, door: Door, progress: Progress | None = None) -> None:
        self._raw = raw
        self._door = door
        self._progress = progress
        self.layout = Layout(raw.name)
        self.undated = 0
        self.lifted = 0

    @property
    def name(self) -> str:
        """The table's name."""
        return self._raw.name

    def __iter__(self) -> Iterator[pa.Table]:
        """Each batch, checked by itself."""
        peers, table, findings = self._raw.peers, TABLES[self.name], self._door.findings
        for piece in self._raw.pieces:
            for raw in piece.batches(self.name, findings):
                place = self.layout.next_place(piece.file)
                taken = conform(Batch(table, raw, place, peers, findings), self._door)
                self.layout.add(piece.file, raw.num_rows)
                self.undated += taken.undated
                self.lifted += taken.lifted
                yield taken.table
                if self._progress is not None:
                    self._progress(self.name, raw.num_rows)

    def log(self) -> None:
        """Say what was taken otherwise than it came."""
        if self.undated:
            _log.warning(
                "%s: %d of %d rows have no known_at and count as known from the ingest clock (%s) on; "
                "no observation before it sees them. Give known_at for history.",
                self.name, self.undated, self.layout.rows, self._door.ingested_at.isoformat(),
            )  # fmt: skip
        if self.lifted:
            _log.warning(
                "%s: %d of %d rows were known up to %g s before they happened and count as known when they happened. "
                "Set the source's clock right.",
                self.name, self.lifted, self.layout.rows, self._door.clock_skew.total_seconds(),
            )  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """A whole load that has been held against every rule.

    Parameters
    ----------
    sources : mapping of str to pyarrow.Table or Path
        Each table in stored form, in the order of its source.
    intakes : mapping of str to Intake
    unchecked : tuple of str
        Rules nothing can be said of, as part of what they look into could not be read.
    """

    sources: Mapping[str, pa.Table | Path]
    intakes: Mapping[str, Intake]
    unchecked: tuple[str, ...]

    @property
    def lifted(self) -> dict[str, int]:
        """Per table, rows whose ``known_at`` was lifted; tables without any are left out."""
        return {name: intake.lifted for name, intake in self.intakes.items() if intake.lifted}


def take_in(
    tables: Iterable[RawTable],
    door: Door,
    connection: duckdb.DuckDBPyConnection,
    keep: Callable[[Intake], pa.Table | Path],
    progress: Progress | None = None,
) -> Taken:
    """Hold a load against every rule there is.

    Parameters
    ----------
    tables : iterable of RawTable
    door : Door
    connection : DuckDBPyConnection
        Gets a view of each table.
    keep : callable
        :func:`in_memory` or :func:`in_file`: where the batches go.
    progress : callable, optional
    """
    sources: dict[str, pa.Table | Path] = {}
    intakes: dict[str, Intake] = {}
    for raw in tables:
        intakes[raw.name] = Intake(raw, door, progress)
        sources[raw.name] = keep(intakes[raw.name])
        intakes[raw.name].log()
        create_view(connection, raw.name, sources[raw.name])
    layouts = {name: intake.layout for name, intake in intakes.items()}
    unchecked = check_integrity(connection, layouts, door.findings)
    check_currency(connection, layouts, door.currency, door.findings)
    return Taken(sources, intakes, unchecked)


def in_memory(intake: Intake) -> pa.Table:
    """Keep a table in memory."""
    return pa.concat_tables([stored_schema(TABLES[intake.name]).empty_table(), *intake])


def in_file(folder: Path) -> Callable[[Intake], Path]:
    """Keep tables as files in a folder."""

    def keep(intake: Intake) -> Path:
        path = folder / f"{intake.name}.parquet"
        schema = stored_schema(TABLES[intake.name])
        # Read twice and removed: fast to write matters more than small.
        with pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=False, write_statistics=False) as writer:
            for batch in intake:
                writer.write_table(batch)
        return path

    return keep
