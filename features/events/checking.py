"""The door tried without going through it: everything that would be refused, not only the first."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benne.features.events.batches import Door
from benne.features.events.ingest import scratch
from benne.features.events.intake import Progress, in_file, take_in
from benne.features.events.keys import SubjectKey
from benne.features.events.refusals import Findings
from benne.features.events.report import RefusalReport
from benne.features.events.sources import raw_from_folder
from benne.features.events.validation import check_names

__all__ = ["check_raw"]

_NO_SKEW = timedelta(0)


def check_raw(
    raw_folder: str | Path,
    *,
    ingested_at: datetime,
    key: SubjectKey | None = None,
    currency: str | None = None,
    clock_skew: timedelta = _NO_SKEW,
    workspace: str | Path | None = None,
    progress: Progress | None = None,
) -> RefusalReport:
    """Find everything for which :func:`ingest` would refuse raw Parquet tables, by the same rules.

    Parameters
    ----------
    raw_folder : path
        As for :func:`ingest`.
    ingested_at, currency, clock_skew, progress
        As for :func:`ingest`.
    key : SubjectKey, optional
        By default one drawn for this check and forgotten after it: nothing found depends on it.
    workspace : path, optional
        An existing folder on a disk with room for a keyed copy of the tables, removed
        afterwards; by default the system's folder for temporary files.

    Returns
    -------
    RefusalReport
        Where a value is refused, the rules between rows go on as if it were null.

    Raises
    ------
    EventSchemaError, EventValueError
        If there is no such folder, or clock, key or skew cannot be.
    """
    door = Door(key or SubjectKey.generate(), ingested_at, clock_skew, currency, Findings(stop=False))
    tables = [check_names(table, door.findings) for table in raw_from_folder(Path(raw_folder), door.findings)]
    with (
        TemporaryDirectory(prefix=".benne-check-", dir=workspace) as folder,
        scratch(Path(folder)) as (unsorted, connection),
    ):
        taken = take_in(tables, door, connection, in_file(unsorted), progress)
    return RefusalReport(
        refusals=door.findings.refusals,
        rows={name: intake.layout.rows for name, intake in taken.intakes.items()},
        files={name: intake.layout.files for name, intake in taken.intakes.items()},
        undated={name: intake.undated for name, intake in taken.intakes.items() if intake.undated},
        lifted=taken.lifted,
        unchecked=taken.unchecked,
    )
