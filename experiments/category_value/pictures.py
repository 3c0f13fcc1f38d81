"""What each category adds, drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from benne.experiments.category_value.report import CategoryValue, CategoryValueReport
from benne.experiments.plots import INK, LOSS, MAIN, axes_of
from benne.experiments.report.pictures import for_page
from benne.features.categories import CATEGORY_LABELS

__all__ = ["drawings", "gains"]

_KINDS: Final[tuple[tuple[str, Callable[[CategoryValue], dict[str, Any] | None], str], ...]] = (
    ("under the contract", lambda one: one.held, MAIN),
    ("weights free", lambda one: one.free, LOSS),
)


def drawings(report: CategoryValueReport) -> dict[str, str]:
    """Each picture as an ``<svg>`` element, by its caption."""
    if not any(one.held for one in report.values):
        return {}
    return {"AUC with the category minus without it": for_page("category_gains", gains(report))}


def gains(report: CategoryValueReport) -> Figure:
    """AUC that each category adds, with its interval, under the contract and with weights free."""
    figure, axes = axes_of(7.0, 0.7 + 0.5 * len(report.values))
    place = np.arange(len(report.values), dtype=np.float64)
    for shift, (label, of, colour) in zip((-0.12, 0.12), _KINDS, strict=True):
        known = [(y + shift, found) for y, one in zip(place, report.values, strict=True) if (found := of(one))]
        drawn = [(y, *(found[f"auc_difference{end}"] for end in ("", "_low", "_high"))) for y, found in known]
        drawn = [line for line in drawn if None not in line]
        if drawn:
            y, value, low, high = np.array(drawn, dtype=np.float64).T
            axes.errorbar(value, y, xerr=np.abs([value - low, high - value]), fmt="o", ms=4, color=colour,
                          ecolor=colour, elinewidth=1, label=label)  # fmt: skip
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(place, [CATEGORY_LABELS.get(one.category, one.category) for one in report.values])
    axes.set_ylim(len(place) - 0.5, -0.5)
    axes.set_xlabel("AUC with it minus without it")
    axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2)
    return figure
