"""A running service: everything it is made of, in one place, and how it stops."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from benne.errors import BenneError, ErasureError, UnderLegalHold
from benne.features import SubjectKey
from benne.features.engines.event_store import EventStore
from benne.scoring.access.authenticator import Authenticator
from benne.scoring.access.limits import RateLimits
from benne.scoring.access.recent import RecentPrincipals
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.terms_file import TermsFile
from benne.scoring.decisions.decide import DecisionMaker
from benne.scoring.decisions.desk import Desk
from benne.scoring.decisions.replay import Replay, Replayer
from benne.scoring.decisions.request import Actor, Refusal, ScoreAnswer, ScoreRequest
from benne.scoring.decisions.served_model import ModelShelf, ModelSlot
from benne.scoring.decisions.stored_vectors import StoredVectors
from benne.scoring.disputes.disputing import Disputes
from benne.scoring.erasure.acts import Actor as ErasureActor
from benne.scoring.erasure.erasing import Erasure
from benne.scoring.members.consenting import Consenting
from benne.scoring.members.explanations import Explanations
from benne.scoring.members.proving import Proving
from benne.scoring.members.recording import Doing
from benne.scoring.members.records import MemberRecords
from benne.scoring.members.reports import Reports
from benne.scoring.members.what_if import WhatIf
from benne.scoring.monitoring.live import LiveMonitoring
from benne.scoring.notices.issuing import Notices
from benne.scoring.policy import Policies
from benne.scoring.proof.keys import ProofKeyFile
from benne.scoring.reviews.reviewing import Reviews
from benne.scoring.rights.rights import Rights
from benne.scoring.rollout.rollouts import Rollouts
from benne.scoring.settings import Settings
from benne.scoring.signing import Ed25519Signer
from benne.scoring.store.database import Store
from benne.scoring.store.pseudonyms import Pseudonyms
from benne.scoring.store.vault import MemberVault

__all__ = ["Service"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, repr=False)
class Service:
    """What routes, commands and the console are served with.

    Parameters
    ----------
    settings : Settings
    store : Store
    ledger : ConsentLedger
    group : GroupCommit
    vault : MemberVault
    vectors : StoredVectors
    pseudonyms : Pseudonyms
    subject_key : SubjectKey
    maker : DecisionMaker
    desk : Desk
    models : ModelSlot
    shelf : ModelShelf
    rollouts : Rollouts
    monitoring : LiveMonitoring
    policies : Policies
    terms : mapping of str to TermsFile
        Consents that members are offered, by the name of their file.
    authenticator : Authenticator
    recent : RecentPrincipals
    limits : RateLimits
    consenting : Consenting
    records : MemberRecords
    explanations : Explanations
    reports : Reports
    proving : Proving
    what_if : WhatIf
    rights : Rights
    replayer : Replayer
    erasure : Erasure
    signer : Ed25519Signer
        Of receipts.
    proof_keys : ProofKeyFile
    events : EventStore or None
    clock : callable returning datetime
    ids : callable returning str
    """

    settings: Settings
    store: Store
    ledger: ConsentLedger
    group: GroupCommit
    vault: MemberVault
    vectors: StoredVectors
    pseudonyms: Pseudonyms
    subject_key: SubjectKey
    maker: DecisionMaker
    desk: Desk[ScoreRequest, ScoreAnswer | Refusal]
    models: ModelSlot
    shelf: ModelShelf
    rollouts: Rollouts
    monitoring: LiveMonitoring
    policies: Policies
    terms: Mapping[str, TermsFile]
    authenticator: Authenticator
    recent: RecentPrincipals
    limits: RateLimits
    consenting: Consenting
    records: MemberRecords
    explanations: Explanations
    reports: Reports
    proving: Proving
    what_if: WhatIf
    rights: Rights
    replayer: Replayer
    erasure: Erasure
    signer: Ed25519Signer
    proof_keys: ProofKeyFile
    events: EventStore | None
    clock: Callable[[], datetime]
    ids: Callable[[], str]

    @property
    def disputes(self) -> Disputes:
        """Of :attr:`rights`."""
        return self.rights.disputes

    @property
    def reviews(self) -> Reviews:
        """Of :attr:`rights`."""
        return self.rights.reviews

    @property
    def notices(self) -> Notices:
        """Of :attr:`rights`."""
        return self.rights.notices

    def subject_of(self, member_id: str) -> str:
        """The subject id of a raw member id; the raw one goes no further."""
        return self.subject_key.subject_id(member_id)

    def public_keys(self) -> dict[str, Any]:
        """What receipts and proofs are verified with, as a JWK set."""
        of_proofs = self.proof_keys.keys().public(self.clock())
        return {"keys": [*self.signer.public_keys()["keys"], *of_proofs["keys"]]}

    def replay(self, decision_id: str, doing: Doing) -> Replay:
        """Make a decision again and hold it against the chain; the look-up itself goes on record.

        Raises
        ------
        DecisionUnknown
            If no such decision is on record.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Replay]:
            made = self.replayer.replay(connection, decision_id)
            entry = AuditEntry(
                event_id=self.ids(), type="member_looked_up", actor_id=doing.actor.id, actor_role=doing.actor.role,
                service="replay", policy_version=self.policies.version, context=doing.purpose,
                about_event=decision_id, outcome=made.outcome,
            )  # fmt: skip
            return [entry], made

        return self.group.submit(work).result

    def erase(self, subject_id: str, actor: Actor) -> str:
        """Erase a member as far as that goes at once, the destruction of their key included; gives the erasure's id.

        Raises
        ------
        UnderLegalHold
            If a legal hold keeps their records.
        ErasureError
            If it stopped on the way; it is gone on with by itself.
        """
        by = ErasureActor("member") if actor.role == "member" else ErasureActor(actor.role, actor.id)
        erasure_id = self.erasure.request(subject_id, by=by).erasure_id
        report = self.erasure.run(only=erasure_id, compacting=False)
        self.recent.forget(subject_id)
        if erasure_id in report.held:
            raise UnderLegalHold("A member must be free of legal holds to be erased, got one placed just now. Lift it.")
        if erasure_id in report.failed:
            raise ErasureError(f"An erasure must go through, and has stopped: {report.failed[erasure_id]}")
        return erasure_id

    def close(self) -> None:
        """Answer what is under way, commit it, and give everything back; twice is as good as once."""
        self.desk.close()
        self.rollouts.close()
        self._keep_counts()
        self.group.close()
        if self.events is not None:
            self.events.close()
        self.store.close()

    def _keep_counts(self) -> None:
        """What was counted since the last time; a store that does not answer must not keep a service from ending."""
        try:
            self.monitoring.gather()
        except BenneError as error:
            _log.error("%d counts of monitoring were lost: %s", self.monitoring.counts.waiting, type(error).__name__)
