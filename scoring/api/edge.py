"""What surrounds every request: its id, its limits, a line in the log, a count; never a member's data.

One piece of ASGI around the application. A path can hold a member's id, so logs and metrics name the route, never the
path, and neither headers nor bodies.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benne.scoring.api.measuring import Measures
from benne.scoring.api.problems import PROBLEMS, Problem, answer

__all__ = ["Edge"]

_log = logging.getLogger("benne.access")
_BATCH: Final = "/v1/scores:batch"
_PAGES: Final = ("/console/", "/me/")
_AS_FORMS_ARE_SENT: Final = 4  # times the bytes: of one sign of Chinese, which is three bytes, a form makes nine
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


_MOST_DIGITS: Final = 18  # of a length


def _with_ours(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What a response says of itself stands: a page has a policy of its own."""
    told = list(given)
    names = {name.lower() for name, _ in told}
    return [*told, *(header for header in _HEADERS if header[0] not in names)]


def _is_page(scope: Scope) -> bool:
    return f"{scope['path']}/".startswith(_PAGES)


class _Unreadable(HTTPException):
    """A body is too large, or does not come; whoever reads it lets one of this class through."""

    def __init__(self, slug: str) -> None:
        super().__init__(PROBLEMS[slug].status)
        self.slug = slug


class Edge:
    """The edge of the application.

    Parameters
    ----------
    app : ASGIApp
    body_limit, batch_body_limit : int
        Bytes.
    seconds : float
        For a body to come; of a batch, for the next part of it.
    measures : Measures
    page : callable, optional
        Takes a request for a page and why its body was not read (a problem's slug), and gives the page that says so.
    """

    def __init__(
        self, app: ASGIApp, *, body_limit: int, batch_body_limit: int, seconds: float, measures: Measures,
        page: Callable[[Scope, str], ASGIApp] | None = None,
    ) -> None:  # fmt: skip
        self._app = app
        self._seconds = seconds
        self._body_limit = body_limit
        self._batch_body_limit = batch_body_limit
        self._measures = measures
        self._page = page

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
                message["headers"] = _with_ours(message.get("headers", ()))
            await send(message)

        try:
            await self._limited(scope, receive, sending)
        except _Unreadable as error:
            if not begun:
                await self._unread(scope, error.slug)(scope, receive, sending)
        except Exception as error:
            _log.error("unexpected %s", type(error).__name__)  # its text may quote what was sent
            if begun:
                raise
            await answer(Problem(PROBLEMS["unexpected"]))(scope, receive, sending)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _unread(self, scope: Scope, slug: str) -> ASGIApp:
        """A page where a person reads it, and a problem where a program does."""
        if self._page is not None and _is_page(scope):
            return self._page(scope, slug)
        return answer(Problem(PROBLEMS[slug]))

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        batch = scope["path"] == _BATCH
        limit = self._batch_body_limit if batch else self._body_limit
        limit *= _AS_FORMS_ARE_SENT if _is_page(scope) else 1
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or len(declared) > _MOST_DIGITS or int(declared) > limit:
            raise _Unreadable("body-too-large")
        clock = asyncio.get_running_loop().time
        received, more, until = 0, True, clock() + self._seconds

        async def receiving() -> Message:
            nonlocal received, more
            if not more:  # nothing comes any more but word that the caller has gone
                return await receive()
            try:
                async with asyncio.timeout_at(clock() + self._seconds if batch else until):
                    message = await receive()
            except TimeoutError:
                raise _Unreadable("body-too-slow") from None
            received, more = received + len(message.get("body", b"")), message.get("more_body", False)
            if received > limit:
                raise _Unreadable("body-too-large")
            return message

        await self._app(scope, receiving, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._measures.request(scope["method"], route, status, seconds)
        if _log.isEnabledFor(logging.INFO):
            line: dict[str, Any] = {"route": route, "method": scope["method"], "status": status}
            _log.info(json.dumps(line | {"milliseconds": round(seconds * 1000, 1)}))
