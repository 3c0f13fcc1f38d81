"""The closed sets of words an audit record is written in.

They are checked where an entry is made and not by the database: a table that may never be rewritten
must not have to be rewritten because a word was added.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

EventType = Literal[
    # What left, or was refused.
    "score_decided",
    "scores_batched",
    "eligibility_decided",
    "explanation_decided",
    "what_if_answered",
    "report_given",
    "data_exported",
    "proof_issued",
    "member_looked_up",
    "disclosure_compelled",
    # What members chose and asked for.
    "consent_given",
    "consent_refused",
    "consent_withdrawn",
    "dispute_opened",
    "dispute_changed",
    "dispute_answered",
    "statement_added",
    "correction_made",
    "review_requested",
    "review_changed",
    "review_decided",
    "member_erased",
    "legal_hold_placed",
    "legal_hold_lifted",
    # What members and recipients were told.
    "notice_owed",
    "notice_issued",
    "recipient_told",
    "deadline_escalated",
    # How the service itself was changed.
    "access_refused",
    "recipient_registered",
    "role_granted",
    "role_revoked",
    "key_rotated",
    "policy_changed",
    "model_promoted",
    "model_withdrawn",
    # How models are governed.
    "gates_declared",
    "model_validated",
    "model_rolled_back",
    "rollout_changed",
    "document_filed",
    "protected_attributes_kept",
    "protected_attributes_read",
]
ActorRole = Literal["member", "recipient", "compliance", "data_scientist", "admin", "system"]
Decision = Literal["granted", "denied"]

BATCH: Final[EventType] = "scores_batched"
"""One record for a chunk of decisions, which its Merkle root stands for."""

EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
ACTOR_ROLES: Final[tuple[str, ...]] = get_args(ActorRole)
"""``system`` is a timer or a batch: nobody pressed anything."""
DECISIONS: Final[tuple[str, ...]] = get_args(Decision)
