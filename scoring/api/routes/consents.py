"""Consent: what is offered, what a member switched on, their signed copy, and one step to take it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from benne.errors import ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.bodies import (
    Category,
    ConsentBody,
    ConsentChoice,
    ConsentsBody,
    Name,
    OfferBody,
    ReceiptBody,
    WithdrawnBody,
)
from benne.scoring.api.problems import PROBLEMS, Problem, responses
from benne.scoring.consent.plain_values import consent_as_dict
from benne.scoring.consent.terms_file import TermsFile
from benne.scoring.consent.vocabulary import Purpose
from benne.scoring.members.consenting import Choice

__all__ = ["router"]

router = APIRouter(tags=["consents"])
From = Annotated[Caller, Depends(caller_of)]
_USUAL = ("credentials-required", "access-denied", "access-purpose-required")


@router.get("/v1/consent-offers", responses=responses("credentials-required", "access-denied"))
async def what_is_offered(request: Request, _: From) -> list[OfferBody]:
    """What members may consent to, with the very text they must be shown. Every switch is off."""
    return [_offer(name, one) for name, one in service_of(request).terms.items()]


@router.get("/v1/members/{member}/consents", responses=responses(*_USUAL))
def consents_of_a_member(request: Request, caller: From) -> ConsentsBody:
    """Every consent of a member, and what became of it."""
    found = service_of(request).records.consents(caller.member, caller.doing)
    return ConsentsBody(consents=[ConsentBody.model_validate(one) for one in found])


@router.post("/v1/members/{member}/consents", status_code=201, responses=responses(*_USUAL, "consent-not-valid"))
def give_consent(choice: ConsentChoice, request: Request, caller: From) -> ConsentBody:
    """Record what the member switched on. Giving it again takes the place of what they chose before."""
    service = service_of(request)
    given = Choice(
        offer=choice.offer,
        notice_hash=choice.notice_hash,
        categories=tuple(choice.categories),
        channel=choice.channel,
        method=choice.method,
        steps=choice.steps,
        evidence=(caller.principal.id, service.clock().isoformat(), service.ids()),
    )
    record = service.consenting.give(caller.member, given, caller.doing)
    return ConsentBody.model_validate(consent_as_dict(record, ()))


@router.delete("/v1/members/{member}/consents", responses=responses(*_USUAL, "consent-not-valid"))
def withdraw_consent(
    request: Request,
    caller: From,
    purpose: Annotated[Purpose, Query(description="Of the consent.")],
    recipient: Annotated[Name, Query(description="Of the consent.")],
    category: Annotated[list[Category] | None, Query(description="Only these; by default everything.")] = None,
) -> WithdrawnBody:
    """End consent at once: one step, no reason asked. From the next call on nothing of it is used."""
    ended = service_of(request).consenting.withdraw(caller.member, purpose, recipient, category, caller.doing)
    return WithdrawnBody(ended=list(ended))


@router.get("/v1/members/{member}/consents/{record_id}/receipt", responses=responses(*_USUAL, "not-found"))
def receipt_of_a_consent(record_id: str, request: Request, caller: From) -> ReceiptBody:
    """The member's signed copy of a consent."""
    try:
        receipt = service_of(request).consenting.receipt(caller.member, record_id, caller.doing)
    except ConsentRecordError:
        raise Problem(PROBLEMS["not-found"], "The member has no receipt of that record.") from None
    return ReceiptBody(receipt=receipt)


def _offer(name: str, offered: TermsFile) -> OfferBody:
    terms, notice = offered.terms, offered.notice
    return OfferBody(
        offer=name,
        purpose=terms.purpose,
        recipient=terms.recipient,
        controller=terms.controller,
        granularity=terms.granularity,
        reliance=terms.reliance,
        validity_days=terms.validity.days,
        language=notice.language,
        text=notice.text,
        notice_hash=notice.ref.hash,
        switches=dict.fromkeys(CATEGORIES, False),
    )
