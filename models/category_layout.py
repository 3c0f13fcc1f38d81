"""Which column belongs to which category, and how much each category is to count."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import CategoryError, ParameterError
from benne.features.categories import CATEGORIES
from benne.models.weight_contract import Contract

__all__ = ["DEFAULT_WEIGHTS", "SINGLE", "CategoryLayout", "checked_tolerance", "layout_of"]

DEFAULT_WEIGHTS: Final[dict[str, float]] = dict(zip(CATEGORIES, (0.35, 0.25, 0.20, 0.15, 0.05), strict=True))

SINGLE: Final = "single"

_MOST_CATEGORIES: Final = 10
"""Every allowed pattern of consent is solved, and their number doubles with each category."""


@dataclass(frozen=True)
class CategoryLayout:
    """The categories of one model.

    Parameters
    ----------
    names : tuple of str
        Categories in their order.
    column_category : tuple of int
        Position in ``names`` of each feature column.
    weights : tuple of float
        Target share of each category; they sum to 1.
    tolerances : tuple of float
        How far each share may be from its weight; 0 throughout where empty.
    """

    names: tuple[str, ...]
    column_category: tuple[int, ...]
    weights: tuple[float, ...]
    tolerances: tuple[float, ...] = ()

    @property
    def groups(self) -> list[list[int]]:
        """Column positions of each category."""
        of = np.asarray(self.column_category)
        return [np.flatnonzero(of == c).tolist() for c in range(len(self.names))]

    @property
    def categories_of_columns(self) -> npt.NDArray[np.intp]:
        """``column_category`` as an index array of shape (features,)."""
        return np.asarray(self.column_category, dtype=np.intp)

    def share_of(self, used: frozenset[str]) -> float:
        """Total weight of the categories in ``used``."""
        return math.fsum(w for name, w in zip(self.names, self.weights, strict=True) if name in used)

    def weights_over(self, used: frozenset[str]) -> npt.NDArray[np.float64]:
        """Weights renormalised over ``used``, zero elsewhere; shape (categories,)."""
        kept = np.array([w if name in used else 0.0 for name, w in zip(self.names, self.weights, strict=True)])
        return np.asarray(kept / math.fsum(kept))

    def contract_over(self, used: frozenset[str]) -> Contract:
        """What the shares of these categories alone must be: weights renormalised, tolerances as they are."""
        inside = [name in used for name in self.names]
        tolerance = np.array(self.tolerances or (0.0,) * len(self.names))
        names = tuple(name for name in self.names if name in used)
        return Contract(names, self.weights_over(used)[inside], tolerance[inside])


def layout_of(
    columns: Sequence[str],
    categories: Mapping[str, Sequence[str]] | str | None,
    weights: Mapping[str, float] | None,
    tolerance: float | Mapping[str, float] = 0.0,
) -> CategoryLayout:
    """Resolve the ``categories``, ``weights`` and ``tolerance`` of a model for the columns of its training data.

    Raises
    ------
    CategoryError
        If a category is empty, a column is in none or in two, a mapped column is missing,
        or a weight is unknown, missing, negative or not finite.
    ParameterError
        If a tolerance is of no category.
    """
    groups = _groups(columns, categories)
    strange = [name for name in groups if not isinstance(name, str)]
    if strange:
        raise CategoryError(f"Names of categories must be strings, got {type(strange[0]).__name__}. Rename it.")
    if len(groups) > _MOST_CATEGORIES:
        raise CategoryError(f"A model must have at most {_MOST_CATEGORIES} categories, got {len(groups)}. Merge some.")
    order = [c for c in CATEGORIES if c in groups] + [c for c in groups if c not in CATEGORIES]
    of = _category_of_columns(columns, {name: groups[name] for name in order})
    return CategoryLayout(tuple(order), tuple(of), _weights(order, weights), _tolerances(order, tolerance))


def checked_tolerance(tolerance: object, of: str = "tolerance") -> float:
    """A tolerance that a share can have.

    Raises
    ------
    ParameterError
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0.0 <= tolerance <= 1.0:
        raise ParameterError(f"{of} must be a number within [0, 1], got {tolerance!r}.")
    return float(tolerance)


def _tolerances(names: Sequence[str], tolerance: float | Mapping[str, float]) -> tuple[float, ...]:
    if not isinstance(tolerance, Mapping):
        return (checked_tolerance(tolerance),) * len(names)
    unknown = [name for name in tolerance if name not in names]
    if unknown:
        raise ParameterError(
            f"tolerance must name categories of this model, got {_listed(unknown)}. Use {_listed(names)}."
        )
    each = tuple(checked_tolerance(tolerance.get(name, 0.0), f"tolerance of {name!r}") for name in names)
    if len(names) > 1 and sum(one > 0 for one in each) == 1:
        raise ParameterError(
            "tolerance must be given to two categories at least, got one: shares sum to 1, so that what one may gain "
            "another must be free to give. Name the other too."
        )
    return each


def _groups(columns: Sequence[str], categories: Mapping[str, Sequence[str]] | str | None) -> dict[str, list[str]]:
    if isinstance(categories, str):
        if categories != SINGLE:
            raise CategoryError(f"categories must be a mapping, None or 'single', got {categories!r}. Pass a mapping.")
        return {SINGLE: list(columns)}
    if categories is None:
        return _registered_groups(columns)
    if not isinstance(categories, Mapping):
        raise CategoryError(
            f"categories must be a mapping, None or 'single', got {type(categories).__name__}. Pass a mapping."
        )
    groups = {}
    for name, members in categories.items():
        if isinstance(members, str) or len(list(members)) == 0:
            raise CategoryError(
                f"Category {name!r} must have a list of at least one column. Name its columns or leave it out."
            )
        groups[name] = list(members)
    return groups


def _registered_groups(columns: Sequence[str]) -> dict[str, list[str]]:
    from benne.features import registry  # only a model on registered features needs all of them loaded

    unknown = [name for name in columns if name not in registry]
    if unknown:
        raise CategoryError(
            f"Columns {_listed(unknown)} are not registered features. Register them, leave them out, "
            "or pass `categories` as a mapping."
        )
    groups: dict[str, list[str]] = registry.categories_of(columns)
    empty = [c for c in CATEGORIES if c not in groups]
    if empty:
        raise CategoryError(
            f"All five categories must have a column, got none for {_listed(empty)}. To score without "
            "them on renormalised weights, pass `categories=registry.categories_of(X.columns)`."
        )
    return groups


def _category_of_columns(columns: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[int]:
    found: dict[str, int] = {}
    known = set(columns)
    for position, (category, members) in enumerate(groups.items()):
        for name in members:
            if name in found:
                raise CategoryError(f"Column {name!r} must be in one category, got it twice. Keep it in one.")
            if name not in known:
                raise CategoryError(f"Column {name!r} of category {category!r} is not in X. Add it or leave it out.")
            found[name] = position
    homeless = [name for name in columns if name not in found]
    if homeless:
        raise CategoryError(f"Columns {_listed(homeless)} are in no category. Put them in one or leave them out of X.")
    return [found[name] for name in columns]


def _weights(names: Sequence[str], weights: Mapping[str, float] | None) -> tuple[float, ...]:
    if weights is None and len(names) == 1:
        return (1.0,)
    given = DEFAULT_WEIGHTS if weights is None else weights
    if weights is None and not set(names) <= set(DEFAULT_WEIGHTS):
        raise CategoryError(
            f"Categories {_listed(names)} are not the five of the score and need `weights`. Pass one for each."
        )
    unknown = [] if weights is None else [name for name in weights if name not in names]
    if unknown:
        raise CategoryError(
            f"weights names {_listed(unknown)}, which are not categories of this model. Use {_listed(names)}."
        )
    missing = [name for name in names if name not in given]
    if missing:
        raise CategoryError(f"weights must have one for each category, got none for {_listed(missing)}. Add them.")
    wrong = [name for name in names if isinstance(given[name], bool) or not isinstance(given[name], numbers.Real)]
    if wrong:
        raise CategoryError(
            f"The weight of category {wrong[0]!r} must be a number, got {type(given[wrong[0]]).__name__}. Give a share."
        )
    values = [float(given[name]) for name in names]
    bad = [name for name, w in zip(names, values, strict=True) if not (math.isfinite(w) and w > 0)]
    if bad:
        raise CategoryError(
            f"The weight of {_listed(bad)} must be a positive number. Leave a category out to give it none."
        )
    return tuple(w / math.fsum(values) for w in values)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
