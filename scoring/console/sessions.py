"""Who is signed in: the credential itself, sealed in a cookie, so that every request authenticates anew.

Nothing of a session is kept on the server but the ids of those that ended, so several workers serve the same one,
and a key of access that is revoked opens nothing from the next request on.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from benne.scoring.consent.moments import to_microseconds
from benne.scoring.console.access import Area
from benne.scoring.console.sealed import Sealer

__all__ = ["AT_MOST", "IDLE", "Session", "Sessions"]

IDLE: Final = timedelta(minutes=30)
"""After which without a request one has to sign in again."""
AT_MOST: Final = timedelta(hours=8)
"""After which one has to sign in again, whatever one did."""

_KEPT: Final = ("session_id", "credential", "owner", "since_us", "seen_us")
_MICROSECOND: Final = timedelta(microseconds=1)
_RENEW_AFTER: Final = timedelta(minutes=1)
_ID_BYTES: Final = 16
_MOST_ENDED: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in.

    Attributes
    ----------
    session_id : str
        32 hexadecimal digits.
    area : {'console', 'me'}
    credential : str
        Key of access or token; left out of the ``repr``.
    owner : str
        Whose session it is, so that somebody else does not go on with it; left out of the ``repr``.
    since_us, seen_us : int
        When they signed in and when they last asked for something, in microseconds since 1970-01-01 UTC.
    """

    session_id: str
    area: Area
    credential: str = field(repr=False)
    owner: str = field(repr=False)
    since_us: int
    seen_us: int

    @property
    def authorization(self) -> str:
        """As an ``Authorization`` header would say it."""
        return f"Bearer {self.credential}"


class Sessions:
    """Begins, recognises and ends sessions.

    Parameters
    ----------
    sealer : Sealer
    clock : callable returning datetime
    random_bytes : callable
        Takes a number and gives as many bytes that nobody can guess.
    """

    def __init__(self, sealer: Sealer, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._sealer = sealer
        self._clock = clock
        self._random_bytes = random_bytes
        self._ended: dict[str, int] = {}
        self._alone = threading.Lock()

    def begin(self, area: Area, credential: str, owner: str, session_id: str | None = None) -> Session:
        """Somebody signs in; under the id of their earlier session, where they go on with that."""
        now = self._now()
        if session_id is None or session_id in self._ended:
            session_id = self._random_bytes(_ID_BYTES).hex()
        return Session(
            session_id=session_id, area=area, credential=credential, owner=owner, since_us=now, seen_us=now
        )  # fmt: skip

    def cookie(self, session: Session) -> str:
        """A session as its cookie holds it."""
        content = [getattr(session, name) for name in _KEPT]
        return self._sealer.seal("session", json.dumps(content).encode(), session.area)

    def read(self, area: Area, cookie: str | None) -> Session | None:
        """The session of a cookie, whether or not it is over; None where it is no cookie of ours."""
        content = None if cookie is None else self._sealer.open("session", cookie, area)
        if content is None:
            return None
        return Session(area=area, **dict(zip(_KEPT, json.loads(content), strict=True)))

    def state(self, session: Session) -> Literal["live", "over"]:
        """Whether a session still stands: neither idle for too long, nor too old, nor signed out of."""
        now = self._now()
        idle = (now - session.seen_us) * _MICROSECOND >= IDLE
        old = (now - session.since_us) * _MICROSECOND >= AT_MOST
        return "over" if idle or old or session.session_id in self._ended else "live"

    def renewed(self, session: Session) -> Session | None:
        """The session as seen just now; None where its cookie says nearly that already."""
        now = self._now()
        if (now - session.seen_us) * _MICROSECOND < _RENEW_AFTER:
            return None
        return replace(session, seen_us=now)

    def end(self, session: Session) -> None:
        """Sign out: a copy of the cookie opens nothing in this process any more."""
        now = self._now()
        with self._alone:
            if len(self._ended) >= _MOST_ENDED:
                oldest = now - AT_MOST // _MICROSECOND
                self._ended = {one: at for one, at in self._ended.items() if at > oldest}
            self._ended[session.session_id] = now

    def form_token(self, session: Session | None, area: Area) -> str:
        """What every form of a session carries; of one that is not signed in, a token of the area."""
        owner = "" if session is None else session.session_id
        return self._sealer.secret("form", area, owner).hex()[:40]

    def is_form_token(self, session: Session | None, area: Area, token: str) -> bool:
        """Whether a form came from a page of this session; in constant time."""
        given = token.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(self.form_token(session, area).encode(), given)

    def _now(self) -> int:
        return to_microseconds(self._clock(), "The clock")
