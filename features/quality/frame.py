"""A feature frame measured column by column, in the memory of one column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import FeatureColumnsError, FeatureTypeError
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import split_mask
from benne.features.events.events import Events
from benne.features.plan import available
from benne.features.quality.categories import CategoryQuality, Evidence
from benne.features.quality.cells import SMALLEST_CELL, Share
from benne.features.quality.columns import ColumnReference, FeatureQuality, measure_column
from benne.features.specification import Registry

__all__ = ["FrameQuality", "measure_frame"]


@dataclass(frozen=True)
class FrameQuality:
    """A whole feature frame.

    Parameters
    ----------
    observations, members : int
    cell : int
        Fewest observations a figure rests on: :data:`SMALLEST_CELL` times the most observations
        of one member, so that they concern that many members however they are spread.
    features : tuple of FeatureQuality
        In the order of the registry.
    categories : tuple of CategoryQuality
    """

    observations: int
    members: int
    cell: int
    features: tuple[FeatureQuality, ...]
    categories: tuple[CategoryQuality, ...]


def measure_frame(
    events: Events, frame: pd.DataFrame, registry: Registry, references: Mapping[str, ColumnReference],
    elapsed_days: float = 0.0,
) -> FrameQuality:  # fmt: skip
    """Measure a feature frame.

    Parameters
    ----------
    events : Events
        That the frame was built from.
    frame : DataFrame
        From :func:`benne.features.build_features`.
    registry : Registry
    references : mapping of str to ColumnReference
        By feature; those without one have no drift.
    elapsed_days : float
        From the references' clock to this one.

    Returns
    -------
    FrameQuality

    Raises
    ------
    FeatureColumnsError
        The consent columns or the index are missing, or a column is repeated or not registered.
    FeatureTypeError
        A feature is not a column of numbers.
    FeatureValueError
        A value is infinite.
    """
    features, mask = _parts(frame, registry)
    repeats, members = _per_member(frame)
    cell = SMALLEST_CELL * repeats
    evidence = {category: Evidence(len(frame)) for category in CATEGORIES}
    measured = []
    for name in (name for name in registry if name in features.columns):
        spec, values, before = registry[name], _numbers(features, name), references.get(name)
        evidence[spec.category].add(spec, values)
        measured.append(
            measure_column(spec, values, mask[spec.category], cell=cell, reference=before, elapsed_days=elapsed_days)
        )
    why_absent = available(events, registry)[1]
    categories = tuple(
        _category(name, mask[name], evidence[name], cell, _presence(name, features, registry, why_absent))
        for name in CATEGORIES
    )
    return FrameQuality(len(frame), members, cell, tuple(measured), categories)


_NOT_YET = "not in this frame: dropped, or nothing of it was known at any observation"
_Presence = tuple[tuple[str, ...], dict[str, str]]


def _category(
    name: str, consented: npt.NDArray[np.bool_], evidence: Evidence, cell: int, presence: _Presence
) -> CategoryQuality:
    share = Share.of(int(consented.sum()), len(consented), cell)
    return CategoryQuality(name, share, evidence.thin(consented, cell), evidence.sparse(consented, cell), *presence)


def _presence(category: str, features: pd.DataFrame, registry: Registry, why_absent: Mapping[str, str]) -> _Presence:
    columns = registry.columns(category)
    absent = {
        name: f"these events carry no {why_absent[name]}" if name in why_absent else _NOT_YET
        for name in columns
        if name not in features.columns
    }
    return tuple(name for name in columns if name not in absent), absent


def _parts(frame: pd.DataFrame, registry: Registry) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.bool_]]]:
    if frame.columns.has_duplicates:
        raise FeatureColumnsError("A feature frame must have each column once, got a repeated name. Drop or rename it.")
    if frame.index.names != ["subject_id", "as_of"]:
        raise FeatureColumnsError(
            "A feature frame must be indexed by subject_id and as_of, got another index. Build it: benne features build"
        )
    features, mask = split_mask(frame)
    if mask is None:
        raise FeatureColumnsError(
            "A feature frame must carry the five consent columns, got none. Build it: benne features build"
        )
    unknown = sorted(str(name) for name in features.columns if name not in registry)
    if unknown:
        raise FeatureColumnsError(
            f"Columns of a feature frame must be registered features, got {', '.join(unknown)}. "
            "Drop them, or pass the registry that holds them."
        )
    return features, {category: mask[category].to_numpy(dtype=bool) for category in CATEGORIES}


def _numbers(features: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    column = features[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise FeatureTypeError(f"{name} must be a column of numbers, got {column.dtype}. Build the features again.")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _per_member(frame: pd.DataFrame) -> tuple[int, int]:
    """Most observations of one member, and how many members there are."""
    index = frame.index
    if not isinstance(index, pd.MultiIndex) or not len(index):
        return 1, 0
    counts: npt.NDArray[np.int64] = np.bincount(index.codes[0])
    return int(counts.max()), int(np.count_nonzero(counts))
