"""Recipients, their purposes, and keys of access."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_recipients()
    _make_api_keys()


def downgrade() -> None:
    """Drop them again: nobody has access then."""
    op.drop_table("api_keys")
    op.drop_table("recipients")


def _make_recipients() -> None:
    op.create_table(
        "recipients",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False, comment="of the controller who is answerable"),
        sa.Column("purposes", sa.String(length=256), nullable=False, comment="comma-separated"),
        sa.Column("jurisdiction", sa.String(length=16), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("retired_at_us", sa.BigInteger(), nullable=True, comment="null: served"),
        sa.CheckConstraint("jurisdiction IN ('cn', 'eu', 'us', 'default')", name=op.f("ck_recipients_jurisdiction")),
        sa.CheckConstraint(
            "retired_at_us IS NULL OR retired_at_us >= created_at_us", name=op.f("ck_recipients_retired_at_us")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_recipients")),
    )


def _make_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=True),
        sa.Column("subject_id", sa.String(length=32), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False, comment="SHA-256 of salt and secret"),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=True, comment="null: never"),
        sa.Column("revoked_at_us", sa.BigInteger(), nullable=True, comment="null: not revoked"),
        sa.CheckConstraint(
            "role IN ('recipient', 'member', 'compliance', 'data_scientist', 'admin')", name=op.f("ck_api_keys_role")
        ),
        sa.CheckConstraint("(role = 'recipient') = (recipient IS NOT NULL)", name=op.f("ck_api_keys_recipient")),
        sa.CheckConstraint("(role = 'member') = (subject_id IS NOT NULL)", name=op.f("ck_api_keys_subject_id")),
        sa.CheckConstraint("length(secret_hash) = 64 AND length(salt) = 32", name=op.f("ck_api_keys_secret_hash")),
        sa.CheckConstraint(
            "expires_at_us IS NULL OR expires_at_us > created_at_us", name=op.f("ck_api_keys_expires_at_us")
        ),
        sa.ForeignKeyConstraint(["recipient"], ["recipients.name"], name=op.f("fk_api_keys_recipients_recipient")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_subject_id"), "api_keys", ["subject_id"], unique=False)
