"""Taking a member out of the store: their key first, for without it the rest is noise already."""

from __future__ import annotations

from sqlalchemy import Connection, case, delete, insert, literal, select, update

from benne.scoring.store.access_tables import api_keys
from benne.scoring.store.member_tables import erased_payloads, member_payloads, members
from benne.scoring.store.payloads import MADE_FROM_MEMBER
from benne.scoring.store.rights_tables import correction_steps, notice_members, rights_case_events, rights_cases

__all__ = ["delete_payloads", "destroy_key", "forget_rights"]


def destroy_key(connection: Connection, subject_id: str, now_us: int) -> None:
    """Overwrite a member's key, and let nobody draw them a new one; their keys of access go with it.

    Parameters
    ----------
    connection : Connection
        Writing alone.
    subject_id : str
    now_us : int
        Microseconds since 1970-01-01 UTC.
    """
    gone = {"wrapped_key": None, "master_key_id": None, "erased_at_us": now_us}
    connection.execute(delete(api_keys).where(api_keys.c.subject_id == subject_id))
    changed = connection.execute(update(members).where(members.c.subject_id == subject_id).values(gone))
    if not changed.rowcount:  # nothing was ever kept about them; nothing will be
        connection.execute(insert(members).values(subject_id=subject_id, created_at_us=now_us, **gone))


def delete_payloads(connection: Connection, subject_id: str) -> None:
    """Delete a member's payloads, and remember of each only that it was erased, not whose it was.

    Nothing is remembered of references that are not drawn but made from the member's own id: they would say whose they
    were, and come again when the member comes back.
    """
    theirs = member_payloads.c.subject_id == subject_id
    drawn = member_payloads.c.payload_ref.not_like(f"{MADE_FROM_MEMBER}%")
    refs = select(member_payloads.c.payload_ref).where(theirs, drawn)
    connection.execute(insert(erased_payloads).from_select(["payload_ref"], refs))
    connection.execute(delete(member_payloads).where(theirs))


def forget_rights(connection: Connection, subject_id: str, now_us: int) -> None:
    """End what a member is still owed, and leave of their disputes, reviews and notices what leads to nobody.

    That there was a case, by when it was due and how it ended stays, and that a notice of its kind was sent.
    """
    c, e = rights_cases.c, rights_case_events.c
    theirs, left = c.subject_id == subject_id, c.ended_at_us.is_(None)
    words = {e.state: "erased", e.act: "erased", e.at_us: now_us, e.actor_role: "system"}
    ends = select(c.case_id, c.version + 1, *(literal(value) for value in words.values())).where(theirs, left)
    names = ["case_id", "version", *(column.name for column in words)]
    connection.execute(insert(rights_case_events).from_select(names, ends))
    steps = correction_steps.c.case_id.in_(select(c.case_id).where(theirs))
    connection.execute(delete(correction_steps).where(steps))
    gone = dict.fromkeys(("subject_id", "decision_id", "mark", "statement_ref", "result"))
    connection.execute(
        update(rights_cases).where(theirs).values(
            **gone,
            version=case((left, c.version + 1), else_=c.version),
            state=case((left, "erased"), else_=c.state),
            ended_at_us=case((left, now_us), else_=c.ended_at_us),
        )
    )  # fmt: skip
    connection.execute(delete(notice_members).where(notice_members.c.subject_id == subject_id))
