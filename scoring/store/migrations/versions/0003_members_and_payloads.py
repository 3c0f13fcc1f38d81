"""Members' keys, their encrypted payloads, erasures and legal holds."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from benne.scoring.store.migrations.append_only import closing

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES: Final = (
    "members",
    "member_payloads",
    "erased_payloads",
    "erasures",
    "erasure_steps",
    "legal_holds",
    "legal_hold_ends",
)
_APPEND_ONLY: Final = {
    "erased_payloads": "payload_ref",
    "erasures": "erasure_id",
    "erasure_steps": "erasure_id, step",
    "legal_holds": "hold_id",
    "legal_hold_ends": "hold_id",
}
"""Each with the columns of its key."""

_SECRET: Final = (("members", "wrapped_key"), ("member_payloads", "ciphertext"))


def upgrade() -> None:
    """Make the tables, then close those that only grow to everything but INSERT."""
    _make_members()
    _make_member_payloads()
    _make_erasures()
    _make_legal_holds()
    dialect = op.get_bind().dialect.name
    for table, key in _APPEND_ONLY.items():
        for statement in closing(table, key, dialect):
            op.execute(statement)
    if dialect == "postgresql":
        for table, column in _SECRET:
            # ANALYZE keeps samples of a column's values, and would keep those of the erased.
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


def downgrade() -> None:
    """Drop them again, keys and payloads and all."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _make_members() -> None:
    op.create_table(
        "members",
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True, comment="under a master key; null: destroyed"),
        sa.Column("master_key_id", sa.String(length=36), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("erased_at_us", sa.BigInteger(), nullable=True, comment="null: not erased"),
        sa.CheckConstraint("length(subject_id) = 32", name=op.f("ck_members_subject_id")),
        sa.CheckConstraint(
            "(wrapped_key IS NULL) = (erased_at_us IS NOT NULL)", name=op.f("ck_members_erased_has_no_key")
        ),
        sa.CheckConstraint(
            "(wrapped_key IS NULL) = (master_key_id IS NULL)", name=op.f("ck_members_key_has_its_master")
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_members")),
    )
    op.create_index(op.f("ix_members_master_key_id"), "members", ["master_key_id"], unique=False)


def _make_member_payloads() -> None:
    op.create_table(
        "member_payloads",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="in the order of writing",
        ),
        sa.Column("payload_ref", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("retention_until_us", sa.BigInteger(), nullable=True, comment="null: for as long as the member"),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["members.subject_id"], name=op.f("fk_member_payloads_members")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_member_payloads")),
        sa.UniqueConstraint("payload_ref", name=op.f("uq_member_payloads_payload_ref")),
    )
    op.create_index(
        op.f("ix_member_payloads_subject_id_kind_seq"), "member_payloads", ["subject_id", "kind", "seq"], unique=False
    )
    op.create_index(
        op.f("ix_member_payloads_retention_until_us"), "member_payloads", ["retention_until_us"], unique=False
    )
    op.create_table(
        "erased_payloads",
        sa.Column("payload_ref", sa.String(length=36), nullable=False, comment="and not whose it was"),
        sa.CheckConstraint("length(payload_ref) > 0", name=op.f("ck_erased_payloads_payload_ref")),
        sa.PrimaryKeyConstraint("payload_ref", name=op.f("pk_erased_payloads")),
    )


def _make_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.String(length=36), nullable=False, comment="of the audit record of its request"),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("requested_at_us", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.String(length=256), nullable=False, comment="what else to erase from, comma-separated"),
        sa.CheckConstraint("length(subject_id) = 32", name=op.f("ck_erasures_subject_id")),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_subject_id"), "erasures", ["subject_id"], unique=False)
    op.create_table(
        "erasure_steps",
        sa.Column("erasure_id", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("done_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(step) > 0", name=op.f("ck_erasure_steps_step")),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasures.erasure_id"], name=op.f("fk_erasure_steps_erasures")),
        sa.PrimaryKeyConstraint("erasure_id", "step", name=op.f("pk_erasure_steps")),
    )


def _make_legal_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("hold_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False, comment="of the case or order"),
        sa.Column("placed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("placed_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(subject_id) = 32", name=op.f("ck_legal_holds_subject_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_legal_holds")),
    )
    op.create_index(op.f("ix_legal_holds_subject_id"), "legal_holds", ["subject_id"], unique=False)
    op.create_table(
        "legal_hold_ends",
        sa.Column("hold_id", sa.String(length=36), nullable=False),
        sa.Column("lifted_at_us", sa.BigInteger(), nullable=False),
        sa.Column("lifted_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(lifted_by) > 0", name=op.f("ck_legal_hold_ends_lifted_by")),
        sa.ForeignKeyConstraint(["hold_id"], ["legal_holds.hold_id"], name=op.f("fk_legal_hold_ends_legal_holds")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_legal_hold_ends")),
    )
