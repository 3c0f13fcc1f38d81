"""Disputes: opened by members, looked into and answered by staff, seen by both."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.bodies import MemberId
from benne.scoring.api.problems import PROBLEMS, Problem, responses
from benne.scoring.api.rights_bodies import (
    ID,
    AnswerBody,
    CaseBody,
    CaseInFullBody,
    CasesBody,
    DisputeQuestion,
    ReasonBody,
    SeenBody,
    StatementBody,
    case_body,
    case_in_full,
)
from benne.scoring.disputes.dispute import Answer, Disputed
from benne.scoring.rights.case import CaseState, RightsCase
from benne.scoring.rights.rows import CaseQuery
from benne.scoring.service import Service

__all__ = [
    "After",
    "Limit",
    "OfMember",
    "OneId",
    "OnlyOpen",
    "Overdue",
    "States",
    "member_named",
    "page_of",
    "query_of",
    "router",
]

router = APIRouter(tags=["disputes"])
From = Annotated[Caller, Depends(caller_of)]
OneId = Annotated[str, Path(pattern=ID)]
After = Annotated[str | None, Query(pattern=ID, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]
States = Annotated[list[CaseState] | None, Query(description="Only these; by default all.")]
OnlyOpen = Annotated[bool, Query(description="Only those with something left to do.")]
Overdue = Annotated[bool, Query(description="Only those that have passed their deadline.")]
OfMember = Annotated[MemberId | None, Query(description="For staff: only this member's.")]
_USUAL = ("credentials-required", "access-denied", "access-purpose-required")
_CHANGING = (*_USUAL, "dispute-unknown", "member-erased", "state-changed", "rights-request-not-valid")


@router.get("/v1/disputes", responses=responses(*_USUAL))
def disputes_by_deadline(
    request: Request,
    caller: From,
    state: States = None,
    only_open: OnlyOpen = False,
    overdue: Overdue = False,
    member_id: OfMember = None,
    after: After = None,
    limit: Limit = 50,
) -> CasesBody:
    """Disputes, the soonest due first: a member's own, or everybody's for staff."""
    service = service_of(request)
    subject_id = member_named(service, caller, member_id, required=False)
    query = query_of(service, state, only_open, overdue, subject_id, after, limit)
    return page_of(service.disputes.find(query, caller.doing), limit, caller)


@router.post(
    "/v1/disputes",
    status_code=201,
    responses=responses(*_USUAL, "decision-unknown", "member-unknown", "member-erased", "rights-request-not-valid"),
)
def dispute_something(question: DisputeQuestion, request: Request, caller: From) -> CaseBody:
    """Dispute a decision, a value of an explanation, an adverse item or other data; it is flagged at once."""
    service = service_of(request)
    disputed = Disputed(
        topic=question.topic,
        text=question.text,
        decision_id=question.decision_id,
        feature=question.feature,
        language=question.language,
    )
    subject_id = member_named(service, caller, question.member_id)
    return _shown(service.disputes.open(str(subject_id), disputed, caller.doing), caller)


@router.get("/v1/disputes/{dispute_id}", responses=responses(*_USUAL, "dispute-unknown"))
def one_dispute(dispute_id: OneId, request: Request, caller: From) -> CaseInFullBody:
    """A dispute with what was said, and what was done with it."""
    found = service_of(request).disputes.read(dispute_id, caller.doing, caller.subject_id)
    return case_in_full(found.case, found.said, found.timeline, to_member=caller.subject_id is not None)


@router.post("/v1/disputes/{dispute_id}/look-into", responses=responses(*_CHANGING))
def look_into_a_dispute(dispute_id: OneId, seen: SeenBody, request: Request, caller: From) -> CaseBody:
    """Take a dispute; whoever does is its handler."""
    return _shown(service_of(request).disputes.look_into(dispute_id, seen.version, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/answer", responses=responses(*_CHANGING))
def answer_a_dispute(dispute_id: OneId, given: AnswerBody, request: Request, caller: From) -> CaseBody:
    """Answer in writing. What is corrected is scored anew, and whoever had an earlier score is told."""
    rows: Any = given.rows
    answer = Answer(outcome=given.outcome, text=given.text, rows=rows)
    return _shown(service_of(request).disputes.answer(dispute_id, given.version, answer, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/extension", responses=responses(*_CHANGING, "deadline-not-extendable"))
def take_more_time(dispute_id: OneId, given: ReasonBody, request: Request, caller: From) -> CaseBody:
    """Take more time, once, where the place gives it; the member is told why."""
    return _shown(service_of(request).disputes.extend(dispute_id, given.version, given.text, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/statement", responses=responses(*_CHANGING))
def add_a_statement(dispute_id: OneId, given: StatementBody, request: Request, caller: From) -> CaseBody:
    """Add the member's own statement, in place of an earlier one."""
    changed = service_of(request).disputes.state(
        dispute_id, given.version, given.text, travels=given.travels, subject_id=caller.subject_id, doing=caller.doing
    )
    return _shown(changed, caller)


@router.post("/v1/disputes/{dispute_id}/withdrawal", responses=responses(*_CHANGING))
def withdraw_a_dispute(dispute_id: OneId, seen: SeenBody, request: Request, caller: From) -> CaseBody:
    """End a dispute that its member no longer keeps up."""
    disputes = service_of(request).disputes
    return _shown(disputes.withdraw(dispute_id, seen.version, caller.subject_id, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/closing", responses=responses(*_CHANGING))
def close_a_dispute(dispute_id: OneId, seen: SeenBody, request: Request, caller: From) -> CaseBody:
    """Put away a dispute that was answered."""
    return _shown(service_of(request).disputes.close(dispute_id, seen.version, caller.doing), caller)


def member_named(service: Service, caller: Caller, member_id: str | None, *, required: bool = True) -> str | None:
    """Subject id of whom a request is about: members themselves, for staff whom they name.

    Raises
    ------
    Problem
        ``access-denied`` where a member names somebody else, ``member-unknown`` where staff name nobody and must.
    """
    named = None if member_id is None else service.subject_of(member_id)
    if caller.subject_id is not None:
        if named not in (None, caller.subject_id):
            raise Problem(PROBLEMS["access-denied"])
        return caller.subject_id
    if named is None and required:
        raise Problem(PROBLEMS["member-unknown"], "Staff say in member_id on whose behalf they ask.")
    return named


def query_of(
    service: Service,
    states: list[CaseState] | None,
    only_open: bool,
    overdue: bool,
    subject_id: str | None,
    after: str | None,
    limit: int,
) -> CaseQuery:
    """What a list is asked for; one more than a page, to know whether there is another."""
    return CaseQuery(
        states=states or (),
        only_open=only_open or overdue,
        due_before_us=service.rights.deadlines.now_us() if overdue else None,
        subject_id=subject_id,
        after=after,
        limit=limit + 1,
    )


def page_of(found: list[RightsCase], limit: int, caller: Caller) -> CasesBody:
    """A page of cases, and where the next one begins."""
    shown = found[:limit]
    return CasesBody(
        cases=[_shown(case, caller) for case in shown], next=shown[-1].case_id if len(found) > limit else None
    )


def _shown(case: RightsCase, caller: Caller) -> CaseBody:
    return case_body(case, to_member=caller.subject_id is not None)
