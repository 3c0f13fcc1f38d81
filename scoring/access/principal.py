"""Who asks, once they have shown it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from benne.errors import CredentialError
from benne.scoring.consent.vocabulary import PURPOSES
from benne.scoring.store.access_tables import ROLES

__all__ = ["Principal", "Role"]

Role = Literal["recipient", "member", "compliance", "data_scientist", "admin"]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")  # as the audit chain takes an actor's id
_RECIPIENT: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_SUBJECT_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who may ask, in one role.

    Parameters
    ----------
    id : str
        Of the credential or the person, never of a member: up to 64 letters, digits and any of ``_.:/-``.
    role : {'recipient', 'member', 'compliance', 'data_scientist', 'admin'}
    recipient : str, optional
        Given exactly for role recipient.
    subject_id : str, optional
        Pseudonym, given exactly for role member: whose own data they may see. Left out of the ``repr``.
    purposes : frozenset of str
        What a recipient may ask for; empty for everybody else.

    Raises
    ------
    CredentialError
        If a field is not of its kind or does not go with the role.

    Examples
    --------
    >>> Principal(id="key:1f", role="recipient", recipient="shop", purposes=frozenset({"lending"})).may("lending")
    True
    >>> Principal(id="key:1f", role="recipient")
    Traceback (most recent call last):
    ...
    benne.errors.CredentialError: A recipient must be named exactly for role recipient, got role recipient without. ...
    """

    id: str
    role: Role
    recipient: str | None = None
    subject_id: str | None = field(default=None, repr=False)
    purposes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not _ID.fullmatch(self.id):
            raise CredentialError("A principal's id must be a name without spaces, got something else. Name it anew.")
        if self.role not in ROLES:
            raise CredentialError(f"A role must be one of {', '.join(ROLES)}, got another. Name one of these.")
        if (self.role == "recipient") != (self.recipient is not None):
            raise _not_with(self.role, "A recipient must be named exactly for role recipient", self.recipient)
        if self.recipient is not None and (
            not isinstance(self.recipient, str) or not _RECIPIENT.fullmatch(self.recipient)
        ):
            raise CredentialError("A recipient must be a short name of a-z, 0-9, _ . : and -, got another. Rename it.")
        if (self.role == "member") != (self.subject_id is not None):
            raise _not_with(self.role, "A subject id must be given exactly for role member", self.subject_id)
        if self.subject_id is not None and not _SUBJECT_ID.fullmatch(str(self.subject_id)):
            raise CredentialError("A subject id must be 32 hexadecimal digits, got something else. Key the id first.")
        if self.purposes and self.role != "recipient":
            raise _not_with(self.role, "Purposes must be given for role recipient alone", self.purposes)
        if not self.purposes <= set(PURPOSES):
            raise CredentialError(f"Purposes must be among {', '.join(PURPOSES)}, got another. Leave it out.")

    def may(self, purpose: str) -> bool:
        """Whether a recipient is bound to the purpose."""
        return purpose in self.purposes

    def is_member(self, subject_id: str) -> bool:
        """Whether this is the member whom a subject id stands for."""
        return self.role == "member" and self.subject_id == subject_id


def _not_with(role: str, must: str, given: object) -> CredentialError:
    return CredentialError(f"{must}, got role {role} {'with' if given else 'without'}. Give or drop it.")
