"""``benne features build``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note, progress_bar, table
from benne.cli.edge import key_from, moment_from
from benne.cli.granting import mask_from
from benne.cli.options import (
    AllGranted,
    EventsFolder,
    KeyFile,
    LedgerToAsk,
    PurposeToAsk,
    RecipientToAsk,
    WantJson,
)
from benne.cli.quality import QualityFiles, report_quality
from benne.errors import ObservationError

if TYPE_CHECKING:
    import pandas as pd

    from benne.features import Events

__all__ = ["build"]


class EngineName(StrEnum):
    """What computes; the values are the same, bit for bit."""

    duckdb = "duckdb"
    spark = "spark"


_NOT_YET = "value that was known by then"


@dataclass(frozen=True)
class _Built:
    """A build, as it is told."""

    path: Path
    events: Events
    features: pd.DataFrame

    def tell(self, want_json: bool) -> None:
        """Say what came of it."""
        from benne.features import MASK_COLUMNS, available, registry

        consented = {category: int(self.features[column].sum()) for category, column in MASK_COLUMNS.items()}
        why, columns = available(self.events)[1], self.features.shape[1] - len(MASK_COLUMNS)
        absent = {name: why.get(name, _NOT_YET) for name in registry if name not in self.features.columns}
        if want_json:
            answer_json({"path": str(self.path), "observations": len(self.features), "features": columns,
                         "consented": consented, "absent": absent})  # fmt: skip
            return
        answer(f"{self.path}: {columns} features at {len(self.features):,} observations")
        table(("category", "consented"), [(name, f"{count:,}") for name, count in consented.items()])
        if absent:
            missing = "; ".join(sorted(set(absent.values())))
            note(f"{len(absent)} features are absent, because these events carry no {missing}.")


def build(
    events: EventsFolder,
    out: Annotated[Path, typer.Option("--out", help="Parquet file to write; replaced if it is there.")],
    observations: Annotated[
        Path | None, typer.Argument(help="Parquet with as_of and subject_id, or member_id and a key; or --as-of.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="ISO", help="Instead of a file: every adult who had joined by this moment."),
    ] = None,
    ledger: LedgerToAsk = None,
    purpose: PurposeToAsk = None,
    recipient: RecipientToAsk = None,
    all_granted: AllGranted = None,
    known_by: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="A corrected build: what happened before as_of, as known by this moment."),
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="This machine, or Spark; the values are the same.")] = (
        EngineName.duckdb
    ),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Ranges of members computed at once; by default one a processor.")
    ] = None,
    quality_out: Annotated[
        Path | None,
        typer.Option(help="HTML report on the data; where a check stops, no features are written."),
    ] = None,
    thresholds: Annotated[Path | None, typer.Option(help="Limits of the quality report, TOML or JSON.")] = None,
    reference: Annotated[Path | None, typer.Option(help="Earlier build the report compares with.")] = None,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Compute the features at each observation, from what was known before it and is consented to.

    Nothing of a withheld category is computed, nor are its events given to what computes. Features for training are
    built with --purpose model_training. Building an old moment again gives the old features, whatever was corrected
    since; --known-by gives the corrected ones, from which no model may learn.

    \b
    Example:
      benne features build events observations.parquet --ledger consents.db --purpose lending \\
        --recipient platform --out features.parquet --quality-out quality.html
    """
    from benne.features import Events, build_features
    from benne.features.frames import Provenance, write_features

    mask = mask_from(ledger, purpose, recipient, all_granted)
    opened = Events.open(events)
    observed = _observed(opened, observations, as_of, key_file)
    by = moment_from(known_by, "--known-by")
    with progress_bar("building features") as update:
        features = build_features(
            opened, observed, consents=mask, progress=update, known_by=by, engine=engine.value, workers=workers
        )
    if quality_out is not None or thresholds is not None or reference is not None:
        report = report_quality(
            opened, features, QualityFiles(out=quality_out, thresholds=thresholds, reference=reference)
        )
        said = ", ".join(f"{count} {status}" for status, count in report.counts().items() if count)
        note(f"Quality of the data: {said}" + ("" if quality_out is None else f"; see {quality_out}"))
    asked = (None, None) if mask.grants_everything else (purpose and purpose.value, recipient)
    knowledge = None if by is None else by.isoformat()
    origin = Provenance(mask.reason, *asked, opened.fingerprint, opened.key_fingerprint, known_by=knowledge)
    write_features(features, out, origin)
    _Built(out, opened, features).tell(want_json)


def _observed(events: Events, observations: Path | None, as_of: str | None, key_file: Path | None) -> pd.DataFrame:
    from benne.features.frames import read_observations
    from benne.features.observations import observe_everybody

    moment = moment_from(as_of, "--as-of")
    if observations is not None and moment is None:
        key = key_from(key_file)
        if key is not None and key.fingerprint != events.key_fingerprint:
            raise ObservationError(
                f"Ids must be keyed with the key of these events ({events.key_fingerprint}), got another "
                f"({key.fingerprint}). Name the right --key-file."
            )
        return read_observations(observations, key)
    if observations is None and moment is not None:
        return observe_everybody(events, moment)
    raise typer.BadParameter("say who is observed when: a file of observations, or --as-of.")
