"""One member's score, taken apart into lines that a person can read and add up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from benne.explain.rounding import whole_parts
from benne.features.categories import CATEGORIES, CATEGORY_LABELS
from benne.features.specification import FeatureSpec
from benne.models import SCORE_MAX, SCORE_MIN, Explanation

__all__ = ["CategoryLine", "FeatureLine", "MemberExplanation", "explain_member"]


@dataclass(frozen=True)
class FeatureLine:
    """What one feature gave or took.

    Parameters
    ----------
    name, label, unit : str
    value : float or None
        The member's own value; None where there is none, and ``sentence`` says what that means.
    points : float
        Exact, in points of the score.
    shown : int
        Whole points, adding up within the category.
    sentence : str
        The member's own value in plain language.
    reason : str
        What such points commonly mean, as the registry words it; empty where there is no value.
    """

    name: str
    label: str
    unit: str
    value: float | None
    points: float
    shown: int
    sentence: str
    reason: str


@dataclass(frozen=True)
class CategoryLine:
    """What one category gave or took; ``withheld`` ones give nothing and take nothing."""

    name: str
    label: str
    withheld: bool
    points: float
    shown: int
    features: tuple[FeatureLine, ...]


@dataclass(frozen=True)
class MemberExplanation:
    """A score that adds up: base, categories and clipping.

    Parameters
    ----------
    score : float
        350 to 950.
    shown : int
        The score as a whole number.
    band : str
    pd : float
        Probability of bad, in [0, 1].
    pd_low, pd_high : float
        Its 90 % interval.
    percentile : float or None
        Per cent of the reference sample that score no higher; None where that is too small.
    thin_file : bool
        Whether nothing is on record in some category that entered.
    base : float
    base_shown : int
    categories : tuple of CategoryLine
    clipped : float
        What the ends of the scale added or took; mostly 0.
    clipped_shown : int
    """

    score: float
    shown: int
    band: str
    pd: float
    pd_low: float
    pd_high: float
    percentile: float | None
    thin_file: bool
    base: float
    base_shown: int
    categories: tuple[CategoryLine, ...]
    clipped: float
    clipped_shown: int

    @property
    def gap(self) -> float:
        """Difference between the score and the sum of its feature lines; below 1e-9."""
        lines = sum(feature.points for category in self.categories for feature in category.features)
        return abs(self.base + lines + self.clipped - self.score)

    def features(self) -> Iterator[FeatureLine]:
        """All feature lines, the strongest first."""
        lines = [feature for category in self.categories for feature in category.features]
        return iter(sorted(lines, key=lambda line: (-abs(line.points), line.name)))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def as_text(self, features: int = 3) -> str:
        """Lines of whole points that add up, with the strongest features of each category.

        Parameters
        ----------
        features : int
            How many features to name in each category.
        """
        lines = [f"Score {self.shown} of {SCORE_MIN:.0f} to {SCORE_MAX:.0f} ({self.band})"]
        lines.append(f"  {self.base_shown:>6d}  Base, before anything is known")
        for category in self.categories:
            lines.append(f"  {category.shown:>+6d}  {category.label}{' (withheld)' if category.withheld else ''}")
            strongest = sorted(category.features, key=lambda f: -abs(f.points))[:features]
            lines.extend(f"      {f.shown:>+6d}  {f.sentence}" for f in strongest if f.shown)
            rest = category.shown - sum(f.shown for f in strongest)
            lines.extend([f"      {rest:>+6d}  All others"] if rest else [])
        if self.clipped_shown:
            lines.append(f"  {self.clipped_shown:>+6d}  Held at the end of the scale")
        lines.append(f"  {self.shown:>6d}  Score")
        lines.extend(self._outlook())
        return "\n".join(lines)

    def _outlook(self) -> Iterator[str]:
        """How likely, how sure, and where among others."""
        low, high = 100.0 * self.pd_low, 100.0 * self.pd_high
        yield f"Chance of not honouring: {100.0 * self.pd:.1f} % (90 % interval {low:.1f} to {high:.1f} %)"
        if self.percentile is not None:
            yield f"No lower than {self.percentile:.0f} of 100 members of the reference sample"
        if self.thin_file:
            yield "Thin file: nothing is on record in some category that entered"


def explain_member(
    explanation: Explanation,
    row: int,
    features: pd.DataFrame,
    categories: Mapping[str, list[str]],
    registry: Mapping[str, FeatureSpec],
) -> MemberExplanation:
    """Put one row of an explanation into words.

    Parameters
    ----------
    explanation : Explanation
        From ``CreditScoreModel.explain``.
    row : int
        Which row.
    features : DataFrame
        The rows that were explained.
    categories : mapping of str to list of str
        Category to its columns.
    registry : mapping of str to FeatureSpec
        For labels and sentences; a column that is not in it is named as it is.

    Returns
    -------
    MemberExplanation
    """
    score, base, clipped = (float(part[row]) for part in (explanation.score, explanation.base, explanation.clipped))
    names = [c for c in CATEGORIES if c in categories] + [c for c in categories if c not in CATEGORIES]
    points = explanation.points.iloc[row]
    totals = [float(points[categories[name]].sum()) for name in names]
    whole = round(score)
    shown = whole_parts([base, *totals, clipped], whole)
    values = features.iloc[row]
    lines = tuple(
        _category(name, total, part, name in explanation.withheld[row], categories[name], points, values, registry)
        for name, total, part in zip(names, totals, shown[1:-1], strict=True)
    )
    chance, low, high = (float(part[row]) for part in (explanation.pd, explanation.pd_low, explanation.pd_high))
    percentile = float(explanation.percentile[row])
    return MemberExplanation(
        score=score, shown=whole, band=str(explanation.band[row]), pd=chance, pd_low=low, pd_high=high,
        percentile=None if math.isnan(percentile) else percentile, thin_file=bool(explanation.thin[row]), base=base,
        base_shown=shown[0], categories=lines, clipped=clipped, clipped_shown=shown[-1],
    )  # fmt: skip


def _category(
    name: str, total: float, shown: int, withheld: bool, columns: list[str],
    points: pd.Series[float], values: pd.Series[Any], registry: Mapping[str, FeatureSpec],
) -> CategoryLine:  # fmt: skip
    parts = [float(points[column]) for column in columns]
    whole = [0] * len(columns) if withheld else whole_parts(parts, shown)
    lines = () if withheld else tuple(
        _feature(column, values.get(column), part, number, registry.get(column))
        for column, part, number in zip(columns, parts, whole, strict=True)
    )  # fmt: skip
    return CategoryLine(name, CATEGORY_LABELS.get(name, name), withheld, total, shown, lines)


def _feature(name: str, value: Any, points: float, shown: int, spec: FeatureSpec | None) -> FeatureLine:
    known = value is not None and not math.isnan(float(value))
    number = float(value) if known else None
    if spec is None:
        return FeatureLine(name, name, "", number, points, shown, name, "")
    # Points compare a member with the others, so a reason need not be literally true of a value.
    reason = spec.favourable_reason if points >= 0 else spec.adverse_reason
    sentence = f"{spec.label}: {_value(number, spec)}"
    return FeatureLine(name, spec.label, spec.unit, number, points, shown, sentence, reason if known else "")


def _value(value: float | None, spec: FeatureSpec) -> str:
    if value is None:
        return spec.null_means or "not known"
    if spec.unit == "share" or spec.unit.startswith("share of"):
        return f"{value:.0%}"
    if spec.unit == "minor units":
        return f"{value / 100:,.0f}"
    number = f"{value:,.0f}" if abs(value) >= 10 else f"{value:,.2g}"
    # A unit that says a range, such as "strength 1 to 3", would read as part of the number.
    return f"{number} ({spec.unit})" if any(sign.isdigit() for sign in spec.unit) else f"{number} {spec.unit}"
