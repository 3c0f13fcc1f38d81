"""``benne monitor``: what comes in, is said and becomes of it, held against what the model learned from."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, note, table
from benne.cli.edge import key_from
from benne.cli.exit_codes import NOT_FIT
from benne.cli.filing import answer_written, file_in_store
from benne.cli.options import FileIn, KeyFile, MadeByYou, OutcomesIfKnown, OutFolder, SavedModel, WantJson

if TYPE_CHECKING:
    import pandas as pd

    from benne.scoring.monitoring.report import MonitoringReport

__all__ = ["FailOn", "PeriodName", "monitor"]

_STEPS = ("read model and rows", "compare with the training", "write")
_SHOWN = 20


class PeriodName(StrEnum):
    """How long a period is."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"


class FailOn(StrEnum):
    """From which severity on the command ends with an exit code of its own."""

    never = "never"
    warning = "warning"
    alarm = "alarm"


def monitor(
    model: SavedModel,
    features: Annotated[Path, typer.Argument(help="Features of those who were scored, of one period or several.")],
    out: OutFolder,
    scores: Annotated[
        Path | None, typer.Option("--scores", help="What `benne score` wrote; without it the model scores anew.")
    ] = None,
    outcomes: OutcomesIfKnown = None,
    refused: Annotated[
        Path | None, typer.Option("--refused", help="Parquet of refusals, as `benne score --refused` writes it.")
    ] = None,
    reviews: Annotated[
        Path | None, typer.Option("--reviews", help="Parquet: decided_at and overturned, a row for each review.")
    ] = None,
    thresholds: Annotated[
        Path | None, typer.Option("--thresholds", help="TOML with limits other than the default ones.")
    ] = None,
    period: Annotated[PeriodName, typer.Option("--period", help="What is compared.")] = PeriodName.month,
    store: FileIn = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", help="https address that alerts are posted to, without members' data.")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="End with exit code 8 if there are such alerts, or worse.")
    ] = FailOn.never,
    by: MadeByYou = "",
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Compare what comes in, what is said and what becomes of it with what the model learned from.

    By period: shifts of every feature and the score beyond chance, sources that broke or stand still, bands, consent,
    refusals, thin and rare files; with outcomes whose window and lag are past, calibration, ranking, order of bands,
    and labels that cannot be right. Outcomes may say when a member turned bad (bad_at): periods are then compared at
    the same age before their window is past. Writes monitoring.html and monitoring.json.

    \b
    Example:
      benne monitor model features.parquet --outcomes outcomes.parquet --out monitoring --fail-on alarm
    """
    from benne.experiments.monitoring import monitoring_document, write_monitoring_report
    from benne.experiments.report.model_document import AboutDocument
    from benne.features.frames import read_features
    from benne.models import CreditScoreModel
    from benne.scoring.monitoring.alerts import AlertSink, LogSink, WebhookSink
    from benne.scoring.monitoring.monitor import Evidence
    from benne.scoring.monitoring.monitor import monitor as monitored
    from benne.scoring.monitoring.thresholds import Thresholds
    from benne.scoring.wiring import system_clock

    sinks: list[AlertSink] = [LogSink(), *([] if webhook is None else [WebhookSink(webhook)])]
    limits = Thresholds.default() if thresholds is None else Thresholds.read(thresholds)
    with Steps(_STEPS) as steps:
        steps.begin(0)
        loaded, rows = CreditScoreModel.load(model), read_features(features).features
        evidence = Evidence(
            scores=_read(scores),
            outcomes=_observed(outcomes, key_file),
            refusals=_read(refused),
            reviews=_read(reviews),
        )
        steps.begin(1)
        report = monitored(loaded, rows, evidence, thresholds=limits, period=period.value, clock=system_clock)
        steps.begin(2)
        about = AboutDocument.of(model, made_at=report.made_at, by=by)
        written = write_monitoring_report(report, out, about)
    document = monitoring_document(report, about)
    file_in_store(store, document, by)
    reached = [sink.send(report.alerts, about.model_id) for sink in sinks]
    if not all(reached):
        note("The webhook was not reached; the alerts are in the log and in the document.")
    answer_written(written, _told(document), lambda: _tell(report), want_json=want_json)
    _end(report, fail_on)


def _read(path: Path | None) -> pd.DataFrame | None:
    if path is None:
        return None
    from benne.features.frames import read_table

    frame: pd.DataFrame = read_table(path, "A table").to_pandas()
    return frame


def _observed(path: Path | None, key_file: Path | None) -> pd.DataFrame | None:
    from benne.features.frames import read_observations

    return None if path is None else read_observations(path, key_from(key_file))


def _told(document: dict[str, Any]) -> dict[str, Any]:
    kept = ("kind", "model", "made_at", "periods", "rows", "outcomes", "measures", "notes")
    return {name: document[name] for name in kept} | {"alerts": document["tables"]["alerts"]}


def _tell(report: MonitoringReport) -> None:
    answer(f"{report.rows:,} rows, {report.periods[0]} to {report.periods[-1]}; "
           f"alarms: {len(report.alarms)}, warnings: {len(report.warnings)}")  # fmt: skip
    shown = report.alerts[:_SHOWN]
    if shown:
        rows = [(one.severity, one.period, one.name, f"{one.value:.3f}", f"{one.threshold:g}") for one in shown]
        table(("severity", "period", "what", "value", "limit"), rows, left=3)
    if len(report.alerts) > len(shown):
        answer(f"  and {len(report.alerts) - len(shown)} more in the document")
    for line in report.notes:
        answer(line)


def _end(report: MonitoringReport, fail_on: FailOn) -> None:
    if (fail_on is FailOn.alarm and report.alarms) or (fail_on is FailOn.warning and report.alerts):
        raise typer.Exit(NOT_FIT)
