"""``benne promote`` and ``benne rollback``: which model serves, on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note
from benne.cli.edge import quiet_mlflow
from benne.cli.governance_store import GovernancePlace, opened_governance_store
from benne.cli.options import DoneBy, RegisteredName, TrackingPlace, WantJson

if TYPE_CHECKING:
    from benne.experiments.validation.promoting import Champion
    from benne.scoring.decisions.promotion import Promotion
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.governance_store import GovernanceStore

__all__ = ["promote", "put_to_serve", "rollback"]


def promote(
    store: GovernancePlace,
    by: DoneBy,
    version: Annotated[str | None, typer.Argument(metavar="[RUN|VERSION]", help="By default the challenger.")] = None,
    tracking: TrackingPlace = "mlflow",
    registered_name: RegisteredName = "benne",
    want_json: WantJson = False,
) -> None:
    """Make a model the champion, if a standing verdict of somebody other than its author lets it serve.

    It goes on record first; then services load it within seconds, and MLflow's alias `champion` follows. The same
    command again changes nothing, and finishes what was interrupted.

    \b
    Example:
      benne promote --store shop-scores --tracking mlflow --by ops
    """
    quiet_mlflow()
    from benne.experiments.model_registry import existing_store
    from benne.experiments.validation.promoting import promote_champion
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.people import named
    from benne.scoring.wiring import random_id

    where = existing_store(tracking)
    with opened_governance_store(store) as governance:
        actor = Actor(named(by, "Whoever promotes"), "admin")
        champion = promote_champion(where, governance, actor, ids=random_id, which=version, name=registered_name)
        alone = governance.shelf is None
    _tell(champion, want_json)
    if alone:
        note("The store is a database by itself: a service on it needs the model on its shelf. "
             "Name the service's folder, or run benne service promote there.")  # fmt: skip


def rollback(
    store: GovernancePlace,
    by: DoneBy,
    reason: Annotated[str, typer.Option("--reason", help="Why, in one word for the record, such as calibration.")],
    tracking: TrackingPlace = "mlflow",
    registered_name: RegisteredName = "benne",
    want_json: WantJson = False,
) -> None:
    """Let the champion before this one serve again, at once; it was validated when it was promoted.

    Where there is no MLflow only the record is changed, which is what services follow.

    \b
    Example:
      benne rollback --store shop-scores --tracking mlflow --by ops --reason calibration
    """
    quiet_mlflow()
    from benne.experiments.validation.promoting import roll_back_champion
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.people import named
    from benne.scoring.wiring import random_id

    actor, why = Actor(named(by, "Whoever rolls back"), "admin"), named(reason, "The reason")
    with opened_governance_store(store) as governance:
        champion = roll_back_champion(
            _tracking_or_none(tracking), governance, actor, why, ids=random_id, name=registered_name
        )
    _tell(champion, want_json)


def put_to_serve(home: Path, model: Path, by: str, validated_in: str | None) -> Promotion:
    """Let a saved model serve in a service, with its verdict taken over from another store where that is named."""
    from benne.scoring.decisions.promoting import put_on_record
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.people import named
    from benne.scoring.wiring import random_id

    actor = Actor(named(by, "Whoever promotes"), "admin")
    with opened_governance_store(str(home)) as governance:
        if validated_in is not None:
            _take_over(governance, model, validated_in, actor)
        promotion, _ = put_on_record(model, governance, actor, ids=random_id)
        _refile(governance, promotion.config_hash, actor)
    return promotion


def _refile(governance: GovernanceStore, config_hash: str, actor: Actor) -> None:
    """A card on file, with the promotion; a machine that only serves lacks what writes cards, and needs none."""
    from importlib.util import find_spec

    from benne.scoring.governance.documents import documents_of
    from benne.scoring.wiring import random_id

    with governance.store.read() as connection:
        filed = documents_of(connection, config_hash, "card")
    if not filed:
        return
    if find_spec("mlflow") is None:
        note("The card does not say so yet: file it anew where benne[train] is installed, by benne card.")
        return
    from benne.experiments.validation.carding import refile_card

    refile_card(config_hash, governance, actor, ids=random_id)


def _take_over(governance: GovernanceStore, model: Path, validated_in: str, actor: Actor) -> None:
    from benne.scoring.decisions.served_model import identity_of
    from benne.scoring.governance.taking_over import bring_over, to_bring_over
    from benne.scoring.wiring import random_id

    with opened_governance_store(validated_in) as other, other.store.read() as connection:
        brought = to_bring_over(connection, identity_of(model)[1])
    bring_over(brought, governance, actor, ids=random_id)


def _tracking_or_none(place: str) -> Any:
    from benne.experiments.model_registry import existing_store

    if "://" not in place and not (Path(place) / "mlflow.db").is_file():
        note(f"No MLflow in {place}: only the record is changed.")
        return None
    return existing_store(place)


def _tell(champion: Champion, want_json: bool) -> None:
    promotion, version = champion.promotion, champion.version
    if want_json:
        answer_json({
            "model_id": promotion.model_id, "config_hash": promotion.config_hash,
            "validation_id": promotion.validation_id, "version": None if version is None else version.version,
            "recorded": champion.recorded, "alias_moved": champion.moved,
        })  # fmt: skip
        return
    name = "" if version is None else f", version {version.version} of {version.name}: models:/{version.name}@champion"
    answer(f"{promotion.model_id} is the champion{name}")
    if not champion.recorded:
        note("It was on record already; the alias was behind and has been moved." if champion.moved
             else "It was already: nothing was changed.")  # fmt: skip
