"""How scores shift from one model to the other: how far, from which band to which, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.champion_challenger.paired import PairedScores
from benne.experiments.report.groups import SMALLEST_GROUP, joined
from benne.features.quality.cells import Share
from benne.models import ScoreScale

__all__ = ["MOVES", "band_matrix", "change_by_feature", "change_by_part", "change_histogram", "movers"]

Floats = npt.NDArray[np.float64]

MOVES: Final = (5, 10, 20, 50, 100)
_STEP: Final = 5.0
_QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def change_histogram(change: Floats) -> pd.DataFrame:
    """Rows by change of score: ``lowest``, ``highest`` (points) and ``n``, steps of five, small ones joined.

    Examples
    --------
    >>> change_histogram(np.array([-7.0] * 12 + [1.0] * 20 + [11.0] * 4)).to_dict("list")
    {'lowest': [-10.0, -5.0, 0.0], 'highest': [-5.0, 0.0, 15.0], 'n': [12, 0, 24]}
    """
    first, last = np.floor(change.min() / _STEP), np.floor(change.max() / _STEP) + 1
    edges = np.arange(first, last + 1) * _STEP
    counts, _ = np.histogram(change, edges)
    group = joined(counts.tolist())
    table = pd.DataFrame({"lowest": edges[:-1], "highest": edges[1:], "n": counts}).groupby(group)
    return table.agg({"lowest": "min", "highest": "max", "n": "sum"}).reset_index(drop=True)


def change_summary(change: Floats) -> dict[str, float]:
    """Mean, mean of absolute values, and quantiles of the change, in points."""
    quantiles = {f"p{100 * q:.0f}": float(np.quantile(change, q)) for q in _QUANTILES}
    return {"mean": float(change.mean()), "mean_absolute": float(np.abs(change).mean()), **quantiles}


def movers(change: Floats, moves: Sequence[float] = MOVES) -> pd.DataFrame:
    """Share of rows that go up, and down, by more than so many points; untold where they are fewer than ten.

    Examples
    --------
    >>> movers(np.array([-30.0] * 10 + [0.0] * 80 + [12.0] * 10), [10, 20]).to_dict("list")
    {'more_than': [10, 20], 'up': [0.1, 0.0], 'down': [0.1, 0.1]}
    """
    lines = [{"more_than": far, "up": _share(change > far), "down": _share(change < -far)} for far in moves]
    return pd.DataFrame(lines)


def band_matrix(pair: PairedScores, scale: ScoreScale) -> pd.DataFrame:
    """Rows by band of the champion (down) and the challenger (across), both on the champion's bands."""
    names = [band.name for band in scale.bands]
    before, after = (scale.band(score) for score in (pair.champion.score, pair.challenger.score))
    counts = pd.crosstab(before, after).reindex(index=names, columns=names, fill_value=0)
    told = [[_told(int(n)) for n in line] for line in counts.to_numpy()]
    return pd.DataFrame(told, index=pd.Index(names, name="champion"), columns=names, dtype=object)


def change_by_part(pair: PairedScores) -> pd.DataFrame:
    """Mean change, mean absolute change and share of all movement of each part of the score, indexed by ``part``.

    ``mean_change`` sums exactly to the mean change of the score.
    """
    return _by_column(pair.parts(), "part")


def change_by_feature(pair: PairedScores, most: int = 20) -> pd.DataFrame:
    """The same of each feature, those that move most first, indexed by ``feature``; all of either model if fewer."""
    return _by_column(pair.feature_parts(), "feature").head(most)


def _by_column(parts: pd.DataFrame, name: str) -> pd.DataFrame:
    moved = parts.abs().mean()
    total = float(moved.sum())
    table = pd.DataFrame({
        "mean_change": parts.mean(), "mean_absolute_change": moved,
        "share_of_movement": moved / total if total > 0 else moved,
    })  # fmt: skip
    table.index.name = name
    order = np.argsort(-moved.to_numpy(), kind="stable")
    return table.iloc[order]


def _share(inside: npt.NDArray[np.bool_]) -> float | None:
    return Share.of(int(inside.sum()), len(inside), SMALLEST_GROUP).shown


def _told(n: int) -> int | None:
    return None if 0 < n < SMALLEST_GROUP else n
