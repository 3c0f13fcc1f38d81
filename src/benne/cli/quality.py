"""``benne features quality``, and the same report for a build that asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.edge import moment_from
from benne.cli.options import EventsFolder

if TYPE_CHECKING:
    import pandas as pd

    from benne.features import Events
    from benne.features.frames import FeatureFile
    from benne.features.quality import QualityReport

__all__ = ["QualityFiles", "quality", "report_quality"]

_STDOUT = "-"


@dataclass(frozen=True)
class QualityFiles:
    """The files of a quality report; None for those nobody asked for.

    Parameters
    ----------
    out : path or None
        HTML to write.
    json : str or None
        JSON to write; ``-`` for stdout.
    thresholds, reference, refusals : path or None
        To read.
    save_reference : path or None
        To write, unless a check stops.
    """

    out: Path | None = None
    json: str | None = None
    thresholds: Path | None = None
    reference: Path | None = None
    refusals: Path | None = None
    save_reference: Path | None = None


def report_quality(
    events: Events, features: pd.DataFrame, files: QualityFiles, as_of: datetime | None = None
) -> QualityReport:
    """Measure a build, write what was asked for, and stop where a check stops.

    Parameters
    ----------
    events : Events
    features : DataFrame
        From :func:`benne.features.build_features`.
    files : QualityFiles
    as_of : datetime, optional
        The clock; by default the newest ``as_of`` of the features.

    Raises
    ------
    QualityError
        A check stops. The reports are written; a reference is not.
    QualityInputError
        A file that was to be read is not what it must be.
    ObservationError
        Nobody is observed and no clock was given.
    """
    from benne.features.quality import Reference, Refusals, Thresholds, check_quality, quality_report

    report = quality_report(
        events, features, as_of=_newest(features) if as_of is None else as_of,
        thresholds=None if files.thresholds is None else Thresholds.read(files.thresholds),
        reference=None if files.reference is None else Reference.read(files.reference),
        refusals=None if files.refusals is None else Refusals.read(files.refusals),
    )  # fmt: skip
    if files.json == _STDOUT:
        answer_json(report.as_dict())
    elif files.json is not None:
        report.write_json(files.json)
    if files.out is not None:
        report.write_html(files.out)
    check_quality(report)
    if files.save_reference is not None:
        report.reference().write(files.save_reference)
    return report


def quality(
    events: EventsFolder,
    features: Annotated[Path, typer.Argument(help="Parquet that `benne features build` wrote from these events.")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML report to write; replaced if it is there.")] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="JSON report to write; - for stdout.")
    ] = None,
    thresholds: Annotated[
        Path | None, typer.Option(help="TOML or JSON with limits other than the default ones.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Earlier build to compare with, from --save-reference.")
    ] = None,
    save_reference: Annotated[
        Path | None, typer.Option(help="Write this build as a reference for later ones, unless a check stops.")
    ] = None,
    refusals: Annotated[Path | None, typer.Option(help="JSON or TOML with counts of what was refused before.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="ISO", help="Clock to measure freshness by; by default the newest as_of."),
    ] = None,
) -> None:
    """Report on the data of a build: coverage, freshness, duplicates, outliers, drift, thin files.

    Ends with exit code 8 where a check stops; the reports are written all the same.

    \b
    Example:
      benne features quality events features.parquet --out quality.html --save-reference reference.json
    """
    from benne.features import Events
    from benne.features.frames import read_features

    opened, built = Events.open(events), read_features(features)
    _require_same_events(opened, built)
    files = QualityFiles(out, json, thresholds, reference, refusals, save_reference)
    report = report_quality(opened, built.features, files, moment_from(as_of, "--as-of"))
    if json != _STDOUT:
        _summarise(report)
    if save_reference is None and reference is None:
        note("Nothing was said of drift: save this build with --save-reference, compare the next one by --reference.")


def _summarise(report: QualityReport) -> None:
    from benne.features.quality import CHECKS

    counts = report.counts()
    answer(f"{report.verdict}: {', '.join(f'{count} {status}' for status, count in counts.items())}")
    if warnings := report.of("warn"):
        rows = [(check.subject, CHECKS[check.kind].label, check.text) for check in warnings]
        table(("warns", "what", "value"), rows, left=2)


def _newest(features: pd.DataFrame) -> datetime:
    from benne.errors import ObservationError

    if features.empty:
        raise ObservationError("A quality report must have a clock, got none and nobody observed. Give --as-of.")
    newest: datetime = features.index.get_level_values("as_of").max().to_pydatetime()
    return newest


def _require_same_events(events: Events, built: FeatureFile) -> None:
    from benne.errors import QualityInputError

    if built.provenance is not None and built.provenance.events_fingerprint != events.fingerprint:
        raise QualityInputError(
            "Features must be built from the events reported on, got some built from others. Build them again, "
            "or name the events they come from."
        )
