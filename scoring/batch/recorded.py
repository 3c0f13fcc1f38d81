"""The one audit record of a chunk: what is in it, and whether it is there."""

from __future__ import annotations

from typing import NamedTuple, cast

from sqlalchemy import Connection, select

from benne.scoring.audit.record import AuditEntry
from benne.scoring.batch.leaves import Tree
from benne.scoring.batch.part import PartNote
from benne.scoring.batch.rules import Rules
from benne.scoring.consent.vocabulary import Purpose, class_of
from benne.scoring.store.audit_tables import audit_records

__all__ = ["Recorded", "entry_of", "find_record"]


class Recorded(NamedTuple):
    """What the chain holds of a chunk."""

    root: str | None
    outcome: str | None


def entry_of(note: PartNote, tree: Tree, rules: Rules, input_digest: str) -> AuditEntry:
    """What the chain is to hold of a part: nothing of anybody, and the root over everybody."""
    question = rules.question
    purpose_class = class_of(question.purpose or "")
    return AuditEntry(
        event_id=note.event_id,
        type="scores_batched",
        actor_id=question.actor,
        actor_role="system",
        service=rules.service,
        policy_version=rules.policy_version,
        purpose=None if purpose_class is None else cast(Purpose, question.purpose),
        purpose_class=purpose_class,
        model_id=tree.model_id,
        config_hash=tree.config_hash,
        input_digest=input_digest,
        merkle_root=note.root,
        outcome=_outcome_of(note),
    )


def find_record(connection: Connection, event_id: str) -> Recorded | None:
    """What the chain holds of a chunk; None if it is not on record."""
    r = audit_records.c
    row = connection.execute(select(r.merkle_root, r.outcome).where(r.event_id == event_id)).one_or_none()
    return None if row is None else Recorded(*row)


def _outcome_of(note: PartNote) -> str:
    """How many rows were scored and how many refused, as the record says it; the size of the tree is their sum."""
    return f"scored:{note.scored}/refused:{note.rows - note.scored}"
