"""What an erasure consists of, and how far each has come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, exists, insert, select

from benne.scoring.store.member_tables import erasure_steps, erasures

__all__ = [
    "COMPACTED",
    "CONSENT_WITHDRAWN",
    "KEY_DESTROYED",
    "PAYLOADS_DELETED",
    "Begun",
    "begin",
    "is_done",
    "mark_done",
    "open_erasures",
    "step_of_part",
]

CONSENT_WITHDRAWN: Final = "consent_withdrawn"
KEY_DESTROYED: Final = "key_destroyed"
PAYLOADS_DELETED: Final = "payloads_deleted"
COMPACTED: Final = "files_compacted"
"""The last step; an erasure that has it is finished."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An erasure that is asked for and not finished.

    Attributes
    ----------
    erasure_id : str
        Also that of the audit record of its request.
    subject_id : str
        Not in ``repr``.
    requested_at_us : int
        Microseconds since 1970-01-01 UTC.
    parts : tuple of str
        Names of what else the member is to be erased from.
    done : frozenset of str
        Steps that are behind it.
    """

    erasure_id: str
    subject_id: str = field(repr=False)
    requested_at_us: int
    parts: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()


def step_of_part(name: str) -> str:
    """The step in which a member is taken out of something beside the store."""
    return f"erased_from:{name}"


def begin(connection: Connection, begun: Begun) -> None:
    """Write down that an erasure is asked for."""
    row = {
        "erasure_id": begun.erasure_id,
        "subject_id": begun.subject_id,
        "requested_at_us": begun.requested_at_us,
        "parts": ",".join(begun.parts),
    }
    connection.execute(insert(erasures).values(row))


def mark_done(connection: Connection, erasure_id: str, step: str, now_us: int) -> bool:
    """Write down that a step is done; False where somebody else did so before."""
    if is_done(connection, erasure_id, step):
        return False
    row = {"erasure_id": erasure_id, "step": step, "done_at_us": now_us}
    connection.execute(insert(erasure_steps).values(row))
    return True


def is_done(connection: Connection, erasure_id: str, step: str) -> bool:
    """Whether a step is behind an erasure, by whomever."""
    same = (erasure_steps.c.erasure_id == erasure_id, erasure_steps.c.step == step)
    return bool(connection.execute(select(exists().where(*same))).scalar_one())


def open_erasures(connection: Connection, subject_id: str | None = None) -> tuple[Begun, ...]:
    """Erasures that are not finished, oldest first: of one member, or of all."""
    of_it = erasure_steps.c.erasure_id == erasures.c.erasure_id
    asked = select(erasures).where(~exists().where(of_it, erasure_steps.c.step == COMPACTED))
    if subject_id is not None:
        asked = asked.where(erasures.c.subject_id == subject_id)
    rows = connection.execute(asked.order_by(erasures.c.requested_at_us, erasures.c.erasure_id)).all()
    done = _done(connection, [row.erasure_id for row in rows])
    return tuple(
        Begun(
            row.erasure_id,
            row.subject_id,
            row.requested_at_us,
            tuple(name for name in row.parts.split(",") if name),
            frozenset(done[row.erasure_id]),
        )
        for row in rows
    )


def _done(connection: Connection, erasure_ids: Collection[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in erasure_ids:
        asked = select(erasure_steps.c.step).where(erasure_steps.c.erasure_id == one)
        found[one] = set(connection.execute(asked).scalars())
    return found
