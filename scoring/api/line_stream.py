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

__all__ = ["NDJSON", "LineStream", "lines_of"]

NDJSON: Final = "application/x-ndjson"
_NO_LINE: Final = b"\x00"  # begins no JSON, whatever follows


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


async def lines_of(body: AsyncIterator[bytes], longest: int) -> AsyncIterator[bytes]:
    """The lines of a body, without blank ones.

    Of a line that is longer than ``longest`` bytes no more is kept than that it is no JSON: whoever sends one without
    end takes neither memory nor time.

    Examples
    --------
    >>> import asyncio
    >>> async def body():
    ...     for part in (b'{"a": 1}\\n\\n{"b"', b": 2}\\n", b"x" * 40, b"x\\n3"):
    ...         yield part
    >>> async def read():
    ...     return [line async for line in lines_of(body(), 30)]
    >>> asyncio.run(read())
    [b'{"a": 1}', b'{"b": 2}', b'\\x00x', b'3']
    """
    rest = b""
    async for part in body:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(rest) > longest:
            rest = _NO_LINE
    if rest.strip():
        yield rest
