"""The one way in: what an ``Authorization`` header holds, and who that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from benne.errors import AccessDenied
from benne.scoring.access.api_keys import API_KEY_PREFIX, ApiKeys
from benne.scoring.access.principal import Principal
from benne.scoring.access.recipients import recipient_named
from benne.scoring.access.tokens import TokenVerifier
from benne.scoring.consent.moments import to_microseconds

__all__ = ["Authenticator"]

_SCHEME = "bearer"


class Authenticator:
    """Takes keys of access and, where there is an identity provider, its tokens.

    Parameters
    ----------
    api_keys : ApiKeys
    clock : callable returning datetime
        Timezone-aware.
    tokens : TokenVerifier, optional
        Without one, tokens are denied.

    Examples
    --------
    >>> import secrets
    >>> from benne.scoring import open_store
    >>> from benne.scoring.wiring import system_clock
    >>> store, door = open_store("sqlite://"), Authenticator(ApiKeys(secrets.token_bytes), clock=system_clock)
    >>> with store.read() as connection:
    ...     door.authenticate(connection, None)
    Traceback (most recent call last):
    ...
    benne.errors.AccessDenied: Credentials must be known and current, got others. ...
    >>> store.close()
    """

    def __init__(
        self, api_keys: ApiKeys, *, clock: Callable[[], datetime], tokens: TokenVerifier | None = None
    ) -> None:
        self._api_keys = api_keys
        self._clock = clock
        self._tokens = tokens

    def authenticate(self, connection: Connection, authorization: str | None) -> Principal:
        """Who sent an ``Authorization`` header.

        Parameters
        ----------
        connection : Connection
            Only read from.
        authorization : str or None
            ``Bearer`` and a key of access or a token; None where there was no header.

        Raises
        ------
        AccessDenied
            With one message, whatever the reason; ``missing`` where there was nothing, ``recipient-unknown`` and
            ``recipient-retired`` of a token's recipient, else those of keys and tokens.
        """
        scheme, _, credential = (authorization or "").partition(" ")
        credential = credential.strip()
        if scheme.lower() != _SCHEME or not credential:
            raise AccessDenied("missing")
        if credential.startswith(API_KEY_PREFIX):
            now_us = to_microseconds(self._clock(), "The clock")
            return self._api_keys.authenticate(connection, credential, now_us)
        if self._tokens is None:
            raise AccessDenied("malformed")
        return _bounded(connection, self._tokens.authenticate(credential))


def _bounded(connection: Connection, principal: Principal) -> Principal:
    """A recipient may ask what it is registered for, and of that what its token names."""
    if principal.recipient is None:
        return principal
    registered = recipient_named(connection, principal.recipient)
    if registered is None:
        raise AccessDenied("recipient-unknown")
    if not registered.served:
        raise AccessDenied("recipient-retired")
    named = principal.purposes
    return replace(principal, purposes=registered.purposes & named if named else registered.purposes)
