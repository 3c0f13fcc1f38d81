"""How a roll-out goes: its steps, and what its counts say of who would be treated otherwise and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection

from benne.errors import RolloutError
from benne.features.categories import CATEGORIES
from benne.features.quality.cells import hide_small
from benne.models import SCORE_MAX, SCORE_MIN
from benne.models.scale import DEFAULT_BANDS, Band
from benne.scoring.decisions.promotion import every_promotion, promoted
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.register import newest_rollout, reason_to_end, steps_of
from benne.scoring.rollout.rollout import Rollout
from benne.scoring.rollout.shadow_counts import CELL_POINTS, CELLS, SHIFT_POINTS

__all__ = ["FEWEST", "RolloutStatus", "rollout_status"]

Floats = npt.NDArray[np.float64]

FEWEST: Final = 10
"""Answers that a figure of the shadow rests on at least; with fewer it is left out."""

_COUNTS: Final = {
    "refused": "shadow.refused", "failed": "shadow.failed", "dropped": "shadow.dropped",
    "served": "staged.served", "gave_way": "staged.gave_way", "failed_serving": "staged.failed",
}  # fmt: skip
_SWAPS: Final = ("both_in", "swapped_in", "swapped_out", "both_out")


@dataclass(frozen=True)
class RolloutStatus:
    """A roll-out, as the register and the counts of all instances have it.

    Attributes
    ----------
    rollout : Rollout
        Its last step.
    over : str or None
        Why it is over though nobody has put that on record yet.
    champion_id : str or None
        The model beside which it began, whichever serves now.
    steps : list of Rollout
    counts : dict of str to int
        Answers ``compared`` in the shadow, ``refused``, ``failed`` and ``dropped`` there, ``served`` by the challenger,
        those in which it ``gave_way`` to the champion, and passes in which it ``failed_serving``.
    mean_change : float or None
        Points, challenger minus champion.
    swap_sets : list of dict
        By cut-off and set: ``n``, share, and the mean PD by either model.
    matrix : list of dict
        Answers by band of the champion and of the challenger.
    shifts : list of dict
        Answers by change of score, in steps of 5 points.
    changes : list of dict
        Mean change and mean absolute change of each part of the score.
    notes : list of str
    """

    rollout: Rollout
    over: str | None
    champion_id: str | None
    steps: list[Rollout]
    counts: dict[str, int]
    mean_change: float | None
    swap_sets: list[dict[str, Any]] = field(repr=False)
    matrix: list[dict[str, Any]] = field(repr=False)
    shifts: list[dict[str, Any]] = field(repr=False)
    changes: list[dict[str, Any]] = field(repr=False)
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON and for pages."""
        return {
            **self.rollout.as_dict(), "over": self.over, "champion_id": self.champion_id,
            "steps": [step.as_dict() for step in self.steps], "counts": self.counts, "mean_change": self.mean_change,
            "swap_sets": self.swap_sets, "matrix": self.matrix, "shifts": self.shifts, "changes": self.changes,
            "notes": self.notes,
        }  # fmt: skip


def rollout_status(
    connection: Connection, *, cutoffs: Sequence[int] = (), bands: Sequence[Band] = DEFAULT_BANDS
) -> RolloutStatus | None:
    """The newest roll-out; None before the first.

    Parameters
    ----------
    connection : Connection
    cutoffs : sequence of int, optional
        Lowest scores that are let in, in whole tens; by default the lowest of each band but the first.
    bands : sequence of Band
        Of the champion.

    Raises
    ------
    RolloutError
        If a cut-off is no whole ten between 360 and 950.
    """
    newest, champion = newest_rollout(connection), promoted(connection)
    if newest is None:
        return None
    steps = steps_of(connection, newest.rollout_id)
    marks = list(cutoffs) or [band.lowest for band in bands[1:] if band.lowest % CELL_POINTS == 0]
    _require_tens(marks)
    table = LiveCounts.read(connection, newest.rollout_id).groupby(["name", "cell"])[["n", "amount"]].sum()
    grids = {name: _grid(table, name) for name in ("shadow.joint", "shadow.pd.champion", "shadow.pd.challenger")}
    n, change = grids["shadow.joint"]
    compared, notes = int(n.sum()), []
    if any(band.lowest % CELL_POINTS for band in bands):
        notes.append("There is no matrix of bands: they do not begin at whole tens.")
    pds = (grids["shadow.pd.champion"][1], grids["shadow.pd.challenger"][1])
    return RolloutStatus(
        rollout=newest,
        over=reason_to_end(newest, champion),
        champion_id=_champion_beside(connection, steps[0]),
        steps=steps,
        counts={"compared": compared, **{key: _counted(table, name) for key, name in _COUNTS.items()}},
        mean_change=_mean(float(change.sum()), compared),
        swap_sets=[line for mark in marks for line in _swap_set(mark, n, pds)],
        matrix=[] if notes else _matrix(n, bands),
        shifts=_shifts(table),
        changes=_changes(table),
        notes=[*notes, f"Figures of fewer than {FEWEST} answers are left out, and what would give them away."],
    )


def _champion_beside(connection: Connection, first: Rollout) -> str | None:
    """Whoever served when it began: another promotion ends a roll-out, and what it counted is about this one."""
    return next((one.model_id for one in every_promotion(connection) if one.seq == first.promotion_seq), None)


def _require_tens(marks: Sequence[int]) -> None:
    for mark in marks:
        if mark % CELL_POINTS or not SCORE_MIN < mark <= SCORE_MAX:
            raise RolloutError("A cut-off must be a whole ten from 360 to 950, got another. Counts are kept by tens.")


def _grid(table: pd.DataFrame, name: str) -> tuple[Floats, Floats]:
    """How many and how much by (champion's cell, challenger's cell), each of shape (61, 61)."""
    n, amount = np.zeros(CELLS * CELLS), np.zeros(CELLS * CELLS)
    if name in table.index.get_level_values("name"):
        rows = table.loc[name]
        n[rows.index.to_numpy()], amount[rows.index.to_numpy()] = rows["n"], rows["amount"]
    return n.reshape(CELLS, CELLS), amount.reshape(CELLS, CELLS)


def _counted(table: pd.DataFrame, name: str) -> int:
    return int(table["n"].get((name, 0), 0))


def _swap_set(mark: int, n: Floats, pds: tuple[Floats, Floats]) -> list[dict[str, Any]]:
    inside, total = np.arange(CELLS) >= (mark - SCORE_MIN) // CELL_POINTS, int(n.sum())
    sets = [np.ix_(*both) for both in ((inside, inside), (~inside, inside), (inside, ~inside), (~inside, ~inside))]
    shown = hide_small([int(n[at].sum()) for at in sets], FEWEST)
    return [
        {
            "cutoff": mark, "set": name, "n": rows, "share": _mean(float(rows or 0), total if rows is not None else 0),
            "champion_pd": _mean(float(pds[0][at].sum()), rows or 0),
            "challenger_pd": _mean(float(pds[1][at].sum()), rows or 0),
        }
        for name, at, rows in zip(_SWAPS, sets, shown, strict=True)
    ]  # fmt: skip


def _matrix(n: Floats, bands: Sequence[Band]) -> list[dict[str, Any]]:
    starts = [int(band.lowest - SCORE_MIN) // CELL_POINTS for band in bands]
    sums = np.add.reduceat(np.add.reduceat(n, starts, axis=0), starts, axis=1)
    shown = iter(hide_small([int(rows) for rows in sums.ravel()], FEWEST))
    return [{"champion": before.name, **{after.name: next(shown) for after in bands}} for before in bands]


def _shifts(table: pd.DataFrame) -> list[dict[str, Any]]:
    if "shadow.shift" not in table.index.get_level_values("name"):
        return []
    rows = table["n"].loc["shadow.shift"]
    shown = hide_small([int(n) for n in rows], FEWEST)
    return [{"points": int(cell) * SHIFT_POINTS, "n": n} for cell, n in zip(rows.index, shown, strict=True)]


def _changes(table: pd.DataFrame) -> list[dict[str, Any]]:
    lines = []
    for part in ("base", *CATEGORIES, "clipping"):
        n = _counted(table, f"shadow.change.{part}")
        if n:
            sums = (float(table["amount"].get((f"shadow.{what}.{part}", 0), 0.0)) for what in ("change", "moved"))
            change, moved = (_mean(total, n) for total in sums)
            lines.append({"part": part, "mean_change": change, "mean_absolute_change": moved})
    return lines


def _mean(total: float, n: int) -> float | None:
    """Of so many; none where they are too few."""
    return round(total / n, 10) if n >= FEWEST else None
