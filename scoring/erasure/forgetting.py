"""Taking a member out of the store: their key first, for without it the rest is noise already."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from benne.scoring.store.access_tables import api_keys
from benne.scoring.store.member_tables import erased_payloads, member_payloads, members
from benne.scoring.store.payloads import MADE_FROM_MEMBER

__all__ = ["delete_payloads", "destroy_key"]


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
