"""What may be kept of members' values: means over cohorts, nobody's own."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["SMALLEST_COHORT", "cohort_means", "number_between"]

Floats = npt.NDArray[np.float64]

SMALLEST_COHORT: Final = 50
"""Members behind anything that is kept of them."""


def cohort_means(values: Floats) -> Floats:
    """Each column sorted, and every value replaced by the mean of its cohort.

    Cohorts are neighbours, and never from both sides of the column's mean: so the mean and the mean
    absolute deviation, which is a category's influence, stay what they were. A side with fewer
    members than a cohort is one.

    Parameters
    ----------
    values : ndarray of float64, shape (m, columns)

    Returns
    -------
    ndarray of float64, shape (m, columns)

    Examples
    --------
    >>> cohort_means(np.array([[4.0], [1.0], [3.0], [0.0]])).ravel().tolist()
    [0.5, 0.5, 3.5, 3.5]
    """
    return np.column_stack([_of_column(np.sort(column), float(column.mean())) for column in values.T])


def _of_column(ordered: Floats, mean: float) -> Floats:
    middle = int(np.searchsorted(ordered, mean))
    return np.concatenate([_of_side(ordered[:middle]), _of_side(ordered[middle:])])


def _of_side(ordered: Floats) -> Floats:
    cohorts = np.array_split(ordered, max(1, len(ordered) // SMALLEST_COHORT))
    return np.concatenate([np.full(len(one), one.mean()) if len(one) else one for one in cohorts])


def number_between(low: float, high: float) -> float:
    """The number of fewest decimals above ``low`` and below ``high``: it is neither of them.

    Examples
    --------
    >>> number_between(612.34567, 612.36789)
    612.36
    """
    middle = (low + high) / 2.0
    for decimals in range(12):
        number = round(middle, decimals)
        if low < number < high:
            return number
    return middle
