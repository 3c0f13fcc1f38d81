"""Disputes, corrections, reviews, notices that are due, and the register of notices sent."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from benne.scoring.store.migrations.append_only import closing

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_APPEND_ONLY: Final = {
    "rights_case_events": "case_id, version",
    "notices": "notice_id",
    "notice_deliveries": "notice_id, number",
}
"""Each with its key."""


def upgrade() -> None:
    """Make the tables, then close those that only grow to everything but INSERT."""
    for make in (_make_cases, _index_cases, _make_what_goes_with_cases, _make_notices, _make_what_goes_with_notices):
        make()
    for table, key in _APPEND_ONLY.items():
        for statement in closing(table, key, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("notice_deliveries", "notice_members", "notices", "correction_steps", "rights_case_events"):
        op.drop_table(table)
    op.drop_table("rights_cases")


def _make_cases() -> None:
    op.create_table(
        "rights_cases",
        sa.Column(
            "case_id", sa.String(length=36), nullable=False, comment="also of its payload and of its first audit record"
        ),
        sa.Column(
            "kind", sa.String(length=16), nullable=False, comment="dispute, correction, review, or a notice that is due"
        ),
        sa.Column("subject_id", sa.String(length=32), nullable=True, comment="null: erased"),
        sa.Column(
            "decision_id",
            sa.String(length=36),
            nullable=True,
            comment="what it is about; null: something else, or erased",
        ),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="one more with every change"),
        sa.Column("jurisdiction", sa.String(length=16), nullable=False, comment="whose deadline it is"),
        sa.Column("recipient", sa.String(length=64), nullable=True),
        sa.Column("policy_version", sa.String(length=64), nullable=True),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("opened_by_role", sa.String(length=16), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=True, comment="null: the member"),
        sa.Column("handler", sa.String(length=64), nullable=True, comment="who looks into it, or decided it"),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
        sa.Column("extended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("escalated_at_us", sa.BigInteger(), nullable=True, comment="null: never overdue"),
        sa.Column(
            "ended_at_us", sa.BigInteger(), nullable=True, comment="null: something is left to do by the deadline"
        ),
        sa.Column(
            "mark",
            sa.String(length=16),
            nullable=True,
            comment="what recipients are told of it: disputed, or statement",
        ),
        sa.Column("statement_ref", sa.String(length=36), nullable=True),
        sa.Column("about_case", sa.String(length=36), nullable=True, comment="the case it came of"),
        sa.Column("result", sa.String(length=36), nullable=True, comment="what came of it: a decision, or a notice"),
        sa.CheckConstraint("mark IS NULL OR subject_id IS NOT NULL", name=op.f("ck_rights_cases_mark")),
        sa.CheckConstraint("subject_id IS NULL OR length(subject_id) = 32", name=op.f("ck_rights_cases_subject_id")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_rights_cases_version")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_rights_cases")),
    )


def _index_cases() -> None:
    op.create_index(op.f("ix_rights_cases_decision_id"), "rights_cases", ["decision_id"], unique=False)
    op.create_index(
        "ix_rights_cases_marked",
        "rights_cases",
        ["subject_id"],
        unique=False,
        sqlite_where=sa.text("mark IS NOT NULL"),
        postgresql_where=sa.text("mark IS NOT NULL"),
    )
    op.create_index(
        "ix_rights_cases_open",
        "rights_cases",
        ["due_at_us"],
        unique=False,
        sqlite_where=sa.text("ended_at_us IS NULL"),
        postgresql_where=sa.text("ended_at_us IS NULL"),
    )
    op.create_index(op.f("ix_rights_cases_subject_id_kind"), "rights_cases", ["subject_id", "kind"], unique=False)


def _make_what_goes_with_cases() -> None:
    op.create_table(
        "rights_case_events",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False, comment="what was done"),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor_role", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True, comment="null: the member, or nobody"),
        sa.CheckConstraint("version >= 1", name=op.f("ck_rights_case_events_version")),
        sa.PrimaryKeyConstraint("case_id", "version", name=op.f("pk_rights_case_events")),
    )
    op.create_table(
        "correction_steps",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("done_at_us", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(length=36), nullable=True, comment="the decision made anew; null: none"),
        sa.ForeignKeyConstraint(["case_id"], ["rights_cases.case_id"], name=op.f("fk_correction_steps_rights_cases")),
        sa.PrimaryKeyConstraint("case_id", "step", name=op.f("pk_correction_steps")),
    )


def _make_notices() -> None:
    op.create_table(
        "notices",
        sa.Column(
            "notice_id", sa.String(length=36), nullable=False, comment="also of its payload and its audit record"
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False, comment="member or recipient"),
        sa.Column("recipient", sa.String(length=64), nullable=True, comment="whom it is to, or who acted"),
        sa.Column("jurisdiction", sa.String(length=16), nullable=False),
        sa.Column("template_version", sa.String(length=16), nullable=False),
        sa.Column("template_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the template's texts"),
        sa.Column("language", sa.String(length=35), nullable=False, comment="BCP 47"),
        sa.Column(
            "content_digest",
            sa.String(length=64),
            nullable=False,
            comment="of what was sent; keyed by the member's key",
        ),
        sa.Column("case_id", sa.String(length=36), nullable=True, comment="null: it was due to nobody's case"),
        sa.Column("basis", sa.String(length=32), nullable=True, comment="of a disclosure that a law compelled"),
        sa.Column("due_at_us", sa.BigInteger(), nullable=True, comment="null: no deadline"),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("issued_by_role", sa.String(length=16), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=True, comment="null: at the member's own asking"),
        sa.Column("shown_from_us", sa.BigInteger(), nullable=False, comment="later than issued: barred until then"),
        sa.CheckConstraint(
            "length(content_digest) = 64 AND length(template_hash) = 64", name=op.f("ck_notices_content_digest")
        ),
        sa.CheckConstraint("shown_from_us >= issued_at_us", name=op.f("ck_notices_shown_from_us")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_case_id"), "notices", ["case_id"], unique=False)
    op.create_index(op.f("ix_notices_issued_at_us"), "notices", ["issued_at_us"], unique=False)


def _make_what_goes_with_notices() -> None:
    op.create_table(
        "notice_members",
        sa.Column("notice_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("decision_id", sa.String(length=36), nullable=True),
        sa.CheckConstraint("length(subject_id) = 32", name=op.f("ck_notice_members_subject_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.notice_id"], name=op.f("fk_notice_members_notices")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notice_members")),
    )
    op.create_index(op.f("ix_notice_members_decision_id"), "notice_members", ["decision_id"], unique=False)
    op.create_index(op.f("ix_notice_members_subject_id"), "notice_members", ["subject_id"], unique=False)
    op.create_table(
        "notice_deliveries",
        sa.Column("notice_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="queued, delivered or failed"),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("by_role", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.String(length=64), nullable=True, comment="null: the member"),
        sa.CheckConstraint("number >= 1", name=op.f("ck_notice_deliveries_number")),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.notice_id"], name=op.f("fk_notice_deliveries_notices")),
        sa.PrimaryKeyConstraint("notice_id", "number", name=op.f("pk_notice_deliveries")),
    )
