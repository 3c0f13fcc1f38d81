"""A member says that something is wrong, follows what becomes of it, and has a person look at a decision."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from benne.scoring.console.pages.cases import LONGEST, act_of, case_id_of, version_of
from benne.scoring.console.pages.disputes import disputed_in, open_form
from benne.scoring.console.pages.reviews import asked_in
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.disputes.dispute import OPEN
from benne.scoring.rights.rows import CaseQuery

__all__ = ["PAGES"]

_AT: Final = "/me/disputes"
_SHOWN: Final = 50
_MAY_STATE: Final = (*OPEN, "not_corrected", "closed")


def show(visit: Visit) -> Response:
    """What the member disputes and has reviewed, and forms to do either."""
    query = CaseQuery(subject_id=visit.own, limit=_SHOWN)
    disputes = visit.service.disputes.find(query, visit.doing)
    reviews = visit.service.reviews.find(query, visit.doing)
    return visit.show("my_disputes", disputes=disputes, reviews=reviews, **open_form(visit))


def open_one(visit: Visit) -> Response:
    """Dispute something."""
    case = visit.service.disputes.open(visit.own, disputed_in(visit), visit.doing)
    return visit.go(f"{_AT}/{case.case_id}", "dispute_opened")


def ask_for_review(visit: Visit) -> Response:
    """Have a person look at a decision again."""
    visit.service.reviews.request(visit.own, asked_in(visit), visit.doing)
    return visit.go(_AT, "review_requested")


def one(visit: Visit) -> Response:
    """One dispute, and what the member can do about it."""
    dispute = visit.service.disputes.read(case_id_of(visit), visit.doing, visit.own)
    case = dispute.case
    return visit.show(
        "my_dispute", dispute=dispute, case=case, is_open=case.state in OPEN, may_state=case.state in _MAY_STATE
    )


def act(visit: Visit) -> Response:
    """Add a statement, or give the dispute up."""
    name = act_of(visit, ("statement", "withdraw"))
    case_id, version, disputes = case_id_of(visit), version_of(visit), visit.service.disputes
    if name == "withdraw":
        disputes.withdraw(case_id, version, visit.own, visit.doing)
        return visit.go(f"{_AT}/{case_id}", "dispute_withdrawn")
    text, travels = visit.form.text("statement", longest=LONGEST), visit.form.get("travels") == "yes"
    disputes.state(case_id, version, text, travels=travels, subject_id=visit.own, doing=visit.doing)
    return visit.go(f"{_AT}/{case_id}", "statement_added")


PAGES = (
    Page("GET", _AT, show, entry="member.navigation.disputes"),
    Page("POST", _AT, open_one, again=show),
    Page("POST", "/me/reviews", ask_for_review, again=show),
    Page("GET", f"{_AT}/{{case_id}}", one),
    Page("POST", f"{_AT}/{{case_id}}", act, again=one),
)
