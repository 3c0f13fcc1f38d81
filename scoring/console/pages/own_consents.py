"""A member's consents: each given with switches that start off, each taken back with one press."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from benne.errors import ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.scoring.console.forms import FormRefused
from benne.scoring.console.pages.consents_shown import consents_shown, standing
from benne.scoring.console.pages.member import receipt
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.members.consenting import Choice

__all__ = ["PAGES"]

_STEPS: Final = 2  # open the offer's switches, press the button; withdrawing takes one
_AT: Final = "/me/consents"


def show(visit: Visit) -> Response:
    """What is offered, with every switch off, and what stands."""
    consents = consents_shown(visit.service.records.consents(visit.own, visit.doing), visit.service.clock())
    now = standing(consents)
    past = [consent for consent in consents if not consent.stands]
    return visit.show("my_consents", standing=now, past=past, offers=visit.service.terms, categories=CATEGORIES)


def give(visit: Visit) -> Response:
    """Record what the member switched on, under the very text that the page showed."""
    chosen = tuple(dict.fromkeys(visit.form.all("category")))
    if not chosen:
        raise FormRefused("member.refused.nothing_switched_on", f"offer-{visit.form.get('offer')}")
    choice = Choice(
        offer=visit.form.get("offer"), notice_hash=visit.form.get("notice"), categories=chosen, channel="web",
        method="checkbox_ticked", steps=_STEPS,
        evidence=(visit.who.id, visit.service.clock().isoformat(), visit.service.ids()),
    )  # fmt: skip
    try:
        visit.service.consenting.give(visit.own, choice, visit.doing)
    except ConsentRecordError:
        raise FormRefused("member.refused.offer_changed") from None
    return visit.go(_AT, "consent_given")


def withdraw(visit: Visit) -> Response:
    """End a consent at once; nothing is asked."""
    category = visit.form.get("category") or None
    if category is not None and category not in CATEGORIES:
        raise FormRefused("console.refused.form")
    purpose, recipient = visit.form.get("purpose"), visit.form.get("recipient")
    try:
        visit.service.consenting.withdraw(visit.own, purpose, recipient, category and [category], visit.doing)
    except ConsentRecordError:
        raise FormRefused("console.refused.form") from None
    return visit.go(_AT, "consent_withdrawn")


PAGES = (
    Page("GET", _AT, show, entry="member.navigation.consents"),
    Page("POST", _AT, give, again=show),
    Page("POST", f"{_AT}/withdraw", withdraw, again=show),
    Page("GET", f"{_AT}/{{record_id}}/receipt", receipt),
)
