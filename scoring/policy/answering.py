"""The least that answers the question: which granularity, whether a mark is reached, what a benefit comes to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benne.errors import PolicyError
from benne.models.scale import DEFAULT_BANDS, Band
from benne.scoring.consent.decision import FROM_COARSE
from benne.scoring.consent.vocabulary import Granularity
from benne.scoring.policy.checking import Asked, PolicyDenial
from benne.scoring.policy.policies import BenefitPolicy, PurposePolicy

__all__ = [
    "BenefitResult",
    "ThresholdResult",
    "answer_granularity",
    "benefit_mark",
    "benefit_result",
    "mark_missing",
    "threshold_result",
]


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """Whether a score reaches a mark: one bit.

    Attributes
    ----------
    threshold : int
    reached : bool
    """

    threshold: int
    reached: bool


@dataclass(frozen=True, slots=True)
class BenefitResult:
    """What comes of asking for a benefit. No value of it says no.

    Attributes
    ----------
    benefit : str
    outcome : {'granted', 'ordinary_way'}
        The benefit, or what everybody gets who never asked for it.
    grants : str or None
        What is granted; None in the ordinary way.
    """

    benefit: str
    outcome: Literal["granted", "ordinary_way"]
    grants: str | None = None


def answer_granularity(policy: PurposePolicy, consented: Granularity, asked: Granularity) -> Granularity:
    """The coarsest of what is allowed, consented to and asked for.

    Examples
    --------
    >>> from benne.scoring.policy import default_policies
    >>> lending = default_policies().purposes["lending"]
    >>> answer_granularity(lending, "band", "exact"), answer_granularity(lending, "exact", "threshold")
    ('band', 'threshold')
    """
    return min(policy.granularity, consented, asked, key=FROM_COARSE.index)


def mark_missing(granularity: Granularity, asked: Asked) -> PolicyDenial | None:
    """A denial where no more than a threshold may be told, and none was asked for."""
    if granularity == "threshold" and asked.threshold is None and asked.benefit is None:
        return PolicyDenial("threshold-missing")
    return None


def threshold_result(score: float, threshold: int) -> ThresholdResult:
    """Whether the score as it is shown, in whole points, reaches a mark.

    Examples
    --------
    >>> threshold_result(649.6, 650).reached, threshold_result(649.4, 650).reached
    (True, False)
    """
    return ThresholdResult(threshold, _shown(score) >= threshold)


def benefit_result(benefit: BenefitPolicy, score: float | None, bands: Sequence[Band] = DEFAULT_BANDS) -> BenefitResult:
    """A benefit for whoever reaches its mark; for everybody else what they would have had anyway.

    Parameters
    ----------
    benefit : BenefitPolicy
    score : float or None
        None where there is none, for want of consent or of data: then the recipient cannot tell one from the other.
    bands : sequence of Band
        Of the model's scale.

    Raises
    ------
    PolicyError
        If the scale has no band of the benefit's name.

    Examples
    --------
    >>> from benne.scoring.policy import default_policies
    >>> waiver = default_policies().benefits["deposit_waiver"]
    >>> [benefit_result(waiver, score).outcome for score in (700.0, 400.0, None)]
    ['granted', 'ordinary_way', 'ordinary_way']
    >>> benefit_result(BenefitPolicy(name="x", purpose="fast_lane", grants="y", band="splendid"), 700.0)
    Traceback (most recent call last):
    ...
    benne.errors.PolicyError: benefits.x.band must be one of poor, fair, good, very good, excellent, got 'splendid'. ...
    """
    if score is not None and _shown(score) >= benefit_mark(benefit, bands):
        return BenefitResult(benefit.name, "granted", benefit.grants)
    return BenefitResult(benefit.name, "ordinary_way")


def benefit_mark(benefit: BenefitPolicy, bands: Sequence[Band] = DEFAULT_BANDS) -> int:
    """The score from which a benefit is granted; arguments and errors as of :func:`benefit_result`."""
    return benefit.threshold if benefit.threshold is not None else _lowest(benefit, bands)


def _shown(score: float) -> int:
    """Whole points, rounded as the scale's own bands are."""
    return round(score)


def _lowest(benefit: BenefitPolicy, bands: Sequence[Band]) -> int:
    for band in bands:
        if band.name == benefit.band:
            return band.lowest
    raise PolicyError(
        f"benefits.{benefit.name}.band must be one of {', '.join(band.name for band in bands)}, "
        f"got {benefit.band!r}. Name a band of the model's scale."
    )
