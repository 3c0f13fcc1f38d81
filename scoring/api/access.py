"""The authorisation table: who may use which route, and on whose behalf.

Deny by default: a route that is not in the table is not served, and a role that is not named may not use it. The tests
walk every route with every role and ownership.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from benne.scoring.access.principal import Principal
from benne.scoring.api.authentication import authenticate
from benne.scoring.api.problems import PROBLEMS, Problem
from benne.scoring.decisions.request import Actor
from benne.scoring.members.recording import Doing
from benne.scoring.service import Service

__all__ = ["ACCESS", "Caller", "Ownership", "Roles", "caller_of", "service_of"]

Ownership = Literal["as_recipient", "own", "themselves", "with_purpose", "all"]
"""``as_recipient``: for the recipient the credentials are of. ``own``: a member's own data. ``themselves``: the same
where the path names no member: the one the credentials are of, and what they may see is theirs. ``with_purpose``:
anybody's, on record, for a purpose stated in the header ``Benne-Access-Purpose``. ``all``: not about any member."""

Roles = dict[str, Ownership]
_SELF: Final[Roles] = {"member": "own", "compliance": "with_purpose"}
_THEMSELVES: Final[Roles] = {"member": "themselves", "compliance": "with_purpose"}
_STAFF: Final[Roles] = {"compliance": "with_purpose"}
_GOVERNS: Final[Roles] = dict.fromkeys(("compliance", "admin", "data_scientist"), "all")
_ANY_ROLE: Final[Roles] = dict.fromkeys(("recipient", "member", "compliance", "data_scientist", "admin"), "all")

ACCESS: Final[dict[tuple[str, str], Roles | None]] = {
    ("POST", "/v1/scores"): {"recipient": "as_recipient"},
    ("POST", "/v1/scores:batch"): {"recipient": "as_recipient"},
    ("POST", "/v1/eligibility"): {"recipient": "as_recipient"},
    ("GET", "/v1/consent-offers"): _ANY_ROLE,
    ("GET", "/v1/members/{member}/consents"): _SELF,
    ("POST", "/v1/members/{member}/consents"): {"member": "own"},
    ("DELETE", "/v1/members/{member}/consents"): _SELF,
    ("GET", "/v1/members/{member}/consents/{record_id}/receipt"): _SELF,
    ("POST", "/v1/members/{member}/score"): {"member": "own"},
    ("GET", "/v1/members/{member}/explanation"): _SELF,
    ("GET", "/v1/members/{member}/history"): _SELF,
    ("GET", "/v1/members/{member}/report"): _SELF,
    ("GET", "/v1/members/{member}/report.html"): _SELF,
    ("GET", "/v1/members/{member}/report.pdf"): _SELF,
    ("GET", "/v1/members/{member}/export"): _SELF,
    ("GET", "/v1/members/{member}/what-if"): _SELF,
    ("POST", "/v1/members/{member}/what-if"): _SELF,
    ("POST", "/v1/members/{member}/recourse"): _SELF,
    ("GET", "/v1/members/{member}/score-change"): _SELF,
    ("POST", "/v1/members/{member}/proofs"): {"member": "own"},
    ("DELETE", "/v1/members/{member}"): _SELF,
    ("GET", "/v1/disputes"): _THEMSELVES,
    ("POST", "/v1/disputes"): _THEMSELVES,
    ("GET", "/v1/disputes/{dispute_id}"): _THEMSELVES,
    ("POST", "/v1/disputes/{dispute_id}/look-into"): _STAFF,
    ("POST", "/v1/disputes/{dispute_id}/answer"): _STAFF,
    ("POST", "/v1/disputes/{dispute_id}/extension"): _STAFF,
    ("POST", "/v1/disputes/{dispute_id}/statement"): _THEMSELVES,
    ("POST", "/v1/disputes/{dispute_id}/withdrawal"): _THEMSELVES,
    ("POST", "/v1/disputes/{dispute_id}/closing"): _STAFF,
    ("GET", "/v1/reviews"): _THEMSELVES,
    ("POST", "/v1/reviews"): _THEMSELVES,
    ("GET", "/v1/reviews/{review_id}"): _THEMSELVES,
    ("POST", "/v1/reviews/{review_id}/decision"): _STAFF,
    ("POST", "/v1/reviews/{review_id}/withdrawal"): _THEMSELVES,
    ("GET", "/v1/review-statistics"): {"compliance": "all", "admin": "all"},
    ("GET", "/v1/notices"): {"recipient": "as_recipient", **_THEMSELVES},
    ("POST", "/v1/notices"): {"recipient": "as_recipient", **_THEMSELVES},
    ("GET", "/v1/notices/{notice_id}"): {"recipient": "as_recipient", **_THEMSELVES},
    ("POST", "/v1/notices/{notice_id}/delivery"): _STAFF,
    ("GET", "/v1/duties"): _STAFF,
    ("POST", "/v1/duties/{case_id}/notice"): _STAFF,
    ("GET", "/v1/transparency"): {"compliance": "all", "admin": "all"},
    ("GET", "/v1/decisions/{decision_id}/replay"): {"compliance": "with_purpose"},
    ("GET", "/v1/audit/verify"): {"compliance": "all", "admin": "all"},
    ("GET", "/v1/models/current"): _ANY_ROLE,
    ("GET", "/v1/models/current/filings"): _GOVERNS,
    ("GET", "/v1/monitoring"): _GOVERNS,
    ("GET", "/v1/policies"): _ANY_ROLE,
    ("GET", "/.well-known/jwks.json"): None,
    ("GET", "/problems/{slug}"): None,
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/metrics"): None,
    ("GET", "/openapi.json"): None,
}
"""Roles of each route, with what they may see; None where no credentials are asked for and no member is concerned."""

_PURPOSE_HEADER: Final = "benne-access-purpose"
_PURPOSE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{2,63}")
_MYSELF: Final = "me"
_ZERO: Final = "\x00"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and about whom.

    Attributes
    ----------
    principal : Principal
    subject_id : str or None
        The member of the path, or a member who asks where it names none; left out of the ``repr``.
    access_purpose : str or None
        What a look-up by staff is for.
    """

    principal: Principal
    subject_id: str | None = field(default=None, repr=False)
    access_purpose: str | None = None

    @property
    def member(self) -> str:
        """The member of the path.

        Raises
        ------
        Problem
            If the path has none.
        """
        if self.subject_id is None:
            raise Problem(PROBLEMS["member-unknown"])
        return self.subject_id

    @property
    def actor(self) -> Actor:
        """As the audit chain names them; a member is known there by the id of their credentials."""
        return Actor(self.principal.id, self.principal.role)

    @property
    def doing(self) -> Doing:
        """Who does something with the member's data, and for what."""
        return Doing(self.actor, self.access_purpose)


def service_of(request: Request) -> Service:
    """What the application serves with."""
    service: Service = request.app.state.service
    return service


async def caller_of(request: Request) -> Caller:
    """Authenticate, and let through who may use this route for this member.

    Raises
    ------
    Problem
        ``credentials-required``, ``access-denied``, ``access-purpose-required``, ``request-invalid``.
    """
    service = service_of(request)
    principal = await authenticate(request, service)
    await _refuse_what_is_not_described(request)
    roles = ACCESS.get((request.method, request.scope["route"].path)) or {}
    ownership = roles.get(principal.role)
    if ownership is None:
        raise Problem(PROBLEMS["access-denied"])
    service.limits.take(principal)
    raw = request.path_params.get("member")
    subject_id = None if raw is None else await run_in_threadpool(_subject_of, raw, principal, service)
    if ownership == "themselves":
        subject_id = principal.subject_id
    if ownership == "own" and (subject_id is None or not principal.is_member(subject_id)):
        raise Problem(PROBLEMS["access-denied"])
    purpose = request.headers.get(_PURPOSE_HEADER)
    stated = purpose is not None and _PURPOSE.fullmatch(purpose) is not None
    if not stated and (ownership == "with_purpose" or purpose is not None):
        raise Problem(
            PROBLEMS["access-purpose-required"],
            "Send the header Benne-Access-Purpose with a short name such as dispute:4711.",
        )
    return Caller(principal, subject_id, purpose if ownership == "with_purpose" else None)


async def _refuse_what_is_not_described(request: Request) -> None:
    """A misspelt filter must not read as none at all; and PostgreSQL takes no text with a zero character."""
    if any(_ZERO in str(value) for value in (*request.path_params.values(), *request.query_params.values())):
        raise Problem(PROBLEMS["request-invalid"], "An address must hold no zero character.")
    if not request.scope["query_string"]:
        return
    described = (await run_in_threadpool(request.app.openapi))["paths"][request.scope["route"].path][
        request.method.lower()
    ]
    known = {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}
    if not known.issuperset(request.query_params):
        raise Problem(
            PROBLEMS["request-invalid"],
            f"A request may have these after the question mark: {', '.join(sorted(known)) or 'nothing'}.",
        )


def _subject_of(raw: str, principal: Principal, service: Service) -> str:
    if raw == _MYSELF and principal.subject_id is not None:
        return principal.subject_id
    return service.subject_of(raw)
