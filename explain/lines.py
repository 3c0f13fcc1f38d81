"""Lines of an explanation: what each feature and each category gave or took."""

from __future__ import annotations

from dataclasses import dataclass

from benne.models.reference_sample import CategoryRange

__all__ = ["CategoryLine", "FeatureLine"]


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
    """What one category gave or took; ``withheld`` ones give nothing and take nothing.

    Parameters
    ----------
    name, label : str
    withheld : bool
    points : float
        Exact, in points of the score.
    shown : int
        Whole points, adding up to the score.
    features : tuple of FeatureLine
    reach : CategoryRange or None
        What it gives members of the reference sample with the same consent: the means of the fifty with least and
        with most, and of all. None where too little is known of that sample, or the category is withheld.
    sources : tuple of str
        Event tables that its features are computed from.
    """

    name: str
    label: str
    withheld: bool
    points: float
    shown: int
    features: tuple[FeatureLine, ...]
    reach: CategoryRange | None = None
    sources: tuple[str, ...] = ()
