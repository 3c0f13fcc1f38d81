"""The columns of what is told about each row, the same in every part of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import pyarrow as pa

__all__ = ["FIGURES", "OUTCOME", "figures_of", "outcome_schema", "refused_schema", "told_columns", "told_schema"]

FIGURES: Final = ("score", "pd", "pd_low", "pd_high", "percentile", "thin_file", "rare", "base", "clipped")
"""Numbers of a score that every model gives, besides its categories' points."""

OUTCOME: Final = "reason"
"""Why there is no score; null where there is one."""

_INDEX: Final = ("subject_id", "as_of")
_KINDS: Final = {
    **dict.fromkeys(("subject_id", "band", "withheld", "granularity", OUTCOME), "str"),
    "as_of": "datetime64[us, UTC]",
    **dict.fromkeys(("thin_file", "rare"), "boolean"),
}


def figures_of(categories: Sequence[str]) -> tuple[str, ...]:
    """Every number that is told of a score."""
    return (*FIGURES, *(f"points_{category}" for category in categories))


def told_columns(categories: Sequence[str]) -> tuple[str, ...]:
    """Columns of the file of scores, in order.

    Examples
    --------
    >>> told_columns(["social"])[-3:]
    ('points_social', 'withheld', 'granularity')
    """
    first, *rest = figures_of(categories)
    return (*_INDEX, first, "band", *rest, "withheld", "granularity")


def told_schema(categories: Sequence[str]) -> pa.Schema:
    """Arrow's types of those columns, with what pandas reads them back by."""
    return _schema(told_columns(categories))


def outcome_schema(categories: Sequence[str]) -> pa.Schema:
    """The same, and the reason after them: one row for everybody asked about."""
    return _schema((*told_columns(categories), OUTCOME))


def refused_schema() -> pa.Schema:
    """Arrow's types of the file of those who have no score."""
    return _schema((*_INDEX, OUTCOME))


def _schema(columns: Sequence[str]) -> pa.Schema:
    frame = pd.DataFrame({name: pd.Series([], dtype=_KINDS.get(name, "float64")) for name in columns})
    return pa.Schema.from_pandas(frame, preserve_index=False)
