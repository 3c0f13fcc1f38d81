"""Another system's acts of consent, merged into what the ledger holds already. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from benne.scoring.consent.gate import standing
from benne.scoring.consent.record import Capture, ConsentRequest, ConsentTerms
from benne.scoring.consent.timeline import Event, gives_now
from benne.scoring.consent.vocabulary import GIVING_STATES, State
from benne.scoring.consent.writing import NewEvent, NewRecord

__all__ = ["Act", "Imported", "take_over"]

_MICROSECOND = timedelta(microseconds=1)


class Act(NamedTuple):
    """One switch of one member, on or off. Sorted, a withdrawal follows a consent of the same moment."""

    subject_id: str
    category: str
    time_us: int
    withdraws: bool


class Imported(NamedTuple):
    """How much an import added to the ledger."""

    records: int
    withdrawals: int


class _Merged(NamedTuple):
    """What one member's acts on one category add."""

    given: list[Event]
    withdrawn: list[Event]


def take_over(
    known: Iterable[Event],
    acts: Iterable[Act],
    terms: ConsentTerms,
    capture: Capture,
    *,
    now_us: int,
    ids: Callable[[], str],
) -> tuple[list[NewRecord], list[NewEvent]]:
    """Records and withdrawals that are not in the ledger yet.

    Parameters
    ----------
    known : iterable of Event
        What the ledger holds of these members for the terms' purpose and recipient, in its order.
    acts : iterable of Act
        None later than ``now_us``.
    terms, capture
        What the members were shown and did.
    now_us : int
    ids : callable returning str

    Notes
    -----
    A withdrawal takes effect at its own time, on consent to automated decisions too. Where consent
    stands that is younger than the last act of the history, and that act is a withdrawal, it ends
    now: an import must never leave on what the other system last saw switched off.
    """
    before = standing(known)
    own = terms.consent_type == "automated_decision"
    record_ids: dict[tuple[str, int], str] = {}
    merged = []
    for (subject_id, category), mine in _by_member_and_category(acts).items():
        for kind in (own, not own):
            events = before.get(subject_id, {}).get((kind, category), [])
            chosen = [act for act in mine if kind == own or act.withdraws]
            merged.append(_merge(events, chosen, terms, now_us, record_ids, ids))
    records = _records([event for part in merged for event in part.given], terms, capture)
    withdrawals = [event for part in merged for event in part.withdrawn]
    return records, [_new_event(event) for event in sorted(withdrawals, key=_moment)]


def _by_member_and_category(acts: Iterable[Act]) -> dict[tuple[str, str], list[Act]]:
    groups: dict[tuple[str, str], list[Act]] = {}
    for act in sorted(set(acts)):
        groups.setdefault((act.subject_id, act.category), []).append(act)
    return groups


def _merge(
    known: Sequence[Event],
    acts: Sequence[Act],
    terms: ConsentTerms,
    now_us: int,
    record_ids: dict[tuple[str, int], str],
    ids: Callable[[], str],
) -> _Merged:
    ends = {event.time_us for event in known if event.state not in (*GIVING_STATES, "requested")}
    withdrawn = {event.time_us for event in known if event.state == "withdrawn"}
    begins = {event.time_us for event in known if event.state in GIVING_STATES}
    new: list[Event] = []
    for act in acts:
        # At one moment the withdrawal wins, also one that is in the ledger already.
        if act.time_us in (withdrawn if act.withdraws else begins | ends):
            continue
        if act.withdraws:
            new.append(_event(act, terms, "", "withdrawn"))
            continue
        record_id = record_ids.setdefault((act.subject_id, act.time_us), "") or ids()
        record_ids[act.subject_id, act.time_us] = record_id
        before = [event for event in _in_order(known, new) if event.time_us <= act.time_us]
        new.append(_event(act, terms, record_id, "given" if gives_now(before, act.time_us) is None else "renewed"))
    return _Merged([event for event in new if event.state in GIVING_STATES], _ending(known, new, acts, now_us))


def _ending(known: Sequence[Event], new: Sequence[Event], acts: Sequence[Act], now_us: int) -> list[Event]:
    """Withdrawals, each with the record it ends; none where nothing was ever consented to."""
    consents = [event for event in _in_order(known, new) if event.state in GIVING_STATES]
    fresh = [event.time_us for event in new if event.state == "withdrawn"]
    if not consents or not fresh:
        return []
    ending = [_withdrawn(_ended_by(consents, time_us), time_us) for time_us in fresh]
    last = gives_now(_in_order(known, new), now_us)
    if last is not None and acts[-1].withdraws and acts[-1].time_us == fresh[-1]:
        ending.append(_withdrawn(last, now_us))
    return ending


def _ended_by(consents: Sequence[Event], time_us: int) -> Event:
    """The consent a withdrawal belongs to; one older than every consent is kept with the first."""
    earlier = [event for event in consents if event.time_us <= time_us]
    return earlier[-1] if earlier else consents[0]


def _records(given: Iterable[Event], terms: ConsentTerms, capture: Capture) -> list[NewRecord]:
    """One record per member and moment of giving."""
    groups: dict[str, list[Event]] = {}
    for event in sorted(given, key=_moment):
        groups.setdefault(event.record_id, []).append(event)
    records = []
    for record_id, events in groups.items():
        states: dict[str, str] = {event.category: event.state for event in events}
        request = ConsentRequest(
            subject_id=events[0].subject_id, terms=terms, capture=capture, categories=tuple(states)
        )
        records.append(NewRecord(request, record_id, events[0].time_us, None, states))
    return records


def _event(act: Act, terms: ConsentTerms, record_id: str, state: State) -> Event:
    return Event(
        subject_id=act.subject_id,
        category=act.category,
        consent_type=terms.consent_type,
        state=state,
        time_us=act.time_us,
        valid_until_us=None if act.withdraws else act.time_us + terms.validity // _MICROSECOND,
        reliance=terms.reliance,
        granularity=terms.granularity,
        record_id=record_id,
    )


def _withdrawn(consent: Event, time_us: int) -> Event:
    return consent._replace(state="withdrawn", time_us=time_us, valid_until_us=None)


def _new_event(event: Event) -> NewEvent:
    return NewEvent(event.record_id, event.category, event.time_us, None, "member", event.consent_type, "withdrawn")


def _moment(event: Event) -> int:
    return event.time_us


def _in_order(known: Sequence[Event], new: Sequence[Event]) -> list[Event]:
    return sorted([*known, *new], key=_moment)
