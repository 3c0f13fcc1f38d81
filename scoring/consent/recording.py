"""Writing down decisions, granted and denied, in the transaction that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, text

from benne.features.categories import CATEGORIES
from benne.scoring.consent.decision import Permission, Question
from benne.scoring.consent.vocabulary import DenyReason
from benne.scoring.store.bulk import insert_rows
from benne.scoring.store.schema import decisions

__all__ = ["Recorded", "record_decision", "record_decisions"]

_LAST = text("SELECT coalesce(max(seq), 0) FROM decisions")


class Recorded(NamedTuple):
    """One decision to write down: what was asked, and what was answered about whom.

    ``about`` is the decision that a later check refused, if that is what this is.
    """

    decision_id: str
    question: Question
    answers: Mapping[str, Permission | DenyReason]
    about: str | None = None


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
    record_decisions(connection, [Recorded(decision_id, question, answers, about)], time_us=time_us)


def record_decisions(connection: Connection, made: Sequence[Recorded], *, time_us: int) -> None:
    """Append the rows of several decisions at once, which costs little more than one.

    Parameters
    ----------
    connection : Connection
        Of a transaction that holds the writers' lock.
    made : sequence of Recorded
    time_us : int
    """
    rows = [
        {**_shared(one, time_us), "subject_id": subject_id, **_answer(answer)}
        for one in made
        for subject_id, answer in one.answers.items()
    ]
    if not rows:
        return
    start: int = connection.execute(_LAST).scalar_one()
    for seq, row in enumerate(rows, start=start + 1):
        row["seq"] = seq
    insert_rows(connection, decisions, rows)


def _shared(made: Recorded, time_us: int) -> dict[str, str | int | None]:
    question = made.question
    return {
        "decision_id": made.decision_id,
        "time_us": time_us,
        "as_of_us": question.as_of_us,
        "purpose": question.purpose,
        "recipient": question.recipient,
        "actor": question.actor,
        "reliance": question.reliance,
        "about_decision": made.about,
    }


def _answer(answer: Permission | DenyReason) -> dict[str, str | None]:
    if isinstance(answer, Permission):
        return {"decision": "granted", "deny_reason": None, "categories": _in_order(answer.categories)}
    return {"decision": "denied", "deny_reason": answer, "categories": ""}


@cache
def _in_order(categories: frozenset[str]) -> str:
    return ",".join(category for category in CATEGORIES if category in categories)
