"""From members' choices to the records and events that keep them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import Connection

from benne.errors import ConsentRecordError
from benne.scoring.consent.gate import standing
from benne.scoring.consent.reading import load_events, load_last_records
from benne.scoring.consent.record import ConsentRequest
from benne.scoring.consent.timeline import gives_now
from benne.scoring.consent.vocabulary import State
from benne.scoring.consent.writing import NewEvent, NewRecord

__all__ = ["endings", "new_records"]


def new_records(
    connection: Connection,
    requests: Sequence[ConsentRequest],
    state: State,
    *,
    now_us: int,
    ids: Callable[[], str],
) -> list[NewRecord]:
    """One record per request, superseding the member's last for the same purpose and recipient.

    A category that is consented to already is ``renewed`` rather than ``given``.
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
            records.append(NewRecord(request, ids(), now_us, supersedes, states))
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
