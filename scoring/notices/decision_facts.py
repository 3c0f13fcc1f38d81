"""What there is to say about a decision, from making it again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from benne.errors import DecisionUnknown, VaultError
from benne.explain.reason_words import reason_in_words
from benne.explain.reasons import KeyFactor, Reason
from benne.explain.texts import Language, Texts, texts_of
from benne.features.categories import CATEGORIES
from benne.scoring.decisions.replay import Remade, Replayer
from benne.scoring.notices.sources import DecisionFacts, ReasonLine
from benne.scoring.store.audit_tables import audit_records
from benne.scoring.store.schema import consent_records

__all__ = ["RemadeFacts"]


@dataclass(frozen=True, slots=True)
class RemadeFacts:
    """A :class:`benne.scoring.notices.sources.ReasonSource` that replays decisions.

    Parameters
    ----------
    replayer : Replayer
    """

    replayer: Replayer

    def facts(self, connection: Connection, decision_id: str, language: Language) -> DecisionFacts:
        """What there is to say about a decision; without reasons where too little is known of the reference sample."""
        try:
            remade = self.replayer.remake(connection, decision_id)
        except VaultError:
            raise DecisionUnknown(
                "A decision must have been answered and still be kept, got no such one. See the history."
            ) from None
        return _facts(connection, remade, texts_of(language))


def _facts(connection: Connection, remade: Remade, texts: Texts) -> DecisionFacts:
    kept, found = remade.kept, remade.reasons()
    return DecisionFacts(
        decision_id=kept.decision_id, subject_id=remade.subject_id, recipient=kept.asked["recipient"],
        purpose=kept.asked["purpose"], model_id=kept.model_id, policy_version=kept.policy_version,
        decided_at_us=kept.answer["decided_at_us"], as_of_us=kept.as_of_us, score=float(remade.explanation.score[0]),
        categories=tuple(texts.category(each) for each in CATEGORIES if each not in kept.withheld),
        consent_id=_consent(connection, remade), audit_seq=_seq(connection, kept.decision_id),
        method="everybody" if found is None else found.method.against,
        reference_hash="" if found is None else found.reference_hash,
        reasons=() if found is None else tuple(_line(one, texts) for one in found.reasons),
        key_factors=tuple(_line(one, texts) for one in remade.key_factors()),
    )  # fmt: skip


def _line(found: Reason | KeyFactor, texts: Texts) -> ReasonLine:
    return ReasonLine(found.code, found.feature, found.rank, reason_in_words(found, texts))


def _consent(connection: Connection, remade: Remade) -> str | None:
    """The newest record that stood for the question when it was decided."""
    c, asked = consent_records.c, remade.kept.asked
    query = select(c.record_id).where(
        c.subject_id == remade.subject_id, c.purpose == asked["purpose"], c.recipient == asked["recipient"],
        c.recorded_at_us <= remade.kept.answer["decided_at_us"],
    )  # fmt: skip
    found: str | None = connection.execute(query.order_by(c.seq.desc()).limit(1)).scalar_one_or_none()
    return found


def _seq(connection: Connection, decision_id: str) -> int:
    asked = select(audit_records.c.seq).where(audit_records.c.event_id == decision_id)
    return int(connection.execute(asked).scalar_one())
