"""The pictures of a comparison: how far scores move, which parts move them, and what became of who is swapped."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benne.experiments.champion_challenger.comparing import ModelComparison
from benne.experiments.plots import BANDS, INK, LOSS, MAIN, QUIET, axes_of
from benne.experiments.report.pictures import for_page
from benne.features.categories import CATEGORY_LABELS

__all__ = ["as_png", "change_figure", "drawings", "parts_figure", "swap_figure"]

_SETS: Final = {
    "both_in": ("in with both", MAIN), "swapped_in": ("comes in", BANDS[3]), "swapped_out": ("falls out", BANDS[1]),
    "both_out": ("out with both", LOSS),
}  # fmt: skip


def drawings(found: ModelComparison) -> dict[str, str]:
    """Each picture as an ``<svg>`` element, by its caption."""
    drawn = {
        "How far scores move": for_page("change", change_figure(found.histogram)),
        "Which parts of the score move it": for_page("parts", parts_figure(found.parts)),
    }
    if found.swaps["bad_rate"].notna().any():
        drawn["What became of whom, at the same score"] = for_page("swaps", swap_figure(found.swaps))
    return drawn


def change_figure(histogram: pd.DataFrame) -> Figure:
    """Rows per five points of change; wider bars where rows are few."""
    figure, axes = axes_of(7.0, 2.6)
    lowest, highest = histogram["lowest"].to_numpy(), histogram["highest"].to_numpy()
    heights = 5 * histogram["n"].to_numpy() / (highest - lowest)
    shades = [MAIN if low >= 0 else LOSS for low in lowest]
    axes.bar(lowest, heights, width=highest - lowest, align="edge", color=shades, edgecolor="white", lw=0.4)
    axes.axvline(0.0, color=QUIET, lw=0.8)
    axes.set(xlabel="change of score, challenger minus champion", ylabel="rows per 5 points")
    return figure


def parts_figure(parts: pd.DataFrame) -> Figure:
    """Mean change of each part of the score, and how much it moves members either way."""
    figure, axes = axes_of(7.0, 0.9 + 0.36 * len(parts))
    place = np.arange(len(parts))[::-1]
    axes.barh(place + 0.18, parts["mean_absolute_change"], 0.34, color=QUIET, label="mean absolute change")
    shades = [MAIN if mean >= 0 else LOSS for mean in parts["mean_change"]]
    axes.barh(place - 0.18, parts["mean_change"], 0.34, color=shades, label="mean change")
    axes.axvline(0.0, color=INK, lw=0.6)
    axes.set_yticks(place, [CATEGORY_LABELS.get(name, name) for name in parts.index])
    axes.set(xlabel="points")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def swap_figure(swaps: pd.DataFrame) -> Figure:
    """Bad rate of each set at each cut-off with its interval."""
    figure, axes = axes_of(7.0, 2.8)
    at = swaps[swaps["at"] == "same score"]
    cutoffs = list(dict.fromkeys(at["cutoff"]))
    for k, (name, (label, colour)) in enumerate(_SETS.items()):
        known = at[(at["set"] == name) & at["bad_rate"].notna()]
        place = [cutoffs.index(cutoff) + (k - 1.5) * 0.16 for cutoff in known["cutoff"]]
        rate = known["bad_rate"].to_numpy(dtype=np.float64)
        low, high = (known[f"bad_rate_{end}"].to_numpy(dtype=np.float64) for end in ("low", "high"))
        axes.errorbar(place, rate, yerr=[(rate - low).clip(0), (high - rate).clip(0)], fmt="o", ms=4, lw=1,
                      color=colour, label=label)  # fmt: skip
    axes.set_xticks(range(len(cutoffs)), [f"{cutoff:g}" for cutoff in cutoffs])
    axes.yaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    axes.set(xlabel="cut-off", ylabel="became bad, 95 % interval", ylim=(0, None))
    axes.legend(frameon=False, fontsize=7.5, ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    return figure


def as_png(figure: Figure) -> bytes:
    """A picture as a PNG: the same bytes each time it is drawn."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150, metadata={"Software": None})
    return content.getvalue()
