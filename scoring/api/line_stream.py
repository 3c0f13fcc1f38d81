"""A response that is sent while the request is still being read, line for line.

Starlette's own streaming response watches for a caller that goes away by reading what the caller sends, and so takes
the rest of a body from whoever reads it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["NDJSON", "LineStream"]

NDJSON: Final = "application/x-ndjson"


class LineStream(Response):
    """Lines of JSON as they come.

    Parameters
    ----------
    parts : async iterator of bytes
        May read the request; whole lines each.
    """

    media_type = NDJSON

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until there are no more, or nobody is there any more."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for part in self._parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        except ClientDisconnect:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
