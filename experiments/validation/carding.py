"""The card of a model as decisions about it are made: filed with who validated it and who promoted it, shown in MLflow.

The decision comes first and stands by itself; the card follows it. Where the process dies in between, the same command
again files the card that is missing, and one that says the same is not filed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from benne.errors import GovernanceError
from benne.experiments.model_card.card import (
    CARD,
    Approval,
    ModelCard,
    card_from_document,
    with_approvals,
    with_documents,
)
from benne.scoring.canonical import canonical_json
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.promotion import every_promotion
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import FiledDocument, documents_of
from benne.scoring.governance.on_chain import text_hash
from benne.scoring.governance.verdicts import Verdict, verdicts_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from benne.experiments.tracking import Tracking
    from benne.scoring.governance.governance_store import GovernanceStore

__all__ = ["approvals_of", "refile_card"]

_TOLD: Final = ("fairness", "gaming", "categories")


def refile_card(
    config_hash: str,
    governance: GovernanceStore,
    actor: Actor,
    *,
    ids: Callable[[], str],
    tracking: Tracking | None = None,
    run_id: str | None = None,
) -> FiledDocument | None:
    """File a model's card with every decision on record about the model, and what was found about it since.

    Parameters
    ----------
    config_hash : str
        Of the model's files.
    governance : GovernanceStore
    actor : Actor
        Whose decision it is filed for.
    ids : callable returning str
    tracking : Tracking, optional
    run_id : str, optional
        Whose card it is where none is on file; the descriptions of its versions follow.

    Returns
    -------
    FiledDocument or None
        The card on file; None where neither the store nor the run has one about these files.
    """
    with governance.store.read() as connection:
        filed = documents_of(connection, config_hash)
        approvals = approvals_of(connection, config_hash)
    earlier = next((one for one in filed if one.kind == CARD), None)
    card = _of_run(tracking, run_id, config_hash) if earlier is None else card_from_document(earlier.content)
    if card is None:
        return None
    newest = [next((one.content for one in filed if one.kind == kind), None) for kind in _TOLD]
    card = with_approvals(with_documents(card, [one for one in newest if one is not None]), approvals)
    content = card.as_document()
    if earlier is None or earlier.content_hash != text_hash(canonical_json(content).decode()):
        earlier = governance.file(content, actor, event_id=ids())
    if tracking is not None and run_id is not None:
        from benne.experiments.model_card.registered import describe_versions_of

        describe_versions_of(tracking, run_id, card)
    return earlier


def approvals_of(connection: Connection, config_hash: str) -> list[Approval]:
    """Every decision on record about a model: verdicts, promotions, and roll-backs to it and away from it.

    Parameters
    ----------
    connection : Connection
    config_hash : str
        Of the model's files.

    Returns
    -------
    list of Approval
        The oldest first.

    Raises
    ------
    NotValidated
        If a verdict is not the one that was recorded.
    """
    verdicts = {one.validation_id: one for one in verdicts_of(connection, config_hash)}
    found = [_validated(one) for one in verdicts.values()]
    promotions = {one.seq: one for one in every_promotion(connection)}
    for one in promotions.values():
        undone = None if one.undoes is None else promotions.get(one.undoes)
        if one.config_hash == config_hash:
            verdict = verdicts.get(one.validation_id or "")
            what, said = ("promotion", "champion") if undone is None else ("roll-back", "champion again")
        elif undone is not None and undone.config_hash == config_hash:
            verdict = verdicts.get(undone.validation_id or "")
            what, said = "roll-back", "no longer champion"
        else:
            continue
        found.append(_decided(what, said, one.actor_id, one.promoted_at_us, verdict))
    return sorted(found, key=lambda one: one.at)


def _validated(verdict: Verdict) -> Approval:
    said = "passed" if verdict.passed else "not passed" if verdict.rests_on_record else "rests on no record"
    return _decided("validation", said, verdict.validator, verdict.validated_at_us, verdict)


def _decided(what: str, said: str, by: str, at_us: int, verdict: Verdict | None) -> Approval:
    """One decision, and the gates that it rests on; a promotion made by an older Benne rests on none."""
    rests = {} if verdict is None else {"gates_version": verdict.gates_version, "gates_hash": verdict.gates_hash}
    author = "" if verdict is None else verdict.author
    return Approval(what=what, verdict=said, by=by, author=author, at=from_microseconds(at_us), **rests)


def _of_run(tracking: Tracking | None, run_id: str | None, config_hash: str) -> ModelCard | None:
    """What the run logged about these files: an older Benne logged none, and a card about others is nobody's."""
    if tracking is None or run_id is None:
        return None
    from benne.experiments.model_card.registered import card_of_run

    try:
        card = card_of_run(tracking, run_id)
    except GovernanceError:
        return None
    return card if card.config_hash == config_hash else None
