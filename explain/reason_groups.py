"""Features by what they tell of: collinear siblings are one cause, and one cause is given once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benne.features.specification import FeatureSpec

__all__ = ["ReasonGroups", "reason_groups"]

_NO_LETTER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, eq=False)
class ReasonGroups:
    """Groups of the features of a model.

    Parameters
    ----------
    codes : tuple of str
        Name of each group, in the order of its first feature.
    columns : tuple of ndarray of int
        Places of its features.
    """

    codes: tuple[str, ...]
    columns: tuple[npt.NDArray[np.intp], ...]

    def sums(self, of_features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sum of each group's features, shape (n, groups)."""
        return np.column_stack([of_features[:, own].sum(axis=1) for own in self.columns])

    def largest(self, of_features: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        """Place of the feature of each group that has most of something, shape (n, groups)."""
        return np.column_stack([own[of_features[:, own].argmax(axis=1)] for own in self.columns])


def reason_groups(columns: Sequence[str], registry: Mapping[str, FeatureSpec]) -> ReasonGroups:
    """Group features by the registry's reason groups; one that is not registered is a group of its own.

    Examples
    --------
    >>> from benne.features import registry
    >>> reason_groups(["cash_share_180d", "my_own", "bill_share_180d"], registry).codes
    ('ways-of-paying', 'my_own')
    """
    places: dict[tuple[bool, str], list[int]] = {}
    for place, name in enumerate(columns):
        spec = registry.get(name)
        key = (False, name) if spec is None else (True, _NO_LETTER.sub("-", spec.reason_group.lower()).strip("-"))
        places.setdefault(key, []).append(place)
    return ReasonGroups(
        tuple(code for _, code in places), tuple(np.array(own, dtype=np.intp) for own in places.values())
    )
