"""Reviews for staff: a person who had no part in a decision looks at it again."""

from __future__ import annotations

from typing import Any, Final, cast

from starlette.responses import Response

from benne.scoring.console.forms import FormRefused
from benne.scoring.console.pages.cases import (
    LONGEST,
    act_of,
    case_id_of,
    decisions_to_choose,
    doing_for,
    version_of,
    whose,
)
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.reviews.reviewing import INSTEAD, ReviewAsked, Verdict
from benne.scoring.rights.rows import CaseQuery

__all__ = ["PAGES", "asked_in"]

_OUTCOMES: Final = ("upheld", "overturned")
_SHOWN: Final = 50
_MEMBERS: Final = "/console/members/{member}/reviews"
_CASE: Final = "/console/reviews/{case_id}"


def of_member(visit: Visit) -> Response:
    """A member's reviews, and a form to ask for one on their behalf."""
    found = visit.service.reviews.find(CaseQuery(subject_id=visit.subject_id, limit=_SHOWN), visit.doing)
    return visit.show("member_reviews", tab="reviews", cases=found, decisions=decisions_to_choose(visit))


def ask(visit: Visit) -> Response:
    """Ask for a review on the member's behalf."""
    case = visit.service.reviews.request(visit.subject_id, asked_in(visit), visit.doing)
    return visit.go(f"/console/reviews/{case.case_id}", "review_requested")


def asked_in(visit: Visit) -> ReviewAsked:
    """The review that the form asks for."""
    decision_id = visit.form.get("review_decision")
    if not decision_id:
        raise FormRefused("console.refused.choose_decision", "review_decision")
    why = visit.form.text("why", longest=LONGEST) if visit.form.get("why") else None
    return ReviewAsked(decision_id=decision_id, text=why, language=visit.texts.language)


def show(visit: Visit) -> Response:
    """One review: the decision it is about, what the member says, and the verdict."""
    review = visit.service.reviews.read(case_id_of(visit), doing_for(visit, "review"))
    at = whose(visit, review.case)
    return visit.show("review", review=review, case=review.case, at=at, outcomes=_OUTCOMES, instead=INSTEAD)


def decide(visit: Visit) -> Response:
    """Uphold or overturn, or put away what its member no longer wants."""
    name = act_of(visit, ("decide", "withdraw"))
    case_id, version, doing = case_id_of(visit), version_of(visit), doing_for(visit, "review")
    if name == "withdraw":
        visit.service.reviews.withdraw(case_id, version, None, doing)
        return visit.go(f"/console/reviews/{case_id}", "review_withdrawn")
    outcome = visit.form.one_of("outcome", _OUTCOMES)
    instead = visit.form.one_of("instead", INSTEAD) if outcome == "overturned" else None
    verdict = Verdict(
        outcome=cast(Any, outcome), text=visit.form.text("reason", longest=LONGEST), instead=cast(Any, instead)
    )  # fmt: skip
    visit.service.reviews.decide(case_id, version, verdict, doing)
    return visit.go(f"/console/reviews/{case_id}", "review_decided")


PAGES = (
    Page("GET", _MEMBERS, of_member),
    Page("POST", _MEMBERS, ask, again=of_member),
    Page("GET", _CASE, show),
    Page("POST", _CASE, decide, again=show),
)
