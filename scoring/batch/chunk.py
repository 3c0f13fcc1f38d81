"""A stretch of rows of features, as they are decided together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS

__all__ = ["INDEX", "Chunk", "as_microseconds", "as_moments"]

INDEX: Final = ("subject_id", "as_of")
_MOMENTS: Final = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, eq=False, repr=False)
class Chunk:
    """Rows of features.

    Parameters
    ----------
    number : int
        Which chunk of the batch, from 0.
    subjects : Array of large_string, length n
    as_of_us : ndarray of int64, shape (n,)
        Microseconds since 1970-01-01 UTC.
    features : DataFrame, shape (n, ...)
        With the five consent columns, without the index.
    """

    number: int
    subjects: pa.Array
    as_of_us: npt.NDArray[np.int64]
    features: pd.DataFrame

    @classmethod
    def of(cls, number: int, rows: pa.Table) -> Chunk:
        """The rows of a table with ``subject_id``, ``as_of``, consent columns and features."""
        subjects = rows.column("subject_id").cast(pa.large_string()).combine_chunks()
        features = rows.drop_columns(list(INDEX)).replace_schema_metadata(None).to_pandas()
        return cls(number, _one_array(subjects), as_microseconds(rows.column("as_of")), features)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.as_of_us)

    @property
    def computed(self) -> npt.NDArray[np.bool_]:
        """Which categories were computed for each row, shape (n, 5)."""
        return self.features[[MASK_COLUMNS[category] for category in CATEGORIES]].to_numpy(dtype=bool)


def as_microseconds(moments: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Moments with any timezone and unit as microseconds since 1970-01-01 UTC."""
    whole = _one_array(moments.cast(pa.timestamp("us", tz=moments.type.tz), safe=False).combine_chunks())
    return np.asarray(whole.view(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def as_moments(microseconds: npt.NDArray[np.int64]) -> pa.Array:
    """The inverse, in UTC."""
    return pa.array(microseconds, pa.int64()).view(_MOMENTS)


def _one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
