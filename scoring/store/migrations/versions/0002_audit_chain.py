"""The audit chain; append-only."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLE: Final = "audit_records"
_HASHES: Final = (
    "subject_hmac",
    "config_hash",
    "input_digest",
    "output_digest",
    "reasons_digest",
    "merkle_root",
    "prev_hash",
    "hash",
)


def upgrade() -> None:
    """Make the table, then close it to everything but INSERT."""
    _make_audit_records()
    for statement in _refusals(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Drop it again, records and all."""
    op.drop_table(_TABLE)


def _refusals(dialect: str) -> list[str]:
    if dialect == "postgresql":
        refuse = "EXECUTE FUNCTION benne_append_only()"  # of migration 0001
        return [
            f"CREATE TRIGGER {_TABLE}_rows_stay BEFORE UPDATE OR DELETE ON {_TABLE} FOR EACH ROW {refuse}",
            f"CREATE TRIGGER {_TABLE}_stays BEFORE TRUNCATE ON {_TABLE} FOR EACH STATEMENT {refuse}",
        ]
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_TABLE} is append-only'); END"
    return [
        f"CREATE TRIGGER {_TABLE}_no_update BEFORE UPDATE ON {_TABLE} {refuse}",
        f"CREATE TRIGGER {_TABLE}_no_delete BEFORE DELETE ON {_TABLE} {refuse}",
        # INSERT OR REPLACE deletes without asking the DELETE trigger, unless a pragma says so.
        f"CREATE TRIGGER {_TABLE}_no_replace BEFORE INSERT ON {_TABLE} "  # noqa: S608 - names of our own
        f"WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE seq = NEW.seq OR event_id = NEW.event_id) {refuse}",
    ]


def _make_audit_records() -> None:
    op.create_table(
        _TABLE,
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False, comment="of what hash covers and how"),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False, comment="a member's is a subject hmac"),
        sa.Column("actor_role", sa.String(length=16), nullable=False),
        sa.Column("subject_hmac", sa.String(length=64), nullable=True, comment="null: about nobody, or about many"),
        sa.Column("key_domain", sa.String(length=64), nullable=True, comment="whose key made subject_hmac"),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=True, comment="null: none, or no purpose of ours"),
        sa.Column("purpose_class", sa.String(length=16), nullable=True),
        sa.Column("context", sa.String(length=64), nullable=True),
        sa.Column("consent_id", sa.String(length=36), nullable=True),
        sa.Column("consent_state", sa.String(length=16), nullable=True),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=True, comment="null: nothing was asked for"),
        sa.Column("deny_reason", sa.String(length=64), nullable=True),
        sa.Column("model_id", sa.String(length=128), nullable=True),
        sa.Column("config_hash", sa.String(length=64), nullable=True),
        sa.Column("input_digest", sa.String(length=64), nullable=True),
        sa.Column("output_digest", sa.String(length=64), nullable=True),
        sa.Column("reasons_digest", sa.String(length=64), nullable=True),
        sa.Column("reviewer", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("retention_until_us", sa.BigInteger(), nullable=True, comment="of the payload; null: there is none"),
        sa.Column("payload_ref", sa.String(length=128), nullable=True),
        sa.Column("merkle_root", sa.String(length=64), nullable=True, comment="of a chunk of decisions"),
        sa.Column("about_event", sa.String(length=36), nullable=True, comment="the event that this one follows up"),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f(f"ck_{_TABLE}_seq")),
        *(sa.CheckConstraint(f"length({name}) = 64", name=op.f(f"ck_{_TABLE}_{name}")) for name in _HASHES),
        sa.CheckConstraint(
            "(subject_hmac IS NULL) = (key_domain IS NULL)", name=op.f(f"ck_{_TABLE}_subject_has_a_key_domain")
        ),
        sa.CheckConstraint(
            "(purpose IS NULL) = (purpose_class IS NULL)", name=op.f(f"ck_{_TABLE}_purpose_has_its_class")
        ),
        sa.CheckConstraint(
            "(coalesce(decision, '') = 'denied') = (deny_reason IS NOT NULL)",
            name=op.f(f"ck_{_TABLE}_denial_has_a_reason"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f(f"pk_{_TABLE}")),
        sa.UniqueConstraint("event_id", name=op.f(f"uq_{_TABLE}_event_id")),
    )
    op.create_index(op.f(f"ix_{_TABLE}_subject_hmac"), _TABLE, ["subject_hmac"], unique=False)
