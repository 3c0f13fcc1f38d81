"""A verdict on disk: a page for people and a document for programs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from benne.experiments import plots
from benne.experiments.report.page import environment
from benne.experiments.report.pictures import for_page
from benne.experiments.validation.verdict import MadeVerdict
from benne.features.quality.documents import as_bytes, write_whole
from benne.models import CalibrationReport

__all__ = ["DOCUMENT", "PAGE", "verdict_page", "write_verdict"]

PAGE: Final = "verdict.html"
DOCUMENT: Final = "verdict.json"


def write_verdict(made: MadeVerdict, folder: str | Path) -> list[Path]:
    """Write a verdict as ``verdict.html`` and ``verdict.json``; files of these names are replaced.

    The same figures give the same bytes; what one row takes, where a gate asks for it, is never the same.
    """
    target = Path(folder)
    return [
        write_whole(verdict_page(made).encode(), target / PAGE),
        write_whole(as_bytes(made.content), target / DOCUMENT),
    ]


def verdict_page(made: MadeVerdict) -> str:
    """The verdict as one HTML file that needs nothing else."""
    template = environment().get_template("verdict.html.j2")
    # Drawn here, from numbers and the names of bands.
    figures = {name: Markup(svg) for name, svg in _drawings(made.calibration).items()}  # noqa: S704
    return str(template.render(it=made.content, results=[_shown(one) for one in made.content["results"]],
                               figures=figures))  # fmt: skip


def _drawings(report: CalibrationReport | None) -> dict[str, str]:
    if report is None:
        return {}
    enough = report.by_decile[report.by_decile["rows"] >= 10]
    by_band = report.by_band[report.by_band["rows"] >= 10]
    reports = {"by decile": enough, "by band": by_band}
    return {
        name: for_page(name.replace(" ", "-"), plots.calibration_plot(dataclasses.replace(report, by_decile=table)))
        for name, table in reports.items()
        if len(table)
    }


def _shown(result: dict[str, Any]) -> dict[str, Any]:
    """One gate as people read it."""
    interval = "" if result["low"] is None else f"{_text(result['low'])} to {_text(result['high'])}"
    return result | {"shown": _text(result["value"]), "interval": interval}


def _text(value: float | None) -> str:
    if value is None:
        return "–"
    if value == 0 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.1e}" if abs(value) < 1e-4 else f"{np.format_float_positional(value, 4, trim='-')}"
