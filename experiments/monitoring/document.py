"""Monitoring on disk: a page for people and the document that is filed about the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from benne.experiments.monitoring.pictures import monitoring_drawings
from benne.experiments.report.model_document import AboutDocument, document_of, section, write_document
from benne.scoring.monitoring.report import KIND, MonitoringReport

__all__ = ["monitoring_document", "write_monitoring_report"]

_SECTIONS: Final = (
    ("alerts", "Alerts", "Figures beyond their limit and beyond chance, all checks of a period together.", ("alerts",)),
    ("scores", "Scores", "Against the scores of the training rows.", ("scores", "bands", "files")),
    ("consent", "Consent and refusals", "Which categories could be used, and who was refused.",
     ("patterns", "refusals", "reviews")),
    ("outcomes", "What became of them", "Only of rows whose outcome window and lag are past.",
     ("vintages", "outcomes_by_band", "outcomes_by_band_and_period", "outcomes_by_pattern",
      "outcomes_by_pattern_and_period")),
    ("curves", "Vintages as they mature", "Who has turned bad by each month of age, beside the vintages before at that "
     "age.", ("vintage_curves",)),
    ("features", "Features", "Each in the period in which it moved most, and in the latest.", ("features",)),
)  # fmt: skip
_NAMED: Final = 4


def monitoring_document(report: MonitoringReport, about: AboutDocument) -> dict[str, Any]:
    """The report as plain JSON: the same findings at the same moment, the same bytes."""
    content = report.content()
    sections = [
        section(key, title, [text], *(name for name in tables if content["tables"].get(name)))
        for key, title, text, tables in _SECTIONS
    ]
    return document_of(KIND, about, {**content, "sections": [one for one in sections if one["tables"]]})


def write_monitoring_report(report: MonitoringReport, folder: str | Path, about: AboutDocument) -> list[Path]:
    """Write a report for people and for programs.

    Returns
    -------
    list of Path
        ``monitoring.html`` and ``monitoring.json``: the same bytes for the same report and ``about``.
    """
    document, figures = monitoring_document(report, about), monitoring_drawings(report)
    return write_document(document, folder, title="Monitoring", lead=_lead(report), figures=figures)


def _lead(report: MonitoringReport) -> str:
    span = report.periods[0] if len(report.periods) == 1 else f"{report.periods[0]} to {report.periods[-1]}"
    return f"{report.rows:,} rows, {span}. {_found(report)}."


def _found(report: MonitoringReport) -> str:
    """How many there are, and the first by name: the table of them stands below the pictures."""
    if not report.alerts:
        return "Nothing to tell"
    named = [f"{one.name} in {one.period}" for one in report.alerts[:_NAMED]]
    more = ["and more"] if len(report.alerts) > _NAMED else []
    counts = (_counted(len(report.alarms), "alarm"), _counted(len(report.warnings), "warning"))
    return f"{' and '.join(counts)}: {', '.join([*named, *more])}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
