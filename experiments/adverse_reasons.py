"""Why a score is not higher: the causes that took most points, in the registry's words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.features.specification import FeatureSpec
from benne.models import Explanation

__all__ = ["MOST_REASONS", "adverse_reasons"]

Reason = dict[str, Any]

MOST_REASONS: Final = 4
_SHOWN_FROM: Final = 0.5
"""Points; less is zero when shown as whole points."""


def adverse_reasons(
    explanation: Explanation,
    features: pd.DataFrame,
    registry: Mapping[str, FeatureSpec],
    most: int = MOST_REASONS,
    categories: Mapping[str, str] = MappingProxyType({}),
) -> list[list[Reason]]:
    """The causes that took most points from each score, the worst first.

    Features of one reason group are one cause: their points are added, so that what one takes and
    its sibling gives back is no reason. The cause speaks in the words of the feature that took
    most of it.

    Parameters
    ----------
    explanation : Explanation
        Of n rows.
    features : DataFrame, shape (n, …)
        The rows that were explained; withheld columns may be absent.
    registry : mapping of str to FeatureSpec
        A column that is not in it is a cause of its own, and its name its only words.
    most : int
    categories : mapping of str to str
        Category of columns that are not registered.

    Returns
    -------
    list of list of dict, length n
        ``feature``, ``category``, ``points`` (of the whole cause, below zero) and ``reason``. Where
        the feature is null, the reason says what its null means. Causes of less than half a
        point are left out, so that there may be none.
    """
    columns = list(explanation.points.columns)
    causes = [_cause(name, registry.get(name)) for name in columns]
    order = {cause: k for k, cause in enumerate(dict.fromkeys(causes))}
    groups = [[j for j, cause in enumerate(causes) if cause == name] for name in order]
    points = explanation.points.to_numpy()
    totals = np.column_stack([points[:, group].sum(axis=1) for group in groups])
    worst = np.argsort(totals, axis=1, kind="stable")[:, :most]
    null = features.reindex(columns=columns).isna().to_numpy()
    return [
        [
            _told(columns[j], float(totals[row, g]), bool(null[row, j]), registry.get(columns[j]), categories)
            for g in worst[row]
            if totals[row, g] <= -_SHOWN_FROM
            for j in [_worst_of(points[row], groups[g])]
        ]
        for row in range(len(points))
    ]


def _cause(name: str, spec: FeatureSpec | None) -> tuple[str, str]:
    return ("", name) if spec is None else (spec.category, spec.reason_group)


def _worst_of(points: npt.NDArray[np.float64], group: list[int]) -> int:
    return min(group, key=lambda j: points[j])


def _told(name: str, points: float, null: bool, spec: FeatureSpec | None, categories: Mapping[str, str]) -> Reason:
    if spec is None:
        return {"feature": name, "category": categories.get(name, ""), "points": points, "reason": name}
    reason = f"{spec.label}: {spec.null_means}" if null else spec.adverse_reason
    return {"feature": name, "category": spec.category, "points": points, "reason": reason}
