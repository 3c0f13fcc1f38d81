"""The pictures of a training run: scores, shares, price, calibration, and one score's waterfall."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benne.experiments.training import TrainingRun
from benne.features.categories import CATEGORY_LABELS
from benne.models import SCORE_MAX, SCORE_MIN, CalibrationReport, ScoreScale, withheld_of

__all__ = [
    "as_svg",
    "axes_of",
    "bars_by_band",
    "calibration_plot",
    "frontier_plot",
    "score_distribution",
    "share_plot",
    "training_plots",
    "waterfall_plot",
]

Floats = npt.NDArray[np.float64]

INK: Final = "#1f2933"
QUIET: Final = "#9aa5b1"
MAIN: Final = "#0b6e4f"
LOSS: Final = "#b23a48"
BANDS: Final = ("#b23a48", "#d98e04", "#c9b458", "#6a994e", "#0b6e4f")

_STYLE: Final[dict[Any, Any]] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9.5, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": QUIET, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "svg.hashsalt": "benne", "svg.fonttype": "none",
}  # fmt: skip


def training_plots(run: TrainingRun) -> dict[str, Figure]:
    """The pictures that every run logs, by file name."""
    features = run.test.features
    scores = run.model.predict_score(features, withheld=withheld_of(features))
    return {
        "scores": score_distribution(scores, run.model.scale_),
        "shares": share_plot(run.model.contract_report_.shares, run.evaluation.shares),
        "frontier": frontier_plot(run.model.frontier()),
        "calibration": calibration_plot(run.evaluation.calibration),
    }


def as_svg(figure: Figure) -> str:
    """The picture as an ``<svg>`` element: the same text each time it is drawn."""
    text = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]


def score_distribution(scores: Floats, scale: ScoreScale) -> Figure:
    """Histogram of scores in steps of ten, coloured by band."""
    figure, axes = axes_of(7.0, 2.9)
    edges = np.arange(SCORE_MIN, SCORE_MAX + 1, 10)
    counts, _ = np.histogram(scores, edges)
    bars_by_band(axes, scale, edges[:-1], edges[1:], counts)
    axes.set(ylabel="members")
    return figure


def bars_by_band(axes: Axes, scale: ScoreScale, lowest: Floats, highest: Floats, heights: Any) -> None:
    """Bars over ranges of scores, coloured by the band their middle is in, and the bands' names above."""
    names = [band.name for band in scale.bands]
    place = [names.index(name) for name in scale.band((lowest + highest) / 2).tolist()]
    shades = [BANDS[round(k * (len(BANDS) - 1) / max(len(names) - 1, 1))] for k in place]
    axes.bar(lowest, heights, width=highest - lowest - 1, align="edge", color=shades)
    for band in scale.bands:
        axes.annotate(band.name, ((band.lowest + band.highest) / 2, 1.02), xycoords=("data", "axes fraction"),
                      ha="center", fontsize=8, color=INK)  # fmt: skip
        axes.axvline(band.highest + 1, color=QUIET, lw=0.6, ls=":")
    axes.set(xlabel="score", xlim=(SCORE_MIN, SCORE_MAX))


def share_plot(reference: pd.DataFrame, test: pd.DataFrame) -> Figure:
    """Declared weights beside the shares that were realised, with intervals on the test rows."""
    figure, axes = axes_of(7.0, 2.8)
    place = np.arange(len(reference))[::-1]
    axes.barh(place + 0.27, reference["target"], 0.24, color=QUIET, label="declared")
    axes.barh(place, reference["reference"], 0.24, color=MAIN, label="realised, reference sample")
    spread = np.abs(test[["share_low", "share_high"]].to_numpy().T - test["share"].to_numpy())
    axes.barh(place - 0.27, test["share"], 0.24, color="#6a994e", xerr=spread, label="realised, test members",
              error_kw={"lw": 1, "ecolor": INK})  # fmt: skip
    axes.set_yticks(place, [CATEGORY_LABELS.get(name, name) for name in reference.index])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def frontier_plot(frontier: pd.DataFrame) -> Figure:
    """What the contract costs: out-of-fold AUC over the tolerance of the weights."""
    figure, axes = axes_of(3.4, 2.6)
    place = np.arange(len(frontier))
    axes.plot(place, frontier["auc"], color=MAIN, marker="o", ms=4)
    axes.set_xticks(place, [f"{tau:g}" for tau in frontier.index])
    axes.set(xlabel="tolerance of the weights", ylabel="AUC out of fold")
    axes.ticklabel_format(axis="y", useOffset=False)
    return figure


def calibration_plot(report: CalibrationReport, known: pd.DataFrame | None = None) -> Figure:
    """Predicted PD against what happened by decile; against a known PD too where there is one."""
    figure, axes = axes_of(3.4, 2.6)
    deciles = report.by_decile
    top = float(max(deciles["predicted"].max(), deciles["observed_high"].max())) * 1.05
    axes.plot([0, top], [0, top], color=QUIET, lw=0.8, ls="--")
    low, high = deciles["observed"] - deciles["observed_low"], deciles["observed_high"] - deciles["observed"]
    axes.errorbar(deciles["predicted"], deciles["observed"], yerr=[low.clip(lower=0), high.clip(lower=0)], fmt="o",
                  ms=3.5, lw=1, color=MAIN, label="observed, 95 % interval")  # fmt: skip
    if known is not None:
        axes.plot(known["predicted"], known["known"], "x", ms=5, color=LOSS, label="known PD (simulator)")
    axes.set(xlabel="predicted PD", ylabel="share that became bad", xlim=(0, top), ylim=(0, top))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda x, _: f"{x:.0%}")
    axes.legend(frameon=False, fontsize=7.5)
    return figure


def waterfall_plot(base: float, lines: Mapping[str, float], score: float) -> Figure:
    """From the base to one score, line by line."""
    figure, axes = axes_of(7.0, 0.9 + 0.27 * (len(lines) + 2))
    reached = base
    labels = ["Base", *lines, "Score"]
    place = np.arange(len(labels))[::-1]
    axes.barh(place[0], base - SCORE_MIN, left=SCORE_MIN, color=QUIET, height=0.6)
    axes.annotate(f"{base:.1f}", (base, place[0]), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    for row, points in zip(place[1:-1], lines.values(), strict=True):
        axes.barh(row, points, left=reached, color=MAIN if points >= 0 else LOSS, height=0.6)
        reached += points
        axes.annotate(f"{points:+.1f}", (max(reached, reached - points), row), xytext=(3, 0),
                      textcoords="offset points", va="center", fontsize=8)  # fmt: skip
    axes.barh(place[-1], score - SCORE_MIN, left=SCORE_MIN, color=INK, height=0.6)
    axes.annotate(f"{score:.1f}", (score, place[-1]), xytext=(3, 0), textcoords="offset points", va="center",
                  fontsize=9, fontweight="bold")  # fmt: skip
    axes.set_yticks(place, labels)
    axes.set_xlim(SCORE_MIN, max(base, score, reached) + 60)
    return figure


def axes_of(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches in the house's style, and its axes."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()
