"""Which rows a model cannot score, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import FeatureValueError, InsufficientEvidence
from benne.scoring.scorer import ScoreModel

__all__ = ["STRANGE", "THIN", "told_by", "unscorable"]

THIN: Final = "insufficient-evidence"
STRANGE: Final = "value-not-scorable"


def unscorable(model: ScoreModel, features: pd.DataFrame, withheld: list[frozenset[str]]) -> npt.NDArray[np.object_]:
    """Why each row cannot be scored, '' where it can, shape (n,).

    Notes
    -----
    A model refuses a whole table because of one row. One that says which rows it would refuse (``refusals``) is
    believed, as long as it takes the others. Else the rows are found by halving: as many calls as there are such
    rows, times the logarithm of the table's length.
    """
    reasons = told_by(model, features, withheld)
    left = np.flatnonzero(reasons == "")
    rest = features if len(left) == len(features) else features.iloc[left]
    for row, reason in _refused_rows(model, rest, [withheld[k] for k in left.tolist()], 0):
        reasons[left[row]] = reason
    return reasons


def told_by(model: ScoreModel, features: pd.DataFrame, withheld: list[frozenset[str]]) -> npt.NDArray[np.object_]:
    """What the model itself says of each row; nothing where it cannot say."""
    reasons = np.full(len(features), "", dtype=object)
    refusals = getattr(model, "refusals", None)
    if refusals is None or len(features) == 0:
        return reasons
    try:
        thin, strange = refusals(features, withheld=withheld)
    except FeatureValueError:  # of a whole column, such as numbers that no float64 holds
        return reasons
    reasons[strange] = STRANGE
    reasons[thin] = THIN
    return reasons


def _refused_rows(
    model: ScoreModel, features: pd.DataFrame, withheld: list[frozenset[str]], first: int
) -> Iterator[tuple[int, str]]:
    if len(features) == 0:
        return
    try:
        model.predict_score(features, withheld=withheld)
    except (InsufficientEvidence, FeatureValueError) as error:
        if len(features) == 1:
            yield first, THIN if isinstance(error, InsufficientEvidence) else STRANGE
            return
        half = len(features) // 2
        yield from _refused_rows(model, features.iloc[:half], withheld[:half], first)
        yield from _refused_rows(model, features.iloc[half:], withheld[half:], first + half)
