"""What is known about a score besides its points: when, by which model, beside whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from benne.errors import ReferenceUnknown
from benne.explain.reason_lines import Reasons
from benne.explain.texts import Language
from benne.models import CreditScoreModel
from benne.models.reference_sample import CategoryRange
from benne.models.scale import Band, ScoreScale

__all__ = ["About", "about_model"]

_NO_RANGES: Final[Mapping[str, CategoryRange]] = MappingProxyType({})
_NO_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class About:
    """Circumstances of a score; everything but the language may be unknown.

    Parameters
    ----------
    language : {'en', 'zh'}, default='en'
        Of every sentence.
    as_of : datetime, optional
        Moment of the features, with a time zone.
    decided_at : datetime, optional
        When the score was made, with a time zone.
    decision_id, model_id : str, optional
    scale : ScoreScale
        Of the model.
    weights : mapping of str to float
        Declared share of each category, adding up to 1; empty where it is not known.
    ranges : mapping of str to CategoryRange
        What each category gives in the reference sample; empty where nothing is known of it.
    average_score : float, optional
        Of the reference sample with the same consent.
    reasons : Reasons, optional
        Reasons and key factors, verified by re-scoring.
    """

    language: Language = "en"
    as_of: datetime | None = None
    decided_at: datetime | None = None
    decision_id: str | None = None
    model_id: str | None = None
    scale: ScoreScale = field(default_factory=ScoreScale)
    weights: Mapping[str, float] = field(default_factory=lambda: _NO_WEIGHTS)
    ranges: Mapping[str, CategoryRange] = field(default_factory=lambda: _NO_RANGES)
    average_score: float | None = None
    reasons: Reasons | None = None

    @property
    def bands(self) -> tuple[Band, ...]:
        """From the lowest to the highest."""
        return self.scale.bands


def about_model(model: object, withheld: Collection[str] = (), **known: Any) -> About:
    """What a model says about itself and the members it compares with, beside what else is known.

    Parameters
    ----------
    model : CreditScoreModel or another
        Of another kind of model nothing is known.
    withheld : set of str
        Categories that did not enter.
    **known
        Of :class:`About`.
    """
    if not isinstance(model, CreditScoreModel):
        return About(**known)
    weights = {str(name): float(share) for name, share in model.contract_report_.shares["target"].items()}
    return About(scale=model.scale_, weights=weights, **_others(model, withheld), **known)


def _others(model: CreditScoreModel, withheld: Collection[str]) -> dict[str, Any]:
    """What members of the reference sample have; nothing where too little is known of them."""
    try:
        ranges, average = model.reference_.category_range(withheld), model.reference_.average_score(withheld)
    except ReferenceUnknown:
        return {}
    return {"ranges": ranges, "average_score": average}
