"""A member's score in points that add up, made again from what was scored."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from benne.errors import DecisionUnknown, VaultError
from benne.explain import MemberExplanation, about_model, explain_member
from benne.explain.texts import Language
from benne.features import registry
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.replay import Remade, Replayer
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.store.database import Store
from benne.scoring.store.vault import MemberVault

__all__ = ["Explanations", "in_words"]


@dataclass(frozen=True, slots=True)
class Explanations:
    """Explains decisions to the member they are about, or to staff on their behalf.

    Parameters
    ----------
    store : Store
    group : GroupCommit
    vault : MemberVault
    replayer : Replayer
    recorder : MemberRecorder
    """

    store: Store
    group: GroupCommit
    vault: MemberVault
    replayer: Replayer
    recorder: MemberRecorder

    def explain(
        self, subject_id: str, doing: Doing, decision_id: str | None = None, language: Language = "en"
    ) -> tuple[str, MemberExplanation]:
        """The explanation of a decision, by default the newest; with its id.

        Raises
        ------
        DecisionUnknown
            If there is none about this member.
        """
        with self.store.read() as connection:
            remade = self._remade(connection, subject_id, decision_id)
        found = remade.kept.decision_id

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            return [
                self.recorder.entry(
                    connection, now_us, subject_id, "explanation_decided", doing,
                    decision="granted", about_event=found, model_id=remade.kept.model_id,
                )
            ], None  # fmt: skip

        self.group.submit(work)
        return found, in_words(remade, language)

    def _remade(self, connection: Connection, subject_id: str, decision_id: str | None) -> Remade:
        try:
            if decision_id is None:
                newest = self.vault.latest(connection, subject_id, "decision")
                decision_id = "" if newest is None else newest.payload_ref
            remade = self.replayer.remake(connection, decision_id)
        except VaultError:
            raise _unknown() from None
        if remade.subject_id != subject_id:
            raise _unknown()
        return remade


def in_words(remade: Remade, language: Language) -> MemberExplanation:
    """A decision that was made again, explained: with its dates, model, reference sample and reasons."""
    kept, served = remade.kept, remade.served
    categories = {category: [served.names[k] for k in places] for category, places in served.columns.items()}
    about = about_model(
        served.model,
        kept.withheld,
        language=language,
        as_of=from_microseconds(kept.as_of_us),
        decided_at=from_microseconds(kept.answer["decided_at_us"]),
        decision_id=kept.decision_id,
        model_id=kept.model_id,
        reasons=remade.reasons(),
    )
    return explain_member(remade.explanation, 0, remade.vector.to_frame(), categories, registry, about)


def _unknown() -> DecisionUnknown:
    return DecisionUnknown("A decision must be about this member and still be kept, got no such one. See the history.")
