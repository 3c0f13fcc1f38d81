"""The pictures of monitoring: shifts by feature and period, what was predicted and what happened."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from benne.experiments.plots import BANDS, INK, LOSS, MAIN, QUIET, axes_of
from benne.experiments.report.pictures import band_rates, by_period, for_page
from benne.scoring.monitoring.report import MonitoringReport

__all__ = ["bands_figure", "curves_figure", "monitoring_drawings", "ranking_figure", "shift_figure"]

_MOST_FEATURES: Final = 30
_MOST_FLAT: Final = 8
_STEPS: Final = (0.0, 0.05, 0.1, 0.25, 1e9)
_TIMES: Final = (0.0, 0.5, 0.8, 1.25, 1.5, 2.0, 1e9)
"""Where observed over predicted changes its shade."""
_VINTAGES_OF_BANDS: Final = (
    "Bad members over those predicted, by band and vintage. Empty where there are fewer than ten, and where nobody or "
    "everybody turned bad"
)
_TIME_SHADES: Final = ("#7a9cc6", "#c3d3e6", "#dfe9e5", "#e8c98a", BANDS[1], LOSS)
_NAMED_CURVES: Final = 5
_SHADES: Final = ("#dfe9e5", "#a9cbbd", BANDS[1], LOSS)


def monitoring_drawings(report: MonitoringReport) -> dict[str, str]:
    """Each picture as an ``<svg>`` element, by its caption."""
    drawn = {
        f"Shift by period: the score and the {_MOST_FEATURES} features that moved most. Green below 0.1, amber from "
        "0.1, red above 0.25": for_page("shifts", shift_figure(report)),
    }
    vintages = pd.DataFrame(report.tables.get("vintages", []))
    if "observed" in vintages:
        known = vintages[vintages["observed"].notna()].set_index("period")
        vintages_drawn = for_page("vintages", _turned(by_period(known)))
        drawn["What each vintage was predicted to turn bad, and what did"] = vintages_drawn
        if "auc" in known and known["auc"].notna().any():
            drawn["AUC of each vintage, with its standard error twice"] = for_page("ranking", ranking_figure(known))
    return drawn | _band_drawings(report) | _curve_drawings(report)


def _band_drawings(report: MonitoringReport) -> dict[str, str]:
    drawn = {}
    bands = pd.DataFrame(report.tables.get("outcomes_by_band", []))
    if "observed" in bands and bands["observed"].notna().any():
        known = bands[bands["observed"].notna()].set_index("band")
        figure = band_rates(known)
        figure.set_size_inches(7.0, 2.9)  # as wide as the others: the page draws them all as wide as itself
        drawn["Bad rate and predicted PD by band, over all vintages"] = for_page("bands", figure)
    cells = pd.DataFrame(report.tables.get("outcomes_by_band_and_period", []))
    if "observed" in cells and cells["observed"].notna().any():
        drawn[_VINTAGES_OF_BANDS] = for_page("band-vintages", bands_figure(cells))
    return drawn


def _curve_drawings(report: MonitoringReport) -> dict[str, str]:
    curves = pd.DataFrame(report.tables.get("vintage_curves", []))
    if "observed" not in curves or curves["observed"].isna().all():
        return {}
    return {
        "Who had turned bad by each month of age; in colour the latest vintages": for_page(
            "curves", curves_figure(curves)
        )
    }


def shift_figure(report: MonitoringReport) -> Figure:
    """PSI of each feature in each period, the score first, then those that moved most."""
    lines = pd.DataFrame(report.tables["features"])
    table = lines.pivot(index="feature", columns="period", values="psi").astype(float)
    worst = table.max(axis=1).fillna(-1.0).sort_values(ascending=False, kind="stable").index[:_MOST_FEATURES]
    score = pd.DataFrame(report.tables["scores"]).set_index("period")["psi"].astype(float).rename("score").to_frame().T
    shown = pd.concat([score, table.loc[worst]])
    figure, axes = axes_of(7.0, 0.9 + 0.2 * len(shown))
    norm = BoundaryNorm(_STEPS, len(_SHADES))
    values = np.ma.masked_invalid(shown.to_numpy())
    axes.pcolormesh(values, cmap=ListedColormap(_SHADES), norm=norm, edgecolors=QUIET, linewidth=0.3)
    axes.set_yticks(np.arange(len(shown)) + 0.5, list(shown.index), fontsize=7)
    steps = max(1, len(shown.columns) // 12)
    axes.set_xticks(np.arange(0, len(shown.columns), steps) + 0.5, list(shown.columns[::steps]), fontsize=7)
    axes.invert_yaxis()
    return _turned(figure)


def bands_figure(cells: pd.DataFrame) -> Figure:
    """Observed over predicted of each band and vintage."""
    ratio = (cells["observed"] / cells["predicted"]).rename("ratio")
    order, periods = list(dict.fromkeys(cells["band"])), sorted(set(cells["period"]))
    table = cells.assign(ratio=ratio).pivot(index="band", columns="period", values="ratio")
    table = table.reindex(index=order, columns=periods)
    figure, axes = axes_of(7.0, 1.0 + 0.25 * len(order))
    norm = BoundaryNorm(_TIMES, len(_TIME_SHADES))
    drawn = axes.pcolormesh(
        np.ma.masked_invalid(table.to_numpy(dtype=np.float64)), cmap=ListedColormap(_TIME_SHADES), norm=norm,
        edgecolors=QUIET, linewidth=0.3,
    )  # fmt: skip
    axes.set_yticks(np.arange(len(order)) + 0.5, order, fontsize=8)
    steps = max(1, len(periods) // 12)
    axes.set_xticks(np.arange(0, len(periods), steps) + 0.5, periods[::steps], fontsize=7)
    legend = figure.colorbar(drawn, ax=axes, ticks=_TIMES[1:-1], pad=0.01)
    legend.ax.set_yticklabels([f"{time:g}" for time in _TIMES[1:-1]], fontsize=7)
    return _turned(figure)


def curves_figure(curves: pd.DataFrame) -> Figure:
    """Share of each vintage that had turned bad, by months of its age."""
    figure, axes = axes_of(7.0, 3.0)
    curves = curves[curves["observed"].notna()]
    vintages = sorted(set(curves["period"]))
    for k, name in enumerate(vintages):
        own = curves[curves["period"] == name]
        late = len(vintages) - k  # 1 for the latest
        colour = BANDS[late - 1] if late <= _NAMED_CURVES else QUIET
        label = name if late <= _NAMED_CURVES else None
        axes.plot(own["month"], own["observed"], marker="o", ms=3, lw=1, color=colour, label=label, zorder=k)
    axes.set(xlabel="months", ylabel="turned bad", xlim=(0, None), ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(frameon=False, fontsize=7.5)
    return figure


def ranking_figure(known: pd.DataFrame) -> Figure:
    """AUC of each vintage."""
    figure, axes = axes_of(7.0, 2.4)
    place = np.arange(len(known))
    axes.axhline(0.5, color=LOSS, lw=0.8, ls=":")
    axes.errorbar(place, known["auc"], yerr=2.0 * known["auc_error"], fmt="o", ms=4, lw=1, color=MAIN, ecolor=INK)
    axes.set_xticks(place, list(known.index), fontsize=7)
    axes.set(ylabel="AUC")
    return _turned(figure)


def _turned(figure: Figure) -> Figure:
    """Names of many periods stand on end."""
    for axes in figure.axes:
        if len(axes.get_xticks()) > _MOST_FLAT:
            axes.tick_params(axis="x", rotation=90, labelsize=7)
    return figure
