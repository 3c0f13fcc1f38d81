"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

import math
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benne.experiments.report.document import as_document
from benne.experiments.report.evaluation_report import EvaluationReport
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.report.pictures import drawings
from benne.features.categories import CATEGORY_LABELS
from benne.features.quality.cells import percent

__all__ = ["environment", "page"]

METRIC_LABELS: Final = {
    "auc": "AUC", "gini": "Gini", "ks": "KS", "brier": "Brier score", "log_loss": "log loss",
    "ece": "calibration error (ECE)",
}  # fmt: skip


def page(report: EvaluationReport) -> str:
    """The whole page."""
    template = environment().get_template("evaluation.html.j2")
    # Drawn here, from numbers, names of bands, categories and contestants.
    figures = {name: Markup(svg) for name, svg in drawings(report).items()}  # noqa: S704
    return str(
        template.render(
            it=as_document(report), figures=figures, metric_labels=METRIC_LABELS, categories=CATEGORY_LABELS,
            smallest=SMALLEST_GROUP,
        )
    )  # fmt: skip


def environment() -> Environment:
    """How pages of reports are filled in, with their filters."""
    made = Environment(
        loader=PackageLoader("benne.experiments.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {"share": _share, "fixed": _fixed, "signed": _signed, "whole": _whole}
    return made


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _fixed(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None, digits: int = 4) -> str:
    """With its sign, a real minus, and nothing that rounds to −0."""
    if value is None:
        return "–"
    rounded = round(value, digits)
    text = f"{abs(rounded):.{digits}f}"
    return text if rounded == 0 else f"{'−' if math.copysign(1, rounded) < 0 else '+'}{text}"


def _whole(value: Any) -> str:
    return "–" if value is None else f"{value:,.0f}"
