"""Promotions of models, layouts of feature vectors, idempotency keys."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from benne.scoring.store.migrations.append_only import closing

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_APPEND_ONLY: Final = {"model_promotions": "seq", "feature_layouts": "layout_id"}
"""Each with its key."""


def upgrade() -> None:
    """Make the tables, then close those that only grow to everything but INSERT."""
    op.create_table(
        "model_promotions",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the manifest"),
        sa.Column("promoted_at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(config_hash) = 64", name=op.f("ck_model_promotions_config_hash")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_model_promotions")),
    )
    op.create_table(
        "feature_layouts",
        sa.Column("layout_id", sa.String(length=64), nullable=False, comment="SHA-256 of names"),
        sa.Column("names", sa.Text(), nullable=False, comment="JSON array, in the order of the vectors"),
        sa.CheckConstraint("length(layout_id) = 64", name=op.f("ck_feature_layouts_layout_id")),
        sa.PrimaryKeyConstraint("layout_id", name=op.f("pk_feature_layouts")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key_hash", sa.String(length=64), nullable=False, comment="keyed hash of caller, route and key"),
        sa.Column("request_hash", sa.String(length=64), nullable=False, comment="keyed"),
        sa.Column("result", sa.String(length=200), nullable=False, comment="ids of what came of it"),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at_us"), "idempotency_keys", ["created_at_us"], unique=False)
    for table, key in _APPEND_ONLY.items():
        for statement in closing(table, key, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("idempotency_keys", *_APPEND_ONLY):
        op.drop_table(table)
