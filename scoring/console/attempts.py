"""Sign-ins that failed: from one address a few at a time; the next are told to wait.

A key of access has 256 random bits and cannot be found by trying. Whoever has one gets in whatever others tried.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

__all__ = ["Attempts"]

_AT_ONCE: Final = 10.0
_SECONDS_EACH: Final = 30.0
_MOST: Final = 10_000


class Attempts:
    """A bucket of failures for each address, in one process; one comes back every half minute.

    Parameters
    ----------
    clock : callable returning datetime
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failed: dict[str, tuple[float, float]] = {}
        self._alone = threading.Lock()

    def may_try(self, address: str) -> bool:
        """Whether one more failure from there is told as such."""
        with self._alone:
            return self._count(address) <= _AT_ONCE - 1.0

    def failed(self, address: str) -> None:
        """Note that one failed."""
        with self._alone:
            if len(self._failed) >= _MOST and address not in self._failed:
                self._failed = {one: kept for one, kept in self._failed.items() if self._count(one) > 0}
            self._failed[address] = self._count(address) + 1.0, self._now()

    def _count(self, address: str) -> float:
        count, since = self._failed.get(address, (0.0, 0.0))
        return max(0.0, count - max(0.0, self._now() - since) / _SECONDS_EACH)

    def _now(self) -> float:
        return self._clock().timestamp()
