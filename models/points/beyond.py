"""How many of a row's values lie beyond given ends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benne.models.points.compiled import compiled

__all__ = ["count_beyond"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@compiled
def count_beyond(X: Floats, low: Floats, high: Floats, found: Integers) -> None:
    """Add to each row the number of its values below ``low`` or above ``high``; NaN is neither, and has no ends.

    Parameters
    ----------
    X : ndarray of float64, shape (n, columns)
    low, high : ndarray of float64, shape (columns,)
    found : ndarray of int64, shape (n,)
    """
    for row in range(X.shape[0]):
        count = 0
        for column in range(X.shape[1]):
            value = X[row, column]
            count += int(value < low[column]) + int(value > high[column])
        found[row] += count
