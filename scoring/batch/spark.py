"""Scores of a Spark frame: consents judged here, rows scored where they lie, and one audit record of each partition.

Executors run the same functions over the same rows as one machine does, so scores, leaves and proofs are the same bits.
Nothing leaves before the driver has recorded every partition; then the files are made as from any other batch.
"""

from __future__ import annotations

import functools
import hmac
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import BatchChanged
from benne.features.categories import CATEGORIES
from benne.scoring.batch.asked import Asked
from benne.scoring.batch.assembling import files_of
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.chunk import INDEX, Chunk
from benne.scoring.batch.deciding import decide_rows
from benne.scoring.batch.emptiness import refuse_all
from benne.scoring.batch.job import begun, job_folder, locked
from benne.scoring.batch.leaves import SALT_BYTES, Tree, salts_of
from benne.scoring.batch.live import Live
from benne.scoring.batch.part import LEAF, SALT, Part, open_part, partial_of
from benne.scoring.batch.publishing import Publication
from benne.scoring.batch.rules import Rules, rules_of
from benne.scoring.batch.run import BatchSummary
from benne.scoring.batch.settling import Settler, sealed
from benne.scoring.batch.spark_index import check_frame
from benne.scoring.batch.standings import Watermark
from benne.scoring.batch.told import figures_of, outcome_schema
from benne.scoring.consent.decision import Permission
from benne.scoring.policy import Policies

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["SparkBatch", "score_spark"]

_TRIED: Final = "tried"
_ROWS: Final = 50_000  # judged at once
_MOMENT: Final = "benne_as_of_us"
_CATEGORIES, _GRANULARITY, _REASON = "benne_categories", "benne_granularity", "benne_reason"
_ANSWERS: Final = pa.schema([
    ("subject_id", pa.string()), (_MOMENT, pa.int64()), (_CATEGORIES, pa.int32()), (_GRANULARITY, pa.string()),
    (_REASON, pa.string()),
])  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkBatch:
    """What is to be scored, for whom, and where to.

    Parameters
    ----------
    features : pyspark.sql.DataFrame
        With ``subject_id``, ``as_of``, the five consent columns, and the features of the model.
    out : Path
        File of scores to write. Its folder must be one that the executors can write to, as the driver does.
    asked : Asked
    refused : Path, optional
        File of who has no score, and why.
    """

    features: DataFrame
    out: Path
    asked: Asked
    refused: Path | None = None


def score_spark(batch: SparkBatch, model_folder: Path, live: Live, policies: Policies) -> BatchSummary:
    """Score everybody of a Spark frame who consents.

    Parameters
    ----------
    batch : SparkBatch
    model_folder : Path
        Of a saved model, where the executors can read it.
    live : Live
    policies : Policies

    Raises
    ------
    ObservationError, ConsentRecordError, ModelError
        If the features are not as they must be; nothing was decided.
    ConsentRequired, InsufficientEvidence
        If nobody has a score; every refusal is on record.
    BatchChanged
        If another batch is under way for the same file.
    StoreError
        If the ledger could not be reached. Such a batch begins anew; it does not go on.
    """
    folder = job_folder(batch.out)
    if begun(folder):
        raise BatchChanged(f"One batch at a time must make a file, got another under way in {folder}. End it first.")
    model, rules = BatchModel.load(model_folder), rules_of(batch.asked, policies)
    with locked(folder):
        for left in folder.glob("part-*"):
            left.unlink()
        (folder / _TRIED).mkdir(exist_ok=True)
        check_frame(batch.features, live)
        model.require_columns(_without_rows(batch.features))
        frame = _with_moments(batch.features)
        settler = Settler(live, rules, _digest_of(model, rules))
        index, answers = folder / "index", folder / "answers.parquet"
        frame.select("subject_id", _MOMENT).write.mode("overwrite").parquet(str(index))
        asked_at = _judge(settler, index, answers)
        key = live.random_bytes(SALT_BYTES)
        job_id = uuid.UUID(live.ids())
        task = _Scoring(model_folder.resolve(), rules, folder.resolve(), job_id, key, asked_at)
        told = frame.sparkSession.read.parquet(str(answers))
        done = frame.join(told, ["subject_id", _MOMENT]).mapInArrow(task, "partition int, rows long").collect()
        parts = _confirmed(settler, task, sorted(row["partition"] for row in done))
        return _published(settler, task, parts, batch, model)


def _published(
    settler: Settler, task: _Scoring, parts: list[Part], batch: SparkBatch, model: BatchModel
) -> BatchSummary:
    if not parts:
        refuse_all(())
    files = files_of(batch.out, batch.refused)
    publication = Publication(settler, lambda number: task.place(number, model), parts[-1].note.number + 1)
    made = publication.publish(parts, files, model)
    rows = sum(part.note.rows for part in parts)
    return BatchSummary(files, rows, made.scored, dict(made.refused), dict(made.bands), made.parts, 0)


@dataclass(frozen=True)
class _Scoring:
    """What an executor runs on its partition."""

    model_folder: Path
    rules: Rules
    folder: Path
    job_id: uuid.UUID
    key: bytes
    asked_at: Watermark

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        context = TaskContext.get()
        number = 0 if context is None else context.partitionId()
        model = _loaded(self.model_folder)
        outcomes = [self._decided(pa.Table.from_batches([b]), number, model) for b in batches if b.num_rows]
        if outcomes:
            rows = self._write(pa.concat_tables(outcomes).combine_chunks(), number, model)
            yield pa.record_batch([pa.array([number], pa.int32()), pa.array([rows])], names=["partition", "rows"])

    def place(self, number: int, model: BatchModel) -> tuple[Path, Tree]:
        """Where the part of a partition belongs, and what its leaves have in common."""
        tree = Tree(
            str(uuid.uuid5(self.job_id, f"chunk {number}")), self.rules.question.purpose, self.rules.question.recipient,
            model.model_id, model.config_hash, figures_of(model.categories),
        )  # fmt: skip
        return self.folder / f"part-{number:07}.parquet", tree

    def tried(self, number: int) -> Path:
        """What an executor wrote of a partition; another try of it may yet write it again, after the driver took it."""
        return self.folder / _TRIED / f"{number:07}.parquet"

    def _decided(self, rows: pa.Table, number: int, model: BatchModel) -> pa.Table:
        columns = zip(*(rows.column(name).to_pylist() for name in (_CATEGORIES, _GRANULARITY, _REASON)), strict=True)
        answers = [_answer(*one) for one in columns]
        chunk = Chunk.of(number, rows.drop_columns([_MOMENT, _CATEGORIES, _GRANULARITY, _REASON]))
        return decide_rows(chunk, answers, model, self.rules)

    def _write(self, outcome: pa.Table, number: int, model: BatchModel) -> int:
        """Another try of the same partition writes the same salts: its key follows from the batch's own."""
        _, tree = self.place(number, model)
        salts = salts_of(hmac.digest(self.key, number.to_bytes(8, "big"), "sha256"), outcome.num_rows)
        own = self.tried(number).with_name(f"{uuid.uuid4()}.parquet")
        sealed(own, number, outcome, salts, tree, self.asked_at)
        partial_of(own).replace(self.tried(number))
        return int(outcome.num_rows)


@functools.cache
def _loaded(folder: Path) -> BatchModel:
    """Once in each of Spark's Python processes."""
    return BatchModel.load(folder)


@functools.cache
def _answer(categories: int | None, granularity: Any, reason: str | None) -> Any:
    """The ledger's answer out of a row; equal ones are one object."""
    if reason is not None or categories is None:
        return reason or "consent-required"
    return Permission(frozenset(c for k, c in enumerate(CATEGORIES) if categories >> k & 1), granularity)


def _without_rows(features: DataFrame) -> Any:
    empty = features.limit(0).toArrow()
    return empty.drop_columns([name for name in INDEX if name in empty.column_names]).to_pandas()


def _with_moments(features: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

    return features.withColumn(_MOMENT, F.unix_micros("as_of"))


def _digest_of(model: BatchModel, rules: Rules) -> str:
    """A frame has no files whose content could be digested; what is asked of which model has."""
    import hashlib

    said = f"spark\n{model.config_hash}\n{rules.question.purpose}\n{rules.question.recipient}"
    return hashlib.sha256(said.encode()).hexdigest()


def _judge(settler: Settler, index: Path, target: Path) -> Watermark:
    """Write the ledger's answer about every row, from one view of it, in bounded memory."""
    asked_at: Watermark | None = None
    with settler.view() as ask, pq.ParquetWriter(target, _ANSWERS) as writer:
        for file in sorted(index.glob("*.parquet")):
            for batch in pq.ParquetFile(file).iter_batches(_ROWS):
                subjects, moments = batch.column("subject_id").cast(pa.large_string()), batch.column(_MOMENT).to_numpy()
                chunk = Chunk(0, subjects, moments, pd.DataFrame(index=range(batch.num_rows)))
                answers, asked_at = ask(chunk)
                writer.write_table(_as_table(chunk, answers))
    if asked_at is None:
        refuse_all(())
    return asked_at


def _as_table(chunk: Chunk, answers: list[Any]) -> pa.Table:
    told = [_as_row(answer) for answer in answers]
    categories, granularity, reasons = zip(*told, strict=True) if told else ((), (), ())
    columns = [chunk.subjects.cast(pa.string()), chunk.as_of_us, categories, granularity, reasons]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, _ANSWERS, strict=True)], schema=_ANSWERS)


def _as_row(answer: Any) -> tuple[int | None, str | None, str | None]:
    if not isinstance(answer, Permission):
        return None, None, str(answer)
    return sum(1 << k for k, c in enumerate(CATEGORIES) if c in answer.categories), answer.granularity, None


def _confirmed(settler: Settler, task: _Scoring, partitions: list[int]) -> list[Part]:
    """Record what the executors wrote, partition by partition; consent as it stands now decides."""
    model, parts = _loaded(task.model_folder), []
    for number in partitions:
        path, tree = task.place(number, model)
        task.tried(number).replace(partial_of(path))
        part = open_part(partial_of(path), path)
        table = Part(partial_of(path), part.note).read()
        schema = outcome_schema(model.categories)
        outcome = table.drop_columns([SALT, LEAF]).cast(schema)
        parts.append(settler.confirm(part, outcome, table.column(SALT).to_pylist(), tree))
    return parts
