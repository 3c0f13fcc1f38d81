"""The audit chain walked a stretch at a time, so that no request takes long; what was found travels sealed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, select

from benne.scoring.audit.chain import START, AuditReport, Head, Link, verify
from benne.scoring.console.sealed import Sealer
from benne.scoring.store.audit_tables import audit_records

__all__ = ["STRETCH", "Walk", "walk_on"]

STRETCH: Final = 6_000
"""Records in a request, of which a page goes on by itself."""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a verification has come.

    Attributes
    ----------
    seq, hash : int, str
        Last record that is as it must be.
    time_us : int
        When it was recorded.
    done : bool
    broken_at : int or None
        Place of the first record that is not as it must be.
    why : str or None
        What is wrong with it.
    anchored_up_to : int
        Last record that an anchor vouches for.
    """

    seq: int
    hash: str
    time_us: int
    done: bool = False
    broken_at: int | None = None
    why: str | None = None
    anchored_up_to: int = 0

    @classmethod
    def begin(cls) -> Walk:
        """Before the first record."""
        return cls(*START)

    @classmethod
    def read(cls, sealer: Sealer, text: str, session_id: str) -> Walk | None:
        """What a page of this session had found; None for anything else."""
        content = sealer.open("typed", text, "walk", session_id) if text else None
        return None if content is None else cls(**json.loads(content))

    def sealed(self, sealer: Sealer, session_id: str) -> str:
        """As a hidden field of the page."""
        return sealer.seal("typed", json.dumps(asdict(self)).encode(), "walk", session_id)


class _FarEnough(Exception):
    """Ends a walk for now."""


def walk_on(connection: Connection, walk: Walk, anchors: Iterable[Link] = (), *, records: int = STRETCH) -> Walk:
    """Verify the next records.

    Parameters
    ----------
    connection : Connection
        One view of the store.
    walk : Walk
    anchors : iterable of Link
        All of them, in order.
    records : int
        How many at least, before it stops for now.
    """
    since, reached = Head(walk.seq, walk.hash, walk.time_us), walk.seq

    def progress(seq: int) -> None:
        nonlocal reached
        reached = seq
        if seq - since.seq >= records:
            raise _FarEnough

    held = list(anchors)
    try:
        return _ended(verify(connection, held, since=since, progress=progress))
    except _FarEnough:
        columns = audit_records.c
        query = select(columns.seq, columns.hash, columns.time_us).where(columns.seq == reached)
        found = connection.execute(query).one()
        vouched = max((anchor.seq for anchor in held if anchor.seq <= reached), default=0)
        return Walk(*found, anchored_up_to=vouched)


def _ended(report: AuditReport) -> Walk:
    return Walk(
        *report.head, done=True, broken_at=report.broken_at, why=report.why, anchored_up_to=report.anchored_up_to
    )
