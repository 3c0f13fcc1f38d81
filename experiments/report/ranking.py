"""How the score ranks members: lift by decile, bad rate by band, where the scores lie."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.report.groups import join_small, joined
from benne.models import SCORE_MAX, SCORE_MIN, CalibrationReport

__all__ = ["Bands", "bands_of", "distribution_of", "lift_by_decile", "score_edges"]

Floats = npt.NDArray[np.float64]

_STEP = 10


@dataclass(frozen=True)
class Bands:
    """Bad rate by band.

    Parameters
    ----------
    table : DataFrame
        From the worst band to the best: ``rows``, ``share`` of rows, ``predicted`` PD,
        ``observed`` bad rate with its 95 % Wilson interval.
    not_lower : tuple of str
        Bands whose bad rate is not lower than that of the band below them.
    """

    table: pd.DataFrame = field(repr=False)
    not_lower: tuple[str, ...]

    @property
    def monotone(self) -> bool:
        """Whether each band's bad rate is lower than that of the band below it."""
        return not self.not_lower


def bands_of(report: CalibrationReport) -> Bands:
    """Bad rate by band, small bands joined to their neighbours."""
    table = join_small(report.by_band).rename_axis("band")
    table.insert(1, "share", table["rows"] / table["rows"].sum())
    not_lower = table.index[1:][np.diff(table["observed"]) >= 0]
    return Bands(table, tuple(str(name) for name in not_lower))


def lift_by_decile(report: CalibrationReport) -> pd.DataFrame:
    """Lift of each decile of the score, the riskiest first.

    Returns
    -------
    DataFrame
        ``rows``, ``observed`` bad rate, ``lift`` (that over the bad rate of all), ``captured``
        (share of all bads in this decile and the riskier ones), ``rows_share`` (of all rows,
        likewise) and ``cumulative_lift`` (captured over rows_share).

    References
    ----------
    Siddiqi, *Intelligent Credit Scoring*, 2nd ed. 2017, ch. 11 (gains and lift).
    """
    riskiest_first = report.by_decile.iloc[::-1]
    names = [str(place + 1) for place in range(len(riskiest_first))]
    table = join_small(riskiest_first.set_axis(names, axis=0)).rename_axis("decile")
    bad = table["rows"] * table["observed"]
    captured, rows_share = bad.cumsum() / bad.sum(), table["rows"].cumsum() / table["rows"].sum()
    return pd.DataFrame({
        "rows": table["rows"],
        "observed": table["observed"],
        "lift": table["observed"] / (bad.sum() / table["rows"].sum()),
        "captured": captured,
        "rows_share": rows_share,
        "cumulative_lift": captured / rows_share,
    })  # fmt: skip


def score_edges(score: Floats, edges: Floats) -> Floats:
    """Edges between which at least ten scores lie, or none: some of those given, the outermost always."""
    counts, _ = np.histogram(score, edges)
    group = joined(counts.tolist())
    inner = edges[1:-1][np.diff(group) > 0]
    return np.concatenate([edges[:1], inner, edges[-1:]])


def distribution_of(score: Floats) -> pd.DataFrame:
    """Histogram of scores in steps of ten points, small steps joined.

    Returns
    -------
    DataFrame
        ``lowest`` (included), ``highest`` (excluded, except by the last) and ``rows``.
    """
    edges = score_edges(score, np.arange(SCORE_MIN, SCORE_MAX + _STEP, _STEP, dtype=np.float64))
    counts, _ = np.histogram(score, edges)
    return pd.DataFrame({"lowest": edges[:-1], "highest": edges[1:], "rows": counts})
