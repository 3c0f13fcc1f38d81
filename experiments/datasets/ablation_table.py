"""What each category adds, as tables: for programs, and for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pandas as pd

from benne.experiments.datasets.ablation import Ablation
from benne.experiments.datasets.markdown import markdown_table, with_interval
from benne.experiments.datasets.simulated import SIMULATED
from benne.experiments.simulator import NOTICE

__all__ = ["ablation_notes", "ablation_table", "render_ablation"]

_FEWEST_BAD: Final = 100
"""Held-out bads below which we say so: an interval of an AUC is then some ten points wide."""


def ablation_table(ablated: Iterable[Ablation]) -> pd.DataFrame:
    """One row per data set and category, for programs.

    Returns
    -------
    DataFrame
        ``weight``, ``features``; AUC of the category ``alone``, of ``all`` and of all ``without``
        it; ``alone_minus_all``, ``adds`` and ``adds_held`` (weights held) as differences of
        AUC. Each with its 95 % interval (``…_low``, ``…_high``), of differences paired; null where
        the contract has no model.
    """
    return pd.DataFrame([_row(one, category) for one in ablated for category in one.weights])


def ablation_notes(ablated: Iterable[Ablation]) -> dict[str, str]:
    """What must be said beside a set's figures, by name of the set."""
    notes = {}
    for one in ablated:
        if one.name == SIMULATED:
            notes[one.name] = NOTICE
        elif one.held_out_bad < _FEWEST_BAD:
            notes[one.name] = (
                f"{one.held_out_bad} bads among {one.held_out:,} held out: they cannot tell categories apart."
            )
    return notes


def render_ablation(ablated: Sequence[Ablation]) -> str:
    """The table in Markdown, rounded, with the intervals in brackets, and what must be said beside it."""
    notes = ablation_notes(ablated)
    rows = [_figures(one, category, marked=one.name in notes) for one in ablated for category in one.weights]
    return markdown_table(rows) + "".join(f"\n{name}: {text}\n" for name, text in notes.items())


def _row(one: Ablation, category: str) -> dict[str, object]:
    row: dict[str, object] = {
        "set": one.name,
        "category": category,
        "weight": one.weights[category],
        "features": one.features[category],
        "held_out": one.held_out,
        "held_out_bad": one.held_out_bad,
    }
    figures = {
        "alone": one.alone(category),
        "all": one.everything,
        "without": one.without(category),
        "alone_minus_all": one.falls_short(category),
        "adds": one.adds(category),
        "adds_held": one.adds(category, "held"),
    }
    for name, values in figures.items():
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), values or (None, None, None), strict=True))
    return row


def _figures(one: Ablation, category: str, *, marked: bool) -> dict[str, str]:
    free, held = one.adds(category), one.adds(category, "held")
    return {
        "set": f"{one.name} (see below)" if marked else one.name,
        "category (features)": f"{category} ({one.features[category]})",
        "weight": f"{one.weights[category]:.2%}",
        "AUC alone": with_interval(one.alone(category)),
        "AUC of all": f"{one.everything[0]:.4f}",
        "AUC without it": f"{one.without(category)[0]:.4f}",
        "it adds, weights free": _difference(free),
        "it adds, weights held": _difference(held),
    }


def _difference(figure: tuple[float, float, float] | None) -> str:
    return "no model" if figure is None else with_interval(figure, sign="+")
