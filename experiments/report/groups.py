"""No group of fewer than ten rows is shown by itself: it joins its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.features.quality.drift import Bins, merged
from benne.models.calibration import wilson_interval

__all__ = ["SMALLEST_GROUP", "join_small", "joined", "joined_labels", "observed_columns"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

SMALLEST_GROUP: Final = 10
"""Rows that a figure of the report rests on at least."""


def joined(counts: Sequence[int]) -> Indices:
    """Which group each of some neighbouring cells falls in, shape (cells,).

    A cell of fewer than :data:`SMALLEST_GROUP` rows joins the next, a last one those before.
    Nothing is hidden that would follow from the total and the other cells.

    Examples
    --------
    >>> joined([4, 30, 0, 12, 3]).tolist()
    [0, 0, 1, 2, 2]
    """
    cells = np.arange(len(counts), dtype=np.float64)
    ends = merged(Bins(tuple(cells[:-1].tolist()), tuple(int(n) for n in counts), 0), SMALLEST_GROUP).edges
    return np.asarray(np.searchsorted(np.array(ends), cells, side="left"), dtype=np.intp)


def joined_labels(labels: Sequence[str], group: Indices) -> list[str]:
    """A name for each group: the only label in it, or the first and the last.

    Examples
    --------
    >>> joined_labels(["poor", "fair", "good"], np.array([0, 1, 1]))
    ['poor', 'fair to good']
    """
    inside = [[label for label, g in zip(labels, group, strict=True) if g == one] for one in np.unique(group)]
    return [held[0] if len(held) == 1 else f"{held[0]} to {held[-1]}" for held in inside]


def join_small(table: pd.DataFrame) -> pd.DataFrame:
    """Join small neighbours in a table of calibration.

    Parameters
    ----------
    table : DataFrame
        ``rows``, ``predicted`` and ``observed`` as in
        :attr:`benne.models.CalibrationReport.by_band`, rows unweighted.

    Returns
    -------
    DataFrame
        The same columns with 95 % Wilson intervals, indexed by the names of the groups.
    """
    group = joined(table["rows"].tolist())
    rows = table["rows"].to_numpy(dtype=np.float64)
    sums = pd.DataFrame({
        "rows": rows,
        "predicted": rows * table["predicted"].to_numpy(),
        "bad": rows * table["observed"].to_numpy(),
    }).groupby(group).sum()  # fmt: skip
    labels = joined_labels([str(name) for name in table.index], group)
    return observed_columns(sums["rows"], sums["predicted"], sums["bad"]).set_axis(labels, axis=0)


def observed_columns(rows: pd.Series, predicted: pd.Series, bad: pd.Series) -> pd.DataFrame:
    """Predicted PD and observed bad rate with its interval, from sums over the rows of each group."""
    low, high = wilson_interval(bad.to_numpy(dtype=np.float64), rows.to_numpy(dtype=np.float64))
    return pd.DataFrame({
        "rows": rows.astype(np.int64), "predicted": predicted / rows, "observed": bad / rows,
        "observed_low": low, "observed_high": high,
    })  # fmt: skip
