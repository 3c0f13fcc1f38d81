"""One member's score, records, proofs and erasure: for themselves, or for staff who say what for."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from benne.explain.texts import Language
from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.bodies import (
    ErasureBody,
    ExplanationBody,
    ExportBody,
    HistoryBody,
    ProofBody,
    ProofQuestion,
    ReportBody,
    ScoreBody,
    score_as_dict,
)
from benne.scoring.api.problems import FOR_THEMSELVES, of_reason, responses
from benne.scoring.decisions.reasons import WHY
from benne.scoring.decisions.request import Refusal
from benne.scoring.members.proving import SELF
from benne.scoring.proof.statement import ProofAsked

__all__ = ["router"]

router = APIRouter(tags=["members"])
From = Annotated[Caller, Depends(caller_of)]
_USUAL = ("credentials-required", "access-denied", "access-purpose-required")
_AS_TEXT_TOO: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The explanation.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.post("/v1/members/{member}/score", response_model=ScoreBody, responses=responses(*_USUAL, *WHY))
def own_score(request: Request, caller: From) -> JSONResponse:
    """The member's own score as of now, under their consent to have it made for themselves."""
    service = service_of(request)
    answer = service.proving.own_score(caller.member, caller.doing)
    if isinstance(answer, Refusal):
        raise of_reason(answer.reason, answer.decision_id, service.settings.complaints, more=FOR_THEMSELVES)
    return JSONResponse(score_as_dict(answer, service.pseudonyms.of(SELF, caller.member)))


@router.get(
    "/v1/members/{member}/explanation",
    response_model=ExplanationBody,
    responses={**responses(*_USUAL, "decision-unknown"), **_AS_TEXT_TOO},
)
def explanation_of_a_score(
    request: Request,
    caller: From,
    decision_id: Annotated[str | None, Query(max_length=36, description="By default the newest decision.")] = None,
    language: Annotated[Language, Query(description="The language of its sentences.")] = "en",
    format: Annotated[Literal["json", "text"] | None, Query(description="By default as `Accept` says.")] = None,
) -> ExplanationBody | PlainTextResponse:
    """What a score was made of, in points that add up, made again from what was scored."""
    found, said = service_of(request).explanations.explain(caller.member, caller.doing, decision_id, language)
    if format == "text" or (format is None and _wants_text(request.headers.get("accept", ""))):
        return PlainTextResponse(said.as_text())
    return ExplanationBody(decision_id=found, explanation=said.as_dict())


@router.get("/v1/members/{member}/history", responses=responses(*_USUAL))
def history_of_a_member(
    request: Request,
    caller: From,
    after: Annotated[str | None, Query(max_length=36, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HistoryBody:
    """Decisions that were answered, newest first, a page at a time."""
    page = service_of(request).records.history(caller.member, caller.doing, after=after, limit=limit)
    return HistoryBody(decisions=page.decisions, next=page.next)


@router.get("/v1/members/{member}/report", responses=responses(*_USUAL))
def report_of_a_member(request: Request, caller: From) -> ReportBody:
    """What there is about a member, by kind, and who received what."""
    return ReportBody.model_validate(service_of(request).records.report(caller.member, caller.doing))


@router.get("/v1/members/{member}/export", responses=responses(*_USUAL))
def export_of_a_member(request: Request, caller: From) -> ExportBody:
    """Everything that is held about a member, in full, to take elsewhere."""
    return ExportBody.model_validate(service_of(request).records.export(caller.member, caller.doing))


@router.post("/v1/members/{member}/proofs", status_code=201, responses=responses(*_USUAL, *WHY, "proof-not-issued"))
def proof_for_somebody(question: ProofQuestion, request: Request, caller: From) -> ProofBody:
    """A signed statement about the member's score for a recipient Benne never met; nothing else is in it."""
    asked = ProofAsked(
        kind=question.kind,
        mark=question.mark,
        audience=question.audience,
        nonce=question.nonce,
        purpose=question.purpose,
        lifetime=timedelta(minutes=question.minutes),
    )
    service = service_of(request)
    proof = service.proving.prove(caller.member, asked, caller.doing)
    if isinstance(proof, Refusal):
        raise of_reason(proof.reason, proof.decision_id, service.settings.complaints, more=FOR_THEMSELVES)
    return ProofBody(proof=proof)


@router.delete("/v1/members/{member}", status_code=202, responses=responses(*_USUAL, "erasure-held"))
def erase_a_member(request: Request, caller: From) -> ErasureBody:
    """Erase a member: their consents end and their key is destroyed at once; the bytes go with the next compaction."""
    return ErasureBody(erasure_id=service_of(request).erase(caller.member, caller.actor), status="key_destroyed")


def _wants_text(accept: str) -> bool:
    """Whether plain text is asked for, and JSON is not."""
    kinds = {part.partition(";")[0].strip() for part in accept.split(",")}
    return "text/plain" in kinds and not kinds & {"application/json", "*/*"}
