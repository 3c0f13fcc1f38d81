"""The figures on real data as tables: for programs, and for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from benne.experiments.datasets.markdown import markdown_table, with_interval
from benne.experiments.datasets.results import MODELS, Comparison

__all__ = ["render_results", "results_table", "shares_table"]


def results_table(compared: Iterable[Comparison]) -> pd.DataFrame:
    """One row per data set, for programs.

    Returns
    -------
    DataFrame
        ``members``, ``held_out``, ``refused``, ``bad_rate``, ``features``; AUC of each model
        with its 95 % interval; ``free_minus_reference`` and ``price`` (contracted minus free)
        as differences of AUC with paired intervals; ``largest_gap``.
    """
    return pd.DataFrame([_row(one) for one in compared]).set_index("set")


def shares_table(compared: Iterable[Comparison]) -> pd.DataFrame:
    """One row per data set and category: weight, share on the reference sample, share held out with interval."""
    return pd.concat({one.name: one.shares for one in compared}, names=["set", "category"])


def render_results(compared: Sequence[Comparison]) -> str:
    """Both tables in Markdown, rounded, with the intervals in brackets."""
    figures = [_figures(one) for one in compared]
    shares = [
        {
            "set": one.name,
            "category": str(category),
            "weight": f"{row['weight']:.2%}",
            "share on the reference sample": f"{row['reference']:.4%}",
            "share held out": f"{row['held_out']:.1%} [{row['held_out_low']:.1%}, {row['held_out_high']:.1%}]",
        }
        for one in compared
        for category, row in one.shares.iterrows()
    ]
    return markdown_table(figures) + "\n" + markdown_table(shares)


def _row(one: Comparison) -> dict[str, object]:
    row: dict[str, object] = {
        "set": one.name,
        "members": one.members,
        "held_out": one.held_out,
        "refused": one.refused,
        "bad_rate": one.bad_rate,
        "features": one.features,
    }
    figures = {f"auc_{model}": one.auc.of(model) for model in MODELS}
    figures["free_minus_reference"] = one.auc.difference("free", "reference")
    figures["price"] = one.auc.difference("contracted", "free")
    for name, values in figures.items():
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
    return row | {"largest_gap": one.largest_gap}


def _figures(one: Comparison) -> dict[str, str]:
    auc = {model: with_interval(one.auc.of(model)) for model in MODELS}
    return {
        "set": one.name,
        "members (held out, refused)": f"{one.members:,} ({one.held_out:,}, {one.refused})",
        "bad": f"{one.bad_rate:.2%}",
        "categories and weights": ", ".join(f"{name} {w:.2%}" for name, w in one.shares["weight"].items()),
        "AUC plain LightGBM": auc["reference"],
        "AUC ours, free weights": auc["free"],
        "AUC ours, contract": auc["contracted"],
        "free − plain": with_interval(one.auc.difference("free", "reference"), sign="+"),
        "price of the contract": with_interval(one.auc.difference("contracted", "free"), sign="+"),
        "adds up to": f"{one.largest_gap:.0e}" if one.largest_gap else "exactly",
    }
