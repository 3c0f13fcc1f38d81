"""What surrounds every request: its id, its limits, a line in the log, a count; never a member's data.

One piece of ASGI around the application. A path can hold a member's id, so logs and metrics name the route, never the
path, and neither headers nor bodies.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benne.scoring.api.measuring import Measures
from benne.scoring.api.problems import PROBLEMS, Problem, answer

__all__ = ["Edge"]

_log = logging.getLogger("benne.access")
_BATCH: Final = "/v1/scores:batch"
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class _TooLarge(Exception):
    """A body grew beyond its limit while it was read."""


class Edge:
    """The edge of the application.

    Parameters
    ----------
    app : ASGIApp
    body_limit, batch_body_limit : int
        Bytes.
    measures : Measures
    """

    def __init__(self, app: ASGIApp, *, body_limit: int, batch_body_limit: int, measures: Measures) -> None:
        self._app = app
        self._body_limit = body_limit
        self._batch_body_limit = batch_body_limit
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, begun = time.perf_counter(), 500, False

        async def sending(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            await self._limited(scope, receive, sending)
        except _TooLarge:
            if not begun:
                await answer(Problem(PROBLEMS["body-too-large"]))(scope, receive, sending)
        except Exception as error:
            _log.error("unexpected %s", type(error).__name__)  # its text may quote what was sent
            if begun:
                raise
            await answer(Problem(PROBLEMS["unexpected"]))(scope, receive, sending)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._batch_body_limit if scope["path"] == _BATCH else self._body_limit
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        if declared is not None and (not declared.isdigit() or int(declared) > limit):
            raise _TooLarge
        received = 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLarge
            return message

        await self._app(scope, receiving, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._measures.request(scope["method"], route, status, seconds)
        if _log.isEnabledFor(logging.INFO):
            line: dict[str, Any] = {"route": route, "method": scope["method"], "status": status}
            _log.info(json.dumps(line | {"milliseconds": round(seconds * 1000, 1)}))
