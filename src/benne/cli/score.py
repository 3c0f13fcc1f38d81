"""``benne score``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, table
from benne.cli.options import Actor, LedgerAddress, ModelFolder, PurposeOption, RecipientOption, WantJson
from benne.errors import StoreError

if TYPE_CHECKING:
    from benne.scoring.batch.batch_model import BatchModel
    from benne.scoring.batch.live import Live
    from benne.scoring.batch.parquet_source import ParquetSource
    from benne.scoring.batch.run import BatchSummary

__all__ = ["score"]


def score(
    features: Annotated[
        str,
        typer.Argument(
            help="Features built for the same purpose and recipient: a Parquet file, a folder of them, or, with "
            "--table, a database URL."
        ),
    ],
    model: ModelFolder,
    ledger: LedgerAddress,
    purpose: PurposeOption,
    recipient: RecipientOption,
    out: Annotated[Path, typer.Option("--out", help="Parquet file of scores to write; replaced if it is there.")],
    refused: Annotated[
        Path | None, typer.Option(help="Also write who has no score, and why, to this Parquet file.")
    ] = None,
    from_table: Annotated[
        str | None, typer.Option("--table", metavar="NAME", help="Read this table of the database at FEATURES.")
    ] = None,
    policies: Annotated[
        Path | None, typer.Option("--policies", help="What may be asked and told; without it, the built-in policies.")
    ] = None,
    chunk_rows: Annotated[
        int, typer.Option("--chunk-rows", min=1, max=1_000_000, help="Rows decided and recorded together.")
    ] = 50_000,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only go on with a batch that was interrupted; never begin one.")
    ] = False,
    actor: Actor = "benne-cli",
    want_json: WantJson = False,
) -> None:
    """Score the members who consent, a chunk at a time; the audit chain holds one record of each chunk.

    The file holds no more than each member lets the recipient have: all of it, or the band alone. Beside it
    is what proves each row: OUT.proofs.parquet and OUT.leaves.parquet, see `benne audit prove`. Interrupted,
    the same command goes on where it stopped. If nobody consents there is no file, and the exit code is 4.

    \b
    Example:
      benne score features.parquet --model model --ledger consents.db --purpose lending \\
        --recipient platform --out scores.parquet
    """
    from benne.scoring.batch import Asked
    from benne.scoring.batch.batch_model import BatchModel
    from benne.scoring.batch.run import Batch, score_batch
    from benne.scoring.policy import default_policies, read_policies

    batch = Batch(
        features=_opening(features, from_table),
        out=out,
        asked=Asked(purpose.value, recipient, actor),
        refused=refused,
        chunk_rows=chunk_rows,
        must_resume=resume,
    )
    allowed = default_policies() if policies is None else read_policies(policies)
    loaded = BatchModel.load(model)
    with _live(ledger) as live, _rows_watched() as progress:
        summary = score_batch(batch, loaded, live, allowed, progress)
    if want_json:
        answer_json(_as_dict(summary))
        return
    _tell(summary, loaded)


def _opening(features: str, from_table: str | None) -> Callable[[Path], ParquetSource]:
    from benne.scoring.batch.parquet_source import open_parquet
    from benne.scoring.batch.table_source import open_table

    if from_table is not None:
        return lambda folder: open_table(features, from_table, folder)
    if "://" in features:
        raise typer.BadParameter("a database URL needs the name of a table: --table.")
    return lambda folder: open_parquet(Path(features))


@contextmanager
def _live(address: str) -> Iterator[Live]:
    """The ledger's store, and what else a batch is made with."""
    import secrets

    from benne.scoring import open_store
    from benne.scoring.batch.live import Live
    from benne.scoring.wiring import random_id, system_clock

    if "://" not in address and not Path(address).is_file():
        raise StoreError(
            f"The ledger must exist, got no file {address}. Grant or import a consent first: benne consent"
        )
    store = open_store(address)
    try:
        yield Live(store, system_clock, secrets.token_bytes, random_id)
    finally:
        store.close()


@contextmanager
def _rows_watched() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with how many rows a second, and how long it will still take; nothing where nobody watches."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Scoring"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TextColumn("left:"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("", total=None, rate="")

        def update(done: int, rows: int) -> None:
            bar.update(task, completed=done, total=rows)
            speed = bar.tasks[0].speed
            bar.update(task, rate="" if speed is None else f"{speed:,.0f}/s")

        yield update


def _as_dict(summary: BatchSummary) -> dict[str, object]:
    return {
        "path": str(summary.files.scores),
        "proofs": str(summary.files.proofs),
        "leaves": str(summary.files.leaves),
        "rows": summary.rows,
        "scored": summary.scored,
        "refused": summary.refused,
        "bands": summary.bands,
        "audit_records": summary.records,
        "resumed_at": summary.resumed_at,
    }


def _tell(summary: BatchSummary, model: BatchModel) -> None:
    if summary.resumed_at:
        answer(f"Gone on after {summary.resumed_at:,} rows that were done.")
    not_scored = sum(summary.refused.values())
    answer(f"{summary.files.scores}: {summary.scored:,} scored, {not_scored:,} not")
    answer(f"{summary.files.proofs}: what proves each row, in {summary.records:,} audit records")
    table(("band", "members"), [(name, f"{summary.bands.get(name, 0):,}") for name in model.bands])
    if summary.refused:
        answer()
        table(("not scored", "members"), [(reason, f"{count:,}") for reason, count in summary.refused.items()])
