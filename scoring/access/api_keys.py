"""Keys of access: made once, shown once, kept as salted hashes.

A secret is 256 random bits, so nobody can search for it: a slow hash made for passwords would add time to every
request and nothing else. The salt keeps equal secrets and ready-made tables from meaning anything.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from benne.errors import AccessDenied, CredentialError, RecipientError
from benne.scoring.access.principal import Principal, Role
from benne.scoring.access.recipients import recipient_named
from benne.scoring.store.access_tables import api_keys, recipients

__all__ = ["API_KEY_PREFIX", "ApiKey", "ApiKeys", "NewApiKey"]

API_KEY_PREFIX: Final = "benne_"
_ID_BYTES: Final = 8
_SALT_BYTES: Final = 16
_SECRET_BYTES: Final = 32
_FORM: Final = re.compile(r"benne_([0-9a-f]{16})_([0-9a-f]{64})")
_LOOKUP: Final = (
    select(api_keys, recipients.c.purposes, recipients.c.retired_at_us)
    .select_from(api_keys.outerjoin(recipients))
    .where(api_keys.c.key_id == bindparam("key_id"))
)
_NOBODY: Final = ("0" * 32, "0" * 64)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made; its text is seen here and never again.

    Attributes
    ----------
    key_id : str
        16 hexadecimal digits, which may be shown.
    text : str
        ``benne_<key id>_<secret>``; left out of the ``repr``.
    """

    key_id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is on record of a key. Times are microseconds since 1970-01-01 UTC.

    Attributes
    ----------
    key_id : str
    role : str
    recipient, subject_id : str or None
    created_at_us : int
    expires_at_us, revoked_at_us : int or None
    """

    key_id: str
    role: Role
    recipient: str | None
    subject_id: str | None = field(repr=False)
    created_at_us: int
    expires_at_us: int | None
    revoked_at_us: int | None

    def opens(self, now_us: int) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at_us is None and (self.expires_at_us is None or now_us < self.expires_at_us)


class ApiKeys:
    """The keys of access in a store.

    Parameters
    ----------
    random_bytes : callable
        Takes a number and gives that many random bytes, such as :func:`secrets.token_bytes`.

    Examples
    --------
    >>> import secrets
    >>> from benne.scoring import open_store
    >>> store, keys = open_store("sqlite://"), ApiKeys(secrets.token_bytes)
    >>> with store.write() as connection:
    ...     made = keys.new(connection, "compliance", now_us=0)
    >>> with store.read() as connection:
    ...     keys.authenticate(connection, made.text, now_us=1).role
    ...     keys.authenticate(connection, "benne_guess", now_us=1)
    Traceback (most recent call last):
    ...
    benne.errors.AccessDenied: Credentials must be known and current, got others. ...
    >>> store.close()
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes

    def new(
        self,
        connection: Connection,
        role: Role,
        *,
        now_us: int,
        recipient: str | None = None,
        subject_id: str | None = None,
        expires_at_us: int | None = None,
    ) -> NewApiKey:
        """Make a key.

        Raises
        ------
        CredentialError
            If recipient or subject id do not go with the role, or it would have ended already.
        RecipientError
            If the recipient is unknown or retired.
        """
        key_id, salt = self._random_bytes(_ID_BYTES).hex(), self._random_bytes(_SALT_BYTES).hex()
        secret = self._random_bytes(_SECRET_BYTES).hex()
        Principal(id=f"key:{key_id}", role=role, recipient=recipient, subject_id=subject_id)
        if expires_at_us is not None and expires_at_us <= now_us:
            raise CredentialError("A key of access must end later than now, got an end that is past. Name a later one.")
        if recipient is not None:
            _require_served(connection, recipient)
        row = {"key_id": key_id, "role": role, "recipient": recipient, "subject_id": subject_id, "salt": salt,
               "secret_hash": _hash(salt, secret), "created_at_us": now_us, "expires_at_us": expires_at_us,
               "revoked_at_us": None}  # fmt: skip
        connection.execute(insert(api_keys), row)
        return NewApiKey(key_id, f"{API_KEY_PREFIX}{key_id}_{secret}")

    def authenticate(self, connection: Connection, text: str, now_us: int) -> Principal:
        """Who holds the key: one query, nothing written.

        Raises
        ------
        AccessDenied
            With one message for all reasons: ``malformed``, ``unknown``, ``revoked``, ``expired``,
            ``recipient-retired``.
        """
        form = _FORM.fullmatch(text)
        if form is None:
            raise AccessDenied("malformed")
        key_id, secret = form.groups()
        row = connection.execute(_LOOKUP, {"key_id": key_id}).one_or_none()
        salt, expected = _NOBODY if row is None else (row.salt, row.secret_hash)
        if not hmac.compare_digest(_hash(salt, secret), expected) or row is None:
            raise AccessDenied("unknown")
        if row.revoked_at_us is not None:
            raise AccessDenied("revoked")
        if row.expires_at_us is not None and now_us >= row.expires_at_us:
            raise AccessDenied("expired")
        if row.retired_at_us is not None:
            raise AccessDenied("recipient-retired")
        return _principal(row)

    def revoke(self, connection: Connection, key_id: str, now_us: int) -> None:
        """End a key, from the next request on.

        Raises
        ------
        CredentialError
            If there is no such key, or it is revoked already.
        """
        standing = (api_keys.c.key_id == key_id) & api_keys.c.revoked_at_us.is_(None)
        if not connection.execute(update(api_keys).where(standing).values(revoked_at_us=now_us)).rowcount:
            raise CredentialError("A key must be there and not revoked, got another. See: benne apikey list")

    def forget(self, connection: Connection, subject_id: str) -> int:
        """Delete the keys of a member who is erased, and say how many there were."""
        return connection.execute(delete(api_keys).where(api_keys.c.subject_id == subject_id)).rowcount

    def every(self, connection: Connection) -> tuple[ApiKey, ...]:
        """All keys in the order they were made, without salts and hashes."""
        columns = [api_keys.c[name] for name in ApiKey.__dataclass_fields__]
        rows = connection.execute(select(*columns).order_by(api_keys.c.created_at_us, api_keys.c.key_id))
        return tuple(ApiKey(**row._mapping) for row in rows)


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + bytes.fromhex(secret)).hexdigest()


def _require_served(connection: Connection, name: str) -> None:
    known = recipient_named(connection, name)
    if known is None or not known.served:
        raise RecipientError("A recipient must be registered and not retired, got another. See: benne recipients add")


def _principal(row: Row[Any]) -> Principal:
    purposes = frozenset(row.purposes.split(",")) if row.purposes else frozenset()
    return Principal(
        id=f"key:{row.key_id}", role=row.role, recipient=row.recipient, subject_id=row.subject_id, purposes=purposes
    )
