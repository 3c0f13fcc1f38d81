"""The report's pictures, as drawings that take the page's colours."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from benne.experiments import plots
from benne.experiments.challengers import Comparison
from benne.experiments.plots import BANDS, INK, LOSS, MAIN, QUIET, axes_of, bars_by_band
from benne.experiments.report.evaluation_report import EvaluationReport
from benne.experiments.report.profit import Profit
from benne.models import SCORE_MAX, SCORE_MIN, ScoreScale

__all__ = ["drawings", "for_page", "pictures"]

_SECOND: Final = BANDS[3]

_THEME: Final = {
    INK: "--ink", QUIET: "--faint", MAIN: "--main", LOSS: "--loss", _SECOND: "--second",
    BANDS[1]: "--amber", BANDS[2]: "--straw",
}  # fmt: skip
"""Which of the page's colours stands for each of a picture's."""


def drawings(report: EvaluationReport) -> dict[str, str]:
    """Each picture as an ``<svg>`` element for the page, the same text each time."""
    return {name: for_page(name, figure) for name, figure in pictures(report).items()}


def pictures(report: EvaluationReport) -> dict[str, Figure]:
    """Each picture by its name."""
    shares = report.contract.shares
    by_band = dataclasses.replace(report.calibration, by_decile=report.calibration.by_band)
    found = {
        "scores": score_bars(report.distribution, report.scale),
        "bands": band_rates(report.bands.table),
        "lift": gains(report.lift),
        "calibration": plots.calibration_plot(report.calibration),
        "calibration_bands": plots.calibration_plot(by_band),
        "profit": profit_curve(report.profit),
        "shares": plots.share_plot(shares, shares.rename(columns=lambda name: name.replace("test", "share"))),
        "frontier": plots.frontier_plot(report.contract.frontier),
    }
    if report.comparison is not None:
        found["challengers"] = differences(report.comparison)
    if report.stability.periods is not None:
        found["periods"] = by_period(report.stability.periods)
    if report.learning is not None:
        found["learning"] = learning(report.learning)
    return found


def score_bars(distribution: pd.DataFrame, scale: ScoreScale) -> Figure:
    """Members per ten points of score, coloured by band; wider bars where members are few."""
    figure, axes = axes_of(7.0, 2.9)
    lowest, highest = (distribution[end].to_numpy(dtype=np.float64) for end in ("lowest", "highest"))
    bars_by_band(axes, scale, lowest, highest, 10 * distribution["rows"].to_numpy() / (highest - lowest))
    axes.set(ylabel="rows per 10 points")
    return figure


def band_rates(table: pd.DataFrame) -> Figure:
    """Bad rate of each band beside the predicted PD."""
    figure, axes = axes_of(3.4, 2.6)
    place = np.arange(len(table))
    axes.bar(place, table["observed"], 0.62, color=MAIN, label="became bad, 95 % interval",
             yerr=_spread(table, "observed"), error_kw={"lw": 1, "ecolor": INK})  # fmt: skip
    axes.plot(place, table["predicted"], "D", ms=4, color=LOSS, label="predicted PD")
    _name_places(axes, table)
    return figure


def gains(lift: pd.DataFrame) -> Figure:
    """Share of all bads among the riskiest members."""
    figure, axes = axes_of(3.4, 2.6)
    axes.plot([0, 1], [0, 1], color=QUIET, lw=0.8, ls="--", label="no model")
    axes.plot([0, *lift["rows_share"]], [0, *lift["captured"]], color=MAIN, marker="o", ms=3.5, label="this model")
    axes.set(xlabel="riskiest share of rows", ylabel="share of all bads", xlim=(0, 1), ylim=(0, 1.02))
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    axes.legend(frameon=False, fontsize=7.5, loc="lower right")
    return figure


def profit_curve(profit: Profit) -> Figure:
    """Profit per applicant over the cut-off, with the share that is accepted."""
    figure, axes = axes_of(7.0, 2.9)
    curve = profit.curve
    axes.axhline(0.0, color=QUIET, lw=0.8)
    axes.fill_between(curve["cutoff"], curve["realised_low"], curve["realised_high"], color=MAIN, alpha=0.2, lw=0)
    axes.plot(curve["cutoff"], curve["realised"], color=MAIN, marker="o", ms=2.5, label="realised, 95 % interval")
    axes.plot(curve["cutoff"], curve["expected"], color=LOSS, lw=1, ls="--", label="expected by the PD")
    axes.axvline(float(profit.terms.cutoff or 0.0), color=INK, lw=0.9, ls=":")
    axes.annotate("cut-off", (float(profit.terms.cutoff or 0.0), 1.02), xycoords=("data", "axes fraction"),
                  ha="center", fontsize=8, color=INK)  # fmt: skip
    axes.set(xlabel="lowest score accepted", ylabel="profit per applicant", xlim=(SCORE_MIN, SCORE_MAX))
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def differences(comparison: Comparison) -> Figure:
    """AUC of ours under contract minus that of each other, with paired intervals."""
    table = comparison.table[comparison.table["auc"].notna()].iloc[:-1]
    figure, axes = axes_of(7.0, 0.9 + 0.32 * max(len(table), 1))
    place = np.arange(len(table))[::-1]
    axes.axvline(0.0, color=QUIET, lw=0.8)
    axes.errorbar(table["auc_difference"], place, xerr=_spread(table, "auc_difference"), fmt="o", ms=4, lw=1.2,
                  color=MAIN)  # fmt: skip
    axes.set_yticks(place, list(table.index))
    axes.set(xlabel="AUC of ours under contract minus this one's, 95 % interval", ylim=(-0.6, len(table) - 0.4))
    return figure


def by_period(periods: pd.DataFrame) -> Figure:
    """Predicted and observed bad rate of each period."""
    figure, axes = axes_of(7.0, 2.6)
    place = np.arange(len(periods))
    axes.errorbar(place, periods["observed"], yerr=_spread(periods, "observed"), fmt="o", ms=4, lw=1, color=MAIN,
                  label="became bad, 95 % interval")  # fmt: skip
    axes.plot(place, periods["predicted"], "D", ms=4, color=LOSS, label="predicted PD")
    _name_places(axes, periods)
    return figure


def learning(table: pd.DataFrame) -> Figure:
    """AUC on the same test rows by members learned from."""
    figure, axes = axes_of(3.4, 2.6)
    known = table[table["auc"].notna()]
    axes.errorbar(known["members"], known["auc"], yerr=_spread(known, "auc"), color=MAIN, marker="o", ms=4, lw=1)
    axes.set(xlabel="members learned from", ylabel="AUC on the test rows", xlim=(0, None))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    return figure


def _spread(table: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """How far an interval reaches below and above; never a rounding to the wrong side."""
    value, low, high = (table[f"{name}{end}"].to_numpy(dtype=np.float64) for end in ("", "_low", "_high"))
    return np.asarray(np.maximum([value - low, high - value], 0.0))


def _name_places(axes: Axes, table: pd.DataFrame) -> None:
    """Groups below, rates in per cent, and the legend above, where no interval reaches."""
    axes.set_xticks(np.arange(len(table)), [name.replace(" to ", "\nto ") for name in table.index], fontsize=8)
    _percent(axes.yaxis)
    axes.legend(frameon=False, fontsize=7.5, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2)


def _percent(axis: Axis) -> None:
    axis.set_major_formatter(PercentFormatter(1.0))  # with the decimals that ticks close together need


def for_page(name: str, figure: Figure) -> str:
    """Without a ground of its own, in the page's colours, with ids that no other picture has."""
    figure.set_facecolor("none")
    for axes in figure.axes:
        axes.set_facecolor("none")
    svg = plots.as_svg(figure)
    svg = re.sub(r"<(metadata|style).*?</\1>\s*", "", svg, flags=re.S)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in _THEME.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg
