"""Patterns of consent: which categories a member lets the score use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import CategoryError, CategoryWithheld, InsufficientEvidence, ParameterError
from benne.features.categories import ABILITY, CATEGORIES, CREDIT_HISTORY
from benne.features.consent_mask import split_mask
from benne.models.category_layout import CategoryLayout

__all__ = [
    "NEVER_WITHHELD",
    "Withheld",
    "allowed_patterns",
    "by_pattern",
    "consented_by",
    "distinct",
    "withheld_of",
    "withheld_per_row",
]

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

Withheld = Collection[str] | Sequence[Collection[str]]

NEVER_WITHHELD: Final = frozenset({CREDIT_HISTORY, ABILITY})
"""Without one of these there is no score, where the model has them."""

_SMALLEST_WEIGHT: Final = 0.5


def allowed_patterns(layout: CategoryLayout) -> list[frozenset[str]]:
    """Every set of categories that may be scored alone; the full one first.

    Examples
    --------
    >>> layout = CategoryLayout(("history", "social"), (0, 1), (0.9, 0.1))
    >>> [sorted(pattern) for pattern in allowed_patterns(layout)]
    [['history', 'social'], ['history']]
    """
    sizes = range(len(layout.names), 0, -1)
    sets = (frozenset(names) for size in sizes for names in combinations(layout.names, size))
    return [used for used in sets if why_refused(used, layout) is None]


def why_refused(used: frozenset[str], layout: CategoryLayout) -> str | None:
    """The reason why these categories alone are not scored, or None if they are."""
    required = [name for name in layout.names if name in NEVER_WITHHELD and name not in used]
    if required:
        return f"{' and '.join(map(repr, required))} is withheld, without which there is no score"
    if layout.share_of(used) < _SMALLEST_WEIGHT - 1e-12:
        return f"the categories left carry {layout.share_of(used):.0%} of the weight, and at least half is needed"
    return None


def withheld_of(mask: pd.DataFrame) -> list[frozenset[str]]:
    """The set of withheld categories of each row.

    Parameters
    ----------
    mask : DataFrame, shape (n, ...)
        Either one bool column per category, or a feature frame with the five consent columns.

    Returns
    -------
    list of frozenset of str, length n
        To be passed as ``withheld``.

    Raises
    ------
    CategoryWithheld
        If the frame is no mask and has none beside its features.

    Examples
    --------
    >>> withheld_of(pd.DataFrame({"ability": [True, True], "social": [True, False]}))
    [frozenset(), frozenset({'social'})]
    """
    beside = split_mask(mask)[1]
    table = mask if beside is None else beside
    if not set(table.columns) <= set(CATEGORIES) or not all(map(pd.api.types.is_bool_dtype, table.dtypes)):
        raise CategoryWithheld(
            f"A consent mask must be bool columns named {', '.join(CATEGORIES)}, or those beside features, got other "
            "columns. Pass what `build_features` returns, or add the five consent columns."
        )
    names = np.array(table.columns, dtype=object)
    refused = ~table.to_numpy(dtype=bool)
    unique, row, _ = distinct(refused)
    sets = [frozenset(names[withheld]) for withheld in unique]
    return [sets[code] for code in row.tolist()]


def withheld_per_row(withheld: Any, rows: int, layout: CategoryLayout) -> Bools:
    """Whether each row withholds each category of the model, shape (n, categories).

    Parameters
    ----------
    withheld : set of str, or sequence of n sets
        One set for all rows, or one per row. The five category ids are always understood,
        whether the model has them or not.
    rows : int
    layout : CategoryLayout

    Raises
    ------
    CategoryError
        For a category that is neither the model's nor one of the five.
    CategoryWithheld
        For one of the five where the model has categories of its own: it could not be kept out.
    ParameterError
        If there is neither one set nor one per row.
    """
    if isinstance(withheld, str | bytes | Mapping | pd.DataFrame) or not isinstance(withheld, Iterable):
        raise ParameterError(
            f"withheld must be a set of categories or one set per row, got {type(withheld).__name__}. "
            "Of a mask, pass withheld_of(mask)."
        )
    given = list(withheld)
    if all(isinstance(name, str) for name in given):
        return np.tile(_flags(given, layout), (rows, 1))
    if len(given) != rows or not all(_is_set_of_names(one) for one in given):
        raise ParameterError(
            f"withheld must be one set for all rows or one for each of the {rows} rows, got {len(given)}."
        )
    known: dict[frozenset[str], int] = {}
    codes = np.fromiter((known.setdefault(frozenset(one), len(known)) for one in given), np.intp, rows)
    return np.stack([_flags(one, layout) for one in known])[codes]


def _is_set_of_names(one: object) -> bool:
    return isinstance(one, Set | list | tuple) and all(isinstance(name, str) for name in one)


def _flags(withheld: Iterable[str], layout: CategoryLayout) -> Bools:
    names = set(withheld)
    unknown = sorted(str(name) for name in names if name not in layout.names and name not in CATEGORIES)
    if unknown:
        raise CategoryError(
            f"withheld must name categories among {', '.join(layout.names)}, got {len(unknown)} other name(s)"
            f"{_meant(unknown[0], layout.names)}. Pass categories, not columns or members."
        )
    if not names <= set(layout.names):
        _refuse_own_categories(layout)
    return np.array([name in names for name in layout.names], dtype=bool)


def _meant(name: str, known: Sequence[str]) -> str:
    """The category that a misspelt name is like; the name itself may be a member's."""
    like = get_close_matches(name, known, 1, 0.7)
    return f", one of them much like {like[0]!r}" if like else ""


def consented_by(mask: pd.DataFrame | None, rows: int, layout: CategoryLayout) -> Bools:
    """Whether each row consents to each category of the model, shape (n, categories); all, without a mask.

    Raises
    ------
    CategoryWithheld
        If a row withholds something and the model has categories of its own, outside the five:
        nobody knows which of its columns that forbids.
    """
    consented = np.ones((rows, len(layout.names)), dtype=bool)
    if mask is not None:
        if not mask.to_numpy(dtype=bool).all():
            _refuse_own_categories(layout)
        for c, name in enumerate(layout.names):
            if name in mask.columns:
                consented[:, c] = mask[name].to_numpy(dtype=bool)
    return consented


def _refuse_own_categories(layout: CategoryLayout) -> None:
    own = [name for name in layout.names if name not in CATEGORIES]
    if own:
        raise CategoryWithheld(
            f"Categories of a model must be the five ids where members withhold some, got {own[0]!r}: a withheld "
            "category cannot be kept out of this model. Use the five ids, or leave those rows out."
        )


def refuse_masked(consented: Bools, used: Bools, layout: CategoryLayout) -> None:
    """Refuse rows that are masked in a category they would use.

    Raises
    ------
    CategoryWithheld
        Naming the category and the number of rows.
    """
    for c, count in enumerate((used & ~consented).sum(axis=0)):
        if count:
            raise CategoryWithheld(
                f"Category {layout.names[c]!r} is withheld in {int(count)} rows that would use it. "
                "Pass `withheld=withheld_of(X)`, or leave those rows out."
            )


def distinct(flags: Bools) -> tuple[Bools, Indices, Indices]:
    """The different rows of flags, which of them each row is, and how often each occurs.

    There are at most ten categories, so a row is a small number, and nothing has to be sorted.
    """
    numbers = flags @ (1 << np.arange(flags.shape[1]))
    counts = np.bincount(numbers, minlength=1 << flags.shape[1])
    found = np.flatnonzero(counts)
    place = np.empty(len(counts), dtype=np.intp)
    place[found] = np.arange(len(found))
    return (found[:, None] >> np.arange(flags.shape[1]) & 1).astype(bool), place[numbers], counts[found]


def pattern_codes(used: Bools, patterns: Sequence[frozenset[str]], layout: CategoryLayout) -> Indices:
    """Position in ``patterns`` of the categories each row uses, shape (n,).

    Raises
    ------
    InsufficientEvidence
        If some rows use a set that is not scored, with the reason and the number of rows.
    """
    unique, row, count = distinct(used)
    position = {pattern: code for code, pattern in enumerate(patterns)}
    codes = np.empty(len(unique), dtype=np.intp)
    for k, flags in enumerate(unique):
        names = frozenset(name for name, flag in zip(layout.names, flags, strict=True) if flag)
        if names not in position:
            raise InsufficientEvidence(f"{int(count[k])} rows have no score: {why_refused(names, layout)}.")
        codes[k] = position[names]
    return np.asarray(codes[row])


def by_pattern(codes: Indices) -> Iterator[tuple[int, Bools]]:
    """Each pattern that occurs, and which rows are of it."""
    for code in np.flatnonzero(np.bincount(codes)):
        yield int(code), codes == code


def refuse_empty(present: Bools, used: Bools) -> None:
    """Refuse rows whose consented categories are empty but for fewer than two; one is enough for a model of up to two.

    Parameters
    ----------
    present : ndarray of bool, shape (n, categories)
        Whether any feature of the category has a value.
    used : ndarray of bool, shape (n, categories)

    Raises
    ------
    InsufficientEvidence
    """
    thin = np.flatnonzero(too_empty(present, used))
    if len(thin):
        first = ", ".join(str(k) for k in thin[:5])
        raise InsufficientEvidence(
            f"{len(thin)} rows have no score: fewer than {int(_needed(used).max())} of their consented categories hold "
            f"anything. Leave them out; they are those at {first}{', …' if len(thin) > 5 else ''}, counted from 0."
        )


def too_empty(present: Bools, used: Bools) -> Bools:
    """Which rows :func:`refuse_empty` refuses, shape (n,)."""
    return np.asarray((present & used).sum(axis=1) < _needed(used))


def _needed(used: Bools) -> Indices:
    return np.asarray(np.minimum(used.sum(axis=1), 2 if used.shape[1] > 2 else 1))
