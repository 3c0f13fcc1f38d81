"""Bodies of disputes, reviews and notices, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from benne.explain.texts import Language
from benne.scoring.api.bodies import Body, MemberId, moment
from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.disputes.dispute import Topic
from benne.scoring.notices.asked_notices import CounterOffer, ItemKind, Part
from benne.scoring.notices.kinds import ActionTaken, LegalBasis
from benne.scoring.notices.notice import Channel, DeliveryState
from benne.scoring.reviews.reviewing import Instead
from benne.scoring.reviews.statistics import OverturnRate
from benne.scoring.rights.case import CaseKind, CaseState, RightsCase
from benne.scoring.rights.rows import CaseEvent
from benne.scoring.rights.words import LONGEST

__all__ = [
    "ID",
    "AnswerBody",
    "CaseBody",
    "CaseInFullBody",
    "CasesBody",
    "DeliveryBody",
    "DisputeQuestion",
    "FulfilBody",
    "NoticeBody",
    "NoticeQuestion",
    "NoticesBody",
    "OverturnBody",
    "OwedNoticeBody",
    "ReasonBody",
    "ReviewQuestion",
    "SeenBody",
    "StatementBody",
    "StatisticsBody",
    "TransparencyBody",
    "VerdictBody",
    "case_body",
    "case_in_full",
    "overturn_body",
]

ID: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,35}$"
Id = Annotated[str, StringConstraints(pattern=ID)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
FeatureName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Version = Annotated[int, Field(ge=1, le=1_000_000, description="The version that was seen; another is refused.")]
OfMember = Annotated[MemberId | None, Field(description="For staff, who say on whose behalf; members leave it out.")]


class DisputeQuestion(Body):
    """Something a member says is wrong."""

    topic: Topic
    text: Text = Field(description="In the member's own words.")
    decision_id: Id | None = Field(default=None, description="For topic `decision`; else where they saw it.")
    feature: FeatureName | None = Field(default=None, description="For topic `feature`: whose value is wrong.")
    language: Language = Field(default="en", description="In which the member is answered.")
    member_id: OfMember = None


class SeenBody(Body):
    """A change that needs no more words."""

    version: Version


class ReasonBody(Body):
    """A change and why."""

    version: Version
    text: Text


class AnswerBody(Body):
    """The answer to a dispute."""

    version: Version
    outcome: Literal["corrected", "not_corrected"]
    text: Text = Field(description="To the member, in writing.")
    rows: dict[str, list[dict[str, str | int | float | bool | None]]] | None = Field(
        default=None,
        description="With `corrected`, where features are computed from events: rows to append, by event table, in the "
        "platform's own form and all about this member.",
    )


class StatementBody(Body):
    """A member's own statement."""

    version: Version
    text: Text
    travels: bool = Field(default=False, description="Whether it goes to recipients with exact scores.")


class ReviewQuestion(Body):
    """A decision to be looked at again by a person."""

    decision_id: Id
    text: Text | None = Field(default=None, description="Why; nobody has to say.")
    language: Language = "en"
    member_id: OfMember = None


class VerdictBody(Body):
    """What a reviewer decided."""

    version: Version
    outcome: Literal["upheld", "overturned"]
    text: Text = Field(description="The reviewer's reason, for the member.")
    instead: Instead | None = Field(default=None, description="Given exactly where the decision is overturned.")


class EventBody(BaseModel):
    """One thing that was done with a case."""

    version: int
    state: str
    act: str
    at: AwareDatetime
    by: str = Field(description="A role.")


class CaseBody(BaseModel):
    """A case with its deadline: a dispute, a correction, a review, or a notice that is owed."""

    case_id: str
    kind: CaseKind
    topic: str
    state: CaseState
    version: int
    decision_id: str | None
    recipient: str | None
    jurisdiction: Jurisdiction = Field(description="Whose deadline it is.")
    opened_at: AwareDatetime
    opened_by_role: str
    handler: str | None = Field(description="For staff: who looks into it, or decided it.")
    due_at: AwareDatetime
    extended_at: AwareDatetime | None
    escalated_at: AwareDatetime | None = Field(description="When it was found to be overdue; null: never.")
    ended_at: AwareDatetime | None = Field(description="Null: something is left to do by the deadline.")
    about_case: str | None


class CaseInFullBody(CaseBody):
    """A case with what was said and done."""

    text: str | None
    feature: str | None = None
    statement: str | None = None
    statement_travels: bool | None = None
    events: list[EventBody]


class CasesBody(BaseModel):
    """Cases by deadline, a page at a time."""

    cases: list[CaseBody]
    next: str | None = Field(description="Pass it as `after` for the next page; null after the last.")


class AdverseActionQuestion(Body):
    """A recipient did not give what was asked for, and a score had a part in it."""

    kind: Literal["adverse_action"]
    decision_id: Id
    action_taken: ActionTaken
    counter_offer: CounterOffer = Field(
        default="none", description="`made`: the notice waits; report again as `declined` or `accepted`."
    )
    own_reasons: list[Line] = Field(default=[], max_length=4, description="In place of the score's; each specific.")
    language: Language = "en"


class AboutDecisionQuestion(Body):
    """Reasons, or the score itself, in writing."""

    kind: Literal["reasons_given", "score_disclosure"]
    decision_id: Id
    language: Language = "en"
    member_id: OfMember = None


class PriorNoticeQuestion(Body):
    """An adverse item is about to be listed."""

    kind: Literal["prior_notice"]
    member_id: MemberId
    item_id: Line
    item_kind: ItemKind
    source: Line = Field(description="Who reported it.")
    listed_from: AwareDatetime = Field(strict=False)
    language: Language = "en"


class AutomatedProcessingQuestion(Body):
    """A member is scored automatically under a consent."""

    kind: Literal["automated_processing"]
    member_id: MemberId
    consent_id: Id
    language: Language = "en"


class WithholdingQuestion(Body):
    """Part of an explanation is not shown, for a reason that can be reviewed."""

    kind: Literal["explanation_withheld"]
    member_id: MemberId
    decision_id: Id
    part: Part
    text: Text
    language: Language = "en"


class DisclosureQuestion(Body):
    """A disclosure that a law compelled."""

    kind: Literal["disclosure_compelled"]
    member_id: MemberId
    legal_basis: LegalBasis
    reference: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$")]
    authority: Line
    scope: Text
    disclosed_at: AwareDatetime = Field(strict=False)
    barred_until: AwareDatetime | None = Field(default=None, strict=False)
    language: Language = "en"


NoticeQuestion = Annotated[
    AdverseActionQuestion
    | AboutDecisionQuestion
    | PriorNoticeQuestion
    | AutomatedProcessingQuestion
    | WithholdingQuestion
    | DisclosureQuestion,
    Field(discriminator="kind"),
]


class DeliveryStateBody(BaseModel):
    """How far a notice has come."""

    state: DeliveryState
    channel: Channel
    at: AwareDatetime


class NoticeBody(BaseModel):
    """A notice that was issued."""

    notice_id: str
    kind: str
    audience: Literal["member", "recipient"]
    recipient: str | None
    jurisdiction: Jurisdiction
    template_version: str
    template_hash: str = Field(description="SHA-256 of the texts it was put together from.")
    language: Language
    case_id: str | None
    decision_id: str | None
    issued_at: AwareDatetime
    due_at: AwareDatetime | None
    delivery: DeliveryStateBody
    content: dict[str, Any] | None = Field(description="Its fields, `title` and `paragraphs`; null in a list.")


class NoticesBody(BaseModel):
    """Notices, the newest first, a page at a time."""

    notices: list[NoticeBody]
    next: str | None = Field(description="Pass it as `after` for the next page; null after the last.")


class OwedNoticeBody(BaseModel):
    """What came of asking for a notice."""

    notice: NoticeBody | None = Field(description="Null while it is owed: see `case`.")
    case: CaseBody | None = Field(description="With the deadline; null where there is none.")
    row: dict[str, str] | None = Field(
        default=None, description="Of a prior notice: the row of `adverse_items` to append to the event store."
    )


class DeliveryBody(Body):
    """A notice was delivered in some other way, or could not be."""

    state: Literal["delivered", "failed"]
    channel: Channel


class FulfilBody(Body):
    """A notice that is owed is issued by staff."""

    version: Version
    own_reasons: list[Line] = Field(default=[], max_length=4)


class OverturnBody(BaseModel):
    """Reviews of one month, policy version and recipient; nulls stand for all."""

    month: str | None
    policy_version: str | None
    recipient: str | None
    decided: int
    overturned: int
    rate: float | None = Field(description="Null where fewer than twenty were decided.")


class StatisticsBody(BaseModel):
    """How often reviewers overturn what was decided."""

    rates: list[OverturnBody]


class TransparencyBody(BaseModel):
    """Disclosures that laws compelled, as they may be published."""

    disclosures: int
    by_basis: dict[str, int]
    barred: int = Field(description="Of them, those whose members may not be told yet.")


def case_body(case: RightsCase, *, to_member: bool) -> CaseBody:
    """A case as it is shown; a member does not see who handles it."""
    plain = case.as_dict()
    return CaseBody.model_validate(plain | ({"handler": None} if to_member else {}))


def case_in_full(
    case: RightsCase, said: dict[str, Any], timeline: tuple[CaseEvent, ...], *, to_member: bool
) -> CaseInFullBody:
    """A case with what was said and done."""
    stated = said.get("statement") or {}
    return CaseInFullBody(
        **case_body(case, to_member=to_member).model_dump(),
        text=said.get("text"),
        feature=said.get("feature"),
        statement=stated.get("text"),
        statement_travels=stated.get("travels"),
        events=[
            EventBody(version=one.version, state=one.state, act=one.act, at=_at(one.at_us), by=one.actor_role)
            for one in timeline
        ],
    )


def overturn_body(rate: OverturnRate) -> OverturnBody:
    """A rate as it is shown."""
    return OverturnBody(
        month=rate.month,
        policy_version=rate.policy_version,
        recipient=rate.recipient,
        decided=rate.decided,
        overturned=rate.overturned,
        rate=rate.rate,
    )


def _at(microseconds: int) -> datetime:
    return moment(microseconds)
