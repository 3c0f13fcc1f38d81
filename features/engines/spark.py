"""The Spark engine: past one machine, the same kernel over the same rows, member by member.

All tables are laid on top of each other in one long form, so that one shuffle brings
everything of a member together, their observations in front.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benne.errors import EngineUnavailable
from benne.features.categories import CATEGORIES
from benne.features.compute import compute
from benne.features.consent_mask import ConsentMask
from benne.features.engines.packing import pack, streamed
from benne.features.engines.task import Task
from benne.features.events.events import Events
from benne.features.events.tables import TABLES
from benne.features.kernel.finaliser import Floats
from benne.features.kernel.layout import STREAMS, TABLE_COLUMNS
from benne.features.kernel.program import DAY, SCHEDULE_DAYS
from benne.features.kernel.stream import NEVER, Integers, Mask, Observations
from benne.features.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["compute_spark", "local_session", "planned"]

_OBSERVED: Final = -1  # the stream of observations: it sorts in front of a member's events
_ROWS_AT_ONCE: Final = 1_000_000
_COMMON: Final = ("subject_id", "stream", "event_time", "known_at", "superseded_at")
_IDS: Final = max(sum(c.kind == "id" for c in streamed(name)) for name in TABLE_COLUMNS)
_NUMBERS: Final = max(len(CATEGORIES), *(sum(c.kind != "id" for c in streamed(name)) for name in TABLE_COLUMNS))


def local_session(*, cores: int = 2, memory: str = "2g") -> SparkSession:
    """A Spark session on this machine.

    Raises
    ------
    EngineUnavailable
        Without PySpark, or without Java 17 or newer.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        must = "The Spark engine must have PySpark, got none. Install it: pip install 'benne[spark]'."
        raise EngineUnavailable(must) from None
    if shutil.which("java") is None:
        raise EngineUnavailable(
            "Spark needs Java 17 or newer, got none. Install one, on Debian: apt-get install openjdk-17-jre-headless."
        )
    settings = {
        "spark.driver.memory": memory, "spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1", "spark.sql.shuffle.partitions": str(2 * cores),
    }  # fmt: skip
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # the only way Spark takes it once Python runs
    builder = SparkSession.builder.master(f"local[{cores}]").appName("benne")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    return session


def compute_spark(
    task: Task, session: SparkSession | None = None, progress: Callable[[int, int], None] | None = None
) -> tuple[Floats, Mask]:
    """Compute a task on Spark and bring the values back.

    Parameters
    ----------
    task : Task
        Events on disk must lie where the executors can read them.
    session : SparkSession, optional
        By default the active one, or else :func:`local_session`.
    progress : callable, optional
        Called once all members are done.

    Returns
    -------
    values : ndarray of float64, shape (features, n)
    late : ndarray of bool, shape (n,)
    """
    spark = session or _active() or local_session()
    with TemporaryDirectory(prefix="benne-spark-") as folder:
        made = planned(task, spark, Path(folder)).toArrow()
    order = np.argsort(made.column("row").to_numpy())
    values = np.stack([made.column(name).to_numpy()[order] for name in task.plan.names])
    if progress is not None:
        progress(len(task.observed.members), len(task.observed.members))
    return values, made.column("late").to_numpy()[order]


def planned(task: Task, session: SparkSession, folder: Path) -> DataFrame:
    """The features of a task as a Spark frame, computed where they are used.

    Parameters
    ----------
    task : Task
    session : SparkSession
    folder : Path
        Tables that lie in memory are written there, and must stay as long as the frame is used.

    Returns
    -------
    DataFrame
        ``row`` of the observation, one double a feature (null as NaN), and ``late``; in no order.
    """
    until = session.createDataFrame(task.members().table())
    rows = _observed(session, task)
    for name in sorted(task.plan.tables):
        rows = rows.unionByName(_table(session, task.events, name, until, folder))
    whole = rows.repartition("subject_id").sortWithinPartitions("subject_id", "stream", "event_time")
    schema = "row long" + "".join(f", `{name}` double" for name in task.plan.names) + ", late boolean"
    return whole.mapInArrow(_Kernel(task.plan, task.consents), schema)


def _active() -> SparkSession | None:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        return None
    return SparkSession.getActiveSession()


def _observed(session: SparkSession, task: Task) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

    observed = task.observed
    mask = {category: pa.array(given) for category, given in zip(CATEGORIES, task.mask.T, strict=True)}
    frame = session.createDataFrame(pa.table({
        "row": np.arange(len(observed)), "subject_id": pa.array(observed.subject_ids, pa.string()),
        "as_of": observed.as_of, "known_by": observed.known_by, **mask,
    }))  # fmt: skip
    numbers = [F.col(c).cast("long") for c in CATEGORIES]
    return frame.select(*_long(F, _OBSERVED, "as_of", "known_by", F.col("row"), numbers, []))


def _table(session: SparkSession, events: Events, name: str, until: DataFrame, folder: Path) -> DataFrame:
    """One event table in the long form: rows before each member's last consented observation."""
    from pyspark.sql import functions as F  # noqa: N812

    source = session.read.parquet(str(_file(events.sources[name], folder / f"{name}.parquet")))
    ahead = SCHEDULE_DAYS * DAY if TABLES[name].schedule else 0
    rows = source.join(until.select("subject_id", F.col(f"until_{name}").alias("until")), "subject_id")
    rows = rows.where(F.col("event_time") < F.col("until") + F.lit(ahead))
    superseded = F.lit(NEVER).cast("long")
    if events.has(name, "supersedes"):
        corrected = F.col("supersedes").alias("corrected")
        corrections = source.where("supersedes is not null").select(corrected, F.col("known_at").alias("corrected_at"))
        rows = rows.join(corrections, F.col("record_id") == F.col("corrected"), "left")
        superseded = F.coalesce(F.col("corrected_at"), superseded)
    numbers = [_number(F, c.kind, c.name, c.values) for c in streamed(name) if c.kind != "id"]
    ids = [F.col(c.name) for c in streamed(name) if c.kind == "id"]
    return rows.select(*_long(F, STREAMS[name], "event_time", "known_at", superseded, numbers, ids))


def _number(F: Any, kind: str, name: str, values: tuple[str, ...]) -> Any:
    if kind == "category":
        return (F.array_position(F.array(*map(F.lit, values)), F.col(name)) - 1).cast("long")
    return F.col(name).cast("long")


def _long(F: Any, stream: int, time: str, known: str, superseded: Any, numbers: list[Any], ids: list[Any]) -> list[Any]:
    nothing = [F.lit(None).cast("long")] * (_NUMBERS - len(numbers)), [F.lit(None).cast("string")] * (_IDS - len(ids))
    return [
        F.col("subject_id"), F.lit(stream).alias("stream"), F.col(time).cast("long").alias("event_time"),
        F.col(known).cast("long").alias("known_at"), superseded.cast("long").alias("superseded_at"),
        *(c.alias(f"n{k}") for k, c in enumerate([*numbers, *nothing[0]])),
        *(c.alias(f"i{k}") for k, c in enumerate([*ids, *nothing[1]])),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Kernel:
    """What an executor runs on its part of the members."""

    plan: Plan
    consents: ConsentMask

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in _whole_members(batches):
            yield from self._features(table).to_batches()

    def _features(self, table: pa.Table) -> pa.Table:
        codes, subjects = _codes(table.column("subject_id"))
        streams = table.column("stream").to_numpy()
        tables = {name: _own(name, table, codes, streams) for name in sorted(self.plan.tables)}
        observed = table.filter(pa.array(streams == _OBSERVED))
        as_of, known_by, row = (observed.column(c).to_numpy() for c in ("event_time", "known_at", "superseded_at"))
        observations = Observations(codes[streams == _OBSERVED], as_of, known_by)
        mask = np.stack([observed.column(f"n{k}").to_numpy() for k in range(len(CATEGORIES))], axis=1).astype(bool)
        values, late = compute(self.plan, pack(tables, subjects), observations, mask, self.consents)
        return pa.table([pa.array(row), *map(pa.array, values), pa.array(late)], ["row", *self.plan.names, "late"])


def _whole_members(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut sorted batches between members, so that every piece holds whole ones."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        held.append(batch)
        rows += batch.num_rows
        if rows >= _ROWS_AT_ONCE:
            table = pa.Table.from_batches(held)
            cut = _last_begin(table.column("subject_id"))
            if cut:
                yield table.slice(0, cut)
                held = table.slice(cut).to_batches()
                rows -= cut
    if held:
        yield pa.Table.from_batches(held)


def _last_begin(subjects: pa.ChunkedArray) -> int:
    """Where the last member's rows begin."""
    return int(pc.index(subjects, subjects[-1]).as_py())


def _codes(subjects: pa.ChunkedArray) -> tuple[Integers, int]:
    """Number sorted subject ids from 0."""
    runs = pc.run_end_encode(subjects.combine_chunks())
    ends = runs.run_ends.to_numpy()
    return np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0)), len(ends)


def _own(name: str, table: pa.Table, codes: Integers, streams: Integers) -> pa.Table:
    """One event table out of the long form."""
    keep = streams == STREAMS[name]
    rows = table.filter(pa.array(keep))
    ids, numbers = iter(range(_IDS)), iter(range(_NUMBERS))
    own = {c.name: rows.column(f"i{next(ids)}" if c.kind == "id" else f"n{next(numbers)}") for c in streamed(name)}
    common = {c: rows.column(c) for c in ("event_time", "known_at", "superseded_at")}
    return pa.table({"code": codes[keep], **common, **own})


def _file(source: pa.Table | Path, path: Path) -> Path:
    if isinstance(source, Path):
        return source.resolve()
    pq.write_table(source, path)
    return path
