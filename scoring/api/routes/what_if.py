"""What members can do about their score, and what changed it: for themselves, or for staff who say what for."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Query, Request

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.problems import FOR_THEMSELVES, PROBLEMS, Problem, of_reason, responses
from benne.scoring.api.what_if_bodies import (
    ActionBody,
    ActionsBody,
    RecourseBody,
    RecourseQuestion,
    ScoreChangeBody,
    WhatIfBody,
    WhatIfQuestion,
    beginning_of,
)
from benne.scoring.decisions.reasons import WHY
from benne.scoring.decisions.request import Refusal
from benne.scoring.members.what_if import DEFAULT_AHEAD
from benne.scoring.service import Service

__all__ = ["router"]

router = APIRouter(tags=["what-if"])
From = Annotated[Caller, Depends(caller_of)]
_USUAL: Final = ("credentials-required", "access-denied", "access-purpose-required", *WHY)

T = TypeVar("T")


@router.get("/v1/members/{member}/what-if", responses=responses(*_USUAL, "what-if-not-possible"))
def actions_of_a_member(
    request: Request,
    caller: From,
    until: Annotated[date | None, Query(description="By default half a year ahead.")] = None,
) -> ActionsBody:
    """Actions that apply to the member until a day, with their limits."""
    service = service_of(request)
    day = beginning_of(until) or service.clock() + DEFAULT_AHEAD
    found = _told(service, service.what_if.actions(caller.member, caller.doing, day))
    return ActionsBody(until=day, actions=[ActionBody.of(action) for action in found])


@router.post("/v1/members/{member}/what-if", responses=responses(*_USUAL, "what-if-not-possible"))
def what_if(question: WhatIfQuestion, request: Request, caller: From) -> WhatIfBody:
    """Scores today, on a day if the member goes on as usual, and on that day with some actions."""
    service = service_of(request)
    day = beginning_of(question.until) or service.clock() + DEFAULT_AHEAD
    actions = [choice.chosen() for choice in question.actions]
    answer = service.what_if.try_actions(caller.member, actions, day, caller.doing)
    return WhatIfBody.of(_told(service, answer))


@router.post("/v1/members/{member}/recourse", responses=responses(*_USUAL, "what-if-not-possible"))
def smallest_change(question: RecourseQuestion, request: Request, caller: From) -> RecourseBody:
    """The smallest set of actions within the member's own reach that reaches a score or band, confirmed by scoring."""
    target = question.score if question.band is None else question.band
    if target is None or (question.score is not None and question.band is not None):
        raise Problem(PROBLEMS["what-if-not-possible"], "Send either a score or a band to reach.")
    service = service_of(request)
    found = service.what_if.recourse(caller.member, target, caller.doing, beginning_of(question.until))
    return RecourseBody.of(_told(service, found))


@router.get("/v1/members/{member}/score-change", responses=responses(*_USUAL, "decision-unknown", "change-not-split"))
def change_of_a_score(
    request: Request,
    caller: From,
    first: Annotated[
        str | None, Query(alias="from", max_length=36, description="By default the decision before the second.")
    ] = None,
    second: Annotated[
        str | None, Query(alias="to", max_length=36, description="By default the newest decision.")
    ] = None,
) -> ScoreChangeBody:
    """Why the score changed between two decisions, in points that add up."""
    service = service_of(request)
    return ScoreChangeBody.of(_told(service, service.what_if.change(caller.member, first, second, caller.doing)))


def _told(service: Service, found: T | Refusal) -> T:
    if isinstance(found, Refusal):
        raise of_reason(found.reason, found.decision_id, service.settings.complaints, more=FOR_THEMSELVES)
    return found
