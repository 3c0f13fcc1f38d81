"""A member's own pages: their score, what it was used for, everything that is held, and its end."""

from __future__ import annotations

import json

from starlette.responses import Response

from benne.scoring.console.access import AREAS
from benne.scoring.console.cookies import forget_session
from benne.scoring.console.forms import FormRefused
from benne.scoring.console.pages.consents_shown import consents_shown, standing
from benne.scoring.console.pages.histories import history_page
from benne.scoring.console.pages.report import report
from benne.scoring.console.pages.score import score_shown
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.decisions.request import Refusal

__all__ = ["PAGES"]


def overview(visit: Visit) -> Response:
    """The member's score, what it is made of, and what would change it."""
    score = score_shown(visit)
    consents = consents_shown(visit.service.records.consents(visit.own, visit.doing), visit.service.clock())
    return visit.show("me", score=score, standing=standing(consents))


def score_now(visit: Visit) -> Response:
    """Make the member's score as of now, under their consent to have it made for themselves."""
    answer = visit.service.proving.own_score(visit.own, visit.doing)
    if isinstance(answer, Refusal):
        raise FormRefused(refusal_in_words(visit, answer))
    return visit.go(AREAS["me"], "scored")


def refusal_in_words(visit: Visit, refusal: Refusal) -> str:
    """Key of what a member is told of a refusal."""
    key = f"member.refusal.{refusal.reason}"
    return key if visit.texts.has(key) else "member.refusal.other"


def history(visit: Visit) -> Response:
    """Who received what, and when."""
    return history_page(visit, "my_history")


def export(visit: Visit) -> Response:
    """Everything that is held, as a file to take elsewhere."""
    found = visit.service.records.export(visit.own, visit.doing)
    headers = {"Content-Disposition": 'attachment; filename="benne-export.json"'}
    content = json.dumps(found, ensure_ascii=False, indent=1)
    return Response(content, media_type="application/json", headers=headers)


def ask_to_erase(visit: Visit) -> Response:
    """What erasing means, before it is confirmed."""
    return visit.show("erase")


def erase(visit: Visit) -> Response:
    """Erase the member who asks; their session and their keys end with it."""
    if visit.form.get("understood") != "yes":
        raise FormRefused("member.refused.not_confirmed", "understood")
    visit.service.erase(visit.own, visit.actor)
    visit.parts.sessions.end(visit.signed_in)
    visit.session = visit.principal = None
    response = visit.show("erased")
    forget_session(visit.request, response, "me")
    return response


PAGES = (
    Page("GET", "/me", overview, entry="member.navigation.score"),
    Page("POST", "/me", score_now, again=overview),
    Page("GET", "/me/history", history),
    Page("GET", "/me/report", report),
    Page("GET", "/me/export", export),
    Page("GET", "/me/erase", ask_to_erase),
    Page("POST", "/me/erase", erase, again=ask_to_erase),
)
