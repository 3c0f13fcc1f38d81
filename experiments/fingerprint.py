"""What rows a model was trained on, in one number that says nothing about them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows

__all__ = ["fingerprint_of"]


def fingerprint_of(rows: LabelledRows) -> str:
    """SHA-256 of feature values, consent columns, labels and weights, in whatever order rows and columns stand.

    Notes
    -----
    Subject ids are not in it. Order is not either: the same rows shuffled are the same rows, and whoever trains on them
    again does not begin anew.

    Examples
    --------
    >>> import pandas as pd
    >>> from benne.experiments.labelling import LabelledRows
    >>> features = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, np.nan]})
    >>> one = fingerprint_of(LabelledRows(features, np.array([0.0, 1.0]), {}))
    >>> one == fingerprint_of(LabelledRows(features.iloc[::-1, ::-1], np.array([1.0, 0.0]), {}))
    True
    >>> one == fingerprint_of(LabelledRows(features, np.array([1.0, 0.0]), {}))
    False
    """
    place = sorted(range(rows.features.shape[1]), key=lambda k: str(rows.features.columns[k]))
    names = [str(rows.features.columns[k]) for k in place]
    columns = [rows.features.iloc[:, k].to_numpy(dtype=np.float64) for k in place]
    columns += [np.asarray(rows.bad, dtype=np.float64)]
    columns += [] if rows.weight is None else [np.asarray(rows.weight, dtype=np.float64)]
    matrix = np.column_stack(columns) + 0.0  # -0.0 is 0.0
    matrix[np.isnan(matrix)] = np.nan  # and every null the same
    whole_rows = np.ascontiguousarray(matrix).view(np.dtype((np.void, matrix.shape[1] * matrix.itemsize))).ravel()
    digest = hashlib.sha256("\n".join([*names, "weighted" if rows.weight is not None else "each counts once"]).encode())
    digest.update(np.sort(whole_rows).tobytes())
    return digest.hexdigest()
