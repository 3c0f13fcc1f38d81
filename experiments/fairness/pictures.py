"""The pictures of a fairness audit: who passes, whose PDs come true, and what fairer models would cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benne.experiments.fairness.assessing import Disparities
from benne.experiments.plots import BANDS, INK, LOSS, MAIN, QUIET, axes_of
from benne.experiments.report.pictures import for_page

__all__ = ["audit_drawings", "front_drawing", "gap_figure", "ratio_figure"]

_SHADES = (MAIN, LOSS, BANDS[1], INK, BANDS[3])


def audit_drawings(found: Disparities, review_below: float) -> dict[str, str]:
    """Each picture of an audit as an ``<svg>`` element, by its caption."""
    drawn = {}
    if found.by_cutoff["adverse_impact_ratio"].notna().any():
        drawn["Who passes, against the reference group"] = for_page("ratios", ratio_figure(found, review_below))
    if found.by_group["calibration_gap"].notna().any():
        drawn["Observed less predicted bad rate"] = for_page("gaps", gap_figure(found.by_group))
    return drawn


def ratio_figure(found: Disparities, review_below: float) -> Figure:
    """Adverse impact ratios with their intervals, a mark for each cut-off."""
    known = found.by_cutoff[found.by_cutoff["adverse_impact_ratio"].notna()]
    labels = _labels(known)
    figure, axes = axes_of(7.0, 1.0 + 0.3 * len(labels))
    axes.axvline(1.0, color=QUIET, lw=0.8)
    axes.axvline(review_below, color=LOSS, lw=0.9, ls=":")
    cutoffs = sorted(known["cutoff"].unique())
    for k, cutoff in enumerate(cutoffs):
        at = known[known["cutoff"] == cutoff]
        shift = 0.5 * ((k + 0.5) / len(cutoffs) - 0.5)
        _marks(axes, at, "adverse_impact_ratio", labels, shift, _SHADES[k % len(_SHADES)], f"cut-off {cutoff:g}")
    axes.set(xlabel=f"adverse impact ratio, 95 % interval; below {review_below:g} asks for review")
    axes.legend(frameon=False, fontsize=7.5, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4)
    return figure


def gap_figure(by_group: pd.DataFrame) -> Figure:
    """Calibration gap of each group with its interval."""
    known = by_group[by_group["calibration_gap"].notna()]
    labels = _labels(known)
    figure, axes = axes_of(7.0, 0.9 + 0.24 * len(labels))
    axes.axvline(0.0, color=QUIET, lw=0.8)
    _marks(axes, known, "calibration_gap", labels, 0.0, MAIN, "")
    axes.set(xlabel="observed less predicted; above 0 the score favours the group")
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:+.1f} %".replace("-", "−"))
    return figure


def front_drawing(table: pd.DataFrame) -> str:
    """Candidates by what they cost and what they even out; those that nothing beats are green.

    Parameters
    ----------
    table : DataFrame
        ``auc``, ``adverse_impact_ratio`` and ``verdict`` of each candidate, the model as given first.
    """
    known = table[table["auc"].notna() & table["adverse_impact_ratio"].notna()]
    figure, axes = axes_of(7.0, 3.4)
    front = known[known["verdict"].isin(["on the front", "as given, on the front"])]
    for chosen, colour, label in (
        (known.index.isin(front.index), MAIN, "on the front"), (~known.index.isin(front.index), QUIET, "not kept"),
    ):  # fmt: skip
        axes.plot(known["auc"][chosen], known["adverse_impact_ratio"][chosen], "o", ms=4, color=colour, label=label)
    axes.plot(known["auc"].iloc[:1], known["adverse_impact_ratio"].iloc[:1], "D", ms=6, color=LOSS, label="as given")
    axes.set(xlabel="AUC on held-out members", ylabel="least adverse impact ratio")
    axes.ticklabel_format(useOffset=False)
    axes.legend(frameon=False, fontsize=8, loc="best")
    return for_page("front", figure)


def _labels(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys((table["attribute"] + ": " + table["group"]).tolist()))


def _marks(
    axes: Axes, table: pd.DataFrame, name: str, labels: Sequence[str], shift: float, colour: str, label: str
) -> None:
    place = np.array([len(labels) - 1 - labels.index(one) for one in table["attribute"] + ": " + table["group"]])
    value, low, high = (table[f"{name}{end}"].to_numpy(dtype=np.float64) for end in ("", "_low", "_high"))
    spread = np.nan_to_num(np.maximum([value - low, high - value], 0.0))
    axes.errorbar(value, place - shift, xerr=spread, fmt="o", ms=3.5, lw=1, color=colour, label=label)
    axes.set_yticks(np.arange(len(labels))[::-1], labels, fontsize=8)
    axes.set_ylim(-0.6, len(labels) - 0.4)
