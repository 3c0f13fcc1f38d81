"""The audit record of what is done with one member's data, by whom, and for what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.vocabulary import EventType
from benne.scoring.decisions.request import Actor
from benne.scoring.store.member_key import MEMBER_DOMAIN
from benne.scoring.store.vault import MemberVault

__all__ = ["Doing", "MemberRecorder"]


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something with a member's data, and for what.

    Attributes
    ----------
    actor : Actor
    purpose : str or None
        What a look-up by staff is for.
    """

    actor: Actor
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class MemberRecorder:
    """Makes audit entries about one member.

    Parameters
    ----------
    vault : MemberVault
    ids : callable returning str
    policy_version : str
    """

    vault: MemberVault
    ids: Callable[[], str]
    policy_version: str

    def entry(
        self, connection: Connection, now_us: int, subject_id: str, event: EventType, doing: Doing, **more: Any
    ) -> AuditEntry:
        """An entry about a member; themselves are named there by the same keyed hash as everything about them.

        A member's first act draws their key. Of an erased one nothing is left to name them by.
        """
        keys = self.vault.keys_of(connection, [subject_id], create=doing.actor.role == "member", now_us=now_us)
        key = keys.get(subject_id)
        subject = None if key is None else key.audit_subject()
        return AuditEntry(
            event_id=self.ids(),
            type=event,
            service="members",
            policy_version=self.policy_version,
            subject_hmac=subject,
            key_domain=None if key is None else MEMBER_DOMAIN,
            **(doing.actor.on_record(subject) | {"context": doing.purpose} | more),
        )
