"""The acts by which consents stand or ended, over all members at once."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, exists, or_, select

from benne.scoring.store.schema import consent_events, consent_records

__all__ = ["Category", "last_acts", "read"]

_EVENT, _RECORD = consent_events, consent_records
_LATER_EVENT, _LATER_RECORD = consent_events.alias("later_event"), consent_records.alias("later_record")


class Category(NamedTuple):
    """One category of one member for one purpose and recipient, by its last act.

    ``valid_until_us`` is None where the act gives nothing.
    """

    subject_id: str
    purpose: str
    recipient: str
    record_id: str
    category: str
    consent_type: str
    valid_until_us: int | None
    seq: int


def last_acts() -> Select[Any]:
    """Every category's last act, requests aside, as :func:`read` takes it; the caller narrows it down."""
    e, r = _EVENT.c, _RECORD.c
    return (
        select(r.subject_id, r.purpose, r.recipient, r.record_id, e.category, r.consent_type, e.valid_until_us, e.seq)
        .join_from(_EVENT, _RECORD, e.record_id == r.record_id)
        .where(e.state != "requested", ~_superseded())
    )


def read(connection: Connection, query: Select[Any]) -> list[Category]:
    """The rows of a narrowed :func:`last_acts`."""
    return [Category(*row) for row in connection.execute(query)]


def _superseded() -> Any:
    """Whether a later act decides; consent to automated decisions and to a category's data do not end one another."""
    e, r, later, record = _EVENT.c, _RECORD.c, _LATER_EVENT.c, _LATER_RECORD.c
    same_key = and_(
        record.subject_id == r.subject_id,
        # A member has few records. Without the concatenations a planner that has no statistics yet may read all
        # records of the purpose and recipient for each event.
        record.purpose.concat("") == r.purpose,
        record.recipient.concat("") == r.recipient,
        (record.consent_type == "automated_decision") == (r.consent_type == "automated_decision"),
        later.category == e.category,
    )
    after = or_(later.time_us > e.time_us, and_(later.time_us == e.time_us, later.seq > e.seq))
    return exists(
        select(1)
        .select_from(_LATER_RECORD.join(_LATER_EVENT, later.record_id == record.record_id))
        .where(same_key, later.state != "requested", after)
    )
