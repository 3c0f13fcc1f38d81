"""Who asks for an erasure or a hold, and how the audit chain says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from benne.errors import ErasureError, KeyRingError
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.vocabulary import ActorRole
from benne.scoring.store.member_key import MEMBER_DOMAIN
from benne.scoring.store.vault import MemberVault

__all__ = ["RULES", "SYSTEM", "Actor", "Subject", "subject_of"]

RULES: Final = "erasure-1"
"""The version of the rules by which members are erased and holds stand, as the audit chain names it."""

_SERVICE: Final = "erasure"
_WITHOUT_A_KEY: Final = "audit-subjects"
"""The ring's domain for members who have no key of their own, or none any more."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks.

    Parameters
    ----------
    role : str
        One of :data:`benne.scoring.audit.vocabulary.ACTOR_ROLES`.
    id : str, optional
        None for members, who ask about themselves.

    Raises
    ------
    ErasureError
        If somebody else than a member has no id, or a member has one.

    Examples
    --------
    >>> Actor("compliance", "counsel-1").id
    'counsel-1'
    >>> Actor("compliance")
    Traceback (most recent call last):
    ...
    benne.errors.ErasureError: Whoever asks must be named unless it is the member, got no name. ...
    """

    role: ActorRole
    id: str | None = None

    def __post_init__(self) -> None:
        if self.role != "member" and self.id is None:
            raise ErasureError("Whoever asks must be named unless it is the member, got no name. Pass an id.")
        if self.role == "member" and self.id is not None:
            raise ErasureError("A member must be asking about themselves, got an id beside. Leave it out.")


SYSTEM: Final = Actor("system", "erasure")
"""Steps that nobody presses a button for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A member as the audit chain knows them."""

    hmac: str
    key_domain: str

    def entry(self, event_id: str, by: Actor, **told: Any) -> AuditEntry:
        """An entry about them."""
        return AuditEntry(
            event_id=event_id,
            actor_id=self.hmac if by.id is None else by.id,
            actor_role=by.role,
            service=_SERVICE,
            policy_version=RULES,
            subject_hmac=self.hmac,
            key_domain=self.key_domain,
            **told,
        )


def subject_of(vault: MemberVault, connection: Connection, subject_id: str, now_us: int) -> Subject:
    """How the chain knows a member: by their own key, as in every other record, or where they have none by the ring's.

    A key that cannot be opened any more must not stand in the way of an erasure.
    """
    try:
        key = vault.keys_of(connection, (subject_id,), create=False, now_us=now_us).get(subject_id)
    except KeyRingError:
        key = None
    if key is not None:
        return Subject(key.audit_subject(), MEMBER_DOMAIN)
    derived = vault.keyring.derive(_WITHOUT_A_KEY)
    return Subject(derived.digest(subject_id.encode()).hex(), derived.domain)
