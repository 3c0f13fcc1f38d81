"""``benne velocity``: cheap features that move faster than they do among honest members, for a person to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, answer_json, note, table
from benne.cli.edge import existing_ledger
from benne.cli.filing import file_in_store
from benne.cli.options import LedgerBehind, MadeByYou, WantJson
from benne.errors import MonitoringError

if TYPE_CHECKING:
    import pandas as pd

    from benne.features.frames import FeatureFile
    from benne.scoring.monitoring.velocity import VelocityReference, VelocityResult

__all__ = ["app"]

app = typer.Typer(help="Cheap features that move faster than among honest members; for a person to look at.",
                  no_args_is_help=True, rich_markup_mode=None)  # fmt: skip

Before = Annotated[Path, typer.Argument(help="Features of members at a moment, one row for each.")]
After = Annotated[Path, typer.Argument(help="Features of the same members later, built for the same purpose.")]

_SHOWN = 10


@app.command()
def learn(
    before: Before,
    after: After,
    out: Annotated[Path, typer.Option("--out", help="File for the reference, JSON.")],
    quantile: Annotated[
        float, typer.Option("--quantile", help="Share of honest members whom it leaves alone, from 0.9.")
    ] = 0.995,
    feature: Annotated[
        list[str] | None, typer.Option("--feature", help="Instead of those that are cheap to move; again for more.")
    ] = None,
    ledger: LedgerBehind = None,
    want_json: WantJson = False,
) -> None:
    """Learn how fast cheap features move among members of whom nobody thinks that they game.

    Both files are built for model_training. The reference holds quantiles of ten members or more a step, and nobody's
    value.

    \b
    Example:
      benne velocity learn training-june.parquet training-july.parquet --out reference.json --ledger consents.db
    """
    from benne.scoring.monitoring.velocity import VelocityReference

    with Steps(("read features of both moments", "learn", "write")) as steps:
        steps.begin(0)
        first, second = _frames(before, after, ledger, training=True)
        steps.begin(1)
        reference = VelocityReference.learn(first, second, quantile=quantile, features=feature or None)
        steps.begin(2)
        reference.write(out)
    if want_json:
        answer_json({"file": str(out), "members": reference.rows, "quantile": reference.quantile,
                     "days": reference.days, "features": list(reference.grids)})  # fmt: skip
        return
    answer(f"{out}: {len(reference.grids)} features of {reference.rows:,} members, over {reference.days:g} days")
    note(f"Next: benne velocity check BEFORE AFTER --reference {out} --out flags.parquet")


@app.command()
def check(
    before: Before,
    after: After,
    reference: Annotated[Path, typer.Option("--reference", help="What `benne velocity learn` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Parquet for those flagged: subject_id, fast_features, which.")],
    model: Annotated[
        Path | None, typer.Option("--model", help="Folder of the model that scores them; with --store.")
    ] = None,
    ledger: LedgerBehind = None,
    by: MadeByYou = "",
    store: Annotated[
        str | None, typer.Option("--store", help="Also file the share: a service's folder, or a database.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Flag members whose cheap features moved faster than nearly everybody's of the reference.

    The moments must be as far apart as the reference's, a quarter more or less.
    A flag is for a person to look at: it refuses nothing, lowers no score and is no feature. The file names those
    flagged and nobody else; with --store the share of them is filed about the model, and no name.

    \b
    Example:
      benne velocity check july.parquet august.parquet --reference reference.json --out flags.parquet \\
        --ledger consents.db
    """
    from benne.scoring.monitoring.velocity import VelocityReference

    if store is not None and model is None:
        raise typer.BadParameter("--store files a document about a model: name its folder, --model.")
    with Steps(("read features of both moments", "check", "write")) as steps:
        steps.begin(0)
        known = VelocityReference.read(reference)
        first, second = _frames(before, after, ledger, training=False)
        steps.begin(1)
        found = known.check(first, second)
        steps.begin(2)
        flagged = _write_flagged(found, out)
        if model is not None:
            _file(known, found, model, by, store)
    told = {"file": str(out), "members": len(found.flags), "flagged": flagged, "measures": found.measures()}
    if want_json:
        answer_json(told)
    else:
        _tell(known, found, out)


def _frames(before: Path, after: Path, ledger: str | None, *, training: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both moments, without rows whose consent has ended since they were built."""
    from benne.experiments.labelling import require_training_consent, still_consented
    from benne.features.frames import read_features

    files = [read_features(path) for path in (before, after)]
    if training:
        files = [require_training_consent(file) for file in files]
    _require_alike(*files)
    opened = None if ledger is None else existing_ledger(ledger)
    first, second = (
        file.features[
            still_consented(file, opened, purpose=getattr(file.provenance, "purpose", None) or "model_training")
        ]
        for file in files
    )
    return first, second


def _require_alike(first: FeatureFile, second: FeatureFile) -> None:
    """Built for the same, of members named by the same key: otherwise a move is none, or nobody's business."""
    for what, name in (("purpose", "purpose"), ("recipient", "recipient"), ("key of members", "key_fingerprint")):
        if getattr(first.provenance, name, None) != getattr(second.provenance, name, None):
            raise MonitoringError(f"Features of both moments must have one {what}, got two. Build them alike.")


def _write_flagged(found: VelocityResult, out: Path) -> int:
    """Those flagged and no others: a number for everybody would be one join away from a feature."""
    from benne.features.frames import write_table

    flagged = found.flags[found.flags["flagged"]].drop(columns="flagged")
    write_table(flagged.reset_index(), out)
    return len(flagged)


def _file(known: VelocityReference, found: VelocityResult, model: Path, by: str, store: str | None) -> None:
    from benne.experiments.gaming.velocity_document import velocity_document
    from benne.experiments.report.model_document import AboutDocument
    from benne.scoring.wiring import system_clock

    about = AboutDocument.of(model, made_at=system_clock(), by=by)
    file_in_store(store, velocity_document(known, found, about), by)


def _tell(known: VelocityReference, found: VelocityResult, out: Path) -> None:
    one: dict[str, Any] = found.measures()["velocity.flagged_share"]
    flagged = found.flags[found.flags["flagged"]]
    answer(f"{len(found.flags):,} members at both moments, {len(flagged):,} flagged; {one['note']}")
    if one["value"] is not None:
        answer(f"share flagged {one['value']:.2%} (95 % interval {one['low']:.2%} to {one['high']:.2%})")
    counts = {name: int(flagged["which"].str.split(", ").map(lambda some, name=name: name in some).sum())
              for name in known.grids}  # fmt: skip
    most = sorted(((count, name) for name, count in counts.items() if count), reverse=True)[:_SHOWN]
    if most:
        table(("fast feature", "of those flagged"), [(name, f"{count:,}") for count, name in most])
    note(f"For a person to look at, and nothing else: {out}")
