"""Notices: what a member was told, and what they are still to be told by a deadline."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from starlette.responses import Response

from benne.errors import BenneError, RightsError
from benne.explain.reason_words import reason_in_words
from benne.scoring.console.forms import FormRefused
from benne.scoring.console.pages.cases import LONGEST, case_id_of, doing_for, version_of, whose
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import PageMissing, Visit
from benne.scoring.notices.notice import CHANNELS
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.rows import CaseQuery

__all__ = ["PAGES"]

_SHOWN: Final = 50
_MOST_REASONS: Final = 4
_STATES: Final = ("delivered", "failed")
_ID: Final = re.compile(r"[0-9a-f-]{1,36}")
_MEMBERS: Final = "/console/members/{member}/notices"
_DUTY: Final = "/console/duties/{case_id}"


def of_member(visit: Visit) -> Response:
    """Everything a member was told, the newest first."""
    found = visit.service.notices.find(visit.doing, subject_id=visit.subject_id, limit=_SHOWN)
    owed = visit.service.rights.deadlines.duties(
        CaseQuery(kinds=("notice",), subject_id=visit.subject_id, only_open=True)
    )
    return visit.show("member_notices", tab="notices", notices=found, owed=owed)


def read(visit: Visit) -> Response:
    """One notice, word for word as it was sent."""
    return visit.show("notice", tab="notices", notice=_notice(visit), channels=CHANNELS, states=_STATES)


def deliver(visit: Visit) -> Response:
    """Write down that it reached its addressee in some other way, or could not."""
    notice_id = _notice(visit).notice_id
    state, channel = visit.form.one_of("state", _STATES), visit.form.one_of("channel", CHANNELS)
    visit.service.notices.deliver(notice_id, cast(Any, state), cast(Any, channel), visit.doing)
    return visit.go(f"{visit.at}/notices/{notice_id}", "notice_delivered")


def _notice(visit: Visit) -> Any:
    notice_id = str(visit.request.path_params["notice_id"])
    if not _ID.fullmatch(notice_id):
        raise PageMissing
    # Staff see what this member sees; read for staff, it does not count as delivered to the member.
    mine = {one.notice_id for one in visit.service.notices.find(visit.doing, subject_id=visit.subject_id, limit=200)}
    if notice_id not in mine:
        raise PageMissing
    return visit.service.notices.read(notice_id, visit.doing)


def duty(visit: Visit) -> Response:
    """A notice that is due: what it is about, by when, and what is wanting."""
    case, events = visit.service.rights.owed_notices.read(case_id_of(visit), doing_for(visit, "notice"))
    return visit.show(
        "duty", case=case, timeline=events, at=whose(visit, case), most=_MOST_REASONS, given=_given(visit, case)
    )


def _given(visit: Visit, case: RightsCase) -> list[str]:
    """The score's own reasons, which the notice will state where nobody gives others."""
    if case.subject_id is None or not case.is_open:
        return []
    try:
        _, said = visit.service.explanations.explain(case.subject_id, doing_for(visit, "notice"), case.decision_id)
    except BenneError:  # what is gone or damaged; the notice says so itself when it is to be issued
        return []
    reasons = said.about.reasons
    return [] if reasons is None else [reason_in_words(one, visit.texts) for one in reasons.reasons]


def fulfil(visit: Visit) -> Response:
    """Issue it, with the decision maker's own reasons where the score has none."""
    case_id, version = case_id_of(visit), version_of(visit)
    own = tuple(text for text in visit.form.all("own_reason") if text)[:_MOST_REASONS]
    for text in own:
        visit.form.text("own_reason", longest=LONGEST) if len(text) > LONGEST else None
    try:
        visit.service.rights.owed_notices.fulfil(case_id, version, own, doing_for(visit, "notice"))
    except RightsError as error:
        if type(error) is not RightsError:
            raise
        raise FormRefused(
            "console.refused.own_reasons" if own else "console.refused.no_reasons", "own_reason"
        ) from None
    return visit.go(f"/console/duties/{case_id}", "notice_issued")


PAGES = (
    Page("GET", _MEMBERS, of_member),
    Page("GET", f"{_MEMBERS}/{{notice_id}}", read),
    Page("POST", f"{_MEMBERS}/{{notice_id}}", deliver, again=read),
    Page("GET", _DUTY, duty),
    Page("POST", _DUTY, fulfil, again=duty),
)
