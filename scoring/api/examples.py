"""One body of each question, as a reader would send it; OpenAPI shows them."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["EXAMPLES"]

_DECISION: Final = "6d14c47c-9073-45b2-8edc-d738477360d6"

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "ScoreQuestion": {"member_id": "m00000004", "purpose": "lending", "granularity": "exact"},
    "EligibilityQuestion": {"member_id": "m00000004", "benefit": "deposit_waiver"},
    "ConsentChoice": {
        "offer": "lending", "notice_hash": "ab" * 32, "categories": ["credit_history", "ability"], "channel": "app",
        "method": "toggle_switched_on", "steps": 2,
    },
    "ProofQuestion": {
        "kind": "at_least", "mark": 650, "audience": "https://landlord.example", "nonce": "landlord-2026-11-30-1",
    },
    "WhatIfQuestion": {
        "actions": [{"action": "pay_instalments", "count": 3}, {"action": "verify", "field": "bank_account"}],
        "until": "2027-03-01",
    },
    "RecourseQuestion": {"band": "very good"},
    "DisputeQuestion": {
        "topic": "feature", "feature": "income_monthly_180d", "text": "My income is higher.", "decision_id": _DECISION,
    },
    "SeenBody": {"version": 1},
    "ReasonBody": {"version": 2, "text": "We have asked the bank and wait for its answer."},
    "AnswerBody": {
        "version": 2, "outcome": "corrected", "text": "You are right: the payment came in time.",
        "rows": {"repayments": [
            {"record_id": "p-4711", "member_id": "m00000004", "due_id": "d-4711", "amount": 12000,
             "event_time": "2026-03-01T00:00:00Z"},
        ]},
    },
    "StatementBody": {"version": 1, "text": "I paid on the day; the bank was closed.", "travels": True},
    "ReviewQuestion": {"decision_id": _DECISION, "text": "I have found work since."},
    "VerdictBody": {
        "version": 1, "outcome": "overturned", "text": "The new contract was not looked at.", "instead": "decided_anew",
    },
    "AdverseActionQuestion": {"kind": "adverse_action", "decision_id": _DECISION, "action_taken": "refused"},
    "AboutDecisionQuestion": {"kind": "reasons_given", "decision_id": _DECISION},
    "PriorNoticeQuestion": {
        "kind": "prior_notice", "member_id": "m00000004", "item_id": "item-7", "item_kind": "default",
        "source": "Example Bank", "listed_from": "2027-01-15T00:00:00Z",
    },
    "AutomatedProcessingQuestion": {
        "kind": "automated_processing", "member_id": "m00000004", "consent_id": "57c1120a-e8a3-445e-9620-c412ac7884d5",
    },
    "WithholdingQuestion": {
        "kind": "explanation_withheld", "member_id": "m00000004", "decision_id": _DECISION, "part": "reasons",
        "text": "It would show what somebody else said.",
    },
    "DisclosureQuestion": {
        "kind": "disclosure_compelled", "member_id": "m00000004", "legal_basis": "court_order",
        "reference": "2026-AZ-117", "authority": "District Court", "scope": "Scores of 2026",
        "disclosed_at": "2026-11-30T10:00:00Z",
    },
    "DeliveryBody": {"state": "delivered", "channel": "post"},
    "FulfilBody": {"version": 1, "own_reasons": ["The rent would be more than half of your income"]},
}  # fmt: skip
"""By the name of the body."""
