"""Notices: what members and recipients are told, what is owed to whom by when, and what laws compelled."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.cases import After, Limit, OfMember, OneId, Overdue, member_named, page_of
from benne.scoring.api.problems import PROBLEMS, Problem, responses
from benne.scoring.api.rights_bodies import (
    ID,
    AboutDecisionQuestion,
    AdverseActionQuestion,
    AutomatedProcessingQuestion,
    CasesBody,
    DeliveryBody,
    DisclosureQuestion,
    FulfilBody,
    NoticeBody,
    NoticeQuestion,
    NoticesBody,
    OwedNoticeBody,
    PriorNoticeQuestion,
    TransparencyBody,
    WithholdingQuestion,
    case_body,
)
from benne.scoring.api.routes.reviews import Begin, End
from benne.scoring.notices.asked_notices import AdverseAction, CompelledDisclosure, PriorItem, Withheld
from benne.scoring.notices.kinds import NoticeKind
from benne.scoring.notices.notice import DeliveryState, Notice
from benne.scoring.notices.owing import OwedNotice
from benne.scoring.reviews.statistics import Period
from benne.scoring.rights.case import CaseKind
from benne.scoring.rights.rows import CaseQuery
from benne.scoring.service import Service

__all__ = ["router"]

router = APIRouter(tags=["notices"])
From = Annotated[Caller, Depends(caller_of)]
_USUAL = ("credentials-required", "access-denied", "access-purpose-required")
_ASKING = (
    *_USUAL, "decision-unknown", "member-unknown", "member-erased", "state-changed", "deadline-passed",
    "rights-request-not-valid", "consent-not-valid",
)  # fmt: skip
_MEMBERS_OWN = (AboutDecisionQuestion,)


@router.get("/v1/notices", responses=responses(*_USUAL))
def notices_newest_first(
    request: Request,
    caller: From,
    kind: Annotated[NoticeKind | None, Query(description="Only of this kind.")] = None,
    delivery: Annotated[DeliveryState | None, Query(description="Only those that have come this far.")] = None,
    decision_id: Annotated[str | None, Query(pattern=ID, description="Only about this decision.")] = None,
    member_id: OfMember = None,
    after: After = None,
    limit: Limit = 50,
) -> NoticesBody:
    """Notices to a member, to a recipient, or to everybody for staff; without what they say."""
    service = service_of(request)
    recipient = caller.principal.recipient
    found = service.notices.find(
        caller.doing, subject_id=None if recipient else _to_member(service, caller, member_id), recipient=recipient,
        kind=kind, delivery=delivery, decision_id=decision_id, after=after, limit=limit + 1,
    )  # fmt: skip
    shown = found[:limit]
    return NoticesBody(
        notices=[_seen(one, caller) for one in shown], next=shown[-1].notice_id if len(found) > limit else None
    )


@router.post("/v1/notices", status_code=201, responses=responses(*_ASKING))
def ask_for_a_notice(question: NoticeQuestion, request: Request, caller: From) -> OwedNoticeBody:
    """Have somebody told: recipients report adverse actions, members ask for reasons or their score, staff the rest."""
    service, recipient = service_of(request), caller.principal.recipient
    if isinstance(question, AdverseActionQuestion):
        return _adverse_action(service, caller, question)
    if recipient is not None or (caller.subject_id is not None and not isinstance(question, _MEMBERS_OWN)):
        raise Problem(PROBLEMS["access-denied"])
    subject_id = str(member_named(service, caller, question.member_id))
    if isinstance(question, AboutDecisionQuestion):
        return _about_a_decision(service, caller, subject_id, question)
    if isinstance(question, PriorNoticeQuestion):
        return _prior_notice(service, caller, subject_id, question)
    if isinstance(question, AutomatedProcessingQuestion):
        told = service.notices.announce_scoring(subject_id, question.consent_id, question.language, caller.doing)
    elif isinstance(question, WithholdingQuestion):
        withheld = Withheld(
            decision_id=question.decision_id, part=question.part, text=question.text, language=question.language
        )
        told = service.notices.withhold(subject_id, withheld, caller.doing)
    else:
        told = service.rights.disclosures.record(subject_id, _disclosure(question), caller.doing)
    return OwedNoticeBody(notice=_body(told), case=None)


@router.get("/v1/notices/{notice_id}", responses=responses(*_USUAL, "notice-unknown", "member-erased"))
def one_notice(notice_id: OneId, request: Request, caller: From) -> NoticeBody:
    """A notice with what it says; read by whom it is to, it is delivered."""
    notices, recipient = service_of(request).notices, caller.principal.recipient
    return _seen(notices.read(notice_id, caller.doing, subject_id=caller.subject_id, recipient=recipient), caller)


@router.post(
    "/v1/notices/{notice_id}/delivery",
    responses=responses(*_USUAL, "notice-unknown", "member-erased", "state-changed", "rights-request-not-valid"),
)
def delivery_of_a_notice(notice_id: OneId, given: DeliveryBody, request: Request, caller: From) -> NoticeBody:
    """A notice was delivered in some other way, or could not be."""
    return _body(service_of(request).notices.deliver(notice_id, given.state, given.channel, caller.doing))


@router.get("/v1/duties", responses=responses(*_USUAL))
def everything_by_deadline(
    request: Request,
    caller: From,
    kind: Annotated[list[CaseKind] | None, Query(description="Only these; by default all.")] = None,
    overdue: Overdue = False,
    after: After = None,
    limit: Limit = 50,
) -> CasesBody:
    """Everything with something left to do, the soonest due first; what is overdue has been escalated."""
    service = service_of(request)
    deadlines = service.rights.deadlines
    query = CaseQuery(
        kinds=kind or (), only_open=True, due_before_us=deadlines.now_us() if overdue else None, after=after,
        limit=limit + 1,
    )  # fmt: skip
    return page_of(deadlines.looked_up(query, caller.doing), limit, caller)


@router.post(
    "/v1/duties/{case_id}/notice",
    responses=responses(
        *_USUAL, "notice-unknown", "member-erased", "state-changed", "decision-unknown", "rights-request-not-valid"
    ),
)
def issue_an_owed_notice(case_id: OneId, given: FulfilBody, request: Request, caller: From) -> OwedNoticeBody:
    """Issue a notice that is owed and could not be issued by itself."""
    owed = service_of(request).rights.owed_notices
    return _owed(owed.fulfil(case_id, given.version, tuple(given.own_reasons), caller.doing), caller)


@router.get("/v1/transparency", responses=responses("credentials-required", "access-denied",
                                                    "rights-request-not-valid"))  # fmt: skip
def compelled_disclosures_counted(request: Request, _: From, begin: Begin, end: End) -> TransparencyBody:
    """Disclosures that laws compelled in a period, by legal basis, as they may be published."""
    found = service_of(request).rights.disclosures.transparency(Period(begin, end))
    return TransparencyBody(disclosures=found.disclosures, by_basis=found.by_basis, barred=found.barred)


def _adverse_action(service: Service, caller: Caller, question: AdverseActionQuestion) -> OwedNoticeBody:
    action = AdverseAction(
        decision_id=question.decision_id, action_taken=question.action_taken, counter_offer=question.counter_offer,
        own_reasons=tuple(question.own_reasons), language=question.language,
    )  # fmt: skip
    if caller.subject_id is not None:
        raise Problem(PROBLEMS["access-denied"])
    return _owed(service.rights.owed_notices.report_action(caller.principal.recipient, action, caller.doing), caller)


def _about_a_decision(
    service: Service, caller: Caller, subject_id: str, question: AboutDecisionQuestion
) -> OwedNoticeBody:
    if question.kind == "score_disclosure":
        told = service.notices.disclose_score(subject_id, question.decision_id, question.language, caller.doing)
        return OwedNoticeBody(notice=_body(told), case=None)
    owed = service.rights.owed_notices.ask_reasons(subject_id, question.decision_id, question.language, caller.doing)
    return _owed(owed, caller)


def _prior_notice(service: Service, caller: Caller, subject_id: str, question: PriorNoticeQuestion) -> OwedNoticeBody:
    item = PriorItem(
        item_id=question.item_id, kind=question.item_kind, source=question.source, listed_from=question.listed_from,
        language=question.language,
    )  # fmt: skip
    told, row = service.notices.announce_item(subject_id, item, caller.doing)
    return OwedNoticeBody(notice=_body(told), case=None, row={**row, "member_id": question.member_id})


def _disclosure(question: DisclosureQuestion) -> CompelledDisclosure:
    return CompelledDisclosure(
        legal_basis=question.legal_basis, reference=question.reference, authority=question.authority,
        scope=question.scope, disclosed_at=question.disclosed_at, barred_until=question.barred_until,
        language=question.language,
    )  # fmt: skip


def _to_member(service: Service, caller: Caller, member_id: str | None) -> str | None:
    return member_named(service, caller, member_id, required=False)


def _owed(owed: OwedNotice, caller: Caller) -> OwedNoticeBody:
    told = None if owed.notice is None or caller.principal.recipient is not None else _body(owed.notice)
    return OwedNoticeBody(notice=told, case=case_body(owed.case, to_member=caller.principal.role != "compliance"))


def _seen(notice: Notice, caller: Caller) -> NoticeBody:
    """A recipient sees nothing that another recipient has alike: neither the case nor its deadline."""
    if caller.principal.recipient is not None:
        notice = replace(notice, case_id=None, due_at_us=None)
    return _body(notice)


def _body(notice: Notice) -> NoticeBody:
    return NoticeBody.model_validate(notice.as_dict())
