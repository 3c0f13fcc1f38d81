"""Random rows for the model's speed: five categories, some values missing, some columns that tell something."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.features.categories import CATEGORIES

__all__ = ["categories_of", "named", "rows_of"]

Floats = npt.NDArray[np.float64]

_MISSING = 0.05
_TELLING = 20
_PIECE = 100_000


def rows_of(rows: int, columns: int, seed: int = 0) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Values of shape (rows, columns), 5 % of them missing, and who is bad; made in pieces, so that no copy is.

    Log odds of bad follow twenty columns spread over all of them, and a sine of one.
    """
    rng = np.random.default_rng(seed)
    telling = np.linspace(0, columns - 1, _TELLING).astype(np.intp)
    slopes = rng.normal(size=_TELLING) * 0.3
    X, bad = np.empty((rows, columns)), np.empty(rows, dtype=np.int64)
    for start in range(0, rows, _PIECE):
        part = X[start : start + _PIECE]
        rng.standard_normal(out=part)
        log_odds = part[:, telling] @ slopes + 0.5 * np.sin(part[:, 3]) - 2.5
        bad[start : start + _PIECE] = rng.random(len(part)) < 1 / (1 + np.exp(-log_odds))
        part[rng.random(part.shape, dtype=np.float32) < _MISSING] = np.nan
    return X, bad


def categories_of(columns: int) -> npt.NDArray[np.intp]:
    """Category of each column: as many in each as can be."""
    return np.arange(columns) * len(CATEGORIES) // columns


def named(X: Floats) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The same values as a frame, and the columns of each category."""
    owner = categories_of(X.shape[1])
    names = [f"{CATEGORIES[category]}_{column}" for column, category in enumerate(owner)]
    return pd.DataFrame(X, columns=names, copy=False), {
        category: [name for name, of in zip(names, owner, strict=True) if CATEGORIES[of] == category]
        for category in CATEGORIES
    }
