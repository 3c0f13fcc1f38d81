"""What is held of a member's disputes, reviews and notices, as they may take it with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, select

from benne.scoring.audit.chain import head
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.rights.words import decoded
from benne.scoring.store.rights_tables import notice_members, notices
from benne.scoring.store.vault import Payload

__all__ = ["notices_in", "said_in", "visible_notices"]

_THEIR_OWN: Final = ("dispute", "review")
_N: Final = notices.c
_M: Final = notice_members.c


def said_in(payloads: Iterable[Payload]) -> list[dict[str, Any]]:
    """What the member said of disputes and reviews, and their statements, oldest first."""
    found = []
    for one in payloads:
        content = decoded(one.content) if one.kind in ("dispute", "statement") else {}
        if one.kind == "statement" or content.get("said") in _THEIR_OWN:
            at = from_microseconds(one.created_at_us).isoformat()
            found.append({"id": one.payload_ref, "said_at": at, "said": "statement"} | content)
    return found


def visible_notices(connection: Connection, subject_id: str) -> frozenset[str]:
    """Ids of notices to the member that no law bars from being shown by the time of the newest audit record.

    Of one that is barred nothing may show, not even that something of its kind is held.
    """
    shown = select(_N.notice_id).join(notice_members, _M.notice_id == _N.notice_id).where(
        _M.subject_id == subject_id, _N.audience == "member", _N.shown_from_us <= head(connection).time_us
    )  # fmt: skip
    return frozenset(connection.execute(shown).scalars())


def notices_in(payloads: Iterable[Payload], visible: frozenset[str]) -> list[dict[str, Any]]:
    """What the member was told, word for word, oldest first."""
    return [decoded(one.content) for one in payloads if one.kind == "notice" and one.payload_ref in visible]
