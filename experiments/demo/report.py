"""The demo's report: one HTML file that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from scipy.special import expit

from benne.experiments import plots
from benne.experiments.training import TrainingRun
from benne.explain import MemberExplanation
from benne.features.categories import CATEGORY_LABELS
from benne.models import withheld_of

__all__ = ["ReportContent", "write_report"]

_STRONGEST = 8


@dataclass(frozen=True)
class ReportContent:
    """Everything the report shows.

    Parameters
    ----------
    summary : dict
        The figures of ``summary.json``.
    run : TrainingRun
    scores : DataFrame
        Of every member scored: ``score`` and more.
    explanation : MemberExplanation
    refusal : str
    known_pd : Series
        The simulator's ground truth by (subject_id, as_of).
    """

    summary: dict[str, Any]
    run: TrainingRun
    scores: pd.DataFrame
    explanation: MemberExplanation
    refusal: str
    known_pd: pd.Series[float]


def write_report(content: ReportContent, path: Path) -> Path:
    """Write the report and say where it is."""
    environment = Environment(
        loader=PackageLoader("benne.experiments.demo", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("report.html.j2").render(
        summary=content.summary,
        shares=_share_rows(content.run),
        price=_price_rows(content.run),
        frontier=content.run.model.frontier().reset_index().to_dict("records"),
        bands=_band_rows(content.run),
        explanation=content.explanation,
        strongest=list(content.explanation.features())[:_STRONGEST],
        refusal=content.refusal,
        labels=CATEGORY_LABELS,
        # Drawn here, from numbers and the registry's labels.
        figures={name: Markup(plots.as_svg(figure)) for name, figure in _figures(content).items()},  # noqa: S704
    )
    path.write_text(page, encoding="utf-8")
    return path


def _figures(content: ReportContent) -> dict[str, Figure]:
    run, explanation = content.run, content.explanation
    lines = {category.label: category.points for category in explanation.categories}
    if explanation.clipped:
        lines["Held at the end of the scale"] = explanation.clipped
    strongest = {feature.label: feature.points for feature in list(explanation.features())[:_STRONGEST]}
    rest = sum(feature.points for feature in list(explanation.features())[_STRONGEST:])
    by_feature = strongest | {"All other features": rest + explanation.clipped}
    return {
        "scores": plots.score_distribution(content.scores["score"].to_numpy(), run.model.scale_),
        "shares": plots.share_plot(run.model.contract_report_.shares, run.evaluation.shares),
        "frontier": plots.frontier_plot(run.model.frontier()),
        "calibration": plots.calibration_plot(run.evaluation.calibration, _known_by_decile(run, content.known_pd)),
        "waterfall": plots.waterfall_plot(explanation.base, lines, explanation.score),
        "features": plots.waterfall_plot(explanation.base, by_feature, explanation.score),
    }


def _known_by_decile(run: TrainingRun, known_pd: pd.Series[float]) -> pd.DataFrame:
    features = run.test.features
    log_odds = run.model.decision_function(features, withheld=withheld_of(features))
    edges = np.quantile(log_odds, np.arange(1, 10) / 10)
    known = known_pd.reindex(features.index).to_numpy()
    frame = pd.DataFrame({"predicted": expit(log_odds), "known": known})
    return frame.groupby(np.searchsorted(edges, log_odds)).mean()


def _share_rows(run: TrainingRun) -> list[dict[str, Any]]:
    reference, test = run.model.contract_report_.shares, run.evaluation.shares
    table = reference[["target", "reference"]].join(test[["share", "share_low", "share_high"]])
    return list(table.rename_axis("category").reset_index().to_dict("records"))  # type: ignore[arg-type]


def _price_rows(run: TrainingRun) -> list[dict[str, Any]]:
    return list(run.model.contract_report_.price.reset_index().to_dict("records"))  # type: ignore[arg-type]


def _band_rows(run: TrainingRun) -> list[dict[str, Any]]:
    return list(run.evaluation.calibration.by_band.reset_index().to_dict("records"))  # type: ignore[arg-type]
