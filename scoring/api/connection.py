"""Connections that send no request, or no end of one: cut off, whatever stands in front of the service.

uvicorn waits for the head of a request as long as it takes, and keeps all of it however long it is.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["SECONDS_TO_BEGIN", "GuardedHttp"]

SECONDS_TO_BEGIN: Final = "seconds_to_begin"
"""Under this name the lifespan's state says how long a connection may take to send a request's head."""

_SECONDS: Final = 10.0
_MOST: Final = 65_536  # bytes of a head, and what one reading from the socket holds beyond


class GuardedHttp(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with an end to what it waits for and to what it keeps before there is a request."""

    _head: int | None = 0
    """Bytes of a head that has not ended; None within a request."""
    _until: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._unwait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless too much of a head has come already."""
        if self._head is not None:
            if self._head > _MOST:
                self._cut_off()
                return
            self._head += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a head."""
        super().on_message_begin()
        self._head = 0
        if self._until is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """Wait no longer: from here on the application does."""
        self._head = None
        self._unwait()
        super().on_headers_complete()

    def _wait(self) -> None:
        seconds = float(self.app_state.get(SECONDS_TO_BEGIN, _SECONDS))
        self._until = self.loop.call_later(seconds, self._cut_off)

    def _unwait(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _cut_off(self) -> None:
        self._unwait()
        self.transport.close()
