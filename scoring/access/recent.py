"""Credentials that were found good a moment ago, so that not every request asks the store."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Final

from benne.scoring.access.principal import Principal

__all__ = ["RecentPrincipals"]

_MOST: Final = 10_000


class RecentPrincipals:
    """Credentials that were found good a moment ago, by their hash.

    A key that is revoked opens nothing after ``seconds`` at the latest.

    Parameters
    ----------
    seconds : float
        0 remembers nothing.
    monotonic : callable returning float
        A clock that never runs backwards, such as :func:`time.monotonic`.
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self._alone = threading.Lock()

    def get(self, credentials: str) -> Principal | None:
        """Who they are of, if that was found out a moment ago."""
        found = self._known.get(_hash(credentials))
        if found is None or self._monotonic() >= found[0]:
            return None
        return found[1]

    def put(self, credentials: str, principal: Principal) -> None:
        """Remember them for a moment."""
        if self._seconds == 0:
            return
        with self._alone:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[_hash(credentials)] = self._monotonic() + self._seconds, principal

    def forget(self, subject_id: str) -> None:
        """Know a member's credentials no more, as when they are erased."""
        with self._alone:
            kept = {key: found for key, found in self._known.items() if found[1].subject_id != subject_id}
            self._known = kept


def _hash(credentials: str) -> bytes:
    return hashlib.sha256(credentials.encode()).digest()
