"""Which model serves: a row that is only ever added, with its audit record, and read by every instance.

Nothing is promoted that was not validated by somebody else: the verdict is looked up in the transaction that promotes,
and there is no other way in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select

from benne.errors import GovernanceError, PromotionConflict
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.audit.vocabulary import EventType
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.governance.on_chain import newest_says
from benne.scoring.governance.verdicts import Verdict, require_validated
from benne.scoring.store.service_tables import model_promotions

__all__ = [
    "Promotion",
    "every_promotion",
    "former",
    "promote",
    "promoted",
    "promotion_refused",
    "require_may_serve",
    "roll_back",
]

_C = model_promotions.c
_EVERY: Final = select(_C.seq, _C.model_id, _C.config_hash, _C.promoted_at_us, _C.actor_id, _C.validation_id, _C.undoes)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model that was made the one to serve.

    Attributes
    ----------
    seq : int
        Place among all promotions, from 1.
    model_id, config_hash : str
    promoted_at_us : int
        Microseconds since 1970-01-01 UTC.
    actor_id : str
        Who did it.
    validation_id : str or None
        The verdict it rests on; None of promotions made by an older Benne.
    undoes : int or None
        The promotion that it takes back, where it is a roll-back.
    """

    seq: int
    model_id: str
    config_hash: str
    promoted_at_us: int
    actor_id: str
    validation_id: str | None = None
    undoes: int | None = None


def promoted(connection: Connection) -> Promotion | None:
    """The model that is to serve; None before the first."""
    row = connection.execute(_EVERY.order_by(_C.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Promotion(*row)


def every_promotion(connection: Connection) -> list[Promotion]:
    """All promotions and roll-backs, the oldest first."""
    return [Promotion(*row) for row in connection.execute(_EVERY.order_by(_C.seq))]


def require_may_serve(connection: Connection, promotion: Promotion) -> None:
    """Refuse a promotion that was written past the record, or of a model that no verdict lets serve.

    Raises
    ------
    PromotionConflict
        If the newest promotion in the audit chain is another.
    NotValidated, NotIndependent, GatesChanged
        As :func:`benne.scoring.governance.verdicts.require_validated`.
    """
    require_validated(connection, promotion.config_hash, resting_on=promotion.validation_id)
    on_record = newest_says(
        connection, ("model_promoted", "model_rolled_back"), model_id=promotion.model_id,
        config_hash=promotion.config_hash, actor_id=promotion.actor_id, about_event=promotion.validation_id,
    )  # fmt: skip
    if not on_record:
        raise PromotionConflict(
            "The model that serves must be the one that the audit chain says was promoted last, got another. "
            "See what was changed: benne audit verify"
        )


def former(connection: Connection) -> Promotion | None:
    """The promotion that a roll-back goes back to: of the model that served before this one; None if there is none."""
    stack: list[Promotion] = []
    for row in connection.execute(_EVERY.order_by(_C.seq)):
        one = Promotion(*row)
        if one.undoes is not None:
            del stack[-1:]
        elif not stack or stack[-1].config_hash != one.config_hash:
            stack.append(one)
    return stack[-2] if len(stack) > 1 else None


def promote(
    served: ServedModel, actor: Actor, *, event_id: str, policy_version: str, after: int | None = None
) -> Work[Promotion]:
    """A unit of work that makes a model on the shelf the one to serve.

    Parameters
    ----------
    served : ServedModel
    actor : Actor
    event_id, policy_version : str
    after : int, optional
        Place of the promotion that stood when this was decided, 0 before the first; by default whichever stands.

    Raises
    ------
    NotValidated, NotIndependent, GatesChanged
        By the work: if no verdict lets these files serve.
    PromotionConflict
        By the work: if somebody else promoted meanwhile.
    """

    def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Promotion]:
        verdict = require_validated(connection, served.config_hash)
        place = _place(connection, after)
        new = Promotion(
            place, served.model_id, served.config_hash, now_us, actor.id, validation_id=verdict.validation_id
        )
        return [_kept(connection, new, verdict, actor, "model_promoted", event_id, policy_version)], new

    return work


def roll_back(
    actor: Actor, reason: str, *, event_id: str, policy_version: str, after: int | None = None
) -> Work[Promotion]:
    """A unit of work that lets the model serve again that served before this one.

    Parameters
    ----------
    actor : Actor
    reason : str
        A word, such as ``calibration``.
    event_id, policy_version : str
    after : int, optional
        As for :func:`promote`.

    Raises
    ------
    GovernanceError
        By the work: if no other model served before.
    NotValidated, NotIndependent, GatesChanged
        By the work: if no verdict lets that model serve.
    PromotionConflict
        By the work: if somebody else promoted meanwhile.
    """

    def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Promotion]:
        before, place = former(connection), _place(connection, after)
        if before is None:
            raise GovernanceError("Another model must have served before this one, got none. Promote a model instead.")
        verdict = require_validated(connection, before.config_hash)
        new = Promotion(
            place, before.model_id, before.config_hash, now_us, actor.id, verdict.validation_id, undoes=place - 1
        )
        entry = _kept(connection, new, verdict, actor, "model_rolled_back", event_id, policy_version, reason)
        return [entry], new

    return work


def promotion_refused(
    identity: tuple[str, str] | None,
    actor: Actor,
    kind: EventType,
    why: str,
    *,
    event_id: str,
    policy_version: str,
) -> Work[None]:
    """A unit of work that puts on record that a model was not promoted, or not gone back to, and why in a word.

    Parameters
    ----------
    identity : (str, str) or None
        The model's id and the hash of its files; None where there was none to go back to.
    actor : Actor
    kind : str
        ``model_promoted`` or ``model_rolled_back``.
    why : str
    event_id, policy_version : str
    """
    model_id, config_hash = identity or (None, None)

    def work(_: Connection, __: int) -> tuple[list[AuditEntry], None]:
        entry = AuditEntry(
            event_id=event_id, type=kind, actor_id=actor.id, actor_role=actor.role, service="models",
            policy_version=policy_version, model_id=model_id, config_hash=config_hash,
            decision="denied", deny_reason=why,
        )  # fmt: skip
        return [entry], None

    return work


def _place(connection: Connection, after: int | None) -> int:
    newest = promoted(connection)
    stands = 0 if newest is None else newest.seq
    if after is not None and after != stands:
        raise PromotionConflict(
            "The model that serves must be the one that was looked up, and somebody changed it meanwhile. "
            "See which serves now, then decide again."
        )
    return stands + 1


def _kept(
    connection: Connection,
    new: Promotion,
    verdict: Verdict,
    actor: Actor,
    kind: EventType,
    event_id: str,
    policy_version: str,
    outcome: str | None = None,
) -> AuditEntry:
    row = {name: getattr(new, name) for name in Promotion.__dataclass_fields__}
    connection.execute(insert(model_promotions), row)
    return AuditEntry(
        event_id=event_id, type=kind, actor_id=actor.id, actor_role=actor.role, service="models",
        policy_version=policy_version, model_id=new.model_id, config_hash=new.config_hash,
        about_event=verdict.validation_id, reviewer=verdict.validator, outcome=outcome,
    )  # fmt: skip
