"""Does any score change with a protected attribute alone? None may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.features import registry
from benne.features.consent_mask import MASK_COLUMNS
from benne.features.forbidden_rows import lineage
from benne.features.forbidden_topics import topics_in
from benne.models import CreditScoreModel, withheld_of

__all__ = ["carriers_of", "flip_test", "protected_inputs"]

Indices = npt.NDArray[np.intp]

_ROWS_A_VALUE: Final = 5
_WRONG: Final = ("refused even with consent", "a protected attribute, or what stands in for one")


def flip_test(model: CreditScoreModel, features: pd.DataFrame, protected: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give every row another value of each protected attribute, in a copy, and score it again.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features + 5)
        Rows that the model scores.
    protected : DataFrame, shape (n, attributes)
        Of each row's member, row by row.
    seed : int
        Of whose value is taken over.

    Returns
    -------
    DataFrame
        One row for each attribute: ``attribute``, ``rows``, ``changed`` (rows whose score changed), ``largest_change``
        in points, and ``carried_by``: inputs that have the attribute's name, or follow from it alone.

    Notes
    -----
    What carries the attribute changes with it: an input of the same name, and every input that is the same for all
    rows of a value. A model without such inputs passes; what merely goes along with an attribute is for the proxy scan.
    """
    before = model.predict_score(features, withheld=withheld_of(features))
    rng = np.random.default_rng(seed)
    lines = [_flipped(model, features, protected[name], before, rng) for name in protected.columns]
    return pd.DataFrame(lines, columns=["attribute", "rows", "changed", "largest_change", "carried_by"])


def carriers_of(features: pd.DataFrame, values: pd.Series[Any]) -> list[str]:
    """Inputs that have an attribute's name, or follow from its value alone.

    Examples
    --------
    >>> sex = pd.Series([0, 1] * 10, name="sex")
    >>> carriers_of(pd.DataFrame({"title": sex * 2.0 - 1.0, "income": np.arange(20.0)}), sex)
    ['title']
    """
    code = _codes(values)
    inputs = [name for name in features.columns if name not in MASK_COLUMNS.values()]
    enough = len(code) >= _ROWS_A_VALUE * (int(code.max(initial=0)) + 1)
    return [
        str(name) for name in inputs
        if str(name).lower() == str(values.name).lower() or (enough and _follows(features[name], code))
    ]  # fmt: skip


def protected_inputs(names: Sequence[str]) -> list[str]:
    """Inputs that are, by their name or by what they are computed from, about something protected.

    Examples
    --------
    >>> protected_inputs(["on_time_share_365d", "marital_status", "age"])
    ['marital_status', 'age']
    """
    return [name for name in names if any(_wrong(text) for text in (name, *_sources(name)))]


def _flipped(
    model: CreditScoreModel, features: pd.DataFrame, values: pd.Series[Any], before: Any, rng: np.random.Generator
) -> dict[str, Any]:
    carried, code = carriers_of(features, values), _codes(values)
    copy = features.copy()
    other = _somebody_else(code, rng)
    for name in carried:
        taken = features[name].to_numpy()[other]
        copy[name] = np.where(pd.isna(taken), features[name].to_numpy(), taken)
    change = np.abs(model.predict_score(copy, withheld=withheld_of(copy)) - before)
    return {
        "attribute": str(values.name), "rows": len(code), "changed": int(np.count_nonzero(change)),
        "largest_change": float(change.max(initial=0.0)), "carried_by": ", ".join(carried),
    }  # fmt: skip


def _codes(values: pd.Series[Any]) -> Indices:
    return np.asarray(pd.factorize(values, use_na_sentinel=False)[0], dtype=np.intp)


def _follows(column: pd.Series[Any], code: Indices) -> bool:
    """Whether a column has one value for each code, and not one for all."""
    held = column.to_numpy(dtype=np.float64, na_value=np.nan)
    first = held[np.unique(code, return_index=True)[1]]
    same = held == first[code]
    return bool((same | (np.isnan(held) & np.isnan(first[code]))).all() and len(np.unique(first)) > 1)


def _somebody_else(code: Indices, rng: np.random.Generator) -> Indices:
    """For each row, a row with another value."""
    other = np.arange(len(code))
    for value in np.unique(code):
        rest, mine = np.flatnonzero(code != value), np.flatnonzero(code == value)
        if len(rest):
            other[mine] = rest[rng.integers(len(rest), size=len(mine))]
    return other


def _sources(name: str) -> list[str]:
    """Where a registered feature comes from, as ``table.column``."""
    read = lineage(registry[name].expression) if name in registry else ()
    return [f"{table}.{column}" for table, column in sorted(read)]


def _wrong(text: str) -> bool:
    return any(wrong in _WRONG for _, wrong in topics_in(text))
