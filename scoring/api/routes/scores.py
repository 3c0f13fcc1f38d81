"""Scores and benefits: one question or a stream of them, each answered once it is on record."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from benne.errors import AuditError, StoreError
from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.bodies import BenefitBody, EligibilityQuestion, ScoreBody, ScoreQuestion, score_as_dict
from benne.scoring.api.line_stream import NDJSON, LineStream, lines_of
from benne.scoring.api.problems import PROBLEMS, Problem, body_of, invalid, of_reason, of_status, problem_of, responses
from benne.scoring.decisions.idempotency import DOMAIN, idempotency_of
from benne.scoring.decisions.reasons import WHY
from benne.scoring.decisions.request import Refusal, ScoreAnswer, ScoreRequest
from benne.scoring.policy import Asked
from benne.scoring.policy.checking import POLICY_DENY_REASONS
from benne.scoring.service import Service

__all__ = ["answer_question", "router"]

router = APIRouter(tags=["scores"])
_log = logging.getLogger(__name__)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same request sent again under the same key is one decision.",
    ),
]
From = Annotated[Caller, Depends(caller_of)]
_CHUNK: Final = 256  # questions
_STREAMED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One line for each question: `answer` as of `/v1/scores`, or `problem`.",
        "content": {NDJSON: {"schema": {"type": "string"}}},
    }
}


_ASKED: Final = POLICY_DENY_REASONS
"""Refusals of the question itself, whoever it is about."""


@router.post("/v1/scores", response_model=ScoreBody, responses=responses(*WHY, "credentials-required", "access-denied"))
async def ask_for_a_score(question: ScoreQuestion, caller: From, request: Request, key: Key = None) -> JSONResponse:
    """Ask for one member's score. Every answer and every refusal is on record before it is given."""
    return await answer_question(request, caller, question, key)


async def answer_question(
    request: Request, caller: Caller, question: ScoreQuestion, key: str | None = None
) -> JSONResponse:
    """Decide, and answer with the score.

    Raises
    ------
    Problem
        If it is refused.
    """
    service = service_of(request)
    asked = _request(service, caller, question)
    if key is not None:
        secret, sent = service.vault.keyring.derive(DOMAIN), question.model_dump()
        asked = replace(asked, idempotency=idempotency_of(secret, str(caller.principal.recipient), "scores", key, sent))
    answer = await _decided(service, asked)
    if isinstance(answer, Refusal):
        raise of_reason(answer.reason, answer.decision_id, service.settings.complaints)
    return JSONResponse(score_as_dict(answer, _pseudonym(service, caller, asked)))


@router.post(
    "/v1/eligibility", response_model=BenefitBody, responses=responses(*_ASKED, "credentials-required", "access-denied")
)
async def ask_for_a_benefit(question: EligibilityQuestion, caller: From, request: Request) -> BenefitBody:
    """Ask whether a member gets a benefit. Whoever does not, for whatever reason, goes the ordinary way."""
    service = service_of(request)
    benefit = service.policies.benefits.get(question.benefit)
    asked = Asked(
        recipient=caller.principal.recipient,
        purpose=None if benefit is None else benefit.purpose,
        context=question.context,
        reliance=question.reliance,
        benefit=question.benefit,
    )
    answer = await _decided(service, _asking(service, caller, question.member_id, asked))
    if isinstance(answer, Refusal):
        if answer.reason in _ASKED:
            raise of_reason(answer.reason, answer.decision_id, service.settings.complaints)
        return BenefitBody.in_the_ordinary_way(answer.decision_id, question.benefit)
    return BenefitBody.of(answer)


@router.post(
    "/v1/scores:batch",
    responses=responses("credentials-required", "access-denied", "media-type-not-supported") | _STREAMED,
    openapi_extra={"requestBody": {"required": True, "content": {NDJSON: {"schema": {"type": "string"}}}}},
)
async def ask_for_many_scores(caller: From, request: Request) -> LineStream:
    """Ask for many scores: one JSON question a line, one answer or problem a line, in the same order."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != NDJSON:
        raise Problem(PROBLEMS["media-type-not-supported"], f"Send one question a line as {NDJSON}.")
    service = service_of(request)
    return LineStream(_answers(service, caller, lines_of(request.stream(), service.settings.body_limit)))


async def _answers(service: Service, caller: Caller, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    chunk: list[bytes] = []
    last = b""
    try:
        async for line in lines:
            chunk.append(line)
            if len(chunk) == _CHUNK:
                await asyncio.sleep(service.limits.charge(caller.principal, len(chunk)))
                yield await run_in_threadpool(_answer_chunk, service, caller, chunk)
                chunk = []
    except HTTPException as error:  # of the body, whose beginning is answered all the same
        last = json.dumps({"problem": body_of(of_status(error.status_code))}).encode() + b"\n"
    if chunk:
        await asyncio.sleep(service.limits.charge(caller.principal, len(chunk) - 1))  # the request itself was counted
        yield await run_in_threadpool(_answer_chunk, service, caller, chunk)
    yield last


def _answer_chunk(service: Service, caller: Caller, lines: list[bytes]) -> bytes:
    """Answer some questions in one pass; a line that is no question has its own problem and harms no other."""
    answers: list[dict[str, Any] | None] = []
    requests: list[ScoreRequest] = []
    for line in lines:
        try:
            requests.append(_request(service, caller, ScoreQuestion.model_validate_json(line)))
            answers.append(None)
        except ValidationError as error:
            answers.append({"problem": body_of(invalid(error.errors(include_input=False, include_context=False)))})
    decided = iter(_decided_together(service, caller, requests))
    return b"".join(json.dumps(next(decided) if one is None else one).encode() + b"\n" for one in answers)


def _decided_together(service: Service, caller: Caller, requests: list[ScoreRequest]) -> list[dict[str, Any]]:
    try:
        decided = service.maker.decide(requests) if requests else []
    except (StoreError, AuditError) as error:  # nobody's fault; the status of the stream has gone out already
        return [{"problem": body_of(problem_of(error))}] * len(requests)
    except Exception as error:  # noqa: BLE001 - what is wrong with one must not spoil the others
        if len(requests) > 1:
            return [told for one in requests for told in _decided_together(service, caller, [one])]
        _log.error("unexpected %s", type(error).__name__)
        return [{"problem": body_of(problem_of(error))}]
    return [
        {"problem": body_of(of_reason(answer.reason, answer.decision_id, service.settings.complaints))}
        if isinstance(answer, Refusal)
        else {"answer": score_as_dict(answer, _pseudonym(service, caller, asked))}
        for asked, answer in zip(requests, decided, strict=True)
    ]


async def _decided(service: Service, asked: ScoreRequest) -> ScoreAnswer | Refusal:
    async with asyncio.timeout(service.settings.timeout_seconds):
        return await asyncio.wrap_future(service.desk.ask(asked))


def _request(service: Service, caller: Caller, question: ScoreQuestion) -> ScoreRequest:
    asked = Asked(
        recipient=caller.principal.recipient,
        purpose=question.purpose,
        context=question.context,
        reliance=question.reliance,
        granularity=question.granularity,
        threshold=question.threshold,
    )
    return _asking(service, caller, question.member_id, asked)


def _asking(service: Service, caller: Caller, member_id: str, asked: Asked) -> ScoreRequest:
    return ScoreRequest(
        subject_id=service.subject_of(member_id),
        asked=asked,
        actor=caller.actor,
        registered_for=caller.principal.purposes,
    )


def _pseudonym(service: Service, caller: Caller, asked: ScoreRequest) -> str:
    return service.pseudonyms.of(str(caller.principal.recipient), asked.subject_id)
