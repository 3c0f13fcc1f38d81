"""The registry of recipients: who is answerable, and for which purposes they may ask."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from benne.errors import RecipientError
from benne.scoring.consent.vocabulary import JURISDICTIONS, PURPOSES, Jurisdiction
from benne.scoring.store.access_tables import recipients

__all__ = ["Recipient", "every_recipient", "recipient_named", "register", "retire", "set_purposes"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_CONTACT: Final = 200
_ONE: Final = select(recipients).where(recipients.c.name == bindparam("name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A service that may ask for scores.

    Parameters
    ----------
    name : str
        Up to 64 of a-z, 0-9 and ``_ . : -``; the name that members consent to. It is never given twice.
    contact : str
        Of the controller who is answerable.
    purposes : frozenset of str
        At least one.
    jurisdiction : {'cn', 'eu', 'us', 'default'}
    created_at_us : int
        Microseconds since 1970-01-01 UTC.
    retired_at_us : int, optional
        None while it is served.

    Raises
    ------
    RecipientError
        If a field is empty or outside its set.

    Examples
    --------
    >>> Recipient(name="shop", contact="dpo@shop.example", purposes=frozenset({"lending"}), created_at_us=0).served
    True
    >>> Recipient(name="shop", contact="dpo@shop.example", purposes=frozenset({"dating"}), created_at_us=0)
    Traceback (most recent call last):
    ...
    benne.errors.RecipientError: Purposes must be one or more of lending, checkout_credit, ...
    """

    name: str
    contact: str
    purposes: frozenset[str]
    jurisdiction: Jurisdiction = "default"
    created_at_us: int
    retired_at_us: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise RecipientError("A recipient must be a short name of a-z, 0-9, _ . : and -, got another. Rename it.")
        if not self.contact.strip() or len(self.contact) > _CONTACT or not self.contact.isprintable():
            raise RecipientError(
                f"A contact must be one line of up to {_CONTACT} characters, got none or more. Name who is answerable."
            )
        _require_purposes(self.purposes)
        if self.jurisdiction not in JURISDICTIONS:
            raise RecipientError(
                f"A jurisdiction must be one of {', '.join(JURISDICTIONS)}, got another. Name one of these."
            )

    @property
    def served(self) -> bool:
        """Whether it may ask at all."""
        return self.retired_at_us is None


def register(connection: Connection, recipient: Recipient) -> None:
    """Enter a new recipient.

    Raises
    ------
    RecipientError
        If the name was ever given: members' consents to the old one would hold for the new one.
    """
    if recipient_named(connection, recipient.name) is not None:
        raise RecipientError("A recipient's name must be new, got one given before. Take another name.")
    row = {name: getattr(recipient, name) for name in type(recipient).__dataclass_fields__}
    connection.execute(insert(recipients), {**row, "purposes": _joined(recipient.purposes)})


def recipient_named(connection: Connection, name: str) -> Recipient | None:
    """A recipient, served or retired; None if there never was one of that name."""
    row = connection.execute(_ONE, {"name": name}).one_or_none()
    return None if row is None else _recipient(row)


def every_recipient(connection: Connection) -> tuple[Recipient, ...]:
    """All of them by name, the retired too."""
    rows = connection.execute(select(recipients).order_by(recipients.c.name))
    return tuple(_recipient(row) for row in rows)


def set_purposes(connection: Connection, name: str, purposes: Iterable[str]) -> None:
    """Set anew what a recipient may ask for; it holds from the next request on.

    Raises
    ------
    RecipientError
        If a purpose is unknown or there is none, or the recipient is unknown or retired.
    """
    chosen = frozenset(purposes)
    _require_purposes(chosen)
    _change(connection, name, purposes=_joined(chosen))


def retire(connection: Connection, name: str, now_us: int) -> None:
    """Serve a recipient no more, from the next request on; its keys open nothing then.

    Raises
    ------
    RecipientError
        If the recipient is unknown or retired.
    """
    _change(connection, name, retired_at_us=now_us)


def _change(connection: Connection, name: str, **values: Any) -> None:
    served = (recipients.c.name == name) & recipients.c.retired_at_us.is_(None)
    if not connection.execute(update(recipients).where(served).values(**values)).rowcount:
        raise RecipientError("A recipient must be registered and not retired, got another. See: benne recipients list")


def _require_purposes(purposes: frozenset[str]) -> None:
    if not purposes or not purposes <= set(PURPOSES):
        got = "none" if not purposes else "another"
        raise RecipientError(f"Purposes must be one or more of {', '.join(PURPOSES)}, got {got}. Name what it may ask.")


def _joined(purposes: frozenset[str]) -> str:
    return ",".join(purpose for purpose in PURPOSES if purpose in purposes)


def _recipient(row: Row[Any]) -> Recipient:
    told = dict(row._mapping)
    return Recipient(**{**told, "purposes": frozenset(told["purposes"].split(","))})
