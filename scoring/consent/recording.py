"""Writing down decisions, granted and denied, in the transaction that answers."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from benne.features.categories import CATEGORIES
from benne.scoring.consent.decision import Permission, Question
from benne.scoring.consent.vocabulary import DenyReason
from benne.scoring.store.bulk import insert_rows
from benne.scoring.store.schema import decisions

__all__ = ["record_decision"]


def record_decision(
    connection: Connection,
    decision_id: str,
    question: Question,
    answers: Mapping[str, Permission | DenyReason],
    *,
    time_us: int,
    about: str | None = None,
) -> None:
    """Append one row per member; the caller holds the writers' lock."""
    if not answers:
        return
    start = connection.execute(select(func.coalesce(func.max(decisions.c.seq), 0))).scalar_one()
    shared = {
        "decision_id": decision_id,
        "time_us": time_us,
        "as_of_us": question.as_of_us,
        "purpose": question.purpose,
        "recipient": question.recipient,
        "actor": question.actor,
        "reliance": question.reliance,
        "about_decision": about,
    }
    rows = [
        {**shared, "seq": seq, "subject_id": subject_id, **_answer(answer)}
        for seq, (subject_id, answer) in enumerate(answers.items(), start=start + 1)
    ]
    insert_rows(connection, decisions, rows)


def _answer(answer: Permission | DenyReason) -> dict[str, str | None]:
    if isinstance(answer, Permission):
        consented = ",".join(category for category in CATEGORIES if category in answer.categories)
        return {"decision": "granted", "deny_reason": None, "categories": consented}
    return {"decision": "denied", "deny_reason": answer, "categories": ""}
