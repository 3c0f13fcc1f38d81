"""Where the public keys of an identity provider come from: a file, or an address that is read with limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import BaseHandler, HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from benne.errors import CredentialError

__all__ = ["JwksFile", "JwksSource", "JwksUrl"]

_LONGEST: Final = 256 * 1024  # bytes
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_A_MOMENT: Final = timedelta(seconds=5)


class JwksSource(Protocol):
    """Wherever a JWK set comes from."""

    def fetch(self) -> dict[str, Any]:
        """The JWK set as it is now.

        Raises
        ------
        CredentialError
            If it cannot be had.
        """
        ...


class JwksFile:
    """A JWK set in a file, read anew each time it is asked for.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def fetch(self) -> dict[str, Any]:
        """The JWK set in the file.

        Raises
        ------
        CredentialError
            If the file is missing, too large, or holds no JSON object.
        """
        try:
            with self._path.open("rb") as file:
                content = file.read(_LONGEST + 1)
        except OSError:
            raise CredentialError(f"{self._path} must be a JWK set, got no file that can be read. Name it.") from None
        return _jwks(content, str(self._path))


class JwksUrl:
    """A JWK set at an address, read with a limit on its size and on the time it takes. It may not redirect.

    Parameters
    ----------
    url : str
        https, or http on this machine.
    clock : callable returning datetime
        Timezone-aware; measures how long reading takes.
    timeout : timedelta, default=5 seconds
        To connect, between two pieces, and for the whole.

    Raises
    ------
    CredentialError
        If the address is neither.

    Examples
    --------
    >>> from benne.scoring.wiring import system_clock
    >>> JwksUrl("http://idp.example/jwks.json", clock=system_clock)
    Traceback (most recent call last):
    ...
    benne.errors.CredentialError: The address of a JWK set must be https, or http on this machine, got another. ...
    """

    def __init__(self, url: str, *, clock: Callable[[], datetime], timeout: timedelta = _A_MOMENT) -> None:
        if not _is_safe(url):
            raise CredentialError(
                "The address of a JWK set must be https, or http on this machine, got another. "
                "Whoever changes it on its way could sign tokens."
            )
        self._url = url
        self._clock = clock
        self._timeout = timeout

    def fetch(self) -> dict[str, Any]:
        """The JWK set at the address.

        Raises
        ------
        CredentialError
            If it does not answer in time, answers with too much, an error, a redirect, or no JSON object.
        """
        try:
            content = self._read(build_opener(_NoRedirect, *self._straight()))
        except (OSError, HTTPException, ValueError) as error:
            raise CredentialError(
                f"{self._url} must answer with a JWK set, got {_kind_of(error)}. See whether it is up."
            ) from None
        return _jwks(content, self._url)

    def _straight(self) -> tuple[BaseHandler, ...]:
        """What is on this machine is asked without a proxy, which would be somebody on the way."""
        return () if self._url.startswith("https:") else (ProxyHandler({}),)

    def _read(self, opener: OpenerDirector) -> bytes:
        ends = self._clock() + self._timeout
        content = bytearray()
        request = Request(self._url, headers={"Accept": "application/json"})  # noqa: S310 - the scheme was checked
        with opener.open(request, timeout=self._timeout.total_seconds()) as answer:
            while piece := answer.read1(_LONGEST + 1 - len(content)):
                content += piece
                if len(content) > _LONGEST:
                    break
                if self._clock() > ends:
                    raise TimeoutError
        return bytes(content)


class _NoRedirect(HTTPRedirectHandler):
    """Another address than the one that was named is another identity provider."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None turns a redirect into an error."""
        return


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _kind_of(error: Exception) -> str:
    if isinstance(error, HTTPError):
        error.close()
        return f"status {error.code}"
    return type(error.reason if isinstance(error, URLError) else error).__name__


def _jwks(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > _LONGEST:
        raise CredentialError(f"{name} must be at most {_LONGEST:,} bytes, got more. Name a JWK set.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise CredentialError(f"{name} must hold a JWK set, got something else. Name the address of the keys.")
    return found
