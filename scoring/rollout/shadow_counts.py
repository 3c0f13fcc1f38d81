"""What is kept of a challenger's shadow: sums over many answers, by cells of ten points, and nothing of whom.

Names of the counts, all under the roll-out's id:

=====================  ==========================================  ==================================================
name                   cell                                        amount
=====================  ==========================================  ==================================================
shadow.joint           61 · champion's cell + challenger's cell    sum of challenger's score − champion's
shadow.pd.champion     as above                                    sum of the champion's PD
shadow.pd.challenger   as above                                    sum of the challenger's PD
shadow.shift           change of score in steps of 5 points        0
shadow.change.PART     0                                           sum of the change of a part of the score
shadow.moved.PART      0                                           sum of its absolute value
shadow.refused         0: challenger alone                         0
shadow.failed          0: answers of passes in which it raised     0
shadow.dropped         0: answers that found the queue full        0
staged.served          0: answers the challenger gave              0
staged.gave_way        0: answers the champion gave in its place   0
staged.failed          0: passes in which it raised                0
=====================  ==========================================  ==================================================

A part is ``base``, ``clipping`` or a category; their changes add up to the change of the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.models import SCORE_MAX, SCORE_MIN, Explanation
from benne.scoring.monitoring.live_counts import LiveCounts

__all__ = [
    "CELLS",
    "CELL_POINTS",
    "COMPARED",
    "SHIFT_POINTS",
    "Lines",
    "cells_of",
    "count_pair",
    "lines_of",
    "parts_of",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CELL_POINTS: Final = 10
CELLS: Final = int(SCORE_MAX - SCORE_MIN) // CELL_POINTS + 1
SHIFT_POINTS: Final = 5
COMPARED: Final = "shadow.joint"
"""The count of answers that both models scored, by their cells."""


@dataclass(frozen=True)
class Lines:
    """Scores of n answers and what they are made of.

    Parameters
    ----------
    score, pd : ndarray of float64, shape (n,)
    parts : mapping of str to ndarray of float64, shape (n,)
        ``base``, ``clipping`` and points by category; their sum is the score.
    """

    score: Floats
    pd: Floats
    parts: Mapping[str, Floats]

    def at(self, rows: npt.NDArray[np.intp]) -> Lines:
        """Some of the rows."""
        return Lines(self.score[rows], self.pd[rows], {name: part[rows] for name, part in self.parts.items()})


def lines_of(explanation: Explanation) -> Lines:
    """An explanation's rows as they are counted."""
    points = explanation.category_points
    by_category = {str(name): points[name].to_numpy(dtype=np.float64) for name in points.columns}
    return Lines(
        explanation.score, explanation.pd, {"base": explanation.base, "clipping": explanation.clipped, **by_category}
    )


def cells_of(score: Floats) -> Integers:
    """Which ten points the whole number that is shown falls in, from 0 for 350–359 to 60 for 950.

    Examples
    --------
    >>> cells_of(np.array([350.0, 599.4, 599.6, 950.0])).tolist()
    [0, 24, 25, 60]
    """
    return np.asarray((np.rint(score) - SCORE_MIN) // CELL_POINTS, dtype=np.int64)


def parts_of(champion: Lines, challenger: Lines) -> dict[str, Floats]:
    """Change of each part of the score, challenger minus champion; a part that one lacks is nothing to it.

    Examples
    --------
    >>> before = Lines(np.array([610.0]), np.array([0.04]), {"base": np.array([600.0]), "ability": np.array([10.0])})
    >>> after = Lines(np.array([585.0]), np.array([0.06]), {"base": np.array([590.0]), "social": np.array([-5.0])})
    >>> {name: change.tolist() for name, change in parts_of(before, after).items()}
    {'base': [-10.0], 'ability': [-10.0], 'social': [-5.0]}
    """
    nothing = np.zeros(len(champion.score))
    names = dict.fromkeys([*champion.parts, *challenger.parts])
    return {name: challenger.parts.get(name, nothing) - champion.parts.get(name, nothing) for name in names}


def count_pair(counts: LiveCounts, scope: str, champion: Lines, challenger: Lines) -> None:
    """Count answers that both models scored."""
    if not len(champion.score):
        return
    change = challenger.score - champion.score
    joint = cells_of(champion.score) * CELLS + cells_of(challenger.score)
    for name, amounts in (
        (COMPARED, change), ("shadow.pd.champion", champion.pd), ("shadow.pd.challenger", challenger.pd),
    ):  # fmt: skip
        counts.add_cells(scope, name, *_summed(joint, amounts))
    counts.add_cells(scope, "shadow.shift", *_summed(np.rint(change / SHIFT_POINTS).astype(np.int64), 0.0 * change))
    for name, moved in parts_of(champion, challenger).items():
        counts.add(scope, f"shadow.change.{name}", 0, n=len(moved), amount=float(moved.sum()))
        counts.add(scope, f"shadow.moved.{name}", 0, n=len(moved), amount=float(np.abs(moved).sum()))


def _summed(cells: Integers, amounts: Floats) -> tuple[Integers, Integers, Floats]:
    sums = pd.DataFrame({"cell": cells, "amount": amounts}).groupby("cell")["amount"].agg(["size", "sum"])
    return sums.index.to_numpy(np.int64), sums["size"].to_numpy(np.int64), sums["sum"].to_numpy(np.float64)
