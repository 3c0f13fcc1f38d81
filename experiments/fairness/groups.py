"""Members in groups of an attribute: nobody is dropped, and nobody is shown in a group of fewer than ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import FairnessError
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.report.groups import SMALLEST_GROUP

__all__ = ["NOT_STATED", "OTHERS", "Grouping", "grouping_of", "groupings_of", "intersection_of", "whole_values"]

NOT_STATED: Final = "not stated"
OTHERS: Final = "other small groups"
_MOST_GROUPS: Final = 25

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Grouping:
    """Rows in groups.

    Parameters
    ----------
    attribute : str
        Name of the attribute; of two together ``first x second``.
    names : tuple of str
        Of the groups, in order.
    code : ndarray of int, shape (n,)
        Each row's group, as a position in ``names``.
    reference : int
        Position of the group that others are compared with.
    """

    attribute: str
    names: tuple[str, ...]
    code: Indices = field(repr=False)
    reference: int

    @property
    def joint(self) -> bool:
        """Whether it is of two attributes together."""
        return " x " in self.attribute


def groupings_of(protected: pd.DataFrame, members: Indices, options: FairnessOptions) -> list[Grouping]:
    """One grouping of each attribute, and one of each pair that is asked for.

    Parameters
    ----------
    protected : DataFrame, shape (n, attributes)
        Of each row's member; null where not stated.
    members : ndarray of int, shape (n,)
        Rows of one member share a number: groups are counted in members.
    options : FairnessOptions

    Raises
    ------
    FairnessError
        If an attribute has one group, or too many; if a reference or an attribute of a pair is unknown.
    """
    unknown = [name for pair in options.intersections for name in pair if name not in protected.columns]
    unknown += [name for name in options.reference if name not in protected.columns]
    if unknown:
        raise FairnessError(
            f"Attributes must be among the protected ones ({', '.join(map(str, protected.columns))}), "
            f"got {unknown[0]!r}. Correct the options."
        )
    single = {str(name): grouping_of(protected[name], members, options) for name in protected.columns}
    pairs = [intersection_of(single[one], single[other], members) for one, other in options.intersections]
    return [*single.values(), *pairs]


def grouping_of(values: pd.Series[Any], members: Indices, options: FairnessOptions) -> Grouping:
    """Groups of one attribute: its values, or the bands of a number; null is a group of its own.

    Examples
    --------
    >>> sex = pd.Series(["f"] * 12 + ["m"] * 20 + [None] * 11, name="sex")
    >>> grouping_of(sex, np.arange(43), FairnessOptions()).names
    ('f', 'm', 'not stated')
    >>> grouping_of(pd.Series(["f"] * 12, name="sex"), np.arange(12), FairnessOptions())
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: Attribute 'sex' must have two groups of ten members or more, got one. Leave it out.
    """
    labels, order = _labelled(values, options)
    return _assembled(str(values.name), labels, order, members, options)


def intersection_of(one: Grouping, other: Grouping, members: Indices) -> Grouping:
    """Two attributes together; the reference is where both are their own."""
    named = np.array([f"{a}, {b}" for a in one.names for b in other.names], dtype=object)
    labels = named[one.code * len(other.names) + other.code]
    attribute = f"{one.attribute} x {other.attribute}"
    reference = f"{one.names[one.reference]}, {other.names[other.reference]}"
    return _assembled(attribute, labels, list(named), members, FairnessOptions(reference={attribute: reference}))


def whole_values(values: pd.Series[Any]) -> bool:
    """Whether an attribute is a number, and not merely coded in one: more than twelve values."""
    return bool(pd.api.types.is_numeric_dtype(values.dtype)) and values.nunique() > 12


def _labelled(values: pd.Series[Any], options: FairnessOptions) -> tuple[npt.NDArray[np.object_], list[str]]:
    """Each row's label, and the labels in order."""
    name = str(values.name)
    if name in options.edges and pd.api.types.is_numeric_dtype(values.dtype):
        return _banded(values, options.edges[name])
    if whole_values(values):
        raise FairnessError(
            f"Attribute {name!r} must be of groups, got {values.nunique()} different numbers. "
            "Name the edges of its bands."
        )
    stated = values.dropna()
    spelled = {value: _spelled(value) for value in stated.unique()}
    labels = np.array([spelled.get(value, NOT_STATED) if known else NOT_STATED
                       for value, known in zip(values, values.notna(), strict=True)], dtype=object)  # fmt: skip
    try:
        order = [spelled[value] for value in sorted(spelled)]
    except TypeError:  # of kinds that have no order among each other
        order = sorted(spelled.values())
    return labels, [*dict.fromkeys(order), NOT_STATED]


def _spelled(value: Any) -> str:
    """A whole number that a null turned into a float is still called a whole number."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _banded(values: pd.Series[Any], edges: Sequence[float]) -> tuple[npt.NDArray[np.object_], list[str]]:
    number = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(number).any():
        raise FairnessError(f"Attribute {values.name!r} must be finite where it is stated, got infinity. Correct it.")
    names = [f"under {edges[0]:g}", *(f"{a:g} to under {b:g}" for a, b in pairwise(edges)), f"{edges[-1]:g} and over"]
    place = np.searchsorted(np.asarray(edges, dtype=np.float64), number, side="right")
    known = np.array([*names, NOT_STATED], dtype=object)
    return known[np.where(np.isnan(number), len(names), place)], [*names, NOT_STATED]


def _assembled(
    attribute: str, labels: npt.NDArray[np.object_], order: Sequence[str], members: Indices, options: FairnessOptions
) -> Grouping:
    counts = pd.Series(labels).groupby(labels).agg(lambda rows: len(np.unique(members[rows.index])))
    sizes = {name: int(counts[name]) for name in order if name in counts.index}
    merged = _merged(sizes)
    names = tuple(dict.fromkeys(merged[name] for name in sizes))
    if len(names) < 2:
        raise FairnessError(
            f"Attribute {attribute!r} must have two groups of ten members or more, got one. Leave it out."
        )
    if len(names) > _MOST_GROUPS:
        raise FairnessError(
            f"Attribute {attribute!r} must have at most {_MOST_GROUPS} groups, got {len(names)}. Join some, or name "
            "the edges of its bands."
        )
    place = {name: names.index(merged[name]) for name in sizes}
    code = np.array([place[label] for label in labels], dtype=np.intp)
    return Grouping(attribute, names, code, _reference(attribute, names, code, options))


def _merged(sizes: dict[str, int]) -> dict[str, str]:
    """Small groups in one; with the smallest of the others where it would still be small, so that no total tells."""
    small = [name for name, size in sizes.items() if size < SMALLEST_GROUP]
    if small and sum(sizes[name] for name in small) < SMALLEST_GROUP:
        rest = [name for name in sizes if name not in small]
        small += [min(rest, key=lambda name: sizes[name])] if rest else []
    return {name: OTHERS if name in small else name for name in sizes}


def _reference(attribute: str, names: tuple[str, ...], code: Indices, options: FairnessOptions) -> int:
    wanted = options.reference.get(attribute)
    if wanted is None:
        counts = np.bincount(code, minlength=len(names)).astype(np.float64)
        counts[[k for k, name in enumerate(names) if name in (NOT_STATED, OTHERS)]] -= len(code)
        return int(np.argmax(counts))
    if wanted not in names:
        raise FairnessError(
            f"The reference of {attribute!r} must be one of its groups ({', '.join(names)}), got {wanted!r}. Name one."
        )
    return names.index(wanted)
