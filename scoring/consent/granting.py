"""From members' choices to the records and events that keep them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from benne.errors import ConsentRecordError
from benne.scoring.consent.gate import standing
from benne.scoring.consent.reading import find_request, load_asked, load_events, load_last_records
from benne.scoring.consent.record import Capture, ConsentRequest
from benne.scoring.consent.timeline import gives_now
from benne.scoring.consent.vocabulary import State
from benne.scoring.consent.writing import NewEvent, NewRecord

__all__ = ["Ended", "endings", "endings_of_everything", "new_records", "renewal", "told"]


class Ended(NamedTuple):
    """What a withdrawal ended for one purpose and recipient, who is to be told."""

    purpose: str
    recipient: str
    categories: tuple[str, ...]


def new_records(
    connection: Connection,
    requests: Sequence[ConsentRequest],
    state: State,
    *,
    now_us: int,
    ids: Callable[[], str],
    receipts: bool = False,
) -> list[NewRecord]:
    """One record per request, superseding the member's last for the same purpose and recipient.

    A category that is consented to already is ``renewed`` rather than ``given``. With ``receipts``, each record that
    gives something has a receipt id.
    """
    records: list[NewRecord] = []
    for (purpose, recipient), alike in _by_purpose_and_recipient(requests).items():
        members = [request.subject_id for request in alike]
        before = standing(load_events(connection, purpose, recipient, subject_ids=members))
        last = load_last_records(connection, purpose, recipient, members)
        for request in alike:
            automated = request.terms.consent_type == "automated_decision"
            keys = before.get(request.subject_id, {})
            active = {c for (kind, c), events in keys.items() if kind == automated and gives_now(events, now_us)}
            states = {c: "renewed" if state == "given" and c in active else state for c in request.categories}
            supersedes = last.get((request.subject_id, automated))
            receipt_id = ids() if receipts and state == "given" else None
            records.append(NewRecord(request, ids(), now_us, supersedes, states, receipt_id))
    return records


def endings(
    connection: Connection,
    subject_id: str,
    purpose: str,
    recipient: str,
    categories: Collection[str] | None,
    *,
    now_us: int,
) -> list[NewEvent]:
    """Withdrawals of what stands: of some categories, or (None) of all, automated decisions included."""
    keys = standing(load_events(connection, purpose, recipient, subject_ids=[subject_id])).get(subject_id, {})
    ended = []
    for (_, category), events in keys.items():
        act = gives_now(events, now_us)
        if act is None or (categories is not None and category not in categories):
            continue
        ended.append(NewEvent(act.record_id, category, now_us, None, "member", act.consent_type, "withdrawn"))
    return ended


def endings_of_everything(connection: Connection, subject_id: str, *, now_us: int) -> dict[Ended, list[NewEvent]]:
    """Withdrawals of all that stands, for every purpose and recipient."""
    ended = {}
    for purpose, recipient in load_asked(connection, subject_id):
        events = endings(connection, subject_id, purpose, recipient, None, now_us=now_us)
        if events:
            ended[Ended(purpose, recipient, told(events))] = events
    return ended


def told(ended: Iterable[NewEvent]) -> tuple[str, ...]:
    """The categories of events, each once."""
    return tuple(dict.fromkeys(event.category for event in ended))


def renewal(
    connection: Connection, subject_id: str, record_id: str, capture: Capture, *, now_us: int
) -> ConsentRequest:
    """What still stands of a member's record, asked for again under the same terms.

    Raises
    ------
    ConsentRecordError
        If the member has no such record, or nothing of it stands.
    """
    request = find_request(connection, subject_id, record_id)
    if request is None:
        raise ConsentRecordError("A renewal must be of a record of the member's own, got another. See their history.")
    terms = request.terms
    keys = standing(load_events(connection, terms.purpose, terms.recipient, subject_ids=[subject_id]))
    acts = (gives_now(events, now_us) for events in keys.get(subject_id, {}).values())
    stands = {act.category for act in acts if act is not None and act.record_id == record_id}
    if not stands:
        raise ConsentRecordError("A renewal must be of consent that stands, got one that ended. Ask the member anew.")
    kept = tuple(category for category in request.categories if category in stands)
    return replace(request, capture=capture, categories=kept)


def _by_purpose_and_recipient(
    requests: Iterable[ConsentRequest],
) -> dict[tuple[str, str], list[ConsentRequest]]:
    groups: dict[tuple[str, str], list[ConsentRequest]] = {}
    for request in requests:
        groups.setdefault((request.terms.purpose, request.terms.recipient), []).append(request)
    for alike in groups.values():
        kinds = [(r.subject_id, r.terms.consent_type == "automated_decision") for r in alike]
        if len(set(kinds)) != len(kinds):
            raise ConsentRecordError(
                "One call must hold at most one choice per member, purpose and recipient, got two. "
                "Put the categories into one request."
            )
    return groups
