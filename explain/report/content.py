"""What a member's report says, before it is said: everything in it is given, nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from benne.explain.explanation import MemberExplanation

__all__ = ["ConsentGiven", "FreeReports", "MemberReport", "NoScore", "Received", "Routes"]

NoScore = Literal["no_decision", "no_consent", "model_retired", "unreadable", "erased"]
"""Why a report has no score."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What one recipient was told for one purpose.

    Parameters
    ----------
    recipient, purpose : str
    told : {'exact', 'band', 'threshold'}
        The finest answer among them.
    times : int
    first, last : datetime
    """

    recipient: str
    purpose: str
    told: str
    times: int
    first: datetime
    last: datetime


@dataclass(frozen=True, kw_only=True)
class ConsentGiven:
    """A consent, and whether it still stands.

    Parameters
    ----------
    purpose, recipient : str
    categories : tuple of str
        What stands of it; of one that has ended, what it was for.
    granularity, reliance : str
    given_at, valid_until : datetime
    standing : bool
    """

    purpose: str
    recipient: str
    categories: tuple[str, ...]
    granularity: str
    reliance: str
    given_at: datetime
    valid_until: datetime
    standing: bool


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Where a member goes with what they want; None where there is no address to print.

    Parameters
    ----------
    withdraw, dispute, review, complaint, export, erasure : str or None
    """

    withdraw: str | None = None
    dispute: str | None = None
    review: str | None = None
    complaint: str | None = None
    export: str | None = None
    erasure: str | None = None


@dataclass(frozen=True, slots=True)
class FreeReports:
    """Reports a member gets without paying.

    Parameters
    ----------
    given : int
        Asked for in the year before this one.
    a_year : int or None
        None: every reasonable request is free.
    """

    given: int
    a_year: int | None


@dataclass(frozen=True, kw_only=True, repr=False)
class MemberReport:
    """Everything a member's report is made of.

    Parameters
    ----------
    made_at : datetime
        With a time zone; the report is dated by it, and the same report is the same bytes.
    issuer : str
        Who answers for it.
    explanation : MemberExplanation or None
    no_score : str or None
        Why there is no explanation.
    received : tuple of Received or None
        The latest first; None where it is not known here, and then nothing is said of it.
    consents : tuple of ConsentGiven or None
        Likewise.
    routes : Routes
    changes : tuple of str
        What would change the score, in sentences of the report's language.
    statements : tuple of str
        Disputes that are open and statements of the member's own, in sentences.
    free_reports : FreeReports or None

    Raises
    ------
    ValueError
        If there is neither a score nor a word why, or ``made_at`` has no time zone.
    """

    made_at: datetime
    issuer: str
    explanation: MemberExplanation | None
    no_score: NoScore | None = None
    received: tuple[Received, ...] | None = None
    consents: tuple[ConsentGiven, ...] | None = None
    routes: Routes = field(default_factory=Routes)
    changes: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    free_reports: FreeReports | None = None

    def __post_init__(self) -> None:
        if (self.explanation is None) == (self.no_score is None):
            raise ValueError("A report must have a score or say why there is none, got both or neither. Give one.")
        if self.made_at.tzinfo is None:
            raise ValueError("A report must be dated by a timezone-aware moment, got a naive one. Attach a zone.")
