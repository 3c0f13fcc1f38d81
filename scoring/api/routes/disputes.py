"""Disputes: opened by members, looked into and answered by staff, seen by both."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.cases import OneId, Wanted, member_named, page_of, shown
from benne.scoring.api.problems import responses
from benne.scoring.api.rights_bodies import (
    AnswerBody,
    CaseBody,
    CaseInFullBody,
    CasesBody,
    DisputeQuestion,
    ReasonBody,
    SeenBody,
    StatementBody,
    case_in_full,
)
from benne.scoring.disputes.dispute import Answer, Disputed

__all__ = ["router"]

router = APIRouter(tags=["disputes"])
From = Annotated[Caller, Depends(caller_of)]
_USUAL = ("credentials-required", "access-denied", "access-purpose-required")
_CHANGING = (*_USUAL, "dispute-unknown", "member-erased", "state-changed", "rights-request-not-valid")


@router.get("/v1/disputes", responses=responses(*_USUAL))
def disputes_by_deadline(wanted: Wanted, request: Request, caller: From) -> CasesBody:
    """Disputes, the soonest due first: a member's own, or everybody's for staff."""
    return page_of(service_of(request).disputes.find(wanted, caller.doing), wanted.limit - 1, caller)


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
    return shown(service.disputes.open(str(subject_id), disputed, caller.doing), caller)


@router.get("/v1/disputes/{dispute_id}", responses=responses(*_USUAL, "dispute-unknown"))
def one_dispute(dispute_id: OneId, request: Request, caller: From) -> CaseInFullBody:
    """A dispute with what was said, and what was done with it."""
    found = service_of(request).disputes.read(dispute_id, caller.doing, caller.subject_id)
    return case_in_full(found.case, found.said, found.timeline, to_member=caller.subject_id is not None)


@router.post("/v1/disputes/{dispute_id}/look-into", responses=responses(*_CHANGING))
def look_into_a_dispute(dispute_id: OneId, seen: SeenBody, request: Request, caller: From) -> CaseBody:
    """Take a dispute; whoever does is its handler."""
    return shown(service_of(request).disputes.look_into(dispute_id, seen.version, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/answer", responses=responses(*_CHANGING))
def answer_a_dispute(dispute_id: OneId, given: AnswerBody, request: Request, caller: From) -> CaseBody:
    """Answer in writing. What is corrected is scored anew, and whoever had an earlier score is told."""
    rows: Any = given.rows
    answer = Answer(outcome=given.outcome, text=given.text, rows=rows)
    return shown(service_of(request).disputes.answer(dispute_id, given.version, answer, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/extension", responses=responses(*_CHANGING, "deadline-not-extendable"))
def take_more_time(dispute_id: OneId, given: ReasonBody, request: Request, caller: From) -> CaseBody:
    """Take more time, once, where the place gives it; the member is told why."""
    return shown(service_of(request).disputes.extend(dispute_id, given.version, given.text, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/statement", responses=responses(*_CHANGING))
def add_a_statement(dispute_id: OneId, given: StatementBody, request: Request, caller: From) -> CaseBody:
    """Add the member's own statement, in place of an earlier one."""
    changed = service_of(request).disputes.state(
        dispute_id, given.version, given.text, travels=given.travels, subject_id=caller.subject_id, doing=caller.doing
    )
    return shown(changed, caller)


@router.post("/v1/disputes/{dispute_id}/withdrawal", responses=responses(*_CHANGING))
def withdraw_a_dispute(dispute_id: OneId, seen: SeenBody, request: Request, caller: From) -> CaseBody:
    """End a dispute that its member no longer keeps up."""
    disputes = service_of(request).disputes
    return shown(disputes.withdraw(dispute_id, seen.version, caller.subject_id, caller.doing), caller)


@router.post("/v1/disputes/{dispute_id}/closing", responses=responses(*_CHANGING))
def close_a_dispute(dispute_id: OneId, seen: SeenBody, request: Request, caller: From) -> CaseBody:
    """Put away a dispute that was answered."""
    return shown(service_of(request).disputes.close(dispute_id, seen.version, caller.doing), caller)
