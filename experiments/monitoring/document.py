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
     ("vintages", "outcomes_by_band", "outcomes_by_pattern")),
    ("features", "Features", "Each in the period in which it moved most, and in the latest.", ("features",)),
)  # fmt: skip


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
    found = f"{len(report.alarms)} alarms and {len(report.warnings)} warnings" if report.alerts else "Nothing to tell"
    return f"{report.rows:,} rows, {span}. {found}."
