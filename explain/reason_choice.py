"""Which groups are told of each row: those with the largest effects, at most four."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from benne.explain.reason_lines import MOST_REASONS, SMALLEST_EFFECT

__all__ = ["Choice", "chosen_groups"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Line = TypeVar("Line")
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Choice:
    """Chosen groups of all rows, one behind the other: of each row the one with the largest effect first.

    Parameters
    ----------
    row, group, rank : ndarray of int, shape (chosen,)
        ``rank`` begins at 1.
    ends : list of int, length n
        Where the groups of each row end.
    """

    row: Indices
    group: Indices
    rank: Indices
    ends: list[int]

    def of(self, by_row: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """What stands for each chosen group in a table of shape (n, groups)."""
        return by_row[self.row, self.group]

    def by_row(self, lines: Sequence[Line]) -> list[tuple[Line, ...]]:
        """Lines of chosen groups, parted into those of each row."""
        parted = tuple(lines)
        return [parted[start:end] for start, end in zip([0, *self.ends[:-1]], self.ends, strict=True)]


def chosen_groups(effect: Floats, candidate: Bools | None = None) -> Choice:
    """The groups with the largest effects.

    Parameters
    ----------
    effect : ndarray of float64, shape (n, groups)
        Only what is above :data:`benne.explain.reason_lines.SMALLEST_EFFECT` counts; of equals the first is chosen.
    candidate : ndarray of bool, shape (n, groups), optional
        Which may be chosen; by default all.

    Examples
    --------
    >>> choice = chosen_groups(np.array([[3.0, 0.2, 7.0], [-1.0, 0.0, 0.5]]))
    >>> choice.by_row(choice.group.tolist())
    [(2, 0), ()]
    """
    counts = effect > SMALLEST_EFFECT if candidate is None else candidate & (effect > SMALLEST_EFFECT)
    counted = np.where(counts, effect, 0.0)
    order = np.argsort(-counted, axis=1, kind="stable")[:, :MOST_REASONS]
    row, rank = np.nonzero(np.take_along_axis(counted, order, axis=1) > 0.0)
    ends = np.cumsum(np.bincount(row, minlength=len(effect))).tolist()
    return Choice(row, order[row, rank], rank + 1, ends)
