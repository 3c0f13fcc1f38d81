"""Reviews by a person, and how often they overturn what was decided."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.cases import OneId, Wanted, member_named, page_of
from benne.scoring.api.problems import responses
from benne.scoring.api.rights_bodies import (
    CaseBody,
    CaseInFullBody,
    CasesBody,
    ReviewQuestion,
    SeenBody,
    StatisticsBody,
    VerdictBody,
    case_body,
    case_in_full,
    overturn_body,
)
from benne.scoring.reviews.reviewing import ReviewAsked, Verdict
from benne.scoring.reviews.statistics import Period

__all__ = ["Begin", "End", "router"]

router = APIRouter(tags=["reviews"])
From = Annotated[Caller, Depends(caller_of)]
Begin = Annotated[AwareDatetime, Query(alias="from", description="From this moment on.")]
End = Annotated[AwareDatetime, Query(alias="until", description="Up to, but not including, this moment.")]
_USUAL = ("credentials-required", "access-denied", "access-purpose-required")
_CHANGING = (*_USUAL, "review-unknown", "member-erased", "state-changed", "rights-request-not-valid")


@router.get("/v1/reviews", responses=responses(*_USUAL))
def reviews_by_deadline(wanted: Wanted, request: Request, caller: From) -> CasesBody:
    """Reviews, the soonest due first: a member's own, or everybody's for staff."""
    return page_of(service_of(request).reviews.find(wanted, caller.doing), wanted.limit - 1, caller)


@router.post(
    "/v1/reviews",
    status_code=201,
    responses=responses(
        *_USUAL, "decision-unknown", "member-unknown", "member-erased", "state-changed", "rights-request-not-valid"
    ),
)
def ask_for_a_review(question: ReviewQuestion, request: Request, caller: From) -> CaseBody:
    """Have a person look at a decision again who had no part in it."""
    service = service_of(request)
    subject_id = member_named(service, caller, question.member_id)
    asked = ReviewAsked(decision_id=question.decision_id, text=question.text, language=question.language)
    case = service.reviews.request(str(subject_id), asked, caller.doing)
    return case_body(case, to_member=caller.subject_id is not None)


@router.get("/v1/review-statistics", responses=responses("credentials-required", "access-denied",
                                                         "rights-request-not-valid"))  # fmt: skip
def how_often_reviews_overturn(request: Request, _: From, begin: Begin, end: End) -> StatisticsBody:
    """Overturn rates by month, policy version and recipient; none of fewer than twenty reviews."""
    rates = service_of(request).reviews.statistics(Period(begin, end))
    return StatisticsBody(rates=[overturn_body(rate) for rate in rates])


@router.get("/v1/reviews/{review_id}", responses=responses(*_USUAL, "review-unknown"))
def one_review(review_id: OneId, request: Request, caller: From) -> CaseInFullBody:
    """A review with what was said, and what was done with it."""
    found = service_of(request).reviews.read(review_id, caller.doing, caller.subject_id)
    return case_in_full(found.case, found.said, found.timeline, to_member=caller.subject_id is not None)


@router.post(
    "/v1/reviews/{review_id}/decision",
    responses=responses(*_CHANGING, "reviewer-not-independent", "decision-unknown"),
)
def decide_a_review(review_id: OneId, given: VerdictBody, request: Request, caller: From) -> CaseBody:
    """Uphold or overturn a decision; the member is told, and whoever asked for it where it was overturned."""
    verdict = Verdict(outcome=given.outcome, text=given.text, instead=given.instead)
    case = service_of(request).reviews.decide(review_id, given.version, verdict, caller.doing)
    return case_body(case, to_member=False)


@router.post("/v1/reviews/{review_id}/withdrawal", responses=responses(*_CHANGING))
def withdraw_a_review(review_id: OneId, seen: SeenBody, request: Request, caller: From) -> CaseBody:
    """End a review that its member no longer wants."""
    case = service_of(request).reviews.withdraw(review_id, seen.version, caller.subject_id, caller.doing)
    return case_body(case, to_member=caller.subject_id is not None)
