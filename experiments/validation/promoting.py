"""The champion: decided and put on record in the store, and only then named by MLflow's alias.

The store comes first, in one transaction with the audit record. Should the process die before the alias is moved, the
record is ahead of it; the same command again finds that and moves the alias. The alias always follows the record, also
where somebody else promoted between the two steps, so that two at once cannot leave them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benne.experiments.model_registry import (
    CHAMPION,
    MODEL_NAME,
    Registered,
    author_of,
    files_of,
    mark,
    marked,
    name_champion,
    version_of,
)
from benne.experiments.tracking import Tracking
from benne.experiments.validation.carding import refile_card
from benne.scoring.decisions.promoting import put_on_record
from benne.scoring.decisions.promotion import (
    Promotion,
    every_promotion,
    former,
    promoted,
    promotion_refused,
    roll_back,
)
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.governance.refusals import Refused, word_for

__all__ = ["Champion", "follow_record", "promote_champion", "roll_back_champion"]


@dataclass(frozen=True, slots=True)
class Champion:
    """Who is the champion now, and what had to be done for it.

    Attributes
    ----------
    promotion : Promotion
        On record.
    version : Registered or None
        In MLflow; None where no version is of these files, or there is no MLflow.
    recorded : bool
        Whether it was put on record now; False where it was already.
    moved : bool
        Whether the alias was moved now.
    """

    promotion: Promotion
    version: Registered | None
    recorded: bool
    moved: bool


def promote_champion(
    tracking: Tracking,
    governance: GovernanceStore,
    actor: Actor,
    *,
    ids: Callable[[], str],
    which: str | None = None,
    name: str = MODEL_NAME,
) -> Champion:
    """Make a registered version the champion; once more changes nothing, and finishes what was begun.

    Parameters
    ----------
    tracking : Tracking
    governance : GovernanceStore
    actor : Actor
    ids : callable returning str
    which : str, optional
        A version's number or its run; by default the challenger.
    name : str
        Of the registered model.

    Raises
    ------
    NotValidated, NotIndependent, GatesChanged
        If no verdict lets these files serve; the refusal is on record.
    PromotionConflict
        If somebody else promoted meanwhile; this is on record too.
    ModelDirectoryError
        If the files are damaged.
    """
    version = version_of(tracking, which, name)
    with files_of(tracking, version) as directory:
        mark(tracking, version, identity_of(directory)[1])
        author = author_of(tracking, version)
        promotion, recorded = put_on_record(directory, governance, actor, ids=ids, author=author)
    found, moved = follow_record(tracking, governance, name)
    refile_card(promotion.config_hash, governance, actor, ids=ids, tracking=tracking, run_id=version.run_id)
    return Champion(promotion, found, recorded, moved)


def roll_back_champion(
    tracking: Tracking | None,
    governance: GovernanceStore,
    actor: Actor,
    reason: str,
    *,
    ids: Callable[[], str],
    name: str = MODEL_NAME,
) -> Champion:
    """Let the champion before this one serve again, or finish a roll-back whose alias was not moved.

    Parameters
    ----------
    tracking : Tracking or None
        None where there is no MLflow.
    governance : GovernanceStore
    actor : Actor
    reason : str
        A word.
    ids : callable returning str
    name : str

    Raises
    ------
    GovernanceError
        If no other model served before.
    NotValidated, NotIndependent, GatesChanged
        If no verdict lets that model serve; the refusal is on record.
    PromotionConflict
        If somebody else promoted meanwhile; this is on record too.
    ModelDirectoryError
        If that model's files on the service's shelf are damaged or gone.
    """
    with governance.store.read() as connection:
        stands = promoted(connection)
    if tracking is not None and stands is not None and stands.undoes is not None:
        found, moved = follow_record(tracking, governance, name)
        if moved:  # the process that rolled back died before it had come to the alias
            _refile(governance, actor, ids, tracking, name)
            return Champion(stands, found, recorded=False, moved=True)
    _require_on_shelf(governance)
    promotion = _rolled_back(governance, actor, reason, ids(), stands)
    found, moved = (None, False) if tracking is None else follow_record(tracking, governance, name)
    _refile(governance, actor, ids, tracking, name)
    return Champion(promotion, found, recorded=True, moved=moved)


def _rolled_back(
    governance: GovernanceStore, actor: Actor, reason: str, event_id: str, stands: Promotion | None
) -> Promotion:
    """Put on record in either case: that the model before serves again, or that it was refused."""
    about = {"event_id": event_id, "policy_version": governance.policy_version}
    with governance.store.read() as connection:
        before = former(connection)
    try:
        work = roll_back(actor, reason, after=0 if stands is None else stands.seq, **about)
        return governance.group.submit(work).result
    except Refused as error:
        identity = None if before is None else (before.model_id, before.config_hash)
        refused = promotion_refused(identity, actor, "model_rolled_back", word_for(error), **about)
        governance.group.submit(refused)
        raise


def _require_on_shelf(governance: GovernanceStore) -> None:
    """Refuse to go back to files that are damaged or gone: services would go on with the model that is to go."""
    with governance.store.read() as connection:
        before = former(connection)
    if before is not None and governance.shelf is not None:
        governance.shelf.get(before.model_id, before.config_hash)


def _refile(
    governance: GovernanceStore, actor: Actor, ids: Callable[[], str], tracking: Tracking | None, name: str
) -> None:
    """The cards of the model that serves again and of the one that does not any more."""
    with governance.store.read() as connection:
        both = [one.config_hash for one in every_promotion(connection)[-2:]]
    for config_hash in both:
        version = None if tracking is None else marked(tracking, config_hash, name)
        run_id = None if version is None else version.run_id
        refile_card(config_hash, governance, actor, ids=ids, tracking=tracking, run_id=run_id)


def follow_record(tracking: Tracking, governance: GovernanceStore, name: str) -> tuple[Registered | None, bool]:
    """Let the alias name the version that is on record, however often that changes meanwhile.

    Returns
    -------
    Registered or None, bool
        The version, None where none is tagged with the hash of these files; and whether the alias was moved.
    """
    moved = False
    while True:
        with governance.store.read() as connection:
            stands = promoted(connection)
        version = None if stands is None else marked(tracking, stands.config_hash, name)
        if version is None or CHAMPION in version.aliases:
            return version, moved
        name_champion(tracking, version)
        moved = True
