"""A member's own score, and signed statements about it that they take elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.decide import DecisionMaker
from benne.scoring.decisions.request import Refusal, ScoreAnswer, ScoreRequest
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.policy import Asked
from benne.scoring.proof.issuing import issue
from benne.scoring.proof.statement import KnownScore, ProofAsked
from benne.scoring.signing import Signer

__all__ = ["OWN_PURPOSE", "SELF", "Proving"]

OWN_PURPOSE: Final = "own_report"
SELF: Final = "platform"
"""Recipient of what a member asks about themselves: where they read it. Its consent is one of its own."""


@dataclass(frozen=True, slots=True)
class Proving:
    """Scores members for themselves.

    Parameters
    ----------
    maker : DecisionMaker
    group : GroupCommit
    recorder : MemberRecorder
    signer : callable returning Signer
        The key that signs now.
    issuer : str
    clock : callable returning datetime
    """

    maker: DecisionMaker
    group: GroupCommit
    recorder: MemberRecorder
    signer: Callable[[], Signer]
    issuer: str
    clock: Callable[[], datetime]

    def own_score(self, subject_id: str, doing: Doing) -> ScoreAnswer | Refusal:
        """The member's score as of now, under their consent to have it made for themselves."""
        asked = Asked(recipient=SELF, purpose=OWN_PURPOSE, context="platform", reliance="advisory", granularity="exact")
        request = ScoreRequest(
            subject_id=subject_id, asked=asked, actor=doing.actor, registered_for=frozenset({OWN_PURPOSE})
        )
        return self.maker.decide([request])[0]

    def prove(self, subject_id: str, asked: ProofAsked, doing: Doing) -> str | Refusal:
        """A signed statement about the member's score as of now; nothing else is in it.

        Raises
        ------
        ProofNotIssued
            If what should be stated is not so.
        """
        answer = self.own_score(subject_id, doing)
        if isinstance(answer, Refusal):
            return answer
        if answer.score is None:
            return Refusal(
                decision_id=answer.decision_id,
                reason="granularity-not-allowed",
                policy_version=answer.policy_version,
                decided_at_us=answer.decided_at_us,
            )
        known = KnownScore(answer.score, from_microseconds(answer.as_of_us))
        proof = issue(asked, known, issuer=self.issuer, signer=self.signer(), now=self.clock(), jti=self.recorder.ids())

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            entry = self.recorder.entry(
                connection, now_us, subject_id, "proof_issued", doing,
                decision="granted", about_event=answer.decision_id, outcome=asked.kind,
            )  # fmt: skip
            return [entry], None

        self.group.submit(work)
        return proof
