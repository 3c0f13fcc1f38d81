"""The kinds of notices, and what each must say where: one table, so that nothing is left out by accident."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.jurisdictions import PROFILES

__all__ = [
    "ACTIONS",
    "FIELDS",
    "LEGAL_BASES",
    "NOTICE_KINDS",
    "TO_RECIPIENTS",
    "ActionTaken",
    "LegalBasis",
    "NoticeKind",
]

NoticeKind = Literal[
    "adverse_action", "reasons_given", "score_disclosure", "prior_notice", "automated_processing",
    "dispute_answer", "dispute_extension", "review_answer", "correction_done", "explanation_withheld",
    "disclosure_compelled", "correction_notice", "review_overturned",
]  # fmt: skip
NOTICE_KINDS: Final[tuple[str, ...]] = get_args(NoticeKind)
TO_RECIPIENTS: Final[frozenset[str]] = frozenset({"correction_notice", "review_overturned"})
"""Kinds that go to a recipient; every other goes to the member."""

ActionTaken = Literal["refused", "terms_changed", "limit_reduced", "account_closed", "counter_offer"]
ACTIONS: Final[tuple[str, ...]] = get_args(ActionTaken)
LegalBasis = Literal["court_order", "regulator_order", "statutory_duty", "criminal_investigation"]
LEGAL_BASES: Final[tuple[str, ...]] = get_args(LegalBasis)

_HEAD: Final = "notice_id kind jurisdiction template_version language issued_at due_at provider"
_DECISION: Final = "decision_id decided_at decision_maker audit_seq consent_id model_id categories sources"
_REASONS: Final = "reasons method reference_hash"
_ROUTES: Final = "dispute_route review_route complaint_route"
_SCORE: Final = "score score_range score_date key_factors"
_AUTOMATED: Final = "automated_processing logic_summary"

_EVERYWHERE: Final[dict[str, str]] = {
    "adverse_action": f"{_DECISION} {_REASONS} {_ROUTES} {_SCORE} {_AUTOMATED} action_taken action_at counterfactuals",
    "reasons_given": f"{_DECISION} {_REASONS} {_ROUTES} {_AUTOMATED} counterfactuals",
    "score_disclosure": f"{_DECISION} {_SCORE} {_ROUTES} {_AUTOMATED}",
    "prior_notice": "item source listed_from dispute_route complaint_route",
    "automated_processing": f"decision_maker purpose reliance consent_id {_AUTOMATED} {_ROUTES}",
    "dispute_answer": "case_id outcome text dispute_route complaint_route",
    "dispute_extension": "case_id due_before text complaint_route",
    "review_answer": "case_id decision_id outcome text dispute_route complaint_route",
    "correction_done": "case_id corrected complaint_route",
    "explanation_withheld": "decision_id part text review_route complaint_route",
    "disclosure_compelled": "disclosed_at authority scope legal_basis reference complaint_route",
    # Nothing that two recipients have alike, as a case or its deadline: by it they would know whom both were told of.
    "correction_notice": "member decisions new_decision",
    "review_overturned": "member decision_id new_decision",
}
_MORE: Final[dict[tuple[str, Jurisdiction], str]] = {
    ("adverse_action", "us"): "free_report equal_credit reasons_asked_within_days",  # FCRA 615(a), Reg B 1002.9(b)
    ("adverse_action", "eu"): "human_review",  # GDPR 22(3), CCD 2023/2225 Art. 18(8)
    ("adverse_action", "cn"): "refuse_automated",  # PIPL 24
    ("adverse_action", "default"): "human_review",
    ("automated_processing", "eu"): "human_review",
    ("automated_processing", "cn"): "refuse_automated",
    ("automated_processing", "default"): "human_review",
    ("automated_processing", "us"): "",
}

FIELDS: Final[Mapping[str, Mapping[Jurisdiction, frozenset[str]]]] = MappingProxyType(
    {
        kind: MappingProxyType(
            {where: frozenset(f"{_HEAD} {own} {_MORE.get((kind, where), '')}".split()) for where in PROFILES}
        )
        for kind, own in _EVERYWHERE.items()
    }
)
"""What a notice of a kind holds, by jurisdiction. A field may be empty (no reason was adverse), never missing."""
