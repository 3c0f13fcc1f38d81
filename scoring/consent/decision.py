"""What the ledger answers: who may be scored with what, and who may not and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from benne.errors import ConsentRequired
from benne.features.categories import CATEGORIES
from benne.scoring.consent.vocabulary import DenyReason, Granularity, Jurisdiction, Reliance

__all__ = ["ConsentDecision", "Denial", "Permission"]

FROM_COARSE: Final[tuple[Granularity, ...]] = ("threshold", "band", "exact")
"""Answers from the one that tells least, one bit, to the one that tells every point."""

SEAL: Final = object()
"""Held by the ledger; without it no decision can be made."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What one member lets be done.

    Attributes
    ----------
    categories : frozenset of str
        Consented to.
    granularity : str
        The finest answer the recipient may get: the coarsest of the records concerned.
    since_us : mapping of str to int
        By category, since when it has been consented to without a break, in microseconds since 1970-01-01 UTC. What
        was computed before may have been computed under a consent that has ended.
    """

    categories: frozenset[str]
    granularity: Granularity
    since_us: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def withheld(self) -> frozenset[str]:
        """Categories not consented to."""
        return frozenset(CATEGORIES) - self.categories

    def within(self, other: Permission) -> bool:
        """Whether ``other`` permits all of this."""
        finer = FROM_COARSE.index(self.granularity) > FROM_COARSE.index(other.granularity)
        return self.categories <= other.categories and not finer


@dataclass(frozen=True, slots=True)
class Denial:
    """One recorded refusal.

    Attributes
    ----------
    subject_id : str
        Pseudonym; left out of the ``repr``.
    reason : str
        A stable code, such as ``consent-withdrawn``.
    """

    subject_id: str = field(repr=False)
    reason: DenyReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked of the ledger, for all members alike.

    ``purpose`` is None if it is none of ours; ``jurisdiction`` is the deployment's and only adds to the records'.
    """

    purpose: str | None
    recipient: str
    actor: str
    required: frozenset[str]
    as_of_us: int | None
    reliance: Reliance
    review_route: str | None
    jurisdiction: Jurisdiction | None = None


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True, repr=False, kw_only=True)
class ConsentDecision:
    """An answer of the ledger, recorded before it was given; only the ledger makes one.

    It holds for one purpose, recipient and set of members, until ``valid_until`` at the latest; the
    scorer asks the ledger again before it lets a score go.

    Attributes
    ----------
    decision_id : str
        Its rows in the ``decisions`` table.
    purpose, recipient, actor, reliance : str
    decided_at, valid_until : datetime
        UTC.
    required : frozenset of str
        Categories without which nobody is permitted.
    permissions : mapping of str to Permission
        By subject id, for those who may be scored.
    denials : tuple of Denial
        Those who may not.

    Raises
    ------
    ConsentRequired
        If anybody but the ledger constructs one.
    """

    seal: object
    decision_id: str
    question: Question
    decided_at: datetime
    valid_until: datetime
    permissions: Mapping[str, Permission]
    denials: tuple[Denial, ...]

    def __post_init__(self) -> None:
        if self.seal is not SEAL:
            raise ConsentRequired("A consent decision must come from a ledger. Call ConsentLedger.decide().")
        object.__setattr__(self, "permissions", MappingProxyType(dict(self.permissions)))

    def __repr__(self) -> str:
        """Counts only; members' ids stay out of logs."""
        return (
            f"ConsentDecision(decision_id={self.decision_id!r}, purpose={self.purpose!r}, "
            f"recipient={self.recipient!r}, permitted={len(self.permissions)}, denied={len(self.denials)})"
        )

    @property
    def purpose(self) -> str | None:
        """What the answer is for; None where the purpose asked for is none of ours."""
        return self.question.purpose

    @property
    def recipient(self) -> str:
        """Who may receive what comes of it."""
        return self.question.recipient

    @property
    def actor(self) -> str:
        """Who asked."""
        return self.question.actor

    @property
    def reliance(self) -> Reliance:
        """How much of an outcome rests on the score."""
        return self.question.reliance

    @property
    def required(self) -> frozenset[str]:
        """Categories without which nobody is permitted."""
        return self.question.required

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """Members who may be scored, in the order asked."""
        return tuple(self.permissions)

    def withheld(self, subject_ids: Iterable[str]) -> list[frozenset[str]]:
        """Withheld categories of each member, as the model takes them.

        Raises
        ------
        ConsentRequired
            If the decision does not permit one of them.
        """
        try:
            return [self.permissions[subject_id].withheld for subject_id in subject_ids]
        except KeyError:
            raise ConsentRequired("A member must be permitted by the decision, got one who is not.") from None
