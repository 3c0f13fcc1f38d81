"""From a question about members to answers, on the ledger's events as they stand in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from benne.errors import CategoryError, ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.scoring.consent import vocabulary as words
from benne.scoring.consent.decision import ConsentDecision, Permission, Question
from benne.scoring.consent.gate import judge, refusal_of_question, standing
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.consent.reading import load_events
from benne.scoring.consent.record import validate_name
from benne.scoring.consent.vocabulary import DenyReason, Jurisdiction, Reliance
from benne.scoring.jurisdictions import barred_categories

__all__ = ["answers_of", "no_longer_permitted", "question_of", "validate_categories"]


def question_of(
    purpose: str,
    recipient: str,
    actor: str,
    required: Collection[str],
    as_of: datetime | None,
    reliance: Reliance,
    review_route: str | None,
    jurisdiction: Jurisdiction | None = None,
) -> Question:
    """What is asked, once it can be.

    Parameters
    ----------
    purpose, recipient, actor, required, as_of, reliance, review_route
        As for :meth:`benne.scoring.ConsentLedger.decide`.
    jurisdiction : str, optional
        Where the deployment is. It can add to what the records' own jurisdictions bar, never take away.

    Raises
    ------
    ConsentRecordError
        If a name is not a name, or a word none of its set.
    CategoryError
        If a required category is unknown, or barred for this purpose where the deployment is.
    """
    validate_name("recipient", recipient)
    validate_name("actor", actor)
    validate_categories(required)
    if reliance not in words.RELIANCES:
        raise ConsentRecordError(f"A reliance must be one of {', '.join(words.RELIANCES)}, got another.")
    purpose_class = words.class_of(purpose)
    if purpose_class is not None and jurisdiction is not None:
        _refuse_barred(required, barred_categories(frozenset({jurisdiction}), purpose_class))
    return Question(
        purpose=purpose if purpose in words.PURPOSES else None,
        recipient=recipient,
        actor=actor,
        required=frozenset(required),
        as_of_us=None if as_of is None else to_microseconds(as_of, "as_of"),
        reliance=reliance,
        review_route=review_route,
        jurisdiction=jurisdiction,
    )


def answers_of(
    connection: Connection, members: tuple[str, ...], question: Question, now_us: int
) -> dict[str, Permission | DenyReason]:
    """Permission or refusal for each member."""
    refusal = refusal_of_question(question)
    if refusal is not None or question.purpose is None:
        return dict.fromkeys(members, refusal or "purpose-not-allowed")
    events = load_events(connection, question.purpose, question.recipient, subject_ids=members)
    by_member = standing(events)
    return {subject_id: judge(by_member.get(subject_id, {}), question, now_us) for subject_id in members}


def no_longer_permitted(
    connection: Connection, decision: ConsentDecision, members: tuple[str, ...], now_us: int
) -> dict[str, DenyReason]:
    """Members whom a decision permitted, or never did, and who may not be scored as the ledger stands now."""
    if decision.purpose == "model_training":
        return dict.fromkeys(members, "purpose-not-allowed")
    if from_microseconds(now_us) >= decision.valid_until:
        return dict.fromkeys(members, "decision-expired")
    answers = answers_of(connection, members, decision.question, now_us)
    refused: dict[str, DenyReason] = {}
    for subject_id, answer in answers.items():
        permitted = decision.permissions.get(subject_id)
        if not isinstance(answer, Permission):
            refused[subject_id] = answer
        elif permitted is None:
            refused[subject_id] = "decision-unknown"
        elif not permitted.within(answer):
            refused[subject_id] = "consent-changed"
    return refused


def validate_categories(categories: Collection[str]) -> None:
    """Refuse what is no category.

    Raises
    ------
    CategoryError
    """
    if not set(categories) <= set(CATEGORIES):
        raise CategoryError(f"Categories must be among {', '.join(CATEGORIES)}, got another.")


def _refuse_barred(required: Collection[str], barred: frozenset[str]) -> None:
    if barred & set(required):
        raise CategoryError(
            f"Required categories must leave out {', '.join(sorted(barred))}, which this purpose may not read in this "
            "jurisdiction, got it. Leave it out."
        )
