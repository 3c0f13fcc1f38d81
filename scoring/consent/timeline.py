"""What a sequence of consent events means at a moment. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benne.scoring.consent.vocabulary import GIVING_STATES, DenyReason, Jurisdiction, PurposeClass

__all__ = ["Event", "Period", "covers", "gives_now", "last_act", "periods", "unbroken_since", "why_not"]


class Event(NamedTuple):
    """A consent event with what its record allows. Times are microseconds since 1970 UTC."""

    subject_id: str
    category: str
    consent_type: str
    state: str
    time_us: int
    valid_until_us: int | None
    reliance: str
    granularity: str
    record_id: str
    jurisdiction: Jurisdiction = "default"
    purpose_class: PurposeClass = "credit"
    seq: int = 0

    @property
    def automated(self) -> bool:
        """Whether it is about decisions nobody reviews, rather than about a category's data."""
        return self.consent_type == "automated_decision"


class Period(NamedTuple):
    """A half-open stretch ``[start_us, until_us)`` in which a category was consented to."""

    start_us: int
    until_us: int


def periods(events: Sequence[Event]) -> list[Period]:
    """Stretches in which one member's consent to one category held.

    Parameters
    ----------
    events : sequence of Event
        Of one key (member, purpose, recipient, category), in order of time, then of recording.

    Notes
    -----
    Each event ends what stood before it, except ``requested``, which only asks. So a shorter
    renewal shortens, and a refusal ends.

    Examples
    --------
    >>> given = Event("", "social", "expressed", "given", 10, 100, "advisory", "band", "")
    >>> withdrawn = given._replace(state="withdrawn", time_us=40, valid_until_us=None)
    >>> periods([given, withdrawn])
    [Period(start_us=10, until_us=40)]
    """
    acts = [event for event in events if event.state != "requested"]
    found = []
    for act, following in zip(acts, [*acts[1:], None], strict=True):
        if act.state not in GIVING_STATES or act.valid_until_us is None:
            continue
        until = act.valid_until_us if following is None else min(act.valid_until_us, following.time_us)
        if until > act.time_us:
            found.append(Period(act.time_us, until))
    return found


def covers(events: Sequence[Event], moment_us: int) -> bool:
    """Whether one of the periods contains the moment."""
    return any(start <= moment_us < until for start, until in periods(events))


def unbroken_since(events: Sequence[Event]) -> int:
    """Since when the consent that stands last has stood without a break, in microseconds since 1970-01-01 UTC.

    A renewal in time goes on with what stood before; one that comes after the end, or after a withdrawal, begins anew.

    Examples
    --------
    >>> given = Event("", "social", "expressed", "given", 10, 100, "advisory", "band", "")
    >>> unbroken_since([given, given._replace(time_us=60, valid_until_us=200)])
    10
    >>> unbroken_since([given, given._replace(time_us=150, valid_until_us=200)])
    150
    """
    if len(events) == 1:
        return events[0].time_us
    stretches = periods(events)
    if not stretches:
        return events[-1].time_us
    start = stretches[-1].start_us
    for earlier in reversed(stretches[:-1]):
        if earlier.until_us != start:
            break
        start = earlier.start_us
    return start


def gives_now(events: Sequence[Event], now_us: int) -> Event | None:
    """The act that gives consent now, or None.

    The last act decides whatever the clock says, so that a clock set back cannot revive a consent
    whose withdrawal was acknowledged.
    """
    last = last_act(events)
    if last is None or last.state not in GIVING_STATES or last.valid_until_us is None:
        return None
    return last if now_us < last.valid_until_us else None


def why_not(events: Sequence[Event], now_us: int) -> DenyReason:
    """Why there is nothing to use; consent that stands did not yet stand at ``as_of``."""
    last = last_act(events)
    if gives_now(events, now_us) is not None:
        return "consent-given-later"
    if last is None or last.state in ("refused", "invalidated"):
        return "consent-required"
    return "consent-withdrawn" if last.state in ("withdrawn", "revoked") else "consent-expired"


def last_act(events: Sequence[Event]) -> Event | None:
    """The last event that is more than a request, or None."""
    for event in reversed(events):
        if event.state != "requested":
            return event
    return None
