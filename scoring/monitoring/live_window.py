"""Live counts of some days together, beside the model's reference: shifts, shares, and nothing of few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.features.quality.cells import SMALLEST_CELL, hide_small
from benne.features.quality.drift import Bins, expected_by_chance, population_stability
from benne.scoring.monitoring.live_watch import ANSWERS, BAND, FEATURE, PATTERN, PD, REFUSED, SCORE

__all__ = ["FEWEST", "LiveWindow", "Shift", "shares"]

FEWEST: Final = SMALLEST_CELL
"""Observations below which a window tells nothing: the counts of a quiet day would tell of one member."""
_SMALLEST: Final = 10  # observations behind any count that is shown beside others
_EMPTY: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Shift:
    """How far live values have moved from the reference.

    Attributes
    ----------
    index : float
        Population stability index.
    by_chance : float
        The index to expect where nothing has moved.
    bins : int
        Bins with anything in them, on either side.
    n : int
        Live observations.
    """

    index: float
    by_chance: float
    bins: int
    n: int


@dataclass(frozen=True)
class LiveWindow:
    """What was counted in some days.

    Parameters
    ----------
    first_day, last_day : int
        Both inclusive, in days since 1970-01-01 UTC.
    cells : mapping of str to ndarray of int64
        Counts by name, each by its cell.
    amounts : mapping of str to float
        Sums of what has a size, by name.
    """

    first_day: int
    last_day: int
    cells: Mapping[str, npt.NDArray[np.int64]]
    amounts: Mapping[str, float]

    @classmethod
    def of(cls, counted: pd.DataFrame, last_day: int, days: int) -> Self:
        """The window of that many days that ends with ``last_day``.

        Parameters
        ----------
        counted : DataFrame
            ``day``, ``name``, ``cell``, ``n``, ``amount``, as :meth:`LiveCounts.read` gives it.
        last_day, days : int
        """
        first_day = last_day - days + 1
        within = counted[(counted["day"] >= first_day) & (counted["day"] <= last_day)]
        summed = within.groupby(["name", "cell"], sort=True)[["n", "amount"]].sum().reset_index()
        cells, amounts = {}, {}
        for name, rows in summed.groupby("name", sort=True):
            found = np.zeros(int(rows["cell"].max()) + 1, dtype=np.int64)
            found[rows["cell"]] = rows["n"]
            cells[str(name)], amounts[str(name)] = found, float(rows["amount"].sum())
        return cls(first_day, last_day, cells, amounts)

    @property
    def days(self) -> int:
        """How many days it spans."""
        return self.last_day - self.first_day + 1

    @property
    def scored(self) -> int:
        """Decisions that had a score."""
        return int(self.of_name(PD).sum())

    @property
    def asked(self) -> int:
        """Decisions other than of benefits, answered or refused."""
        return int(self.of_name(ANSWERS)[:2].sum())

    @property
    def tells(self) -> bool:
        """Whether enough was scored for figures about scores."""
        return self.scored >= FEWEST

    @property
    def refused_share(self) -> float | None:
        """Of what was asked; benefits apart, which are not told apart by their outcome."""
        counts = self.of_name(ANSWERS)
        return None if self.asked < FEWEST else float(counts[1:2].sum() / self.asked)

    @property
    def mean_pd(self) -> float | None:
        """Mean probability of bad of whoever was scored."""
        return self.amounts[PD] / self.scored if self.tells else None

    def of_name(self, name: str) -> npt.NDArray[np.int64]:
        """Counts of a name by cell; empty where nothing was counted."""
        return self.cells.get(name, _EMPTY)

    def flagged_share(self, name: str) -> float | None:
        """Share of cell 1, as of thin files; None where it rests on too few, or was never told."""
        counts = self.of_name(name)
        total = int(counts.sum())
        return None if total < FEWEST else float(counts[1:2].sum() / total)

    def bins(self, name: str, reference: Bins) -> Bins:
        """Counts in a reference's bins, the nulls apart."""
        places = len(reference.counts)
        found = np.zeros(places + 1, dtype=np.int64)
        counted = self.of_name(name)[: places + 1]
        found[: len(counted)] = counted
        return Bins(reference.edges, tuple(found[:places].tolist()), int(found[places]))

    def shift(self, name: str, reference: Bins) -> Shift | None:
        """How far a feature or the score has moved; None where too few were counted on either side."""
        live = self.bins(name, reference)
        if live.total < FEWEST or not reference.total:
            return None
        cells = zip((*reference.counts, reference.nulls), (*live.counts, live.nulls), strict=True)
        used = sum(1 for before, after in cells if before or after)
        index, by_chance = population_stability(reference, live), expected_by_chance(reference, live, 1)
        return Shift(index, by_chance, used, live.total)

    def feature_shift(self, feature: str, reference: Bins) -> Shift | None:
        """How far a feature has moved."""
        return self.shift(f"{FEATURE}{feature}", reference)

    def score_shift(self, reference: Bins) -> Shift | None:
        """How far scores have moved."""
        return self.shift(SCORE, reference)

    def bands(self) -> dict[str, int]:
        """Scores in each band that had any."""
        return self._named(BAND)

    def refusals(self) -> dict[str, int]:
        """Refusals by reason; none of benefits."""
        return self._named(REFUSED)

    def patterns(self) -> dict[int, int]:
        """Scores by which categories were withheld, a sum of 1, 2, 4, 8 and 16."""
        counts = self.of_name(PATTERN)
        return {place: int(counts[place]) for place in np.flatnonzero(counts).tolist()}

    def _named(self, begin: str) -> dict[str, int]:
        return {
            name.removeprefix(begin): int(counts.sum()) for name, counts in self.cells.items() if name.startswith(begin)
        }


def shares(counts: Mapping[Any, int]) -> dict[Any, float | None]:
    """Shares of a whole, None where one rests on fewer than ten, or would give such a one away.

    Examples
    --------
    >>> shares({"fair": 60, "good": 940})
    {'fair': 0.06, 'good': 0.94}
    >>> shares({"poor": 3, "fair": 57, "good": 940})
    {'poor': None, 'fair': None, 'good': 0.94}
    >>> shares({"good": 20})
    {'good': None}
    """
    total = sum(counts.values())
    if total < FEWEST:
        return dict.fromkeys(counts)
    shown = hide_small(list(counts.values()), _SMALLEST)
    return {name: None if n is None else n / total for name, n in zip(counts, shown, strict=True)}
