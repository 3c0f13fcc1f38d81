"""Whom two models would treat otherwise: who is let in by both, by one, by neither, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import ParameterError
from benne.experiments.champion_challenger.paired import PairedScores
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.features.quality.cells import hide_small
from benne.models import SCORE_MAX, SCORE_MIN
from benne.models.calibration import wilson_interval

__all__ = ["SETS", "Cut", "checked_cutoffs", "cuts_of", "sets_at", "swap_parts", "swap_sets"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SETS: Final = ("both_in", "swapped_in", "swapped_out", "both_out")
_NOTHING: Final[dict[str, float | int | None]] = dict.fromkeys(
    ("n", "share", "known", "bad_rate", "bad_rate_low", "bad_rate_high", "champion_pd", "challenger_pd")
)


class Cut:
    """A cut-off of the champion, and the one beside it of the challenger.

    Parameters
    ----------
    champion, challenger : float
        Lowest score let in.
    at : {'same score', 'equal approval'}
    """

    def __init__(self, champion: float, challenger: float, at: str) -> None:
        self.champion, self.challenger, self.at = champion, challenger, at

    def as_columns(self) -> dict[str, Any]:
        """As it begins a line of a table."""
        return {"at": self.at, "cutoff": int(self.champion), "challenger_cutoff": int(self.challenger)}


def checked_cutoffs(cutoffs: Sequence[float]) -> tuple[float, ...]:
    """Cut-offs in order, each once.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> checked_cutoffs([650, 600, 650])
    (600.0, 650.0)
    >>> checked_cutoffs([1000])
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: A cut-off must be a whole score above 350 and up to 950, got 1000. Name another.
    """
    for mark in cutoffs:
        if not SCORE_MIN < mark <= SCORE_MAX or mark != round(mark):  # NaN is refused before it is rounded
            raise ParameterError(
                f"A cut-off must be a whole score above {SCORE_MIN:.0f} and up to {SCORE_MAX:.0f}, got {mark:g}. "
                "Name another."
            )
    return tuple(sorted({float(mark) for mark in cutoffs}))


def cuts_of(pair: PairedScores, cutoffs: Sequence[float]) -> list[Cut]:
    """Each cut-off twice: at the same score, and where the challenger lets in as many as the champion."""
    before, after = pair.shown
    same = [Cut(mark, mark, "same score") for mark in cutoffs]
    return same + [Cut(mark, equal_cutoff(before, after, mark), "equal approval") for mark in cutoffs]


def equal_cutoff(before: Floats, after: Floats, cutoff: float) -> float:
    """The whole score at which as many of ``after`` are let in as of ``before`` at a cut-off, or nearly.

    Of two that miss by as much, the stricter.

    Examples
    --------
    >>> equal_cutoff(np.array([500.0, 600.0, 700.0]), np.array([480.0, 570.0, 690.0]), 600)
    570.0
    """
    marks = np.arange(SCORE_MAX, SCORE_MIN - 1, -1.0)
    let_in = len(after) - np.searchsorted(np.sort(after), marks, side="left")
    wanted = int((before >= cutoff).sum())
    nearest = marks[int(np.argmin(np.abs(let_in - wanted)))]
    inside = after[after >= nearest]
    return float(inside.min()) if len(inside) else float(nearest)


def sets_at(pair: PairedScores, cut: Cut) -> dict[str, Bools]:
    """Which rows are in each of the four sets."""
    before, after = pair.shown
    by_champion, by_challenger = before >= cut.champion, after >= cut.challenger
    inside = (
        by_champion & by_challenger, ~by_champion & by_challenger, by_champion & ~by_challenger,
        ~by_champion & ~by_challenger,
    )  # fmt: skip
    return dict(zip(SETS, inside, strict=True))


def swap_sets(pair: PairedScores, cuts: Sequence[Cut]) -> pd.DataFrame:
    """The four sets at each cut-off.

    Returns
    -------
    DataFrame
        ``at``, ``cutoff``, ``challenger_cutoff``, ``set``, ``n``, ``share`` of all rows, ``known`` outcomes among
        them, their ``bad_rate`` with its 95 % Wilson interval, and the mean PD by either model. Of a set of fewer
        than ten rows, or fewer than ten outcomes, nothing is told, nor of the one that would give such a set away.
    """
    lines = []
    for cut in cuts:
        sets = sets_at(pair, cut)
        shown = hide_small([int(inside.sum()) for inside in sets.values()], SMALLEST_GROUP)
        for (name, inside), told in zip(sets.items(), shown, strict=True):
            lines.append(cut.as_columns() | {"set": name} | (_NOTHING if told is None else _figures(pair, inside)))
    table = pd.DataFrame(lines)
    for column in ("n", "known"):  # whole numbers, also beside what is left out
        table[column] = pd.Series([line[column] for line in lines], dtype=object)
    return table


def swap_parts(pair: PairedScores, cuts: Sequence[Cut]) -> pd.DataFrame:
    """Why members are swapped: the mean change of each part of the score among those who come in or fall out."""
    parts, lines = pair.parts(), []
    for cut in cuts:
        for name, inside in sets_at(pair, cut).items():
            if name.startswith("swapped") and int(inside.sum()) >= SMALLEST_GROUP:
                means = parts.loc[inside].mean()
                lines.append(cut.as_columns() | {"set": name, "change": float(pair.change[inside].mean()), **means})
    return pd.DataFrame(lines)


def _figures(pair: PairedScores, inside: Bools) -> dict[str, float | int | None]:
    n = int(inside.sum())
    found = _NOTHING | {"n": n, "share": n / len(inside)}
    if n:
        found |= {
            "champion_pd": float(pair.champion.pd[inside].mean()),
            "challenger_pd": float(pair.challenger.pd[inside].mean()),
        }
    return found | bad_rate_of(pair.bad[inside])


def bad_rate_of(bad: Floats) -> dict[str, float | int | None]:
    """Known outcomes, their bad rate and its interval; nothing where fewer than ten are known.

    Examples
    --------
    >>> bad_rate_of(np.array([1.0] + [0.0] * 9 + [np.nan]))["bad_rate"], bad_rate_of(np.ones(9))["bad_rate"]
    (0.1, None)
    """
    known = bad[~np.isnan(bad)]
    if len(known) < SMALLEST_GROUP:
        empty = ("known", "bad_rate", "bad_rate_low", "bad_rate_high")
        return dict.fromkeys(empty) | ({"known": 0} if not len(known) else {})
    low, high = wilson_interval(np.array([known.sum()]), np.array([float(len(known))]))
    return {
        "known": len(known), "bad_rate": float(known.mean()), "bad_rate_low": float(low[0]),
        "bad_rate_high": float(high[0]),
    }  # fmt: skip
