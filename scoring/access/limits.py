"""How many requests one asker may send: a bucket each, filled at a steady rate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from benne.errors import RateExceeded
from benne.scoring.access.principal import Principal

__all__ = ["RateLimits"]

_MOST: Final = 100_000


class RateLimits:
    """Buckets of one process.

    Parameters
    ----------
    per_second : float
        Requests that come back each second; 0 for no limit.
    burst : int
        Requests that a full bucket holds.
    monotonic : callable returning float
        A clock that never runs backwards.

    Examples
    --------
    >>> limits, anna = RateLimits(1.0, 2, lambda: 0.0), Principal(id="key:1f", role="compliance")
    >>> limits.take(anna), limits.take(anna)
    (None, None)
    >>> limits.take(anna)
    Traceback (most recent call last):
    ...
    benne.errors.RateExceeded: At most 1 requests a second may come, got more. Ask again later.
    """

    def __init__(self, per_second: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}
        self._alone = threading.Lock()

    def take(self, principal: Principal) -> None:
        """Take one request out of the asker's bucket: of a recipient all its keys share one, a member has one.

        Raises
        ------
        RateExceeded
            If it is empty.
        """
        if self._per_second == 0:
            return
        with self._alone:
            owner, left, now = self._left(principal)
            if left < 1.0:
                raise RateExceeded(
                    f"At most {self._per_second:g} requests a second may come, got more. Ask again later."
                )
            self._buckets[owner] = left - 1.0, now

    def charge(self, principal: Principal, requests: int) -> float:
        """Take many at once, as for the lines of a stream; gives the seconds to wait before they are answered.

        The bucket may owe some then, and is empty until it has made up for them.
        """
        if self._per_second == 0:
            return 0.0
        with self._alone:
            owner, left, now = self._left(principal)
            self._buckets[owner] = left - requests, now
            return max(0.0, requests - left) / self._per_second

    def _left(self, principal: Principal) -> tuple[str, float, float]:
        """Whose bucket it is, what is in it, and when."""
        owner, now = principal.recipient or principal.subject_id or principal.id, self._monotonic()
        if len(self._buckets) >= _MOST and owner not in self._buckets:
            self._forget_the_full(now)
        left, since = self._buckets.get(owner, (self._burst, now))
        return owner, min(self._burst, left + (now - since) * self._per_second), now

    def _forget_the_full(self, now: float) -> None:
        """Buckets that have filled up again say nothing."""
        full = self._burst / self._per_second
        self._buckets = {owner: bucket for owner, bucket in self._buckets.items() if now - bucket[1] < full}
