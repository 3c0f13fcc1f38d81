"""Parts put together, one after the other, into the files that a batch leaves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.chunk import INDEX, as_microseconds
from benne.scoring.batch.emptiness import refuse_all
from benne.scoring.batch.leaves import SALT_BYTES
from benne.scoring.batch.part import LEAF, SALT, Part, flush_file, flush_folder, partial_of
from benne.scoring.batch.told import OUTCOME, figures_of, refused_schema, told_schema
from benne.scoring.consent.decision import Question

__all__ = ["LEAVES", "NOTE", "PROOFS", "Assembled", "Files", "assemble", "files_of", "give_names", "later_refusals"]

NOTE: Final = b"benne.batch"
"""Under which the file of proofs says what its rows have in common."""
_GROUP: Final = 65_536  # rows
_BYTES: Final = pa.binary(SALT_BYTES)
PROOFS: Final = pa.schema([
    ("subject_id", pa.large_string()), ("as_of", pa.timestamp("us", tz="UTC")), (OUTCOME, pa.large_string()),
    ("event_id", pa.string()), ("position", pa.int32()), (SALT, _BYTES),
])  # fmt: skip
"""Of the file that says in which chunk, and at which place in it, a row's leaf is."""
LEAVES: Final = pa.schema([("event_id", pa.string()), ("position", pa.int32()), (LEAF, _BYTES)])
"""Of the file of leaves, which says nothing about anybody: no row of it goes when a member is erased."""

Row = tuple[str, int]
Bools = npt.NDArray[np.bool_]


class Files(NamedTuple):
    """What a batch leaves: scores, who has none, and what proves both."""

    scores: Path
    refused: Path | None
    proofs: Path
    leaves: Path


@dataclass(slots=True)
class Assembled:
    """What is in the files: parts, scores, refusals by reason, and scores in each band that may be told."""

    parts: int = 0
    scored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)


def files_of(scores: Path, refused: Path | None = None) -> Files:
    """Where the files of a batch are.

    Examples
    --------
    >>> files_of(Path("out/scores.parquet")).proofs.as_posix()
    'out/scores.proofs.parquet'
    """
    stem = scores.name.removesuffix(".parquet")
    return Files(
        scores, refused, scores.with_name(f"{stem}.proofs.parquet"), scores.with_name(f"{stem}.leaves.parquet")
    )


def assemble(parts: Sequence[Part], later: int, files: Files, model: BatchModel, question: Question) -> Assembled:
    """Write the files beside their places, a part in memory at a time.

    Parameters
    ----------
    parts : sequence of Part
    later : int
        From which number on parts hold refusals of rows of the others.
    files : Files
    model : BatchModel
    question : Question

    Raises
    ------
    InsufficientEvidence, ConsentRequired
        If nobody has a score; then there are no files.
    """
    ended, made, told = later_refusals(parts, later), Assembled(), told_schema(model.categories)
    schemas = {files.scores: told, files.proofs: PROOFS.with_metadata(_note(model, question)), files.leaves: LEAVES}
    if files.refused is not None:
        schemas[files.refused] = refused_schema()
    with _writing(schemas) as write:
        for part in parts:
            rows = part.read()
            scored = _scored(rows, ended)
            scores, others = rows.filter(pa.array(scored)), rows.filter(rows.column(OUTCOME).is_valid())
            write(files.scores, scores.select(told.names))
            if files.refused is not None:
                write(files.refused, others.select(refused_schema().names))
            _prove(rows, part, files, write)
            _count(made, scores, others)
    if made.scored == 0:
        _forget(schemas)
        refuse_all(set(made.refused))
    return made


def _note(model: BatchModel, question: Question) -> dict[bytes, bytes]:
    """What the leaves of all chunks have in common."""
    shared = {
        "purpose": question.purpose, "recipient": question.recipient, "model_id": model.model_id,
        "config_hash": model.config_hash, "figures": figures_of(model.categories),
    }  # fmt: skip
    return {NOTE: json.dumps(shared).encode()}


def give_names(files: Files) -> None:
    """Put what was written into its places; the scores come last."""
    targets = [path for path in (files.leaves, files.proofs, files.refused, files.scores) if path is not None]
    for target in targets:
        _beside(target).replace(target)
    for folder in {target.parent for target in targets}:
        flush_folder(folder)


def later_refusals(parts: Sequence[Part], later: int) -> frozenset[Row]:
    """Rows that were scored, and refused before the scores left."""
    return frozenset(row for part in parts if part.note.number >= later for row in _rows(part.read(INDEX)))


def _rows(table: pa.Table) -> Iterator[Row]:
    return zip(table.column("subject_id").to_pylist(), as_microseconds(table.column("as_of")).tolist(), strict=True)


def _scored(rows: pa.Table, ended: Collection[Row]) -> Bools:
    scored = np.array(rows.column(OUTCOME).is_null().to_numpy(), dtype=bool)
    if ended:
        members = pa.array([subject for subject, _ in ended], pa.large_string())
        for place in np.flatnonzero(pc.is_in(rows.column("subject_id"), value_set=members).to_numpy()).tolist():
            scored[place] &= next(_rows(rows.slice(place, 1))) not in ended
    return scored


def _prove(rows: pa.Table, part: Part, files: Files, write: Any) -> None:
    events = pa.array([part.note.event_id] * rows.num_rows)
    shared = {"event_id": events, "position": pa.array(np.arange(rows.num_rows, dtype=np.int32))}
    columns = {name: rows.column(name) for name in (*INDEX, OUTCOME, SALT, LEAF)} | shared
    write(files.proofs, pa.table([columns[name] for name in PROOFS.names], schema=PROOFS))
    write(files.leaves, pa.table([columns[name] for name in LEAVES.names], schema=LEAVES))


def _count(made: Assembled, scores: pa.Table, refused: pa.Table) -> None:
    made.parts += 1
    made.scored += scores.num_rows
    made.refused.update(_tallied(refused.column(OUTCOME)))
    made.bands.update(_tallied(scores.column("band").drop_null()))


def _tallied(column: pa.ChunkedArray) -> Mapping[str, int]:
    return {pair["values"]: pair["counts"] for pair in pc.value_counts(column).to_pylist()}


@contextmanager
def _writing(schemas: Mapping[Path, pa.Schema]) -> Iterator[Any]:
    """Yields what appends a table to one of the files; all of them are down on the disk in the end."""
    with ExitStack() as opened:
        writers = {}
        for target, schema in schemas.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            texts = [f.name for f in schema if pa.types.is_large_string(f.type) and f.name != "subject_id"]
            writer = pq.ParquetWriter(_beside(target), schema, use_dictionary=[*texts, "event_id"])
            writers[target] = opened.enter_context(writer)
        yield lambda target, table: writers[target].write_table(table.cast(schemas[target]), row_group_size=_GROUP)
    for target in schemas:
        flush_file(_beside(target))


def _forget(targets: Collection[Path]) -> None:
    for target in targets:
        _beside(target).unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    return partial_of(target.with_name(f".{target.name}"))
