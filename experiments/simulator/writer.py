"""Parquet files written one community at a time, in place only when all are complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import SimulationError

__all__ = ["MANIFEST", "WorldWriter", "written_whole"]

MANIFEST: Final = "simulation.json"


class WorldWriter:
    """Appends tables to Parquet files in a folder, each append one row group.

    Only one community's rows are ever held; files stay open until :meth:`close`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, int] = {}
        self._open: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def append(self, name: str, table: pa.Table) -> None:
        """Append to ``<folder>/<name>.parquet``."""
        if name not in self._open:
            path = self.folder / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[name] = pq.ParquetWriter(path, table.schema, compression="zstd")
            self.rows[name] = 0
        self._open[name].write_table(table)
        self.rows[name] += len(table)

    def manifest(self, facts: Mapping[str, Any]) -> None:
        """Write what was made, and how, beside the tables."""
        text = json.dumps(facts, indent=2, sort_keys=True)
        (self.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    def close(self) -> None:
        """Finish every file."""
        for writer in self._open.values():
            writer.close()
        self._open.clear()


@contextmanager
def written_whole(out_folder: Path) -> Iterator[Path]:
    """A folder to write to, renamed to ``out_folder`` when the block ends well and removed otherwise.

    An earlier simulation in ``out_folder`` is replaced.

    Raises
    ------
    SimulationError
        If ``out_folder`` holds anything that is not a simulation.
    """
    if out_folder.exists() and not _replaceable(out_folder):
        raise SimulationError(
            "out_folder must be empty or hold an earlier simulation, got other files. Choose another."
        )
    partial = out_folder.with_name(f".{out_folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if out_folder.exists():
            shutil.rmtree(out_folder)
        partial.rename(out_folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replaceable(folder: Path) -> bool:
    return folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir()))
