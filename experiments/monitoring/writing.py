"""Monitoring on disk: a page for people and the document that is filed about the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benne.experiments.monitoring.pictures import monitoring_drawings
from benne.experiments.report.document_page import document_page
from benne.features.quality.documents import as_bytes, write_whole
from benne.scoring.monitoring.report import MonitoringReport

__all__ = ["DOCUMENT", "PAGE", "AboutMonitoring", "monitoring_document", "write_monitoring_report"]

PAGE: Final = "monitoring.html"
DOCUMENT: Final = "monitoring.json"

_SECTIONS: Final = (
    ("alerts", "Alerts", "Figures beyond their limit and beyond chance, all checks of a period together.", ("alerts",)),
    ("scores", "Scores", "Against the scores of the training rows.", ("scores", "bands", "files")),
    ("consent", "Consent and refusals", "Which categories could be used, and who was refused.",
     ("patterns", "refusals", "reviews")),
    ("outcomes", "What became of them", "Only of rows whose outcome window and lag are past.",
     ("vintages", "outcomes_by_band", "outcomes_by_pattern")),
    ("features", "Features", "Each in the period in which it moved most, and in the latest.", ("features",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutMonitoring:
    """What a document says of itself.

    Parameters
    ----------
    model_id, config_hash : str
        Of the saved model; see :func:`benne.scoring.decisions.served_model.identity_of`.
    by : str
        Who had it monitored.
    """

    model_id: str
    config_hash: str
    by: str


def monitoring_document(report: MonitoringReport, about: AboutMonitoring) -> dict[str, Any]:
    """The report as plain JSON: the same findings at the same moment, the same bytes."""
    document = report.as_document(about.model_id, about.config_hash, about.by)
    sections = [
        {
            "key": key,
            "title": title,
            "text": [text],
            "tables": [name for name in tables if document["tables"].get(name)],
        }
        for key, title, text, tables in _SECTIONS
    ]
    return document | {"sections": [one for one in sections if one["tables"]]}


def write_monitoring_report(report: MonitoringReport, folder: str | Path, about: AboutMonitoring) -> list[Path]:
    """Write a report for people and for programs.

    Returns
    -------
    list of Path
        ``monitoring.html`` and ``monitoring.json``: the same bytes for the same report and ``about``.
    """
    document, target = monitoring_document(report, about), Path(folder)
    page = document_page(document, title="Monitoring", lead=_lead(report), figures=monitoring_drawings(report))
    return [write_whole(page.encode(), target / PAGE), write_whole(as_bytes(document), target / DOCUMENT)]


def _lead(report: MonitoringReport) -> str:
    span = report.periods[0] if len(report.periods) == 1 else f"{report.periods[0]} to {report.periods[-1]}"
    found = f"{len(report.alarms)} alarms and {len(report.warnings)} warnings" if report.alerts else "Nothing to tell"
    return f"{report.rows:,} rows, {span}. {found}."
