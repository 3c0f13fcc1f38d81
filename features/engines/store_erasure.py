"""Taking one member out of an event store: their own rows, and their id in the rows of others."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, bindparam, delete, select, update

from benne.features.compute import Loaded
from benne.features.engines.member_rows import from_bytes, to_bytes
from benne.features.engines.packed import dump, restore
from benne.features.engines.store_identities import forget, identities
from benne.features.engines.store_members import rows_of
from benne.features.engines.store_tables import LINKS, MEMBERS, portions

__all__ = ["erase"]

_TOMBSTONE_BYTES: Final = 16

_RENAMED = (
    update(MEMBERS)
    .where(MEMBERS.c.subject_id == bindparam("naming"))
    .values(rows=bindparam("new_rows"), packed=bindparam("new_packed"))
)


def erase(connection: Connection, subject_id: str) -> bool:
    """Erase one member.

    Parameters
    ----------
    connection : Connection
        Writing alone.
    subject_id : str

    Returns
    -------
    bool
        Whether there was anything: rows of theirs, or somebody else's that name them.

    Notes
    -----
    Who dealt with them keeps those rows, for they are that member's too. In them stands a random
    id from now on, one and the same, so that others count as many people as before; nothing
    leads from it to anybody.
    """
    own = rows_of(connection, [subject_id]).get(subject_id, {})
    forget(connection, identities(own))
    connection.execute(delete(MEMBERS).where(MEMBERS.c.subject_id == subject_id))
    connection.execute(delete(LINKS).where(LINKS.c.subject_id == subject_id))
    naming = connection.execute(select(LINKS.c.subject_id).where(LINKS.c.other_id == subject_id)).scalars().all()
    _rename(connection, naming, subject_id, secrets.token_hex(_TOMBSTONE_BYTES))
    return bool(own or naming)


def _rename(connection: Connection, naming: Sequence[str], old: str, new: str) -> None:
    for some in portions(naming):
        wanted = select(MEMBERS).where(MEMBERS.c.subject_id.in_(some))
        renamed = [_renamed(subject, rows, packed, old, new) for subject, rows, packed in connection.execute(wanted)]
        connection.execute(_RENAMED, renamed)
    connection.execute(update(LINKS).where(LINKS.c.other_id == old).values(other_id=new))


def _renamed(subject: str, rows: bytes, packed: bytes, old: str, new: str) -> dict[str, Any]:
    tables = from_bytes(rows)
    tables["interactions"] = _with_other(tables["interactions"], old, new)
    # Not packed anew: all but the id stays where it is, so that no feature can change.
    loaded = restore(packed)
    others = [new if one == old else one for one in loaded.member_ids]
    return {"naming": subject, "new_rows": to_bytes(tables), "new_packed": dump(Loaded(loaded.partition, others))}


def _with_other(table: pa.Table, old: str, new: str) -> pa.Table:
    place, others = table.schema.get_field_index("other_id"), table.column("other_id")
    return table.set_column(place, table.schema.field(place), pc.if_else(pc.equal(others, old), new, others))
