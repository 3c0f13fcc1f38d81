"""From a scored case to what is kept of it, and to the digests that the audit chain holds of that."""

from __future__ import annotations

from benne.scoring.decisions.case import Case, Scored
from benne.scoring.decisions.kept import KeptDecision, reasons_content
from benne.scoring.decisions.request import ScoreAnswer
from benne.scoring.policy import Policies
from benne.scoring.policy.answering import benefit_mark
from benne.scoring.store.vault import MemberKey, NewPayload

__all__ = ["answer_from", "digests_of", "kept_of", "payload_of"]


def kept_of(case: Case, scored: Scored, answer: ScoreAnswer, policies: Policies) -> KeptDecision:
    """Everything it takes to come to the answer again."""
    asked = case.request.asked
    mark = {} if asked.benefit is None else {"mark": benefit_mark(policies.benefits[asked.benefit])}
    return KeptDecision(
        decision_id=case.decision_id,
        model_id=scored.served.model_id,
        config_hash=scored.served.config_hash,
        policy_version=answer.policy_version,
        asked={name: getattr(asked, name) for name in type(asked).__dataclass_fields__} | mark,
        as_of_us=answer.as_of_us,
        values=scored.values,
        withheld=case.withheld,
        answer=answer.as_dict(),
    )


def payload_of(case: Case, kept: KeptDecision, retention_until_us: int) -> NewPayload:
    """It as the vault takes it, under the decision's own id."""
    return NewPayload(
        payload_ref=case.decision_id,
        subject_id=case.request.subject_id,
        kind="decision",
        content=kept.to_bytes(),
        retention_until_us=retention_until_us,
    )


def digests_of(key: MemberKey, kept: KeptDecision, scored: Scored) -> dict[str, str]:
    """Columns of the audit record that bind it to what is kept; keyed, so that nobody can guess a score from them."""
    return {
        "model_id": kept.model_id,
        "config_hash": kept.config_hash,
        "input_digest": key.digest("input", kept.input_content()),
        "output_digest": key.digest("output", kept.answer_content()),
        "reasons_digest": key.digest("reasons", reasons_content(scored.explanation, scored.row)),
        "payload_ref": kept.decision_id,
    }


def answer_from(content: bytes) -> ScoreAnswer:
    """The answer in what is kept of a decision, as it was told."""
    return ScoreAnswer.from_dict(KeptDecision.from_bytes(content).answer)
