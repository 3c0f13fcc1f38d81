"""The pictures of a gaming report: what attacks win, how, and what predicted risk becomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from benne.experiments.gaming.report import AttackResult, GamingReport
from benne.experiments.plots import BANDS, INK, LOSS, MAIN, QUIET, axes_of
from benne.experiments.report.pictures import for_page
from benne.features.categories import CATEGORY_LABELS

__all__ = ["damage_figure", "gains_figure", "gaming_drawings", "moves_figure", "pd_figure"]

_MOST_MOVES = 10
_ALONE = {
    "pd_fall": "What each category's moves alone take off the mean predicted PD",
    "auc_lost": "AUC lost where everybody makes one category's moves alone",
}
_SHADES = (MAIN, BANDS[1], LOSS, INK, BANDS[3])


def gaming_drawings(report: GamingReport) -> dict[str, str]:
    """Each picture of a report as an ``<svg>`` element, by its caption; none where nothing was measured."""
    if not report.attacks:
        return {}
    drawn = {
        "Points that members win": for_page("gains", gains_figure(report)),
        "Predicted PD before and after, and the truth": for_page("pds", pd_figure(report.attacks)),
        "Where the points come from": for_page("origins", categories_figure(report.attacks)),
    }
    for column, caption in _ALONE.items():
        if any(one.by_category[column].notna().any() for one in report.attacks):
            drawn[caption] = for_page(column.replace("_", "-"), damage_figure(report.attacks, column))
    for name in ("cheap", "cheap and medium"):
        found = report.attack(name)
        if found is not None and len(found.moves):
            drawn[f"Most rewarding moves: {name}"] = for_page(f"moves-{name.replace(' ', '-')}", moves_figure(found))
    return drawn


def gains_figure(report: GamingReport) -> Figure:
    """Median, 90th percentile and largest gain of each attack, withholding among them."""
    gains = {one.name: one.points for one in report.attacks}
    if report.withholding is not None:
        gains["withholding"] = report.withholding.points
    figure, axes = axes_of(7.0, 0.8 + 0.36 * len(gains))
    place = np.arange(len(gains))[::-1]
    median, high, most = (np.array([np.quantile(one, q) for one in gains.values()]) for q in (0.5, 0.9, 1.0))
    axes.hlines(place, 0.0, most, color=QUIET, lw=1)
    axes.barh(place, high, 0.5, color=MAIN, alpha=0.45, label="90th percentile")
    axes.plot(median, place, "o", ms=4.5, color=INK, label="median")
    axes.plot(most, place, "|", ms=9, color=LOSS, label="largest")
    axes.set_yticks(place, list(gains))
    axes.set(xlabel="points won", xlim=(0, None))
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def pd_figure(attacks: Sequence[AttackResult]) -> Figure:
    """Mean predicted PD after each attack beside the actual one, which stays."""
    figure, axes = axes_of(7.0, 2.7)
    place = np.arange(len(attacks))
    axes.bar(place, [one.pd_damage.after for one in attacks], 0.55, color=MAIN, label="predicted, after the attack")
    first = attacks[0].pd_damage
    axes.axhline(first.before, color=QUIET, lw=1, ls="--", label="predicted before")
    if first.actual is not None:
        axes.axhline(first.actual, color=LOSS, lw=1, label=f"actual ({first.truth})")
    axes.set_xticks(place, [one.name for one in attacks])
    axes.yaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    axes.set(ylabel="mean PD", ylim=(0, None))
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    return figure


def categories_figure(attacks: Sequence[AttackResult]) -> Figure:
    """Mean change of each category's points, attack by attack, one on top of the other."""
    figure, axes = axes_of(7.0, 0.9 + 0.36 * len(attacks))
    place = np.arange(len(attacks))[::-1]
    reached = np.zeros(len(attacks))
    for k, category in enumerate(attacks[0].by_category.index):
        points = np.maximum([float(one.by_category["points"].get(category, 0.0)) for one in attacks], 0.0)
        label = CATEGORY_LABELS.get(str(category), str(category))
        axes.barh(place, points, 0.55, left=reached, color=_SHADES[k % len(_SHADES)], label=label)
        reached += points
    axes.set_yticks(place, [one.name for one in attacks])
    axes.set(xlabel="points won on average, by category")
    axes.legend(frameon=False, fontsize=7.5, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    return figure


def damage_figure(attacks: Sequence[AttackResult], column: str) -> Figure:
    """A bar for each category and attack of what its moves do by themselves; none where too few moved.

    Parameters
    ----------
    attacks : sequence of AttackResult
    column : {'pd_fall', 'auc_lost'}
        Of their tables by category.
    """
    categories = list(attacks[0].by_category.index)
    figure, axes = axes_of(7.0, 0.9 + 0.5 * len(attacks))
    place, thick = np.arange(len(attacks))[::-1], 0.8 / len(categories)
    for k, category in enumerate(categories):
        done = np.array([float(one.by_category[column].get(category, np.nan)) for one in attacks])
        label = CATEGORY_LABELS.get(str(category), str(category))
        heights = place + 0.4 - (k + 0.5) * thick
        axes.barh(heights, np.nan_to_num(done), thick, color=_SHADES[k % len(_SHADES)], label=label)
    axes.axvline(0.0, color=QUIET, lw=1)
    axes.set_yticks(place, [one.name for one in attacks])
    if column == "pd_fall":
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:.1%}")
    axes.set(xlabel="taken off the mean predicted PD" if column == "pd_fall" else "AUC lost")
    axes.legend(frameon=False, fontsize=7.5, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    return figure


def moves_figure(attack: AttackResult) -> Figure:
    """What the most rewarding moves bring, on average over all members."""
    table = attack.moves.head(_MOST_MOVES)
    figure, axes = axes_of(7.0, 0.7 + 0.27 * len(table))
    place = np.arange(len(table))[::-1]
    axes.barh(place, table["points"], 0.6, color=MAIN)
    axes.set_yticks(place, [str(name) for name in table.index], fontsize=8)
    axes.set(xlabel="points per member on average")
    return figure
