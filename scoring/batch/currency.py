"""Whether features were built under the consent that is there now."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["CHANGED", "changed_since_built"]

CHANGED: Final = "consent-changed"
Bools = npt.NDArray[np.bool_]


def changed_since_built(computed: Bools, permitted: Bools, required: Bools) -> Bools:
    """Rows that hold a category since withheld, or lack a required one since given: to be built again.

    Parameters
    ----------
    computed, permitted : ndarray of bool, shape (n, 5)
        In the order of :data:`benne.features.categories.CATEGORIES`.
    required : ndarray of bool, shape (5,)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return np.asarray((computed & ~permitted).any(axis=1) | (required & ~computed).any(axis=1))
