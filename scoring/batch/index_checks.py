"""Whom and when each row is about, looked at in all rows before anything is decided about anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb

from benne.errors import ConsentRecordError, FeatureTypeError, ObservationError
from benne.features.consent_mask import MASK_COLUMNS
from benne.scoring.batch.parquet_source import ParquetSource

__all__ = ["check_index"]

_MEMORY: Final = "512MB"


def check_index(source: ParquetSource, scratch: Path, now_us: int) -> None:
    """Refuse rows that cannot all be told apart; two passes over the index columns in bounded memory.

    Parameters
    ----------
    source : ParquetSource
    scratch : Path
        Folder in which what does not fit into memory may lie for a while.
    now_us : int
        Features of a later moment are not known yet.

    Raises
    ------
    ObservationError
        For a null in the index, an observation that is there twice, or a moment in the future.
    ConsentRecordError
        For what is no subject id.
    FeatureTypeError
        For a consent column that is not true or false throughout.
    """
    files = [str(file) for file in source.files]
    with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(scratch)}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        _check_values(connection, files, now_us)
        _check_repeats(connection, files)


def _check_values(connection: Any, files: list[str], now_us: int) -> None:
    masks = " OR ".join(f"{name} IS NULL" for name in MASK_COLUMNS.values())
    unnamed, timeless, raw, masked, latest = connection.execute(
        "SELECT count(*) FILTER (subject_id IS NULL), count(*) FILTER (as_of IS NULL), "  # noqa: S608 - names of ours
        "count(*) FILTER (NOT regexp_full_match(subject_id, '[0-9a-f]{32}')), "
        f"count(*) FILTER ({masks}), max(epoch_us(as_of)) FROM read_parquet(?)",
        [files],
    ).fetchone()
    for name, empty in (("subject_id", unnamed), ("as_of", timeless)):
        if empty:
            raise ObservationError(f"{name} must never be null, got {empty} row(s) without. Drop those rows.")
    if raw:
        raise ConsentRecordError(
            "A subject id must be 32 hexadecimal digits (a keyed pseudonym), got something else in "
            f"{raw} row(s). Pass ids through benne.features.events.SubjectKey."
        )
    if masked:
        raise FeatureTypeError(
            f"Consent columns must be bool without nulls, got nulls in {masked} row(s). Pass the mask as built."
        )
    if latest is not None and latest > now_us:
        raise ObservationError("as_of must not lie in the future, got a later moment than now. Drop those rows.")


def _check_repeats(connection: Any, files: list[str]) -> None:
    (twice,) = connection.execute(
        "SELECT coalesce(sum(rows - 1), 0) FROM ("
        "SELECT count(*) AS rows FROM read_parquet(?) GROUP BY subject_id, epoch_us(as_of) HAVING count(*) > 1)",
        [files],
    ).fetchone()
    if twice:
        raise ObservationError(f"Features must hold each observation once, got {twice} repeated row(s). Drop them.")
