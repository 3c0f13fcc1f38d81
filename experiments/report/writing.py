"""The report on disk: a page for people, a document for programs, and how long fits took."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benne.experiments.report.document import as_document, timings_of
from benne.experiments.report.evaluation_report import EvaluationReport
from benne.experiments.report.page import page
from benne.features.quality.documents import as_bytes, write_whole

__all__ = ["DOCUMENT", "PAGE", "TIMINGS", "write_report"]

PAGE: Final = "evaluation.html"
DOCUMENT: Final = "evaluation.json"
TIMINGS: Final = "fit_seconds.json"


def write_report(report: EvaluationReport, folder: str | Path) -> list[Path]:
    """Write what a training run was found to be.

    Parameters
    ----------
    report : EvaluationReport
        Of :func:`benne.experiments.report.report_on`.
    folder : path
        Files of these names in it are replaced.

    Returns
    -------
    list of Path
        ``evaluation.html`` and ``evaluation.json``: the same bytes for the same rows, seeds
        and versions. ``fit_seconds.json``, where challengers were fitted: never the same.
    """
    target = Path(folder)
    written = [
        write_whole(page(report).encode(), target / PAGE),
        write_whole(as_bytes(as_document(report)), target / DOCUMENT),
    ]
    if report.comparison is not None:
        written.append(write_whole(as_bytes(timings_of(report.comparison)), target / TIMINGS))
    return written
