"""Bodies of requests and answers, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from benne.models import SCORE_MAX, SCORE_MIN
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.vocabulary import (
    CaptureChannel,
    CaptureMethod,
    Granularity,
    Purpose,
    Reliance,
)
from benne.scoring.decisions.request import ScoreAnswer
from benne.scoring.proof.statement import StatementKind

__all__ = [
    "AuditBody",
    "BenefitBody",
    "Body",
    "ConsentBody",
    "ConsentChoice",
    "ConsentsBody",
    "EligibilityQuestion",
    "ErasureBody",
    "ExplanationBody",
    "ExportBody",
    "HistoryBody",
    "MemberId",
    "Name",
    "OfferBody",
    "ProofBody",
    "ProofQuestion",
    "ReceiptBody",
    "ReplayBody",
    "ReportBody",
    "ScoreBody",
    "ScoreQuestion",
    "WithdrawnBody",
    "moment",
    "score_as_dict",
]

MemberId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    Field(description="The platform's own id of the member; it is keyed at the door and goes no further."),
]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
Score = Annotated[float, Field(ge=SCORE_MIN, le=SCORE_MAX)]
Category = Literal["credit_history", "behaviour", "ability", "personal_information", "social"]
Mark = Annotated[int, Field(ge=int(SCORE_MIN), le=int(SCORE_MAX))]


class Body(BaseModel):
    """What is not described is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ScoreQuestion(Body):
    """A score asked for."""

    member_id: MemberId
    purpose: Purpose = Field(description="What it is for; the member consented to this purpose and no other.")
    context: Name = Field(default="platform", description="The situation it is asked in.")
    reliance: Reliance = Field(default="advisory", description="How much of the outcome rests on it.")
    granularity: Granularity = Field(
        default="band", description="The finest answer wanted; member and policy may allow less."
    )
    threshold: Mark | None = Field(default=None, description="Whether the score reaches this mark of the policies.")


class EligibilityQuestion(Body):
    """A benefit asked about."""

    member_id: MemberId
    benefit: Name = Field(description="One of the policies' benefits.", examples=["deposit_waiver"])
    context: Name = Field(default="platform", description="The situation it is asked in.")
    reliance: Reliance = Field(default="advisory", description="How much of the outcome rests on it.")


class KeyFactorBody(BaseModel):
    """One thing that weighs on a score; neither a value nor points."""

    code: str = Field(description="Stable name of the cause.")
    feature: str = Field(description="The feature in which it shows most.")
    rank: int = Field(ge=1, le=4, description="1 for the strongest.")


class ScoreBody(BaseModel):
    """A score, no finer than member and policy allow."""

    decision_id: str = Field(description="Under which it is on record.")
    member: str = Field(description="The member's pseudonym for this recipient; another recipient gets another.")
    granularity: Granularity
    score: Score | None = Field(description="Given where `granularity` is `exact`.")
    band: str | None = Field(description="Given where `granularity` is `exact` or `band`.")
    threshold: Mark | None
    reached: bool | None = Field(description="Whether the score reaches the threshold, where one was asked about.")
    categories: list[str] = Field(description="Categories that entered the score.")
    model_id: str
    policy_version: str
    as_of: AwareDatetime = Field(description="Moment of the features.")
    decided_at: AwareDatetime
    valid_until: AwareDatetime
    uncertain: list[Literal["thin_file", "rare"]] | None = Field(
        default=None,
        description="With an exact score, why it is less certain than others: in some category that entered nothing is "
        "on record, or there was little like the member to learn from. Empty where neither holds.",
    )
    disputed: bool = Field(default=False, description="Whether something known of the member is disputed.")
    statement: str | None = Field(
        default=None, description="What the member says of it, where they want it told with an exact score."
    )
    key_factors: list[KeyFactorBody] | None = Field(
        default=None, description="What weighs most on the score, where the policy grants it with an exact score."
    )


class BenefitBody(BaseModel):
    """What comes of asking for a benefit; nothing of it says no."""

    decision_id: str = Field(description="Under which it is on record.")
    benefit: str
    outcome: Literal["granted", "ordinary_way"]
    grants: str | None
    valid_until: AwareDatetime | None = Field(description="How long the benefit holds; null in the ordinary way.")

    @classmethod
    def of(cls, answer: ScoreAnswer) -> BenefitBody:
        """What was decided, in which a low score looks like no consent."""
        benefit = answer.benefit
        if benefit is None or benefit.outcome == "ordinary_way":
            return cls.in_the_ordinary_way(answer.decision_id, "" if benefit is None else benefit.benefit)
        return cls(
            decision_id=answer.decision_id,
            benefit=benefit.benefit,
            outcome="granted",
            grants=benefit.grants,
            valid_until=moment(answer.valid_until_us),
        )

    @classmethod
    def in_the_ordinary_way(cls, decision_id: str, benefit: str) -> BenefitBody:
        """What everybody gets who never asked."""
        return cls(decision_id=decision_id, benefit=benefit, outcome="ordinary_way", grants=None, valid_until=None)


def moment(microseconds: int) -> datetime:
    """A moment of the store as OpenAPI shows it."""
    return from_microseconds(microseconds)


def score_as_dict(answer: ScoreAnswer, member: str) -> dict[str, object]:
    """An answer as JSON takes it."""
    return {
        "decision_id": answer.decision_id,
        "member": member,
        "granularity": answer.granularity,
        "score": answer.score,
        "band": answer.band,
        "threshold": answer.threshold,
        "reached": answer.reached,
        "categories": list(answer.categories),
        "model_id": answer.model_id,
        "policy_version": answer.policy_version,
        "as_of": moment(answer.as_of_us).isoformat(),
        "decided_at": moment(answer.decided_at_us).isoformat(),
        "valid_until": moment(answer.valid_until_us).isoformat(),
        "disputed": answer.disputed,
        "statement": answer.statement,
    } | _where_told(answer)


def _where_told(answer: ScoreAnswer) -> dict[str, object]:
    """What stands in an answer only where it is told."""
    factors = {} if answer.key_factors is None else {"key_factors": [dict(factor) for factor in answer.key_factors]}
    return factors | ({} if answer.uncertain is None else {"uncertain": list(answer.uncertain)})


class ConsentChoice(Body):
    """What a member switched on. Nothing is on until they did."""

    offer: Name = Field(description="Name of the offer they were shown.")
    notice_hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the text they were shown, as the offer gives it."
    )
    categories: list[Category] = Field(min_length=1, max_length=5, description="Switches they switched on.")
    channel: CaptureChannel
    method: CaptureMethod = Field(description="What they did; no word stands for a box ticked in advance.")
    steps: int = Field(ge=1, le=100, description="Steps it took; withdrawing takes no more.")


class ConsentBody(BaseModel):
    """A consent as it is kept, and what became of it."""

    record_id: str
    receipt_id: str | None
    purpose: str
    recipient: str
    granularity: Granularity
    reliance: Reliance
    jurisdiction: str
    notice: dict[str, str]
    given_at: AwareDatetime
    valid_until: AwareDatetime
    categories: list[str]
    events: list[dict[str, str]]


class ConsentsBody(BaseModel):
    """Every consent of a member, oldest first."""

    consents: list[ConsentBody]


class OfferBody(BaseModel):
    """Something members may consent to; every switch is off."""

    offer: str
    purpose: str
    recipient: str
    controller: str
    granularity: Granularity
    reliance: Reliance
    validity_days: int
    language: str
    text: str = Field(description="What members must be shown, word for word.")
    notice_hash: str
    switches: dict[str, bool] = Field(description="Categories; all of them off.")


class WithdrawnBody(BaseModel):
    """What ended; from the next call on nothing of it is used."""

    ended: list[str]


class ReceiptBody(BaseModel):
    """The member's signed copy of a consent."""

    receipt: str = Field(description="Compact JWS; its keys are at `/.well-known/jwks.json`.")


class HistoryBody(BaseModel):
    """Decisions, newest first."""

    decisions: list[dict[str, Any]]
    next: str | None = Field(description="Pass it as `after` for the next page; null after the last.")


class ReportBody(BaseModel):
    """What there is about a member, by kind, and who received what."""

    consents: list[ConsentBody]
    refusals: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    recipients: list[str]
    held: list[str]


class ExportBody(ReportBody):
    """Everything held about a member, in full."""

    features: list[dict[str, Any]]
    said: list[dict[str, Any]] = Field(description="Their own words in disputes and reviews, and their statements.")
    notices: list[dict[str, Any]] = Field(description="What they were told, word for word.")


class ExplanationBody(BaseModel):
    """A score in points that add up."""

    decision_id: str
    explanation: dict[str, Any]


class ProofQuestion(Body):
    """The proof a member wants to show somebody."""

    kind: StatementKind
    mark: Mark | None = Field(default=None, description="For `at_least` and `below`.")
    audience: str = Field(min_length=1, max_length=200, description="By what name the recipient knows itself.")
    nonce: str = Field(min_length=16, max_length=128, description="Drawn by the recipient for this occasion.")
    purpose: Purpose | None = None
    minutes: int = Field(default=5, ge=1, le=15, description="How long it holds.")


class ProofBody(BaseModel):
    """A signed statement; nothing but the statement is in it."""

    proof: str = Field(description="Compact JWS; its keys are at `/.well-known/jwks.json`.")


class ErasureBody(BaseModel):
    """What became of a request to be erased."""

    erasure_id: str
    status: Literal["key_destroyed"] = Field(
        description="Nothing about them can be read any more; the bytes go with the next compaction."
    )


class ReplayBody(BaseModel):
    """A decision made again and held against the audit chain."""

    decision_id: str
    outcome: Literal["identical", "different", "denied", "erased", "expired"]
    differs_in: list[str]
    model_id: str | None
    audit_seq: int


class AuditBody(BaseModel):
    """What a verification of the audit chain found."""

    intact: bool
    records: int
    head: str
    broken_at: int | None
    why: str | None
