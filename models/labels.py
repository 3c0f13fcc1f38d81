"""Labels and sample weights, checked before anything is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from benne.errors import LabelError

__all__ = ["Labels", "label_array", "read_labels", "read_sample_weight"]

Floats = npt.NDArray[np.float64]

_LARGEST_SUM: Final = 1e30
"""LightGBM keeps weights, and sums of them, in single precision, which ends at 3.4e38."""


@dataclass(frozen=True)
class Labels:
    """The two classes in sorted order, and for each row whether it is the second, the bad one."""

    classes: npt.NDArray[Any]
    bad: Floats


def label_array(y: Any) -> npt.NDArray[Any]:
    """Labels as an array; one that has no shape is refused without showing what is in it.

    Raises
    ------
    LabelError
    """
    try:
        return np.asarray(y)
    except (TypeError, ValueError, OverflowError):
        raise LabelError("y must have one label per row, in one column, got rows of unequal length.") from None


def read_labels(y: Any, rows: int) -> Labels:
    """Check labels of shape (n,): two classes, none null, one label per row.

    Raises
    ------
    LabelError
    """
    if y is None:
        raise LabelError("CreditScoreModel requires y to be passed, but the target y is None.")
    given = label_array(y)
    try:
        values = column_or_1d(y if given.ndim > 1 else given, warn=True)
    except (TypeError, ValueError):
        raise LabelError(
            f"y must have one label per row, in one column: y should be a 1d array, got shape {given.shape}."
        ) from None
    _refuse_missing(values)
    if len(values) != rows:
        raise LabelError(f"y must have one label for each of the {rows} rows of X, got {len(values)}.")
    return _two_classes(values)


def _refuse_missing(values: npt.NDArray[Any]) -> None:
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise LabelError("Input y contains infinity. Each label must be good or bad; leave those rows out.")
    null = int(np.count_nonzero(pd.isna(values)))
    if null:
        raise LabelError(f"Input y contains NaN in {null} rows. Each label must be good or bad; leave those rows out.")


def _two_classes(values: npt.NDArray[Any]) -> Labels:
    try:
        kind = type_of_target(values, input_name="y")
        classes, codes = np.unique(values, return_inverse=True)
    except (TypeError, ValueError):
        # The cause may quote labels.
        raise LabelError("Unknown label type: labels of y must be of one sort, such as 0 and 1, got several.") from None
    if kind not in ("binary", "multiclass"):
        raise LabelError(f"Unknown label type: {kind}. y must be binary.")
    if len(classes) > 2:
        raise LabelError(
            f"Only binary classification is supported. The type of the target is {kind}. Give good and bad only."
        )
    if len(classes) < 2:
        raise LabelError("y must hold both good and bad, got one class only. Add rows of the other class.")
    fewest = int(np.bincount(codes).min())
    if fewest < 2:
        raise LabelError(
            f"y must hold at least 2 rows of each class to cross-fit, got {fewest} (rows = {len(values)})."
        )
    return Labels(classes, codes.astype(np.float64))


def read_sample_weight(sample_weight: Any, rows: int) -> Floats | None:
    """Check weights of shape (n,): finite, not negative, not all zero.

    Raises
    ------
    LabelError
    """
    if sample_weight is None:
        return None
    try:
        weight = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        # The cause would quote the value.
        raise LabelError("sample_weight must be numbers, got something else. Convert it.") from None
    if weight.shape != (rows,):
        raise LabelError(f"sample_weight must have shape ({rows},), got {weight.shape}. Give one weight per row.")
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise LabelError("sample_weight must be finite and not negative. Correct it.")
    if weight.max() > _LARGEST_SUM / max(rows, 1):
        raise LabelError(f"sample_weight must sum to {_LARGEST_SUM:g} at most, got more. Scale it down.")
    if not weight.any():
        raise LabelError(
            "sample_weight must not be all zeros: Sample weights must contain at least one non-zero number."
        )
    return weight
