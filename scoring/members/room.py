"""Room for what takes a core for a while: a few at a time, a few more wait, and of one member never many.

Whoever waits holds a thread of the service, so without an end to the waiting one member who asks for sixty reports at
once would keep every recipient waiting for a score.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benne.errors import ServiceBusy

__all__ = ["Room"]

_AT_A_TIME: Final = 2
_MOST: Final = 8
_OF_ONE: Final = 3
_PATIENCE: Final = 5.0  # seconds


class Room:
    """Two at a time; six more may wait up to five seconds; of one member three at most are let in.

    Examples
    --------
    >>> room = Room()
    >>> with room.turn("anna"), room.turn("anna"):
    ...     pass
    """

    def __init__(self) -> None:
        self._seats = threading.BoundedSemaphore(_AT_A_TIME)
        self._inside = Counter[str]()
        self._alone = threading.Lock()

    @contextmanager
    def turn(self, whose: str) -> Iterator[None]:
        """Wait for a turn, and hold it.

        Parameters
        ----------
        whose : str
            Subject id of the member it is about.

        Raises
        ------
        ServiceBusy
            If too many wait already, or none was done in time.
        """
        self._let_in(whose)
        try:
            if not self._seats.acquire(timeout=_PATIENCE):
                raise ServiceBusy("What takes long must wait for others, and waited too long. Ask again.")
            try:
                yield
            finally:
                self._seats.release()
        finally:
            self._let_out(whose)

    def _let_in(self, whose: str) -> None:
        with self._alone:
            if self._inside.total() >= _MOST or self._inside[whose] >= _OF_ONE:
                raise ServiceBusy("What takes long must wait its turn, and too many wait already. Ask again later.")
            self._inside[whose] += 1

    def _let_out(self, whose: str) -> None:
        with self._alone:
            self._inside[whose] -= 1
            self._inside += Counter()  # forget whoever is out
