"""What another model would mean for groups of members: how far they move, and how many are swapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.champion_challenger.paired import PairedScores
from benne.experiments.champion_challenger.swap_set import Cut, bad_rate_of, sets_at
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.scored_members import attributes_of
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.features.quality.cells import Share

__all__ = ["change_by_group"]

Bools = npt.NDArray[np.bool_]


def change_by_group(
    pair: PairedScores, features: pd.DataFrame, protected: pd.DataFrame, cuts: Sequence[Cut]
) -> pd.DataFrame:
    """Change of score and of who is let in, by group of each protected attribute.

    Parameters
    ----------
    pair : PairedScores
    features : DataFrame, indexed by (subject_id, as_of)
        The rows that were paired.
    protected : DataFrame
        Indexed by ``subject_id``, one row for each member.
    cuts : sequence of Cut

    Returns
    -------
    DataFrame
        One row per attribute, group and cut-off: ``n``, ``mean_change``, share let in by either model, shares that come
        in and fall out, and the bad rate. Nothing of a group of fewer than ten; shares of fewer than ten are left out.

    Raises
    ------
    FairnessError
        If the attributes are no table of these members.
    """
    attributes, _ = attributes_of(features.iloc[pair.kept], protected)
    attributes = attributes.reset_index(drop=True)
    lines = [
        {"attribute": grouping.attribute, "group": name} | line
        for grouping in groupings_of(attributes, pair.members, FairnessOptions())
        for place, name in enumerate(grouping.names)
        for line in _lines(pair, grouping.code == place, cuts)
    ]
    return pd.DataFrame(lines)


def _lines(pair: PairedScores, inside: Bools, cuts: Sequence[Cut]) -> list[dict[str, Any]]:
    n = int(inside.sum())
    if n < SMALLEST_GROUP:
        return []
    lines = []
    for cut in cuts:
        sets = {name: inside & rows for name, rows in sets_at(pair, cut).items()}
        lines.append(cut.as_columns() | {
            "n": n, "mean_change": float(pair.change[inside].mean()),
            "in_by_champion": _share(sets["both_in"] | sets["swapped_out"], n),
            "in_by_challenger": _share(sets["both_in"] | sets["swapped_in"], n),
            "comes_in": _share(sets["swapped_in"], n), "falls_out": _share(sets["swapped_out"], n),
            "bad_rate": bad_rate_of(pair.bad[inside])["bad_rate"],
        })  # fmt: skip
    return lines


def _share(rows: Bools, n: int) -> float | None:
    return Share.of(int(rows.sum()), n, SMALLEST_GROUP).shown
