"""One row of a model's explanation put into words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benne.errors import CategoryError, FeatureColumnsError, ParameterError
from benne.explain.about import About
from benne.explain.explanation import MemberExplanation
from benne.explain.lineage import sources_of
from benne.explain.lines import CategoryLine
from benne.explain.rounding import whole_parts
from benne.explain.texts import texts_of
from benne.explain.wording import feature_in_words
from benne.features.categories import CATEGORIES
from benne.features.specification import FeatureSpec
from benne.models import Explanation

__all__ = ["explain_member"]


def explain_member(
    explanation: Explanation,
    row: int,
    features: pd.DataFrame,
    categories: Mapping[str, Sequence[str]],
    registry: Mapping[str, FeatureSpec],
    about: About | None = None,
) -> MemberExplanation:
    """Put one row of an explanation into words.

    Parameters
    ----------
    explanation : Explanation
        From ``CreditScoreModel.explain``.
    row : int
        Which row, counted from 0.
    features : DataFrame
        The rows that were explained.
    categories : mapping of str to sequence of str
        Category to its columns, all of the model's: ``registry.categories_of(model.feature_names_in_)``, or those it
        was fitted with.
    registry : mapping of str to FeatureSpec
        For units and sources; a column that is not in it is named as it is.
    about : About, optional
        Language, dates, model, reference and reasons; by default English, and nothing more.

    Returns
    -------
    MemberExplanation

    Raises
    ------
    CategoryError, FeatureColumnsError, ParameterError
        If the categories do not hold the columns that were explained, the features are not the rows that were, or
        there is no such row.
    TextMissing
        If there is no such language.
    """
    _check(explanation, row, features, categories)
    about = about or About()
    score, base, clipped = (float(part[row]) for part in (explanation.score, explanation.base, explanation.clipped))
    names = [c for c in CATEGORIES if c in categories] + [c for c in categories if c not in CATEGORIES]
    points, values = explanation.points.iloc[row].to_dict(), features.iloc[row].to_dict()
    member = _Member(points, values, explanation.withheld[row], registry, about)
    totals = [math.fsum(points[column] for column in categories[name]) for name in names]
    whole = round(score)
    shown = whole_parts([base, *totals, clipped], whole)
    lines = tuple(
        member.category(name, categories[name], total, part)
        for name, total, part in zip(names, totals, shown[1:-1], strict=True)
    )
    chance, low, high = (float(part[row]) for part in (explanation.pd, explanation.pd_low, explanation.pd_high))
    percentile = float(explanation.percentile[row])
    return MemberExplanation(
        score=score, shown=whole, band=str(explanation.band[row]), pd=chance, pd_low=low, pd_high=high,
        percentile=None if math.isnan(percentile) else percentile, thin_file=bool(explanation.thin[row]),
        rare=None if explanation.rare is None else bool(explanation.rare[row]), base=base, base_shown=shown[0],
        categories=lines, clipped=clipped, clipped_shown=shown[-1], about=about,
    )  # fmt: skip


def _check(explanation: Explanation, row: int, features: pd.DataFrame, categories: Mapping[str, Sequence[str]]) -> None:
    rows, columns = len(explanation.points), sorted(map(str, explanation.points.columns))
    if sorted(column for own in categories.values() for column in own) != columns:
        raise CategoryError(
            f"Categories must hold each of the {len(columns)} columns that were explained, once, got others. "
            "Pass registry.categories_of(model.feature_names_in_), or the categories of the fit."
        )
    if len(features) != rows:
        raise FeatureColumnsError(
            f"Features must be the {rows} rows that were explained, got {len(features)}. Pass the same frame."
        )
    if not 0 <= row < rows:
        raise ParameterError(f"row must be within 0 to {rows - 1}, got {row}. Count from 0.")


@dataclass(frozen=True)
class _Member:
    """One member's points and values, and what they are called."""

    points: Mapping[Any, float]
    values: Mapping[Any, Any]
    withheld: frozenset[str]
    registry: Mapping[str, FeatureSpec]
    about: About

    def category(self, name: str, columns: Sequence[str], total: float, shown: int) -> CategoryLine:
        """A category's line; of a withheld one nothing is named."""
        texts = texts_of(self.about.language)
        if name in self.withheld:
            return CategoryLine(name, texts.category(name), True, total, shown, ())
        missing = [column for column in columns if column not in self.values]
        if missing:
            raise FeatureColumnsError(f"Features must have every column explained, {missing[0]!r} missing. Add it.")
        parts = [float(self.points[column]) for column in columns]
        lines = tuple(
            feature_in_words(column, self.values[column], points, self._unit(column), texts)
            for column, points in zip(columns, zip(parts, whole_parts(parts, shown), strict=True), strict=True)
        )
        reach, sources = self.about.ranges.get(name), sources_of(columns, self.registry)
        return CategoryLine(name, texts.category(name), False, total, shown, lines, reach, sources)

    def _unit(self, column: str) -> str | None:
        return self.registry[column].unit if column in self.registry else None
