"""Which rows are of one member."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.models.cross_fitting import codes_of

__all__ = ["members_of"]

Indices = npt.NDArray[np.intp]


def members_of(features: pd.DataFrame) -> Indices:
    """A number for each row's member: rows of one share it, shape (n,)."""
    codes = codes_of(features.index.get_level_values("subject_id").to_numpy(dtype=object), len(features), "groups")
    return np.zeros(0, dtype=np.intp) if codes is None else codes
