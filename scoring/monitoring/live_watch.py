"""What a running service looks at after each pass: which values came, what scores, under which consent; in counts.

Values wait in memory for a second, without anybody's name; then each is put into the bin of the model's reference that
it falls into, and only the sums go on.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from benne.errors import ModelError
from benne.features.categories import CATEGORIES
from benne.features.quality.drift import Bins
from benne.scoring.decisions.case import Case, Scored
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.monitoring.live_counts import LiveCounts, day_of

__all__ = [
    "ANSWERS", "BAND", "FEATURE", "PATTERN", "PD", "RARE", "REFUSED", "SCORE", "THIN", "LiveWatch", "Reference",
    "reference_of",
]  # fmt: skip

ANSWERS: Final = "answers"
"""Cell 0: answered; 1: refused; 2: a benefit was asked about, whatever came of it."""
REFUSED: Final = "refused."
"""Followed by the reason; never of benefits, which must not be told apart by why they were not granted."""
FEATURE: Final = "feature."
"""Followed by a feature: its reference's bins, and one more for nulls, of rows that consent to its category."""
SCORE: Final = "score"
"""The reference's bins."""
BAND: Final = "band."
"""Followed by a band."""
PATTERN: Final = "pattern"
"""The categories that were withheld, as a sum of 1, 2, 4, 8 and 16 in their fixed order."""
THIN: Final = "thin"
"""Cell 0: no; 1: nothing is on record in some category that entered."""
RARE: Final = "rare"
"""Cell 0: no; 1: there was little like it to learn from."""
PD: Final = "pd"
"""How many, and the sum of their probabilities of bad."""

_MOST_WAITING: Final = 8_192  # rows; a service counts them every second, and else whoever brings more does so


class Reference(Protocol):
    """What live values are counted against; :class:`benne.models.reference_histograms.ReferenceHistograms` has it."""

    @property
    def rows(self) -> int:
        """Rows of the reference."""

    @property
    def features(self) -> Mapping[str, Bins]:
        """Bins of each feature."""

    @property
    def score(self) -> Bins:
        """Bins of the score."""

    @property
    def bands(self) -> Mapping[str, int | None]:
        """Rows in each band, from the lowest; None where they are few."""


class _Row(NamedTuple):
    """One answered case without whose it is; ``rare`` is None where the model cannot tell."""

    values: npt.NDArray[np.float64]
    score: float
    band: str
    pd: float
    thin: bool
    rare: bool | None
    withheld: frozenset[str]


class LiveWatch:
    """Counts what was answered and refused; an observer of :class:`~benne.scoring.decisions.decide.DecisionMaker`.

    Parameters
    ----------
    counts : LiveCounts
    serving : callable returning ServedModel
        Under whose id refusals are counted, which no model made.
    clock : callable returning datetime
    """

    def __init__(self, counts: LiveCounts, serving: Callable[[], ServedModel], clock: Callable[[], datetime]) -> None:
        self._counts = counts
        self._serving = serving
        self._clock = clock
        self._alone = threading.Lock()
        self._waiting: dict[ServedModel, list[_Row]] = {}
        self._outcomes: Counter[tuple[str, str, int]] = Counter()
        self._held = 0
        self._day = -1

    def __call__(self, cases: Sequence[Case]) -> None:
        """Look at a pass that is on record."""
        model_id, today = self._serving().model_id, day_of(self._clock())
        if today != self._day or self._held >= _MOST_WAITING:
            self.drain()
        with self._alone:
            self._day = today
            for case in cases:
                if case.request.actor.role != "system":  # a review or a correction asks what was asked before
                    self._see(case, model_id)

    def drain(self) -> None:
        """Hand everything that waits to the counts."""
        with self._alone:
            day, rows, outcomes = self._day, self._waiting, self._outcomes
            self._waiting, self._outcomes, self._held = {}, Counter(), 0
        for (model_id, name, cell), n in outcomes.items():
            self._counts.add_cells(model_id, name, np.array([cell]), np.array([n]), day=day)
        for served, some in rows.items():
            _Counting(self._counts, served, day).count(some)

    def _see(self, case: Case, model_id: str) -> None:
        scored = case.scored if case.stands else None
        if case.request.asked.benefit is not None:
            self._outcomes[model_id, ANSWERS, 2] += 1
        elif scored is not None:
            self._outcomes[model_id, ANSWERS, 0] += 1
        else:
            self._outcomes[model_id, ANSWERS, 1] += 1
            self._outcomes[model_id, f"{REFUSED}{case.reason}", 0] += 1
        if scored is not None:
            self._waiting.setdefault(scored.served, []).append(_row(scored, case.withheld))
            self._held += 1


def reference_of(model: object) -> Reference | None:
    """The histograms saved with a model; None where it was saved by an older Benne, or had too few rows."""
    try:
        found: Reference | None = getattr(model, "histograms_", None)
    except ModelError:
        return None
    return found


@dataclass(frozen=True, slots=True)
class _Counting:
    """Rows of one model and day on their way to the counts."""

    counts: LiveCounts
    served: ServedModel
    day: int

    def count(self, rows: Sequence[_Row]) -> None:
        self._figures(rows)
        reference = reference_of(self.served.model)
        if reference is None:
            return
        self._add(SCORE, _cells(reference.score, np.array([row.score for row in rows])))
        values = np.array([row.values for row in rows])
        for category, places in self.served.columns.items():
            entered = np.array([category not in row.withheld for row in rows])
            for place in places.tolist():
                name = self.served.names[place]
                if entered.any() and name in reference.features:
                    self._add(f"{FEATURE}{name}", _cells(reference.features[name], values[entered, place]))

    def _figures(self, rows: Sequence[_Row]) -> None:
        """What needs no reference."""
        for band, n in sorted(Counter(row.band for row in rows).items()):
            self._sum(f"{BAND}{band}", n)
        self._add(PATTERN, np.array([_pattern(row.withheld) for row in rows]))
        self._add(THIN, np.array([int(row.thin) for row in rows]))
        known = [int(row.rare) for row in rows if row.rare is not None]
        if known:
            self._add(RARE, np.array(known))
        self._sum(PD, len(rows), sum(row.pd for row in rows))

    def _sum(self, name: str, n: int, amount: float = 0.0) -> None:
        one = np.array([0])
        self.counts.add_cells(self.served.model_id, name, one, np.array([n]), np.array([amount]), self.day)

    def _add(self, name: str, cells: npt.NDArray[np.integer[Any]]) -> None:
        n = np.bincount(cells)
        found = np.flatnonzero(n)
        self.counts.add_cells(self.served.model_id, name, found, n[found], day=self.day)


def _row(scored: Scored, withheld: frozenset[str]) -> _Row:
    found, k = scored.explanation, scored.row
    rare = getattr(found, "rare", None)
    return _Row(
        scored.values, float(found.score[k]), str(found.band[k]), float(found.pd[k]), bool(found.thin[k]),
        None if rare is None else bool(rare[k]), withheld,
    )  # fmt: skip


def _cells(bins: Bins, values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """The bin of each value, edges inclusive as :class:`Bins` has them; nulls in one after the last."""
    cells = np.searchsorted(np.asarray(bins.edges, dtype=np.float64), values, side="left")
    return np.where(np.isnan(values), len(bins.counts), cells)


def _pattern(withheld: frozenset[str]) -> int:
    return sum(1 << place for place, category in enumerate(CATEGORIES) if category in withheld)
