"""Deny by default: from one member's consent events and a question to a permission or a reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benne.features.categories import CATEGORIES
from benne.scoring.consent.decision import FROM_COARSE, Permission, Question
from benne.scoring.consent.timeline import Event, covers, gives_now, why_not
from benne.scoring.consent.vocabulary import RELIANCES, DenyReason, Granularity

__all__ = ["Standing", "judge", "refusal_of_question", "standing"]

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
    """Permission for one member, or the reason there is none."""
    giving = {category: _giving(keys, category, question, now_us) for category in CATEGORIES}
    active = {category: event for category, event in giving.items() if event is not None}
    if not active:
        return _why_nothing(keys, now_us)
    relied_on = {c: event for c, event in active.items() if _suffices(event, question)}
    if not question.required <= set(active):
        return "insufficient-categories"
    if not relied_on or not question.required <= set(relied_on):
        return "reliance-not-consented"
    if question.reliance == "sole" and not _agrees_to_automation(keys, question, now_us):
        return "automated-decision-consent-required"
    return Permission(frozenset(relied_on), _coarsest(relied_on.values()))


def _giving(keys: Standing, category: str, question: Question, now_us: int) -> Event | None:
    events = keys.get((False, category), ())
    event = gives_now(events, now_us)
    if event is None or question.as_of_us is None or covers(events, question.as_of_us):
        return event
    return None


def _why_nothing(keys: Standing, now_us: int) -> DenyReason:
    reasons = {why_not(events, now_us) for (automated, _), events in keys.items() if not automated}
    ordered: tuple[DenyReason, ...] = ("consent-given-later", "consent-withdrawn", "consent-expired")
    for reason in ordered:
        if reason in reasons:
            return reason
    return "consent-required"


def _suffices(event: Event, question: Question) -> bool:
    return RELIANCES.index(event.reliance) >= RELIANCES.index(question.reliance)


def _agrees_to_automation(keys: Standing, question: Question, now_us: int) -> bool:
    return any(
        automated and (event := gives_now(events, now_us)) is not None and _suffices(event, question)
        for (automated, _), events in keys.items()
    )


def _coarsest(events: Iterable[Event]) -> Granularity:
    consented = {event.granularity for event in events}
    return next(granularity for granularity in FROM_COARSE if granularity in consented)
