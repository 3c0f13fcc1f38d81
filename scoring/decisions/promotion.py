"""Which model serves: a row that is only ever added, with its audit record, and read by every instance."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.store.service_tables import model_promotions

__all__ = ["Promotion", "promote", "promoted"]

_C = model_promotions.c
_NEWEST = select(_C.seq, _C.model_id, _C.config_hash, _C.promoted_at_us).order_by(_C.seq.desc()).limit(1)


class Promotion(NamedTuple):
    """A model that was made the one to serve. ``promoted_at_us`` is in microseconds since 1970-01-01 UTC."""

    seq: int
    model_id: str
    config_hash: str
    promoted_at_us: int


def promoted(connection: Connection) -> Promotion | None:
    """The model that is to serve; None before the first."""
    row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else Promotion(*row)


def promote(served: ServedModel, actor: Actor, *, event_id: str, policy_version: str) -> Work[Promotion]:
    """A unit of work that makes a model on the shelf the one to serve."""

    def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Promotion]:
        before = promoted(connection)
        new = Promotion(1 if before is None else before.seq + 1, served.model_id, served.config_hash, now_us)
        connection.execute(insert(model_promotions), {**new._asdict(), "actor_id": actor.id})
        entry = AuditEntry(
            event_id=event_id, type="model_promoted", actor_id=actor.id, actor_role=actor.role, service="models",
            policy_version=policy_version, model_id=served.model_id, config_hash=served.config_hash,
        )  # fmt: skip
        return [entry], new

    return work
