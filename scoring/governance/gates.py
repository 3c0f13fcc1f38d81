"""Gates: what a model must have shown before it serves, fixed before anybody knows how it does."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal, TypeGuard, get_args

from benne.errors import GatesError
from benne.models import SCORE_MAX, SCORE_MIN
from benne.scoring.governance.metrics import METRICS

__all__ = ["BOUNDS", "Bound", "Gate", "Gates", "Outcome"]

Bound = Literal["value", "low", "high"]
BOUNDS: Final[tuple[str, ...]] = get_args(Bound)
Outcome = Literal["passed", "failed", "INSUFFICIENT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One demand on a model.

    Parameters
    ----------
    metric : str
        A key of :data:`benne.scoring.governance.metrics.METRICS`.
    at_least, at_most : float or None
        What the figure may be; one of them, or both.
    on : {'value', 'low', 'high'}, default='value'
        Whether the figure itself is held against that, or an end of its interval.
    smallest_n : int, default=1
        Rows or members that the figure rests on at least; with fewer it is INSUFFICIENT.
    required : bool, default=True
        Where not, a miss is told and hinders nothing.
    why : str
        For whoever reads the file.

    Raises
    ------
    GatesError
        If the metric is unknown, or the threshold says nothing.

    Examples
    --------
    >>> gate = Gate(metric="discrimination.auc", at_least=0.65, on="low", why="better than chance for sure")
    >>> gate.threshold
    'low end at least 0.65'
    >>> Gate(metric="discrimination.acu", at_least=0.65, why="typo")
    Traceback (most recent call last):
    ...
    benne.errors.GatesError: metric must be one that a validation measures, got 'discrimination.acu'. ...
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    on: Bound = "value"
    smallest_n: int = 1
    required: bool = True
    why: str

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise GatesError(
                f"metric must be one that a validation measures, got {self.metric!r}. One of: {', '.join(METRICS)}."
            )
        if self.on not in BOUNDS:
            raise GatesError(f"on must be one of {', '.join(BOUNDS)}, got {self.on!r}. Name one of these.")
        given = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        if not given or not all(_is_figure(limit) for limit in given) or given != sorted(given):
            raise GatesError(
                "at_least or at_most must be given as finite numbers, at_least the smaller, got otherwise. Correct it."
            )
        if self.smallest_n < 1:
            raise GatesError(f"smallest_n must be at least 1, got {self.smallest_n}. Leave it out for 1.")
        if not self.why.strip():
            raise GatesError("why must say what the gate is for, got nothing. Write a sentence.")

    @property
    def threshold(self) -> str:
        """In words."""
        ends = {"at least": self.at_least, "at most": self.at_most}
        limits = " and ".join(f"{words} {limit:g}" for words, limit in ends.items() if limit is not None)
        return limits if self.on == "value" else f"{self.on} end {limits}"

    def outcome(self, told: Mapping[str, Any]) -> Outcome:
        """What becomes of a figure: INSUFFICIENT where it or the end that is asked for is missing, or n is too small.

        Parameters
        ----------
        told : mapping
            ``value``, ``low``, ``high`` and ``n``, as a verdict has them; whatever is no number is missing.

        Examples
        --------
        >>> gate = Gate(metric="discrimination.auc", at_least=0.65, smallest_n=100, why="better than chance")
        >>> gate.outcome({"value": 0.7, "n": 500}), gate.outcome({"value": 0.7, "n": 99})
        ('passed', 'INSUFFICIENT')
        >>> gate.outcome({"value": 0.6, "n": 500}), gate.outcome({"value": float("nan"), "n": 500})
        ('failed', 'INSUFFICIENT')
        """
        figure, n = told.get(self.on), told.get("n")
        if not _is_figure(told.get("value")) or not _is_figure(figure) or not _is_figure(n) or n < self.smallest_n:
            return "INSUFFICIENT"
        return "passed" if self.passes(figure) else "failed"

    def passes(self, figure: float) -> bool:
        """Whether a figure is within the limits, both included."""
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return low <= figure <= high


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """A version of all demands on models.

    Parameters
    ----------
    version : str
        Never used again for other gates.
    approver : str or None
        As the file names them; whoever declares the file must be named in any case.
    gates : tuple of Gate
    cutoffs : tuple of float
        Lowest scores that pass, at which fairness is measured; empty: the lower ends of the model's bands.

    Raises
    ------
    GatesError
        If there is none, none is required, two ask for the same, or cut-offs are not rising numbers.
    """

    version: str
    approver: str | None
    gates: tuple[Gate, ...]
    cutoffs: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not any(gate.required for gate in self.gates):
            raise GatesError("gates must hold at least one that is required, got none. Add [[gates]].")
        twice = _twice((gate.metric, gate.on) for gate in self.gates)
        if twice is not None:
            raise GatesError(f"gates must ask for a figure once, got {twice[0]} ({twice[1]}) twice. Join them.")
        rising = all(low < high for low, high in pairwise(self.cutoffs))
        if not rising or not all(SCORE_MIN < one <= SCORE_MAX for one in self.cutoffs):
            raise GatesError(
                "fairness.cutoffs must be scores above 350 and up to 950, each above the one before, got others: "
                "at 350 everybody passes. Correct them."
            )

    @property
    def evidence(self) -> frozenset[str]:
        """What required gates need a validation to be given."""
        return frozenset(METRICS[gate.metric].evidence for gate in self.gates if gate.required)


def _is_figure(value: Any) -> TypeGuard[float]:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _twice(keys: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    return next((key for key, times in Counter(keys).items() if times > 1), None)
