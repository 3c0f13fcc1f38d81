"""What goes wrong, as problem details (RFC 9457): one table from errors and reasons to status codes.

A problem's ``type`` is a relative address under ``/problems/``, where it is described; its ``title`` and ``detail``
never hold anything about a member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from benne import errors
from benne.scoring.decisions.reasons import WHY

__all__ = [
    "FOR_THEMSELVES",
    "MEDIA_TYPE",
    "PROBLEMS",
    "Problem",
    "ProblemBody",
    "ProblemKind",
    "answer",
    "body_of",
    "install",
    "invalid",
    "of_reason",
    "of_status",
    "problem_of",
    "responses",
]

MEDIA_TYPE: Final = "application/problem+json"
FOR_THEMSELVES: Final = "Here the purpose is own_report and the recipient platform."
"""What a refusal says beside its reason where a member's score is made for themselves: no purpose was sent."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem: its slug, status, and what is said of it."""

    slug: str
    status: int
    title: str


class ProblemBody(BaseModel):
    """Problem details of RFC 9457."""

    type: str = Field(
        description="Address of the description of this kind of problem.", examples=["/problems/consent-required"]
    )
    title: str = Field(description="What kind of problem it is; the same each time.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str | None = Field(default=None, description="What must be done about it.")
    decision_id: str | None = Field(default=None, description="The refusal on record, where there is one.")
    errors: list[dict[str, Any]] | None = Field(
        default=None,
        description="Where a body is wrong: `place`, what it `must` be, and `allowed` where there are only some words.",
    )
    complaint: str | None = Field(default=None, description="Where a refusal can be complained about.")


class Problem(Exception):
    """Ends a request with problem details.

    Parameters
    ----------
    kind : ProblemKind
    detail : str, optional
    decision_id : str, optional
    errors : list of dict, optional
        Where a body is wrong.
    complaint : str, optional
        Where a refusal can be complained about.
    headers : mapping of str to str, optional
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: str | None = None,
        *,
        decision_id: str | None = None,
        errors: list[dict[str, Any]] | None = None,
        complaint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.slug)
        self.kind = kind
        self.detail = detail
        self.decision_id = decision_id
        self.errors = errors
        self.complaint = complaint
        self.headers = dict(headers or {})


_STATUS_OF_REASON: Final[dict[str, int]] = {
    "threshold-missing": 422,
    "threshold-not-allowed": 422,
    "benefit-required": 422,
    "benefit-unknown": 422,
    "idempotency-key-reused": 422,
    "features-missing": 409,
    "features-stale": 409,
    "consent-changed": 409,
    "insufficient-evidence": 409,
    "value-not-scorable": 409,
    "decision-expired": 409,
    "member-erased": 410,
}
"""Reasons that are not a plain 403: the request must change (422), or the state must (409, 410)."""

_OTHERS: Final = (
    ProblemKind("credentials-required", 401, "The request must carry credentials that are known and current."),
    ProblemKind("access-denied", 403, "The credentials do not open this."),
    ProblemKind("access-purpose-required", 403, "A look-up by staff must say what it is for."),
    ProblemKind("not-found", 404, "There is nothing at this address."),
    ProblemKind("member-unknown", 404, "No such member is on record."),
    ProblemKind("decision-unknown", 404, "No such decision is on record."),
    ProblemKind("dispute-unknown", 404, "No such dispute is on record for whoever asks."),
    ProblemKind("review-unknown", 404, "No such review is on record for whoever asks."),
    ProblemKind("notice-unknown", 404, "No such notice is on record for whoever asks."),
    ProblemKind("method-not-allowed", 405, "The address does not take this method."),
    ProblemKind("body-too-slow", 408, "The body did not come in time."),
    ProblemKind("reviewer-not-independent", 403, "Whoever decides a review must have had no part in what it is about."),
    ProblemKind("state-changed", 409, "Somebody else was first, or it has come too far for this; read it again."),
    ProblemKind("deadline-not-extendable", 409, "The place gives no more time, or it was given already."),
    ProblemKind("deadline-passed", 409, "The time in which one may ask for this is over."),
    ProblemKind("proof-not-issued", 409, "What the proof should state is not so, or may not be stated."),
    ProblemKind("what-if-not-possible", 409, "What was asked cannot be tried on what is known of the member."),
    ProblemKind("change-not-split", 409, "The change of score cannot be taken apart from what is still kept."),
    ProblemKind("erasure-held", 409, "A legal hold keeps the member's records until it is lifted."),
    ProblemKind("body-too-large", 413, "The body is larger than the service takes."),
    ProblemKind("media-type-not-supported", 415, "The body must be of another media type."),
    ProblemKind("request-invalid", 422, "The request is not as the interface describes it."),
    ProblemKind("rights-request-not-valid", 422, "A dispute, review or notice cannot be as it was sent."),
    ProblemKind("consent-not-valid", 422, "What was sent is not a consent."),
    ProblemKind("too-many-requests", 429, "More requests came than are allowed; ask again later."),
    ProblemKind("unexpected", 500, "Something unexpected happened; it has been logged."),
    ProblemKind("unavailable", 503, "The service cannot answer now; ask again later."),
)
PROBLEMS: Final[dict[str, ProblemKind]] = {
    **{reason: ProblemKind(reason, _STATUS_OF_REASON.get(reason, 403), why) for reason, why in WHY.items()},
    **{kind.slug: kind for kind in _OTHERS},
}
"""Every kind of problem there is."""

_KIND_OF_ERROR: Final[dict[type[Exception], str]] = {
    errors.AccessDenied: "credentials-required",
    errors.ConsentRecordError: "consent-not-valid",
    errors.ConsentRequired: "consent-required",
    errors.DecisionUnknown: "decision-unknown",
    errors.EngineUnavailable: "unavailable",
    errors.ProofNotIssued: "proof-not-issued",
    errors.WhatIfNotPossible: "what-if-not-possible",
    errors.ChangeNotSplit: "change-not-split",
    errors.UnderLegalHold: "erasure-held",
    errors.RightsError: "rights-request-not-valid",
    errors.CaseUnknown: "member-unknown",
    errors.DisputeUnknown: "dispute-unknown",
    errors.ReviewUnknown: "review-unknown",
    errors.NoticeUnknown: "notice-unknown",
    errors.StateChanged: "state-changed",
    errors.ReviewerNotIndependent: "reviewer-not-independent",
    errors.DeadlineNotExtendable: "deadline-not-extendable",
    errors.DeadlinePassed: "deadline-passed",
    errors.RateExceeded: "too-many-requests",
    errors.ServiceBusy: "unavailable",
    errors.StoreError: "unavailable",
    errors.AuditError: "unavailable",
    errors.ModelError: "unavailable",
    errors.KeyRingError: "unavailable",
    errors.VaultError: "unavailable",
    errors.Erased: "member-erased",
    TimeoutError: "unavailable",
}
"""One table from what went wrong to what is answered; the nearest listed parent of an error counts."""

_SLUG_OF_STATUS: Final = {
    404: "not-found",
    405: "method-not-allowed",
    408: "body-too-slow",
    413: "body-too-large",
    415: "media-type-not-supported",
}

_TOLD: Final = (errors.ConsentRecordError, errors.ConsentRequired, errors.EngineUnavailable, errors.ProofNotIssued,
                errors.RightsError, errors.WhatIfError)  # fmt: skip
"""Errors whose own words may be told: they name fields, never members."""

_WORDS: Final = {"literal_error": "expected", "enum": "expected", "union_tag_invalid": "expected_tags"}
"""Kinds of a body's mistakes where only some words are allowed, and where a validator says which."""


def of_reason(reason: str, decision_id: str | None = None, complaint: str | None = None, *, more: str = "") -> Problem:
    """The problem that a refusal is, where it can be complained about, and what else helps whoever asked."""
    detail = f"{PROBLEMS[reason].title} {more}".rstrip()
    return Problem(PROBLEMS[reason], detail, decision_id=decision_id, complaint=complaint)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem that a status of the framework's own stands for."""
    return Problem(PROBLEMS[_SLUG_OF_STATUS.get(status, "request-invalid")], headers=headers)


def responses(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """Responses of a route for OpenAPI, besides those of every route, by status."""
    by_status: dict[int, list[ProblemKind]] = {}
    for slug in (*slugs, "too-many-requests", "body-too-large", "body-too-slow", "unavailable", "unexpected"):
        by_status.setdefault(PROBLEMS[slug].status, []).append(PROBLEMS[slug])
    return {
        status: {
            "description": "; ".join(f"`{kind.slug}`" for kind in kinds),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status, kinds in sorted(by_status.items())
    }


def install(app: FastAPI) -> None:
    """Answer every failure of an application with problem details."""
    app.add_exception_handler(Problem, _answer_error)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    for error in _KIND_OF_ERROR:
        app.add_exception_handler(error, _answer_error)


def body_of(problem: Problem) -> dict[str, Any]:
    """Problem details as JSON takes them."""
    kind = problem.kind
    body: dict[str, Any] = {"type": f"/problems/{kind.slug}", "title": kind.title, "status": kind.status}
    if problem.detail is not None:
        body["detail"] = problem.detail
    if problem.decision_id is not None:
        body["decision_id"] = problem.decision_id
    if problem.complaint is not None:
        body["complaint"] = problem.complaint
    if problem.errors is not None:
        body["errors"] = problem.errors
    return body


def answer(problem: Problem) -> JSONResponse:
    """Problem details as a response."""
    headers = dict(problem.headers)
    if problem.kind.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if problem.kind.status in (429, 503):
        headers.setdefault("Retry-After", "1")
    return JSONResponse(body_of(problem), problem.kind.status, headers, MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """The problem that an error of Benne's is; what is not listed is unexpected."""
    if isinstance(error, Problem):
        return error
    slug = next((_KIND_OF_ERROR[parent] for parent in type(error).__mro__ if parent in _KIND_OF_ERROR), "unexpected")
    return Problem(PROBLEMS[slug], str(error) if isinstance(error, _TOLD) else None)


def invalid(found: Sequence[Any]) -> Problem:
    """The problem of a body, by place: never the input itself, nor a validator's context, which may hold a member's."""
    places = [
        {"place": _place(one["loc"], str(one["type"])), "must": str(one["type"])} | _allowed(one) for one in found
    ]
    detail = "See `errors` for each place; what was sent is not repeated."
    if any(one["place"] == ["body"] for one in places):
        detail = f"The body must be a JSON object, sent as application/json. {detail}"
    return Problem(PROBLEMS["request-invalid"], detail, errors=places)


def _allowed(one: Mapping[str, Any]) -> dict[str, str]:
    """Which words there are, where there are only some: they are the interface's, and none of the sender's."""
    name = _WORDS.get(str(one["type"]))
    return {} if name is None or name not in one.get("ctx", {}) else {"allowed": str(one["ctx"][name])}


def _place(parts: Sequence[Any], kind: str) -> list[str]:
    """Where something is wrong; a name that nobody asked for is as much of the sender's own as a value."""
    return [str(part) for part in (parts[:-1] if kind == "extra_forbidden" else parts)]


async def _answer_error(_: Request, error: Exception) -> JSONResponse:
    return answer(problem_of(error))


async def _answer_http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return answer(of_status(status, headers))


async def _answer_invalid(_: Request, error: Exception) -> JSONResponse:
    return answer(invalid(error.errors() if isinstance(error, RequestValidationError) else ()))
