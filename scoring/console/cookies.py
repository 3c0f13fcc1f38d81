"""Cookies: which, where they are sent, and for how long."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from benne.errors import CredentialError
from benne.scoring.console.access import AREAS, Area
from benne.scoring.console.language import COOKIE

__all__ = ["forget_session", "remember_language", "remember_session"]

_LONGEST: Final = 4_000  # characters; browsers drop a longer one without a word
_A_YEAR: Final = 365 * 24 * 3600
_BY_PROXY: Final = frozenset(
    {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"}
)
_HERE: Final = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


def remember_session(request: Request, response: Response, area: Area, cookie: str) -> None:
    """Set an area's session cookie; it goes with the browser's own session.

    Raises
    ------
    CredentialError
        If it is longer than browsers keep.
    """
    if len(cookie) > _LONGEST:
        raise CredentialError("A credential must fit into a cookie, got a longer one. Sign in with a key of access.")
    response.set_cookie(
        f"benne_{area}", cookie, path=AREAS[area], httponly=True, samesite="strict", secure=_is_secure(request)
    )  # fmt: skip


def forget_session(request: Request, response: Response, area: Area) -> None:
    """Have the browser drop an area's session cookie."""
    response.delete_cookie(
        f"benne_{area}", path=AREAS[area], httponly=True, samesite="strict", secure=_is_secure(request)
    )  # fmt: skip


def remember_language(request: Request, response: Response, language: str) -> None:
    """Remember the language that was asked for."""
    response.set_cookie(
        COOKIE, language, max_age=_A_YEAR, path="/", httponly=True, samesite="lax", secure=_is_secure(request)
    )  # fmt: skip


def _is_secure(request: Request) -> bool:
    """Over TLS alone, but for the machine itself: a proxy ends TLS, so the scheme seen here says nothing.

    A request that came by way of a proxy is from elsewhere, whatever name the proxy asks for.
    """
    return request.url.hostname not in _HERE or not _BY_PROXY.isdisjoint(request.headers)
