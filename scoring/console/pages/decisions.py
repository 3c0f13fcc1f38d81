"""A decision made again from what was kept of it, and held against the audit chain."""

from __future__ import annotations

from starlette.responses import Response

from benne.errors import DecisionUnknown
from benne.scoring.console.forms import DECISION, FormRefused
from benne.scoring.console.pages.look_up import WHAT_FOR, purpose_of
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.members.recording import Doing

__all__ = ["PAGES"]


def show(visit: Visit) -> Response:
    """The form that asks for a decision's id and a purpose."""
    asked = visit.request.query_params.get("decision", "")
    asked = asked if DECISION.fullmatch(asked) else ""
    return visit.show("decisions", what_for=WHAT_FOR, replay=None, asked=asked)


def replay(visit: Visit) -> Response:
    """Make a decision again."""
    decision_id = visit.form.get("decision_id")
    if not DECISION.fullmatch(decision_id):
        raise FormRefused("console.refused.decision_id", "decision_id")
    try:
        made = visit.service.replay(decision_id, Doing(visit.actor, purpose_of(visit.form)))
    except DecisionUnknown:
        raise FormRefused("console.refused.no_such_decision", "decision_id") from None
    return visit.show("decisions", what_for=WHAT_FOR, replay=made, asked="")


PAGES = (
    Page("GET", "/console/decisions", show, entry="console.navigation.decisions"),
    Page("POST", "/console/decisions", replay, again=show),
)
