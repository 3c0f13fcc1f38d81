"""A member's pages for staff who looked them up: the score and what it is made of, history, consents, report."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from benne.errors import ConsentRecordError
from benne.scoring.console.forms import DECISION
from benne.scoring.console.pages.consents_shown import consents_shown, standing
from benne.scoring.console.pages.histories import history_page
from benne.scoring.console.pages.report import report
from benne.scoring.console.pages.score import score_shown
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import PageMissing, Visit

__all__ = ["PAGES"]


def overview(visit: Visit) -> Response:
    """The score, its reasons and what would change it."""
    visit.looked_up  # noqa: B018 - a reference of another session is no page
    asked = visit.request.query_params.get("decision", "")
    if asked and not DECISION.fullmatch(asked):
        raise PageMissing
    score = score_shown(visit, asked or None)
    consents = consents_shown(visit.service.records.consents(visit.subject_id, visit.doing), visit.service.clock())
    return visit.show("member", tab="overview", score=score, standing=standing(consents))


def history(visit: Visit) -> Response:
    """Every decision that was answered, newest first."""
    return history_page(visit, "history", tab="history")


def consents(visit: Visit) -> Response:
    """Every consent and what became of it."""
    found = consents_shown(visit.service.records.consents(visit.subject_id, visit.doing), visit.service.clock())
    return visit.show("consents", tab="consents", consents=found)


def receipt(visit: Visit) -> Response:
    """The signed copy of a consent, as a file."""
    record_id = visit.request.path_params["record_id"]
    try:
        signed = visit.service.consenting.receipt(visit.subject_id, record_id, visit.doing)
    except ConsentRecordError:
        raise PageMissing from None
    headers = {"Content-Disposition": 'attachment; filename="consent-receipt.jws"'}
    return Response(signed, media_type="application/jose", headers=headers)


_AT: Final = "/console/members/{member}"
PAGES = (
    Page("GET", _AT, overview),
    Page("GET", f"{_AT}/history", history),
    Page("GET", f"{_AT}/consents", consents),
    Page("GET", f"{_AT}/consents/{{record_id}}/receipt", receipt),
    Page("GET", f"{_AT}/report", report),
)
