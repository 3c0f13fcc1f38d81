"""What somebody was about to send when their session ended: kept in the sign-in page itself, sealed, and shown again.

Nothing is sent by signing in: the text stands in its fields once more, and whoever typed it sends it. Somebody else who
signs in on the same page does not see it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from benne.scoring.consent.moments import to_microseconds
from benne.scoring.console.sealed import Sealer
from benne.scoring.console.sessions import Session

__all__ = ["FIELD", "Typed", "keep_typed", "typed_before"]

FIELD: Final = "kept"
_KEPT_FOR: Final = timedelta(hours=12)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Typed:
    """A request that came after its session had ended.

    Attributes
    ----------
    session_id, owner : str
        Of the session.
    method, path : str
    fields : tuple of (str, str)
        Left out of the ``repr``, as is the owner.
    """

    session_id: str
    owner: str = field(repr=False)
    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)


def keep_typed(sealer: Sealer, session: Session, request: tuple[str, str], fields: list[tuple[str, str]],
               now: datetime) -> str:  # fmt: skip
    """A request as a hidden field of the sign-in page."""
    method, path = request
    moment = to_microseconds(now, "The clock")
    content = [session.session_id, session.owner, method, path, fields, moment]
    return sealer.seal("typed", json.dumps(content).encode(), session.area)


def typed_before(sealer: Sealer, area: str, kept: str, now: datetime) -> Typed | None:
    """The request that a sign-in page holds; None where it holds none, or one of yesterday."""
    content = sealer.open("typed", kept, area) if kept else None
    if content is None:
        return None
    session_id, owner, method, path, fields, moment = json.loads(content)
    if (to_microseconds(now, "The clock") - moment) * _MICROSECOND > _KEPT_FOR:
        return None
    return Typed(session_id, owner, method, path, tuple((name, value) for name, value in fields))
