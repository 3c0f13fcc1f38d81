"""A score as it is asked for, and what is answered or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benne.scoring.audit.vocabulary import ActorRole
from benne.scoring.consent.vocabulary import Granularity
from benne.scoring.policy import Asked, BenefitResult

__all__ = ["Actor", "Idempotency", "Refusal", "ScoreAnswer", "ScoreRequest"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an id that says nothing about a member, and a role."""

    id: str
    role: ActorRole

    def on_record(self, audit_subject: str | None) -> dict[str, str]:
        """As the audit chain names them: a member by their own keyed hash, and without one (erased) by nothing.

        Parameters
        ----------
        audit_subject : str or None
            Of the member whom it is about, who for role member is the actor too.
        """
        if self.role != "member":
            return {"actor_id": self.id, "actor_role": self.role}
        if audit_subject is None:
            return {"actor_id": "erased", "actor_role": "system"}
        return {"actor_id": audit_subject, "actor_role": "member"}


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's own key for a request, and what the request was; both keyed hashes, 64 hexadecimal digits."""

    key_hash: str
    request_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest:
    """One question about one member.

    Parameters
    ----------
    subject_id : str
        32 hexadecimal digits; left out of the ``repr``.
    asked : Asked
        Recipient, purpose, context, reliance, granularity, and threshold or benefit.
    actor : Actor
    registered_for : frozenset of str
        Purposes the recipient was registered for; no other is served, whatever the policies allow.
    idempotency : Idempotency, optional
        So that the same request sent twice is one decision.
    """

    subject_id: str = field(repr=False)
    asked: Asked
    actor: Actor
    registered_for: frozenset[str]
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ScoreAnswer:
    """What a recipient is told, no finer than member and policy allow.

    Attributes
    ----------
    decision_id : str
    granularity : {'threshold', 'band', 'exact'}
    score : float or None
        350–950; None unless ``granularity`` is ``exact``.
    band : str or None
        None where ``granularity`` is ``threshold``.
    threshold : int or None
    reached : bool or None
        Whether the score reaches the threshold; None where none was asked about.
    benefit : BenefitResult or None
        Where a benefit was asked about; then nothing else is told.
    categories : tuple of str
        Those that entered the score.
    model_id, policy_version : str
    as_of_us, decided_at_us, valid_until_us : int
        Microseconds since 1970-01-01 UTC: moment of the features, of the answer, and its end.
    key_factors : tuple of dict, or None
        What weighs most on the score, the strongest first, each with ``code``, ``feature`` and ``rank``; None where
        the policy does not grant them.
    uncertain : tuple of str, or None
        Of ``thin_file`` and ``rare`` what holds of the member's file; None unless ``granularity`` is ``exact``, and in
        answers from before it was told.
    disputed : bool
        Whether something about the member is disputed, or was and they have a statement that travels.
    statement : str or None
        What the member says of it, where they want it told and ``granularity`` is ``exact``.
    """

    decision_id: str
    granularity: Granularity
    score: float | None
    band: str | None
    threshold: int | None
    reached: bool | None
    benefit: BenefitResult | None
    categories: tuple[str, ...]
    model_id: str
    policy_version: str
    as_of_us: int
    decided_at_us: int
    valid_until_us: int
    key_factors: tuple[Mapping[str, str | int], ...] | None = None
    uncertain: tuple[str, ...] | None = None
    disputed: bool = False
    statement: str | None = None

    def __repr__(self) -> str:
        """Without anything told about the member."""
        return f"ScoreAnswer(decision_id={self.decision_id!r}, granularity={self.granularity!r})"

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        left_out = {"key_factors", "uncertain", "disputed", "statement"}  # where there is nothing to tell
        plain = {name: getattr(self, name) for name in type(self).__dataclass_fields__ if name not in left_out}
        if self.key_factors is not None:
            plain["key_factors"] = [dict(factor) for factor in self.key_factors]
        if self.uncertain is not None:
            plain["uncertain"] = list(self.uncertain)
        if self.disputed:
            plain |= {"disputed": True, "statement": self.statement}
        benefit = None if self.benefit is None else asdict(self.benefit)
        return plain | {"categories": list(self.categories), "benefit": benefit}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ScoreAnswer:
        """What :meth:`as_dict` gave, as it was."""
        benefit, factors, uncertain = plain["benefit"], plain.get("key_factors"), plain.get("uncertain")
        given = {
            **plain,
            "categories": tuple(plain["categories"]),
            "benefit": None if benefit is None else BenefitResult(**benefit),
            "key_factors": None if factors is None else tuple(factors),
            "uncertain": None if uncertain is None else tuple(uncertain),
        }
        return cls(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there is no score; it is on record like an answer.

    Attributes
    ----------
    decision_id : str
    reason : str
        A stable code, such as ``consent-withdrawn``; :data:`benne.scoring.decisions.reasons.WHY` says them in words.
    policy_version : str
    decided_at_us : int
    """

    decision_id: str
    reason: str
    policy_version: str
    decided_at_us: int
