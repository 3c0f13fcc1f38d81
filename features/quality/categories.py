"""How much there is to go by in each category: consents, thin files, features present and absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benne.features.quality.cells import Share
from benne.features.quality.drift import Floats
from benne.features.specification import FeatureSpec

__all__ = ["CategoryQuality", "Evidence"]

_SPARSE = 0.25


@dataclass(frozen=True)
class CategoryQuality:
    """One category over all observations.

    Parameters
    ----------
    name : str
    consented : Share
        Of all observations.
    thin : Share
        Of the consented ones, those about whom nothing is known: every feature is null or, where
        it is never null, 0.
    sparse : Share
        Of the consented ones, those about whom fewer than a quarter of the features say anything,
        thin ones included.
    present : tuple of str
    absent : mapping of str to str
        Feature to why it is not in the frame.
    """

    name: str
    consented: Share
    thin: Share
    sparse: Share
    present: tuple[str, ...]
    absent: Mapping[str, str]


class Evidence:
    """Counts, feature by feature, how many say something about each observation of a category.

    Parameters
    ----------
    observations : int

    Notes
    -----
    A null says nothing, and neither does the 0 of a feature that is never null: it is the count
    or sum of no events. What follows from having joined alone, such as the days since, is no
    evidence of anything and is left out.
    """

    def __init__(self, observations: int) -> None:
        self._told = np.zeros(observations, dtype=np.int16)
        self._features = 0

    def add(self, spec: FeatureSpec, values: Floats) -> None:
        """Take one feature's values, shape (observations,)."""
        if {table for table, _ in spec.expression.reads()} == {"members"}:
            return
        told = ~np.isnan(values)
        if spec.never_null:
            told &= values != 0
        self._told += told
        self._features += 1

    def thin(self, consented: npt.NDArray[np.bool_], cell: int) -> Share:
        """Of the consented observations, those no feature tells anything about."""
        return self._share(self._told == 0, consented, cell)

    def sparse(self, consented: npt.NDArray[np.bool_], cell: int) -> Share:
        """Of the consented observations, those fewer than a quarter of the features tell of."""
        return self._share(self._told < _SPARSE * self._features, consented, cell)

    def _share(self, which: npt.NDArray[np.bool_], consented: npt.NDArray[np.bool_], cell: int) -> Share:
        whole = int(consented.sum()) if self._features else 0
        return Share.of(int((which & consented).sum()) if whole else 0, whole, cell)
