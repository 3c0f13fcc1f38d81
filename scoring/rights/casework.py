"""Opening and changing cases: deadline, version, what is kept and what goes on record, the same for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from benne.errors import CaseUnknown, DecisionUnknown, StateChanged
from benne.scoring.access.recipients import recipient_named
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.vocabulary import EventType
from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.deadlines import earliest, escalated
from benne.scoring.jurisdictions import Limit, Profile, profile_of
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.rights.case import CaseKind, CaseState, RightsCase
from benne.scoring.rights.retention import retained_until
from benne.scoring.rights.rows import change_case, find_case, insert_case
from benne.scoring.rights.words import encoded
from benne.scoring.store.audit_tables import audit_records
from benne.scoring.store.database import Store
from benne.scoring.store.payloads import PayloadKind
from benne.scoring.store.schema import consent_records, decisions
from benne.scoring.store.vault import NewPayload

__all__ = ["About", "Casework", "Opening"]

_DECISION: Final = decisions.c
_RECORD: Final = audit_records.c


class About(NamedTuple):
    """A decision on record about a member: who asked for it, for what, what was decided, by whom and under what."""

    decision_id: str
    recipient: str
    purpose: str | None
    decision: str
    actor_id: str
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A case to be opened.

    Parameters
    ----------
    kind : str
    topic : str
    state : str
    event : str
        As what it goes on record.
    limit : callable
        Which limit of a jurisdiction's profile it has.
    about : About, optional
        The decision it is about.
    said : dict, optional
        What goes into the vault under the case's id.
    columns : dict
        Further columns of the case.
    """

    kind: CaseKind
    topic: str
    state: CaseState
    event: EventType
    limit: Callable[[Profile], Limit]
    about: About | None = None
    said: dict[str, Any] | None = None
    columns: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Casework:
    """What every kind of case is worked with; all but the reading of cases is within the caller's transaction.

    Parameters
    ----------
    store : Store
    group : GroupCommit
    recorder : MemberRecorder
    jurisdiction : {'cn', 'eu', 'us', 'default'}
        Where the deployment is; a recipient's own counts beside it, and the sooner deadline holds.
    """

    store: Store
    group: GroupCommit
    recorder: MemberRecorder
    jurisdiction: Jurisdiction

    def open(
        self, connection: Connection, now_us: int, subject_id: str, opening: Opening, doing: Doing
    ) -> tuple[list[AuditEntry], RightsCase]:
        """Open a case about a member; themselves are drawn a key if they have none yet.

        Raises
        ------
        CaseUnknown
            If staff name a member of whom nothing is on record.
        """
        self.require_known(connection, subject_id, doing)
        about = opening.about
        entry = self.recorder.entry(
            connection, now_us, subject_id, opening.event, doing,
            about_event=None if about is None else about.decision_id, outcome=opening.topic,
        )  # fmt: skip
        where, due_at_us = self.deadline(connection, now_us, None if about is None else about.recipient, opening.limit)
        case = RightsCase(
            case_id=entry.event_id, kind=opening.kind, topic=opening.topic, state=opening.state, version=1,
            jurisdiction=where, opened_at_us=now_us, opened_by_role=doing.actor.role, due_at_us=due_at_us,
            subject_id=subject_id, opened_by=None if doing.actor.role == "member" else doing.actor.id,
            decision_id=None if about is None else about.decision_id,
            recipient=None if about is None else about.recipient,
            policy_version=None if about is None else about.policy_version,
            **opening.columns,
        )  # fmt: skip
        insert_case(connection, case, "opened", doing.actor)
        if opening.said is not None:
            self.keep(connection, now_us, case, "dispute", case.case_id, opening.said)
        return [entry], case

    def change(
        self, connection: Connection, now_us: int, case: RightsCase, act: str, event: EventType, doing: Doing,
        **changes: Any,
    ) -> tuple[list[AuditEntry], RightsCase]:  # fmt: skip
        """Change a case the caller has just read; one that is overdue is escalated before, whatever comes of it."""
        entries, case = escalated(connection, now_us, case, self.recorder)
        after = change_case(connection, case, act, doing.actor, now_us, **changes)
        entry = self.recorder.entry(
            connection, now_us, str(case.subject_id), event, doing, about_event=case.case_id, outcome=act
        )
        return [*entries, entry], after

    def seen(
        self, connection: Connection, case_id: str, kind: CaseKind, version: int, unknown: type[CaseUnknown],
        subject_id: str | None = None,
    ) -> RightsCase:  # fmt: skip
        """A case in the version that somebody saw.

        Parameters
        ----------
        connection : Connection
        case_id, kind : str
        version : int
        unknown : type of CaseUnknown
            What is raised where there is none, it is another member's, or its member was erased.
        subject_id : str, optional
            The member who asks; None for staff.

        Raises
        ------
        StateChanged
            If it has another version by now. Escalation makes none: nobody need have seen it.
        """
        case = self.of(connection, case_id, kind, unknown, subject_id)
        if case.version != version:
            raise StateChanged(
                f"A case must be changed in the version that was seen, got {version} of now {case.version}. "
                "Read it again."
            )
        return case

    def of(
        self, connection: Connection, case_id: str, kind: CaseKind, unknown: type[CaseUnknown], subject_id: str | None
    ) -> RightsCase:
        """A case, whatever its version; see :meth:`seen`."""
        case = find_case(connection, case_id, kind)
        if case is None or case.subject_id is None or subject_id not in (None, case.subject_id):
            raise unknown(f"A {kind} must be on record for whoever asks, got no such one. See the list.")
        return case

    def about(self, connection: Connection, subject_id: str, decision_id: str) -> About:
        """A decision on record about a member, granted or denied.

        Raises
        ------
        DecisionUnknown
            If there is none of that id about them.
        """
        asked = (
            select(_DECISION.decision_id, _DECISION.recipient, _DECISION.purpose, _DECISION.decision,
                   _RECORD.actor_id, _RECORD.policy_version)
            .join(audit_records, _RECORD.event_id == _DECISION.decision_id)
            .where(_DECISION.decision_id == decision_id, _DECISION.subject_id == subject_id)
        )  # fmt: skip
        row = connection.execute(asked).first()
        if row is None:
            raise DecisionUnknown("A decision must be about this member, got no such one. See the history.")
        return About(*row)

    def deadline(
        self, connection: Connection, now_us: int, recipient: str | None, limit: Callable[[Profile], Limit]
    ) -> tuple[Jurisdiction, int]:
        """Which jurisdiction's deadline holds from now on, and when it is."""
        registered = None if recipient is None else recipient_named(connection, recipient)
        theirs = () if registered is None else (registered.jurisdiction,)
        return earliest((self.jurisdiction, *theirs), now_us, limit)

    def keep(
        self, connection: Connection, now_us: int, case: RightsCase, kind: PayloadKind, ref: str, said: dict[str, Any]
    ) -> None:
        """Put what was said about a case into the member's vault."""
        until_us = retained_until(profile_of(_jurisdiction(case)), now_us)
        payload = NewPayload(ref, str(case.subject_id), kind, encoded(said), until_us)
        self.recorder.vault.put(connection, payload, now_us)

    def look_up(self, connection: Connection, now_us: int, subject_id: str | None, doing: Doing) -> AuditEntry:
        """The record of a look into cases: of one member, or (None) into a queue of many."""
        if subject_id is not None:
            return self.recorder.entry(connection, now_us, subject_id, "member_looked_up", doing)
        return AuditEntry(
            event_id=self.recorder.ids(), type="member_looked_up", actor_id=doing.actor.id,
            actor_role=doing.actor.role, service="members", policy_version=self.recorder.policy_version,
            context=doing.purpose, outcome="queue",
        )  # fmt: skip

    def require_known(self, connection: Connection, subject_id: str, doing: Doing) -> None:
        """Refuse a member whom somebody else names and of whom nothing is on record.

        Raises
        ------
        CaseUnknown
        """
        if doing.actor.role == "member":
            return
        keys = self.recorder.vault.keys_of(connection, [subject_id], create=False, now_us=0)
        consents = select(consent_records.c.seq).where(consent_records.c.subject_id == subject_id).limit(1)
        if not keys and connection.execute(consents).first() is None:
            raise CaseUnknown("A member must be on record, got one of whom nothing is. Check the id.")


def _jurisdiction(case: RightsCase) -> Jurisdiction:
    found: Any = case.jurisdiction
    return found  # type: ignore[no-any-return]
