"""From a score to what is told: the least that answers, and never finer than member and policy allow. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from benne.features.categories import CATEGORIES
from benne.models import Explanation
from benne.scoring.consent.decision import Permission
from benne.scoring.decisions.case import Allowed, Case, Scored
from benne.scoring.decisions.request import ScoreAnswer
from benne.scoring.policy import Policies, answer_granularity, benefit_result, threshold_result
from benne.scoring.policy.answering import mark_missing

__all__ = ["grants_key_factors", "refuse_what_cannot_be_told", "told", "uncertain_of"]

_MICROSECOND: Final = timedelta(microseconds=1)


def refuse_what_cannot_be_told(case: Case, allowed: Allowed, permission: Permission) -> None:
    """Refuse a case in which the member allows a threshold only, and none was asked about."""
    granularity = answer_granularity(allowed.rules, permission.granularity, allowed.granularity)
    missing = mark_missing(granularity, case.request.asked)
    if missing is not None:
        case.refuse(missing.reason)


def grants_key_factors(case: Case) -> bool:
    """Whether the answer to a case will name key factors: policy grants them, and an exact score may be told."""
    allowed, permission = case.allowed_or_raise, case.permission
    if not allowed.rules.key_factors or permission is None:
        return False
    return answer_granularity(allowed.rules, permission.granularity, allowed.granularity) == "exact"


def uncertain_of(explanation: Explanation, row: int) -> tuple[str, ...]:
    """Why the score of one row is less certain than others: ``thin_file``, ``rare``, both or neither.

    Parameters
    ----------
    explanation : Explanation
        Whose ``rare`` is None where the model cannot tell; then only a thin file is named.
    row : int
    """
    rare = explanation.rare is not None and bool(explanation.rare[row])
    flags = {"thin_file": bool(explanation.thin[row]), "rare": rare}
    return tuple(name for name, flagged in flags.items() if flagged)


def told(case: Case, scored: Scored, permission: Permission, policies: Policies, now_us: int) -> ScoreAnswer:
    """The answer to a case that was scored."""
    asked, allowed = case.request.asked, case.allowed_or_raise
    granularity = answer_granularity(allowed.rules, permission.granularity, allowed.granularity)
    score = float(scored.explanation.score[scored.row])
    mark = None if asked.threshold is None else threshold_result(score, asked.threshold)
    benefit = None if asked.benefit is None else benefit_result(policies.benefits[asked.benefit], score)
    factors = scored.key_factors if granularity == "exact" else None
    return ScoreAnswer(
        decision_id=case.decision_id,
        granularity=granularity,
        score=score if granularity == "exact" else None,
        band=None if granularity == "threshold" else str(scored.explanation.band[scored.row]),
        threshold=None if mark is None else mark.threshold,
        reached=None if mark is None else mark.reached,
        benefit=benefit,
        categories=tuple(category for category in CATEGORIES if category not in case.withheld),
        model_id=scored.served.model_id,
        policy_version=policies.version,
        as_of_us=case.as_of_us,
        decided_at_us=now_us,
        valid_until_us=now_us + allowed.rules.answer_valid // _MICROSECOND,
        key_factors=None if factors is None else tuple(factor.as_told() for factor in factors),
        uncertain=uncertain_of(scored.explanation, scored.row) if granularity == "exact" else None,
        disputed=case.mark is not None,
        statement=None if case.mark is None or granularity != "exact" else case.mark.statement,
    )
