"""Deny by default: from one member's consent events and a question to a permission or a reason. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from benne.scoring.consent.decision import FROM_COARSE, Permission, Question
from benne.scoring.consent.timeline import Event, covers, gives_now, unbroken_since, why_not
from benne.scoring.consent.vocabulary import RELIANCES, DenyReason, Granularity, Jurisdiction
from benne.scoring.jurisdictions import barred_categories

__all__ = ["Standing", "barred_by", "judge", "refusal_of_question", "standing"]

Standing = Mapping[tuple[bool, str], Sequence[Event]]
"""One member's events for a purpose and recipient, by (automated decision?, category), in order."""


def standing(events: Iterable[Event]) -> dict[str, dict[tuple[bool, str], list[Event]]]:
    """Sort events, already in order of time, by member and key."""
    by_member: dict[str, dict[tuple[bool, str], list[Event]]] = {}
    for event in events:
        keys = by_member.setdefault(event.subject_id, {})
        keys.setdefault((event.automated, event.category), []).append(event)
    return by_member


def refusal_of_question(question: Question) -> DenyReason | None:
    """A reason to refuse whoever it is about, or None.

    Strong or sole reliance needs a route by which a person reviews the outcome.
    """
    if question.purpose is None:
        return "purpose-not-allowed"
    if question.reliance != "advisory" and not question.review_route:
        return "review-route-missing"
    return None


def judge(keys: Standing, question: Question, now_us: int) -> Permission | DenyReason:
    """Permission for one member, or the reason there is none.

    A category that the credit firewall bars is none of the permission, whatever was consented to.
    """
    given = {key: act for key, events in keys.items() if (act := gives_now(events, now_us)) is not None}
    active = {category: act for (automated, category), act in given.items() if not automated}
    if question.as_of_us is not None:
        active = {c: act for c, act in active.items() if covers(keys[False, c], question.as_of_us)}
    if not active:
        return _why_nothing(keys, now_us)
    barred = barred_by(given.values(), question.jurisdiction)
    if barred:
        active = {category: act for category, act in active.items() if category not in barred}
    if not active or not question.required <= active.keys():
        return "insufficient-categories"
    if question.reliance != "advisory":
        active = {category: act for category, act in active.items() if _suffices(act, question)}
    if not active or not question.required <= active.keys():
        return "reliance-not-consented"
    if question.reliance == "sole" and not _agrees_to_automation(given, question):
        return "automated-decision-consent-required"
    since_us = {category: unbroken_since(keys[False, category]) for category in active}
    return Permission(frozenset(active), _coarsest(active.values()), since_us)


def barred_by(acts: Collection[Event], deployment: Jurisdiction | None) -> frozenset[str]:
    """Categories that must not be read where these acts give consent.

    The strictest of their jurisdictions decides; the deployment's can add to them, never take away.
    """
    places = {act.jurisdiction for act in acts}
    if deployment is not None:
        places.add(deployment)
    found: frozenset[str] = frozenset()
    for purpose_class in {act.purpose_class for act in acts}:
        found |= barred_categories(frozenset(places), purpose_class)
    return found


def _why_nothing(keys: Standing, now_us: int) -> DenyReason:
    reasons = {why_not(events, now_us) for (automated, _), events in keys.items() if not automated}
    ordered: tuple[DenyReason, ...] = ("consent-given-later", "consent-withdrawn", "consent-expired")
    for reason in ordered:
        if reason in reasons:
            return reason
    return "consent-required"


def _suffices(event: Event, question: Question) -> bool:
    return RELIANCES.index(event.reliance) >= RELIANCES.index(question.reliance)


def _agrees_to_automation(given: Mapping[tuple[bool, str], Event], question: Question) -> bool:
    return any(automated and _suffices(act, question) for (automated, _), act in given.items())


def _coarsest(events: Iterable[Event]) -> Granularity:
    consented = {event.granularity for event in events}
    return next(granularity for granularity in FROM_COARSE if granularity in consented)
