"""The report on disk: a page for people, a document for programs, and how long fits took."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from benne.experiments.challengers import Comparison
from benne.experiments.report.document import as_document, timings_of
from benne.experiments.report.options import ReportOptions
from benne.experiments.report.page import page
from benne.experiments.report.reporting import report_on
from benne.features.quality.documents import as_bytes, write_whole

if TYPE_CHECKING:
    from benne.experiments.training import TrainingRun

__all__ = ["DOCUMENT", "PAGE", "TIMINGS", "write_report"]

PAGE: Final = "evaluation.html"
DOCUMENT: Final = "evaluation.json"
TIMINGS: Final = "fit_seconds.json"


def write_report(
    run: TrainingRun,
    folder: str | Path,
    *,
    options: ReportOptions | None = None,
    comparison: Comparison | None = None,
) -> list[Path]:
    """Evaluate a training run and write what is found, e.g. to be logged as artefacts.

    Parameters
    ----------
    run : TrainingRun
    folder : path
        Files of these names in it are replaced.
    options : ReportOptions, optional
    comparison : Comparison, optional
        Of :func:`benne.experiments.challengers.compare`, where it has been made; else it is
        made here.

    Returns
    -------
    list of Path
        ``evaluation.html`` and ``evaluation.json``: the same bytes for the same rows, seeds
        and versions. ``fit_seconds.json``, where challengers were fitted: never the same.

    Raises
    ------
    LabelError
        If fewer than ten test rows can be scored, or all became the same.
    ModelError
        If the model was loaded: the frontier needs the rows of the fit.
    """
    report = report_on(run, options, comparison=comparison)
    target = Path(folder)
    written = [
        write_whole(page(report).encode(), target / PAGE),
        write_whole(as_bytes(as_document(report)), target / DOCUMENT),
    ]
    if report.comparison is not None:
        written.append(write_whole(as_bytes(timings_of(report.comparison)), target / TIMINGS))
    return written
