"""The fields of notices about a decision. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from benne.models import SCORE_MAX, SCORE_MIN
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.jurisdictions import Profile
from benne.scoring.notices.sources import DecisionFacts

__all__ = ["about_action", "about_decision", "about_score", "reasons_in", "where_extra"]

OWN_CODE = "decision_maker"
"""Code of a reason that the decision maker gave in words of its own."""


def about_decision(facts: DecisionFacts) -> dict[str, Any]:
    """Which decision it was, of whom, from what; and that no person had a part in the score."""
    return {
        "decision_id": facts.decision_id,
        "decided_at": _iso(facts.decided_at_us),
        "decision_maker": facts.recipient,
        "audit_seq": facts.audit_seq,
        "consent_id": facts.consent_id,
        "model_id": facts.model_id,
        "categories": list(facts.categories),
        "sources": list(facts.categories),
        "automated_processing": True,
        "logic_summary": "additive_points",
    }


def reasons_in(facts: DecisionFacts, own: tuple[str, ...], counterfactuals: tuple[str, ...]) -> dict[str, Any]:
    """The reasons by the declared method, or the decision maker's own in their place."""
    given = [asdict(one) for one in facts.reasons]
    if own:
        given = [
            {"code": OWN_CODE, "feature": None, "rank": rank, "text": text} for rank, text in enumerate(own, start=1)
        ]
    return {
        "reasons": given,
        "method": OWN_CODE if own else facts.method,
        "reference_hash": None if own else facts.reference_hash,
        "counterfactuals": [] if own else list(counterfactuals),
    }


def about_score(facts: DecisionFacts) -> dict[str, Any]:
    """The score with its range, date and what moved it most; the provider stands in every notice."""
    return {
        "score": facts.score,
        "score_range": [int(SCORE_MIN), int(SCORE_MAX)],
        "score_date": _iso(facts.as_of_us),
        "key_factors": [asdict(one) for one in facts.key_factors],
    }


def about_action(action_taken: str, action_at_us: int) -> dict[str, Any]:
    """What was done to the member, and when we were told of it."""
    return {"action_taken": action_taken, "action_at": _iso(action_at_us)}


def where_extra(profile: Profile) -> dict[str, Any]:
    """What notices of decisions say beside, by jurisdiction; fields that a place does not ask for are left out."""
    extra: dict[str, dict[str, Any]] = {
        "cn": {"refuse_automated": True},
        "eu": {"human_review": True},
        "us": {
            "free_report": True,
            "equal_credit": True,
            "reasons_asked_within_days": profile.reasons_asked_within.days,
        },
        "default": {"human_review": True},
    }
    return extra[profile.code]


def _iso(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat()
