"""Gates declared, models validated, roll-outs, documents about models, live counts and alerts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from benne.scoring.store.migrations.append_only import closing

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_APPEND_ONLY: Final = {
    "declared_gates": "version",
    "model_validations": "validation_id",
    "model_documents": "document_id",
    "model_rollouts": None,
    "monitoring_alerts": "alert_id",
}
"""Each with what no two of its rows have in common, besides their number."""

_ABOUT_NOBODY: Final = "ix_audit_records_about_nobody"
_SEQ: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, then close those that only grow to everything but INSERT."""
    _widen_promotions()
    _index_what_is_about_nobody()
    for make in (_make_gates, _make_validations, _make_documents, _make_rollouts, _make_counts, _make_alerts):
        make()
    for table, unique in _APPEND_ONLY.items():
        for statement in closing(table, "seq", op.get_bind().dialect.name, unique=unique):
            op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("live_counts", *reversed(_APPEND_ONLY)):
        op.drop_table(table)
    op.drop_index(_ABOUT_NOBODY, "audit_records")
    for column in ("undoes", "validation_id"):
        op.drop_column("model_promotions", column)


def _widen_promotions() -> None:
    """Promotions made before this stay as they are: nothing says on whose word they were made."""
    for column in (
        sa.Column("validation_id", sa.String(length=36), nullable=True, comment="the verdict that it rests on"),
        sa.Column("undoes", sa.BigInteger(), nullable=True, comment="the promotion that it takes back"),
    ):
        op.add_column("model_promotions", column)


def _index_what_is_about_nobody() -> None:
    """Records of gates, verdicts and promotions are looked up by their kind, among many that are about members."""
    where = sa.text("subject_hmac IS NULL")
    op.create_index(_ABOUT_NOBODY, "audit_records", ["type", "deny_reason"], sqlite_where=where, postgresql_where=where)


def _make_gates() -> None:
    op.create_table(
        "declared_gates",
        sa.Column("seq", _SEQ, autoincrement=False, nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False, comment="as the file names itself"),
        sa.Column("event_id", sa.String(length=36), nullable=False, comment="its audit record"),
        sa.Column("gates_hash", sa.String(length=64), nullable=False, comment="SHA-256 of content"),
        sa.Column("content", sa.Text(), nullable=False, comment="the file as it was declared"),
        sa.Column("approver", sa.String(length=64), nullable=False),
        sa.Column("declared_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(gates_hash) = 64", name=op.f("ck_declared_gates_gates_hash")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_declared_gates")),
        sa.UniqueConstraint("version", name=op.f("uq_declared_gates_version")),
    )


def _make_validations() -> None:
    op.create_table(
        "model_validations",
        sa.Column("seq", _SEQ, autoincrement=False, nullable=False),
        sa.Column("validation_id", sa.String(length=36), nullable=False, comment="also of its audit record"),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the model's manifest"),
        sa.Column("run_id", sa.String(length=64), nullable=True, comment="of the training; null: it was not tracked"),
        sa.Column("gates_version", sa.String(length=64), nullable=False),
        sa.Column("gates_hash", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("validator", sa.String(length=64), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("verdict_hash", sa.String(length=64), nullable=False, comment="SHA-256 of verdict"),
        sa.Column("verdict", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("validated_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(config_hash) = 64", name=op.f("ck_model_validations_config_hash")),
        sa.CheckConstraint("length(gates_hash) = 64", name=op.f("ck_model_validations_gates_hash")),
        sa.CheckConstraint("length(verdict_hash) = 64", name=op.f("ck_model_validations_verdict_hash")),
        sa.CheckConstraint("author <> validator", name=op.f("ck_model_validations_independent")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_model_validations")),
        sa.UniqueConstraint("validation_id", name=op.f("uq_model_validations_validation_id")),
    )
    op.create_index(op.f("ix_model_validations_config_hash"), "model_validations", ["config_hash"], unique=False)


def _make_documents() -> None:
    op.create_table(
        "model_documents",
        sa.Column("seq", _SEQ, autoincrement=False, nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=False, comment="also of its audit record"),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=32),
            nullable=False,
            comment="card, fairness, gaming, monitoring, comparison, categories",
        ),
        sa.Column("content_hash", sa.String(length=64), nullable=False, comment="SHA-256 of content"),
        sa.Column("content", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("filed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("filed_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(config_hash) = 64", name=op.f("ck_model_documents_config_hash")),
        sa.CheckConstraint("length(content_hash) = 64", name=op.f("ck_model_documents_content_hash")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_model_documents")),
        sa.UniqueConstraint("document_id", name=op.f("uq_model_documents_document_id")),
    )
    op.create_index(
        op.f("ix_model_documents_config_hash_kind"), "model_documents", ["config_hash", "kind"], unique=False
    )


def _make_rollouts() -> None:
    op.create_table(
        "model_rollouts",
        sa.Column("seq", _SEQ, autoincrement=False, nullable=False),
        sa.Column("rollout_id", sa.String(length=36), nullable=False, comment="the same from shadow to end"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="shadow, staged or ended"),
        sa.Column("model_id", sa.String(length=128), nullable=False, comment="the challenger"),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("share_basis_points", sa.Integer(), nullable=False, comment="of members whom the challenger serves"),
        sa.Column(
            "salt", sa.String(length=32), nullable=False, comment="with it members are told apart; the same throughout"
        ),
        sa.Column(
            "promotion_seq", sa.BigInteger(), nullable=False, comment="the champion's; another promotion ends it"
        ),
        sa.Column("reason", sa.String(length=64), nullable=True, comment="why it ended, in a word"),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(config_hash) = 64", name=op.f("ck_model_rollouts_config_hash")),
        sa.CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name=op.f("ck_model_rollouts_share_basis_points")),
        sa.CheckConstraint("state IN ('shadow', 'staged', 'ended')", name=op.f("ck_model_rollouts_state")),
        sa.CheckConstraint(
            "state = 'staged' OR share_basis_points = 0", name=op.f("ck_model_rollouts_only_staged_serves")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_model_rollouts")),
    )


def _make_counts() -> None:
    op.create_table(
        "live_counts",
        sa.Column("scope", sa.String(length=128), nullable=False, comment="a model's id, or a roll-out's"),
        sa.Column("day", sa.Integer(), nullable=False, comment="since 1970-01-01 UTC"),
        sa.Column("name", sa.String(length=160), nullable=False, comment="of what is counted"),
        sa.Column("cell", sa.Integer(), nullable=False, comment="which bin of it"),
        sa.Column("n", sa.BigInteger(), nullable=False, comment="how many"),
        sa.Column(
            "amount", sa.Float(precision=53), nullable=False, comment="their sum, where what is counted has a size"
        ),
        sa.PrimaryKeyConstraint("scope", "day", "name", "cell", name=op.f("pk_live_counts")),
    )


def _make_alerts() -> None:
    op.create_table(
        "monitoring_alerts",
        sa.Column("seq", _SEQ, autoincrement=False, nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False, comment="of the check"),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=True),
        sa.Column("threshold", sa.Float(precision=53), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("raised_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("severity IN ('warning', 'alarm')", name=op.f("ck_monitoring_alerts_severity")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_monitoring_alerts")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_monitoring_alerts_alert_id")),
    )
