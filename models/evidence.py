"""How much there is to go by in each category of a row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benne.models.category_layout import CategoryLayout

__all__ = ["ANYTHING_TELLS", "NOTHING_TELLS", "ZERO_TELLS_NOTHING", "told_by_category"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NOTHING_TELLS, ANYTHING_TELLS, ZERO_TELLS_NOTHING = range(3)
"""What a value of a column says: nothing (it follows from having joined alone), something, or something unless it is
the 0 that a count or a sum of no events has."""


def told_by_category(matrix: Floats, tells: tuple[int, ...], layout: CategoryLayout) -> Bools:
    """Whether anything is on record in each category of each row, shape (n, categories).

    Parameters
    ----------
    matrix : ndarray of float64, shape (n, features)
    tells : tuple of int
        Of each column.
    layout : CategoryLayout
    """
    kinds = np.array(tells)
    told = ~np.isnan(matrix) & (kinds != NOTHING_TELLS) & ((matrix != 0.0) | (kinds != ZERO_TELLS_NOTHING))
    return np.column_stack([told[:, group].any(axis=1) for group in layout.groups])
