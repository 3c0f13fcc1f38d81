"""From members' choices to the records and events that keep them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from benne.errors import ConsentRecordError
from benne.scoring.consent.gate import standing
from benne.scoring.consent.reading import load_events, load_last_records
from benne.scoring.consent.record import Capture, ConsentRequest, ConsentTerms
from benne.scoring.consent.timeline import gives_now
from benne.scoring.consent.vocabulary import State
from benne.scoring.consent.writing import NewEvent, NewRecord

__all__ = ["endings", "import_of_periods", "new_records"]

_PERIOD_COLUMNS = ("subject_id", "category", "granted_from", "granted_until")


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


def import_of_periods(
    grants: pd.DataFrame,
    terms: ConsentTerms,
    capture: Capture,
    *,
    now_us: int,
    ids: Callable[[], str],
) -> tuple[list[NewRecord], list[NewEvent]]:
    """Records, and withdrawals of them, from the consents another system has kept.

    One record per member and moment of giving; a period with an end becomes a withdrawal then.
    """
    missing = [name for name in _PERIOD_COLUMNS if name not in grants.columns]
    if missing:
        raise ConsentRecordError(f"Imported consents must have the columns {', '.join(_PERIOD_COLUMNS)}.")
    records: list[NewRecord] = []
    withdrawals: list[NewEvent] = []
    for (subject_id, given_us), ends in _choices(grants, now_us).items():
        request = ConsentRequest(subject_id=subject_id, terms=terms, capture=capture, categories=tuple(ends))
        record_id = ids()
        records.append(NewRecord(request, record_id, given_us, None, dict.fromkeys(ends, "given")))
        withdrawals += [
            NewEvent(record_id, category, end_us, None, "member", terms.consent_type, "withdrawn")
            for category, end_us in ends.items()
            if end_us is not None
        ]
    return records, withdrawals


def _choices(grants: pd.DataFrame, now_us: int) -> dict[tuple[str, int], dict[str, int | None]]:
    ordered = grants.sort_values(["granted_from", "subject_id"], kind="stable")
    start, until = (_moments(ordered[name]) for name in ("granted_from", "granted_until"))
    choices: dict[tuple[str, int], dict[str, int | None]] = {}
    for subject_id, category, given_us, end_us in zip(
        ordered["subject_id"], ordered["category"], start, until, strict=True
    ):
        if given_us is None or not given_us < (now_us + 1 if end_us is None else end_us) <= now_us + 1:
            raise ConsentRecordError(
                "An imported consent must begin in the past and end after that, not in the future. "
                "Leave the end null while it stands."
            )
        ends = choices.setdefault((subject_id, given_us), {})
        if category in ends:
            raise ConsentRecordError("Imported consents must name a member's category once per moment, got two.")
        ends[category] = end_us
    return choices


def _moments(times: pd.Series[Any]) -> list[int | None]:
    if times.isna().all():
        return [None] * len(times)
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise ConsentRecordError(f"{times.name} must be timezone-aware timestamps, got {times.dtype}. Localize.")
    microseconds = times.dt.tz_convert("UTC").dt.as_unit("us").astype("int64")
    return [None if null else us for us, null in zip(microseconds.tolist(), times.isna(), strict=True)]


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
