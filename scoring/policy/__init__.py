"""What a deployment allows, as data: purposes, benefits and recipients; and what follows from it."""

from __future__ import annotations

from benne.scoring.policy.answering import (
    BenefitResult,
    ThresholdResult,
    answer_granularity,
    benefit_result,
    mark_missing,
    threshold_result,
)
from benne.scoring.policy.checking import Asked, PolicyDenial, check
from benne.scoring.policy.policies import BenefitPolicy, Policies, PurposePolicy
from benne.scoring.policy.policy_file import default_policies, read_policies

__all__ = [
    "Asked",
    "BenefitPolicy",
    "BenefitResult",
    "Policies",
    "PolicyDenial",
    "PurposePolicy",
    "ThresholdResult",
    "answer_granularity",
    "benefit_result",
    "check",
    "default_policies",
    "mark_missing",
    "read_policies",
    "threshold_result",
]
