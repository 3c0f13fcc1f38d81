"""What a notice says about a decision, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from benne.explain.texts import Language

__all__ = ["CounterfactualSource", "DecisionFacts", "NoticeSources", "ReasonLine", "ReasonSource"]


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """A reason or key factor in words: its code, the feature, its rank from 1, and what is said of it."""

    code: str
    feature: str
    rank: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DecisionFacts:
    """What there is to say about a decision that was answered.

    Attributes
    ----------
    decision_id, recipient, purpose, model_id, policy_version : str
    subject_id : str
    decided_at_us, as_of_us : int
        Microseconds since 1970-01-01 UTC.
    score : float
    categories : tuple of str
        Those that entered, as the reader's language calls them; also the sources of the data.
    consent_id : str or None
    audit_seq : int
    method : str
        What reasons compare with: ``everybody`` or ``just_above``.
    reference_hash : str
        Of the reference population.
    reasons, key_factors : tuple of ReasonLine
        At most four each, by their effect.
    """

    decision_id: str
    subject_id: str = field(repr=False)
    recipient: str
    purpose: str
    model_id: str
    policy_version: str
    decided_at_us: int
    as_of_us: int
    score: float
    categories: tuple[str, ...]
    consent_id: str | None
    audit_seq: int
    method: str
    reference_hash: str
    reasons: tuple[ReasonLine, ...]
    key_factors: tuple[ReasonLine, ...]


class ReasonSource(Protocol):
    """Makes a decision again and says why it came out so."""

    def facts(self, connection: Connection, decision_id: str, language: Language) -> DecisionFacts:
        """What there is to say about a decision.

        Raises
        ------
        DecisionUnknown
            If none of that id was answered, or what was kept of it is gone.
        """
        ...


class CounterfactualSource(Protocol):
    """Says what would have to change."""

    def counterfactuals(self, connection: Connection, decision_id: str, language: Language) -> tuple[str, ...]:
        """The smallest changes that alter the result, in words; empty where there are none to offer."""
        ...


@dataclass(frozen=True, slots=True)
class NoticeSources:
    """Where reasons and counterfactuals come from; without the second there are none."""

    reasons: ReasonSource
    counterfactuals: CounterfactualSource | None = None
