"""Looking a member up: by the platform's own id, and only for a purpose that goes on record."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from benne.scoring.console.forms import CASE, Form, FormRefused
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.members.recording import Doing

__all__ = ["PAGES", "WHAT_FOR"]

WHAT_FOR: Final = ("dispute", "review", "correction", "access-request", "consent", "notice", "complaint", "audit")
"""What staff may look somebody up for."""
_LONGEST_ID: Final = 200  # characters, as the interface takes them


def show(visit: Visit) -> Response:
    """The form that asks whom, and what for."""
    return visit.show("look_up", what_for=WHAT_FOR)


def look_up(visit: Visit) -> Response:
    """Go on to the member's page; the look-up is on record first, whoever it finds."""
    member_id = visit.form.text("member_id", longest=_LONGEST_ID)
    purpose = purpose_of(visit.form)
    if any(sign < " " for sign in member_id):
        raise FormRefused("console.refused.control", "member_id")
    subject_id = visit.service.subject_of(member_id)
    visit.service.records.consents(subject_id, Doing(visit.actor, purpose))
    with visit.service.store.read() as connection:
        known = visit.service.records.is_known(connection, subject_id)
    if not known:
        raise FormRefused("console.refused.no_such_member", "member_id")
    return visit.go(f"/console/members/{visit.reference(subject_id, purpose)}")


def purpose_of(form: Form) -> str:
    """What a look-up is for, as the audit chain takes it: a word, and the number of a case.

    Raises
    ------
    FormRefused
        If no purpose is chosen, or the case number could be free text.
    """
    what_for = form.one_of("what_for", WHAT_FOR)
    case = form.get("case")
    if not case:
        return what_for
    if not CASE.fullmatch(case):
        raise FormRefused("console.refused.case", "case")
    return f"{what_for}:{case}"


PAGES = (
    Page("GET", "/console/members", show, entry="console.navigation.look_up"),
    Page("POST", "/console/members", look_up, again=show),
)
