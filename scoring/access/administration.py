"""Changes of who may ask, each a unit of work with its audit record: both are kept, or neither.

Hand them to a :class:`~benne.scoring.audit.group_commit.GroupCommit`, or to :func:`run` where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection

from benne.scoring.access import recipients as registry
from benne.scoring.access.api_keys import ApiKeys, NewApiKey
from benne.scoring.access.principal import Principal, Role
from benne.scoring.access.recipients import Recipient
from benne.scoring.audit.chain import append
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.audit.vocabulary import EventType
from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.store.database import Store

__all__ = ["Administration", "run"]

T = TypeVar("T")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Administration:
    """Makes units of work in the name of somebody.

    Parameters
    ----------
    by : Principal
        Who does it, as the audit records them.
    ids : callable returning str
        Ids of audit records.
    policy_version : str
        Of the policies in force.
    """

    by: Principal
    ids: Callable[[], str]
    policy_version: str

    def register(
        self, name: str, *, contact: str, purposes: Collection[str], jurisdiction: Jurisdiction = "default"
    ) -> Work[Recipient]:
        """Enter a recipient. The work raises RecipientError if it may not be as given."""

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Recipient]:
            entered = Recipient(name=name, contact=contact, purposes=frozenset(purposes),
                                jurisdiction=jurisdiction, created_at_us=now_us)  # fmt: skip
            registry.register(connection, entered)
            return [self._entry("recipient_registered", name, "registered")], entered

        return work

    def set_purposes(self, name: str, purposes: Collection[str]) -> Work[None]:
        """Set anew what a recipient may ask. The work raises RecipientError if it is not served."""

        def work(connection: Connection, _: int) -> tuple[list[AuditEntry], None]:
            registry.set_purposes(connection, name, purposes)
            return [self._entry("recipient_registered", name, "purposes-set")], None

        return work

    def retire(self, name: str) -> Work[None]:
        """Serve a recipient no more. The work raises RecipientError if it is not served."""

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            registry.retire(connection, name, now_us)
            return [self._entry("recipient_registered", name, "retired")], None

        return work

    def new_key(
        self,
        keys: ApiKeys,
        role: Role,
        *,
        recipient: str | None = None,
        subject_id: str | None = None,
        valid: timedelta | None = None,
    ) -> Work[NewApiKey]:
        """Make a key of access. The work raises CredentialError or RecipientError if it may not be as given."""

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], NewApiKey]:
            expires = None if valid is None else now_us + valid // _MICROSECOND
            made = keys.new(connection, role, now_us=now_us, recipient=recipient, subject_id=subject_id,
                            expires_at_us=expires)  # fmt: skip
            return [self._entry("role_granted", f"key:{made.key_id}", role)], made

        return work

    def revoke_key(self, keys: ApiKeys, key_id: str) -> Work[None]:
        """End a key of access. The work raises CredentialError if there is none to end."""

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            keys.revoke(connection, key_id, now_us)
            return [self._entry("role_revoked", f"key:{key_id}", "revoked")], None

        return work

    def _entry(self, event: EventType, about: str, outcome: str) -> AuditEntry:
        return AuditEntry(
            event_id=self.ids(),
            type=event,
            actor_id=self.by.id,
            actor_role=self.by.role,
            service="access",
            policy_version=self.policy_version,
            context=about,
            outcome=outcome,
        )


def run(store: Store, work: Work[T], *, now_us: int) -> T:
    """Run one unit of work in a transaction of its own.

    Raises
    ------
    Exception
        What the work itself raises; nothing of it is kept.
    """
    with store.write() as connection:
        entries, result = work(connection, now_us)
        append(connection, entries, now_us=now_us)
    return result
