"""Options of a fit, carried over to a fit on fewer columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from benne.errors import ParameterError
from benne.models.additive_booster import BoosterOptions

__all__ = ["options_without"]

_ONE_EACH: Final = frozenset((
    "feature_contri", "feature_contrib", "fc", "fp", "feature_penalty", "max_bin_by_feature",
    "cegb_penalty_feature_lazy", "cegb_penalty_feature_coupled",
))  # fmt: skip
"""LightGBM's parameters that hold a value for each column, by its place."""


def options_without(options: BoosterOptions, columns: Sequence[str], gone: Collection[str]) -> BoosterOptions:
    """The same options for a fit that some columns are left out of.

    Values by a column's place, such as the guard against spending, stay with their columns: LightGBM would otherwise
    refuse them, or hold them against the wrong ones.

    Parameters
    ----------
    options : BoosterOptions
        For a fit on ``columns``.
    columns : sequence of str
        In the order of that fit, without those of consent.
    gone : collection of str
        Those left out; others than ``columns`` change nothing.

    Returns
    -------
    BoosterOptions

    Raises
    ------
    ParameterError
        If a list has other than one value for each column.

    Examples
    --------
    >>> given = BoosterOptions(monotone={"late": 1}, extra={"feature_contri": [1.0, 0.0, 0.5]})
    >>> fewer = options_without(given, ["late", "spent", "friends"], ["late"])
    >>> fewer.monotone, fewer.extra
    ({}, {'feature_contri': [0.0, 0.5]})
    >>> options_without(given, ["late", "spent"], ["late"])
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: feature_contri must hold a value for each of 2 columns, got 3. Correct `extra`.
    """
    kept = [name not in gone for name in columns]
    extra = {name: _left(name, value, kept) if name in _ONE_EACH else value for name, value in options.extra.items()}
    directions = {name: way for name, way in options.monotone.items() if name not in gone}
    return replace(options, monotone=directions, extra=extra)


def _left(name: str, value: Any, kept: list[bool]) -> Any:
    if isinstance(value, str):  # as LightGBM's own files write a list
        return ",".join(_left(name, value.split(","), kept))
    if len(value) != len(kept):
        raise ParameterError(
            f"{name} must hold a value for each of {len(kept)} columns, got {len(value)}. Correct `extra`."
        )
    return [one for one, stays in zip(value, kept, strict=True) if stays]
