"""One figure that a gate may ask for: what it is, on how many it rests, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Measure", "measures_of", "outside"]

Floats = npt.NDArray[np.float64]
State = Literal["measured", "INSUFFICIENT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure about a model.

    Parameters
    ----------
    value : float or None
        None where too little is there to tell; that is never a pass.
    low, high : float or None
        Ends of its interval, where it has one.
    n : int
        Rows or members that it rests on.
    note : str
        Where the figure is the worst of several: of which; where it is missing: why.

    Examples
    --------
    >>> Measure(value=0.91, low=0.84, high=0.99, n=1200, note="sex: female").state
    'measured'
    >>> Measure(value=None, n=12, note="nobody of the group turned bad").state
    'INSUFFICIENT'
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    note: str = ""

    @property
    def state(self) -> State:
        """Whether there is a figure."""
        return "INSUFFICIENT" if self.value is None or not math.isfinite(self.value) else "measured"

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the same figure, the same bytes."""
        return {
            "value": _rounded(self.value), "low": _rounded(self.low), "high": _rounded(self.high), "n": self.n,
            "state": self.state, "note": self.note,
        }  # fmt: skip


def measures_of(parts: Mapping[str, Mapping[str, Measure]]) -> dict[str, Measure]:
    """Figures of several parts under their full names, such as ``fairness.adverse_impact_ratio``."""
    return {f"{part}.{name}": measure for part, figures in parts.items() for name, measure in figures.items()}


def outside(predicted: Floats, low: Floats, high: Floats) -> Floats:
    """How far each figure lies outside the interval of what was seen; 0 inside it. All of shape (n,).

    Examples
    --------
    >>> outside(np.array([0.10, 0.30]), np.array([0.05, 0.10]), np.array([0.15, 0.20])).round(2).tolist()
    [0.0, 0.1]
    """
    return np.asarray(np.maximum(np.maximum(low - predicted, predicted - high), 0.0))


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 10)
