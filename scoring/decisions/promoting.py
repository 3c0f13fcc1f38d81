"""A saved model made the one to serve: its verdict looked up, put on the shelf, put on record; a refusal too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benne.models import CreditScoreModel
from benne.scoring.decisions.promotion import Promotion, promote, promoted, promotion_refused
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ServedModel, identity_of, served
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.governance.people import require_independent
from benne.scoring.governance.refusals import Refused, word_for
from benne.scoring.governance.verdicts import require_validated

__all__ = ["put_on_record"]


def put_on_record(
    directory: Path, governance: GovernanceStore, actor: Actor, *, ids: Callable[[], str], author: str | None = None
) -> tuple[Promotion, bool]:
    """Let a saved model serve, on record; gives the promotion, and whether it is new.

    Parameters
    ----------
    directory : Path
        Its files.
    governance : GovernanceStore
    actor : Actor
    ids : callable returning str
    author : str, optional
        Who made it, where that is known besides the verdict, which may name another.

    Raises
    ------
    NotValidated, NotIndependent, GatesChanged
        If no verdict lets these files serve; the refusal is on record.
    PromotionConflict
        If somebody else promoted meanwhile; this is on record too.
    """
    model_id, config_hash = identity_of(directory)
    about = {"event_id": ids(), "policy_version": governance.policy_version}
    with governance.store.read() as connection:
        stands = promoted(connection)
    try:
        with governance.store.read() as connection:
            verdict = require_validated(connection, config_hash)
        if author is not None:
            require_independent(author, verdict.validator)
        model = _on_shelf(directory, governance)
        if stands is not None and stands.config_hash == config_hash:
            return stands, False
        after = 0 if stands is None else stands.seq
        return governance.group.submit(promote(model, actor, after=after, **about)).result, True
    except Refused as error:
        refused = promotion_refused((model_id, config_hash), actor, "model_promoted", word_for(error), **about)
        governance.group.submit(refused)
        raise


def _on_shelf(directory: Path, governance: GovernanceStore) -> ServedModel:
    """Loaded, and so verified, where there is no shelf either."""
    if governance.shelf is not None:
        return governance.shelf.put(directory)
    return served(CreditScoreModel.load(directory), *identity_of(directory))
