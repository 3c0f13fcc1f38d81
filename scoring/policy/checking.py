"""Deny by default: what was asked against what is allowed, before consent and data are looked at. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from benne.scoring.consent.decision import FROM_COARSE
from benne.scoring.consent.vocabulary import RELIANCES
from benne.scoring.policy.policies import ANY_RECIPIENT, Policies, PurposePolicy

__all__ = ["POLICY_DENY_REASONS", "WHY", "Asked", "PolicyDenial", "PolicyDenyReason", "check"]

PolicyDenyReason = Literal[
    "purpose-not-allowed",
    "recipient-not-allowed",
    "context-not-allowed",
    "review-route-missing",
    "reliance-not-allowed",
    "benefit-required",
    "benefit-unknown",
    "granularity-not-allowed",
    "threshold-missing",
    "threshold-not-allowed",
]
POLICY_DENY_REASONS: Final[tuple[str, ...]] = get_args(PolicyDenyReason)

WHY: Final[dict[PolicyDenyReason, str]] = {
    "purpose-not-allowed": "The purpose must be one that is served here. See `benne policies show`.",
    "recipient-not-allowed": "The recipient must be allowed this purpose. Have it registered for it.",
    "context-not-allowed": "The context must be one that the purpose is served in. See `benne policies show`.",
    "review-route-missing": "Strong and sole reliance must have a route by which a person reviews the outcome.",
    "reliance-not-allowed": "The reliance must be no higher than the purpose allows.",
    "benefit-required": "This purpose may only benefit, so a benefit must be named. Ask for eligibility.",
    "benefit-unknown": "The benefit must be one of this purpose.",
    "granularity-not-allowed": "The granularity must be no finer than the purpose allows.",
    "threshold-missing": "A threshold must be given where no more than a threshold may be told.",
    "threshold-not-allowed": "The threshold must be one of the marks that the policies name.",
}
"""Each reason in a sentence that may be shown to whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a recipient asks, as it was received: nothing in it is trusted, and what is missing is denied.

    Attributes
    ----------
    recipient, purpose, context, reliance, granularity : str or None
    threshold : int or None
        The mark a threshold answer is about; also used where a finer answer may not be told.
    benefit : str or None
        Which benefit; for purposes that may only benefit.
    """

    recipient: str | None
    purpose: str | None
    context: str | None
    reliance: str | None
    granularity: str | None = "threshold"
    threshold: int | None = None
    benefit: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyDenial:
    """Why what was asked is not allowed, whoever it is about."""

    reason: PolicyDenyReason

    @property
    def why(self) -> str:
        """The reason in a sentence."""
        return WHY[self.reason]


def check(policies: Policies, asked: Asked) -> PolicyDenial | None:
    """The first reason to deny, or None.

    Examples
    --------
    >>> from benne.scoring.policy import default_policies
    >>> asked = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="band")
    >>> check(default_policies(), asked) is None
    True
    >>> asked = Asked(recipient="shop", purpose="dating", context="platform", reliance="advisory", granularity="band")
    >>> check(default_policies(), asked).reason
    'purpose-not-allowed'
    """
    policy = next((p for name, p in policies.purposes.items() if name == asked.purpose and p.enabled), None)
    if policy is None:
        unknown = asked.purpose is None and asked.benefit is not None and asked.benefit not in policies.benefits
        return PolicyDenial("benefit-unknown" if unknown else "purpose-not-allowed")
    if policy.purpose not in _purposes_of(policies, asked.recipient):
        return PolicyDenial("recipient-not-allowed")
    reason = _of_the_situation(policy, asked) or _of_the_answer(policies, policy, asked)
    return None if reason is None else PolicyDenial(reason)


def _purposes_of(policies: Policies, recipient: object) -> frozenset[str]:
    if not isinstance(recipient, str) or recipient in ("", ANY_RECIPIENT):
        return frozenset()
    return policies.recipients.get(recipient, policies.recipients.get(ANY_RECIPIENT, frozenset()))


def _of_the_situation(policy: PurposePolicy, asked: Asked) -> PolicyDenyReason | None:
    if not isinstance(asked.context, str) or asked.context not in policy.contexts:
        return "context-not-allowed"
    if asked.reliance not in RELIANCES:
        return "reliance-not-allowed"
    if asked.reliance != "advisory" and policy.review_route is None:
        return "review-route-missing"
    if RELIANCES.index(asked.reliance) > RELIANCES.index(policy.reliance):
        return "reliance-not-allowed"
    return None


def _of_the_answer(policies: Policies, policy: PurposePolicy, asked: Asked) -> PolicyDenyReason | None:
    if policy.purpose_class == "benefit_only" or asked.benefit is not None:
        return _of_the_benefit(policies, policy, asked)
    if asked.granularity not in FROM_COARSE:
        return "granularity-not-allowed"
    if FROM_COARSE.index(asked.granularity) > FROM_COARSE.index(policy.granularity):
        return "granularity-not-allowed"
    if asked.threshold is None:
        return "threshold-missing" if asked.granularity == "threshold" else None
    return None if _is_a_mark(asked.threshold, policy) else "threshold-not-allowed"


def _of_the_benefit(policies: Policies, policy: PurposePolicy, asked: Asked) -> PolicyDenyReason | None:
    """Whether a benefit is waived is all that may be asked: neither a score nor a mark of one's own."""
    if asked.benefit is None:
        return "benefit-required"
    benefit = policies.benefits.get(asked.benefit) if isinstance(asked.benefit, str) else None
    if benefit is None or benefit.purpose != policy.purpose:
        return "benefit-unknown"
    if asked.granularity != "threshold":
        return "granularity-not-allowed"
    return None if asked.threshold is None else "threshold-not-allowed"


def _is_a_mark(threshold: object, policy: PurposePolicy) -> bool:
    return isinstance(threshold, int) and not isinstance(threshold, bool) and threshold in policy.marks
