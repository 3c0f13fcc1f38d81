"""Files of any size scored: a chunk at a time, each recorded before it counts, and gone on with where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benne.errors import BatchChanged, BatchDamaged, ConsentRequired, InsufficientEvidence
from benne.scoring.batch.asked import Asked
from benne.scoring.batch.assembling import Files, files_of
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.chunk import INDEX
from benne.scoring.batch.deciding import decide_rows
from benne.scoring.batch.emptiness import refuse_all
from benne.scoring.batch.index_checks import check_index
from benne.scoring.batch.job import Job, Terms, begun, job_folder, locked
from benne.scoring.batch.leaves import Tree
from benne.scoring.batch.live import Live
from benne.scoring.batch.parquet_source import ParquetSource
from benne.scoring.batch.part import Part, finish, open_part, partial_of
from benne.scoring.batch.publishing import Publication
from benne.scoring.batch.recorded import find_record
from benne.scoring.batch.rules import rules_of
from benne.scoring.batch.settling import Settler
from benne.scoring.batch.told import figures_of
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.policy import Policies

__all__ = ["CHUNK_ROWS", "Batch", "BatchSummary", "Progress", "score_batch"]

CHUNK_ROWS: Final = 50_000

Progress = Callable[[int, int], object]
"""Told how many rows are done, and of how many."""

Open = Callable[[Path], ParquetSource]
"""Opens what is to be scored; what lies in no file may be copied into the folder that is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be scored, for whom, and where to.

    Parameters
    ----------
    features : callable
        Takes the batch's own folder and gives a :class:`~benne.scoring.batch.parquet_source.ParquetSource`.
    out : Path
        File of scores to write; replaced if it is there. Its folder also gets the proofs and, while the batch runs,
        its parts.
    asked : Asked
    refused : Path, optional
        File of who has no score, and why.
    chunk_rows : int, default=50,000
        Rows that are decided, recorded and kept in memory together.
    must_resume : bool, default=False
        Refuse to begin where there is nothing to go on with.
    """

    features: Open
    out: Path
    asked: Asked
    refused: Path | None = None
    chunk_rows: int = CHUNK_ROWS
    must_resume: bool = False


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What came of a batch.

    Attributes
    ----------
    files : Files
    rows, scored : int
    refused : dict of str to int
        By reason.
    bands : dict of str to int
    records : int
        In the audit chain.
    resumed_at : int
        Rows that an earlier run had done.
    """

    files: Files
    rows: int
    scored: int
    refused: dict[str, int]
    bands: dict[str, int]
    records: int
    resumed_at: int


def score_batch(
    batch: Batch, model: BatchModel, live: Live, policies: Policies, progress: Progress | None = None
) -> BatchSummary:
    """Score everybody who consents; go on where an earlier run of the same batch was interrupted.

    Parameters
    ----------
    batch : Batch
    model : BatchModel
    live : Live
    policies : Policies
    progress : callable, optional

    Raises
    ------
    ObservationError, ConsentRecordError, ModelError
        If the features are not as they must be; nothing was decided.
    ConsentRequired, InsufficientEvidence
        If nobody has a score; every refusal is on record.
    BatchChanged
        If another batch is under way for the same file.
    BatchDamaged
        If another process is at it, or its parts are not those on record.
    StoreError
        If the ledger could not be reached; run it again to go on.
    """
    folder = job_folder(batch.out)
    if batch.must_resume and not begun(folder):
        raise BatchChanged(f"A batch to go on with must be in {folder}, got none there. Begin it without --resume.")
    with locked(folder):
        source = batch.features(folder)
        terms = _terms(batch, source, model, policies)
        job = Job.found(folder, terms)
        if job is None:
            _check(source, model, live, folder)
            job = Job.begin(folder, terms, live.ids)
        settler = Settler(live, rules_of(batch.asked, policies), terms.input_digest)
        try:
            summary = _Run(batch, source, model, settler, job).through(progress or _unwatched)
        except (ConsentRequired, InsufficientEvidence):  # of everybody: it is done, and there is no file
            job.remove()
            raise
        job.remove()
    return summary


def _terms(batch: Batch, source: ParquetSource, model: BatchModel, policies: Policies) -> Terms:
    """What the batch is about; features that the ledger allowed for something else are refused."""
    asked = batch.asked
    for provenance in source.provenance:
        provenance.require(asked.purpose, asked.recipient)
    return Terms(
        input_digest=source.digest(), config_hash=model.config_hash, purpose=asked.purpose, recipient=asked.recipient,
        actor=asked.actor, policy_version=policies.version, chunk_rows=batch.chunk_rows,
    )  # fmt: skip


def _check(source: ParquetSource, model: BatchModel, live: Live, folder: Path) -> None:
    """Refuse features that something speaks against, before anything is decided about anybody."""
    if source.rows == 0:
        refuse_all(())
    model.require_columns(source.schema.empty_table().to_pandas().drop(columns=list(INDEX)))
    check_index(source, folder, to_microseconds(live.clock(), "The clock"))


def _unwatched(done: int, of: int) -> None:
    """Progress that nobody wants to see."""


class _Run:
    """One run of a batch, from its first missing part to its files."""

    def __init__(self, batch: Batch, source: ParquetSource, model: BatchModel, settler: Settler, job: Job) -> None:
        self._batch = batch
        self._source = source
        self._model = model
        self._settler = settler
        self._job = job

    def through(self, progress: Progress) -> BatchSummary:
        rows, size = self._source.rows, self._batch.chunk_rows
        chunks = -(-rows // size)
        parts = list(self._recovered())
        done = min(len(parts) * size, rows)
        progress(done, rows)
        for part in self._scored(len(parts)):
            parts.append(part)
            progress(min(len(parts) * size, rows), rows)
        files = files_of(self._batch.out, self._batch.refused)
        made = Publication(self._settler, self._place, chunks).publish(parts, files, self._model)
        return BatchSummary(files, rows, made.scored, dict(made.refused), dict(made.bands), made.parts, done)

    def _scored(self, first: int) -> Iterator[Part]:
        if first * self._batch.chunk_rows >= self._source.rows:
            return
        for chunk in self._source.chunks(self._batch.chunk_rows, first):
            answers, asked_at = self._settler.answers(chunk)
            outcome = decide_rows(chunk, answers, self._model, self._settler.rules)
            path, tree = self._place(chunk.number)
            yield self._settler.settle(path, chunk.number, outcome, tree, asked_at)

    def _place(self, number: int) -> tuple[Path, Tree]:
        question = self._settler.rules.question
        tree = Tree(
            self._job.event_id(number), question.purpose, question.recipient, self._model.model_id,
            self._model.config_hash, figures_of(self._model.categories),
        )  # fmt: skip
        return self._job.place(number), tree

    def _recovered(self) -> Iterator[Part]:
        """Parts that an earlier run recorded, in order; what it had not recorded is thrown away."""
        number = 0
        while (part := self._recover(number)) is not None:
            yield part
            number += 1

    def _recover(self, number: int) -> Part | None:
        place = self._job.place(number)
        partial = partial_of(place)
        with self._settler.live.store.read() as connection:
            record = find_record(connection, self._job.event_id(number))
        if record is None:
            if place.exists():
                raise BatchDamaged(f"{place} must be on record, and is not. Name the ledger that the batch began with.")
            partial.unlink(missing_ok=True)
            return None
        if not place.exists() and not partial.exists():
            raise BatchDamaged(f"{place} must be there, because it is on record, and is not. Restore it.")
        part = open_part(place if place.exists() else partial, place)
        if part.note.root != record.root:
            raise BatchDamaged(f"{place} must be what is on record, and is not. Restore it.")
        if not place.exists():
            finish(place)
        return part
