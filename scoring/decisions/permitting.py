"""What policy allows of a request, and consent for a whole pass of them in one reading of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from sqlalchemy import Connection, text

from benne.scoring.consent.deciding import answers_of, question_of
from benne.scoring.consent.decision import Permission, Question
from benne.scoring.consent.vocabulary import DenyReason, Granularity, Purpose, Reliance
from benne.scoring.decisions.case import Allowed, Case
from benne.scoring.decisions.request import ScoreRequest
from benne.scoring.policy import Policies, check

__all__ = ["apply_policy", "ledger_head", "permissions"]

_HEAD: Final = text("SELECT coalesce(max(seq), 0) FROM consent_events")


def apply_policy(policies: Policies, case: Case) -> None:
    """Say what the ledger is to be asked, or refuse what policy or registration do not allow."""
    denial = check(policies, case.request.asked)
    if denial is not None:
        case.refuse(denial.reason)
    elif case.request.asked.purpose not in case.request.registered_for:
        case.refuse("recipient-not-allowed")
    else:
        case.allowed = _allowed(policies, case.request)


def _allowed(policies: Policies, request: ScoreRequest) -> Allowed:
    asked = request.asked
    # The policies were just checked to hold the purpose, and these words to be of their sets.
    rules = policies.purposes[cast(Purpose, asked.purpose)]
    reliance, granularity = cast(Reliance, asked.reliance), cast(Granularity, asked.granularity)
    question = question_of(
        rules.purpose,
        str(asked.recipient),
        request.actor.id,
        rules.required_categories,
        None,
        reliance,
        rules.review_route,
        policies.jurisdiction,
    )
    return Allowed(rules, question, granularity)


def ledger_head(connection: Connection) -> int:
    """Place of the newest consent event: as long as it is the same, nobody has given or withdrawn anything."""
    head: int = connection.execute(_HEAD).scalar_one()
    return head


def permissions(
    connection: Connection, asked: Sequence[tuple[str, Question]], now_us: int
) -> list[Permission | DenyReason]:
    """Permission or refusal for each (subject id, question), as the ledger stands in this view."""
    together: dict[Question, list[str]] = {}
    for subject_id, question in asked:
        together.setdefault(question, []).append(subject_id)
    answers: dict[Question, Mapping[str, Permission | DenyReason]] = {
        question: answers_of(connection, tuple(dict.fromkeys(members)), question, now_us)
        for question, members in together.items()
    }
    return [answers[question][subject_id] for subject_id, question in asked]
