"""Notices, consent records with their events, and decisions; all append-only."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES: Final = ("consent_notices", "decisions", "consent_records", "consent_record_categories", "consent_events")

_KEYS: Final = {
    "consent_notices": ("notice_id, version, language",),
    "decisions": ("seq", "decision_id, subject_id"),
    "consent_records": ("seq", "record_id"),
    "consent_record_categories": ("record_id, category",),
    "consent_events": ("seq",),
}
"""Columns of each table's primary and unique keys."""

_POSTGRESQL_REFUSAL: Final = """
CREATE FUNCTION benne_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""


def upgrade() -> None:
    """Make the tables, then close them to everything but INSERT."""
    _make_consent_notices()
    _make_decisions()
    _make_consent_records()
    _make_consent_record_categories()
    _make_consent_events()
    _close_to_all_but_insert()


def downgrade() -> None:
    """Drop them again, records and all."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION benne_append_only()")


def _close_to_all_but_insert() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL_REFUSAL)
    for table in _TABLES:
        for statement in _refusals(table, op.get_bind().dialect.name):
            op.execute(statement)


def _refusals(table: str, dialect: str) -> list[str]:
    if dialect == "postgresql":
        refuse = "EXECUTE FUNCTION benne_append_only()"
        return [
            f"CREATE TRIGGER {table}_rows_stay BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refuse}",
            f"CREATE TRIGGER {table}_stays BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
        ]
    return [
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for act in ("UPDATE", "DELETE")
    ] + [_refusal_of_replacing(table)]


def _refusal_of_replacing(table: str) -> str:
    """A trigger of SQLite: INSERT OR REPLACE deletes without asking the DELETE trigger, unless a pragma says so."""
    same_key = " OR ".join(" AND ".join(f"{name} = NEW.{name}" for name in key.split(", ")) for key in _KEYS[table])
    return (
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - names of our own
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same_key}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _make_consent_notices() -> None:
    op.create_table(
        "consent_notices",
        sa.Column("notice_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False, comment="BCP 47"),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of the text as UTF-8"),
        sa.Column("text", sa.Text(), nullable=False, comment="exactly what was shown"),
        sa.Column("jurisdiction", sa.String(length=16), nullable=False),
        sa.Column("registered_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "jurisdiction IN ('cn', 'eu', 'us', 'default')", name=op.f("ck_consent_notices_jurisdiction")
        ),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_consent_notices_hash")),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_consent_notices_text")),
        sa.PrimaryKeyConstraint("notice_id", "version", "language", name=op.f("pk_consent_notices")),
        sa.UniqueConstraint(
            "notice_id", "version", "language", "hash", name=op.f("uq_consent_notices_notice_id_version_language_hash")
        ),
    )


def _make_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("as_of_us", sa.BigInteger(), nullable=True, comment="null: as of the decision's own time"),
        sa.Column("purpose", sa.String(length=32), nullable=True, comment="null: what was asked is no purpose of ours"),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reliance", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("deny_reason", sa.String(length=64), nullable=True),
        sa.Column("categories", sa.String(length=128), nullable=False, comment="consented ones, comma-separated"),
        sa.Column("about_decision", sa.String(length=36), nullable=True, comment="the decision a later check refused"),
        sa.CheckConstraint(
            "(decision = 'denied') = (deny_reason IS NOT NULL)", name=op.f("ck_decisions_denial_has_a_reason")
        ),
        sa.CheckConstraint("decision IN ('granted', 'denied')", name=op.f("ck_decisions_decision")),
        sa.CheckConstraint(
            "deny_reason IN ('consent-required', 'consent-withdrawn', 'consent-expired', "
            "'consent-given-later', 'consent-changed', 'insufficient-categories', 'purpose-not-allowed', "
            "'reliance-not-consented', 'review-route-missing', "
            "'automated-decision-consent-required', 'decision-expired', 'decision-unknown')",
            name=op.f("ck_decisions_deny_reason"),
        ),
        sa.CheckConstraint(
            "purpose IN ('lending', 'checkout_credit', 'rental', 'deposit_waiver', 'fast_lane', "
            "'own_report', 'model_training')",
            name=op.f("ck_decisions_purpose"),
        ),
        sa.CheckConstraint("reliance IN ('advisory', 'strong', 'sole')", name=op.f("ck_decisions_reliance")),
        sa.CheckConstraint("length(subject_id) = 32", name=op.f("ck_decisions_subject_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_decisions")),
        sa.UniqueConstraint("decision_id", "subject_id", name=op.f("uq_decisions_decision_id_subject_id")),
    )
    op.create_index(op.f("ix_decisions_subject_id"), "decisions", ["subject_id"], unique=False)


def _make_consent_records() -> None:
    op.create_table(
        "consent_records",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("notice_id", sa.String(length=64), nullable=False),
        sa.Column("notice_version", sa.String(length=32), nullable=False),
        sa.Column("notice_language", sa.String(length=35), nullable=False),
        sa.Column("notice_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("purpose_class", sa.String(length=16), nullable=False),
        sa.Column("consent_type", sa.String(length=24), nullable=False),
        sa.Column("controller", sa.String(length=128), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False, comment="one per record: consent is unbundled"),
        sa.Column("storage_location", sa.String(length=64), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("jurisdiction", sa.String(length=16), nullable=False),
        sa.Column("withdrawal_method", sa.String(length=128), nullable=False),
        sa.Column("lawful_basis", sa.String(length=32), nullable=False),
        sa.Column("collection_method", sa.String(length=32), nullable=False),
        sa.Column("context", sa.String(length=64), nullable=False),
        sa.Column("reliance", sa.String(length=16), nullable=False),
        sa.Column("granularity", sa.String(length=16), nullable=False),
        sa.Column("capture_channel", sa.String(length=16), nullable=False),
        sa.Column("capture_method", sa.String(length=32), nullable=False),
        sa.Column("capture_steps", sa.Integer(), nullable=False),
        sa.Column("capture_session_hash", sa.String(length=64), nullable=False),
        sa.Column("given_at_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_us", sa.BigInteger(), nullable=False),
        sa.Column("supersedes", sa.String(length=36), nullable=True),
        sa.Column("receipt_id", sa.String(length=36), nullable=True, comment="null: no receipt was issued"),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("record_hash", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.Text(), nullable=True, comment="over record_hash; null: not signed"),
        sa.CheckConstraint(
            "(purpose_class = 'credit' AND purpose IN ('lending', 'checkout_credit', "
            "'rental')) OR (purpose_class = 'benefit_only' AND purpose IN ('deposit_waiver', "
            "'fast_lane')) OR (purpose_class = 'member' AND purpose IN ('own_report')) OR "
            "(purpose_class = 'training' AND purpose IN ('model_training'))",
            name=op.f("ck_consent_records_purpose"),
        ),
        sa.CheckConstraint(
            "capture_channel IN ('web', 'app', 'telephone', 'branch', 'paper', 'command_line', 'simulator')",
            name=op.f("ck_consent_records_capture_channel"),
        ),
        sa.CheckConstraint(
            "capture_method IN ('checkbox_ticked', 'toggle_switched_on', 'button_pressed', "
            "'signature_written', 'words_spoken')",
            name=op.f("ck_consent_records_capture_method"),
        ),
        sa.CheckConstraint(
            "collection_method IN ('observed_on_platform', 'provided_by_member', 'received_from_institution')",
            name=op.f("ck_consent_records_collection_method"),
        ),
        sa.CheckConstraint(
            "consent_type IN ('expressed', 'explicit', 'automated_decision')",
            name=op.f("ck_consent_records_consent_type"),
        ),
        sa.CheckConstraint(
            "granularity IN ('band', 'threshold', 'exact')", name=op.f("ck_consent_records_granularity")
        ),
        sa.CheckConstraint(
            "jurisdiction IN ('cn', 'eu', 'us', 'default')", name=op.f("ck_consent_records_jurisdiction")
        ),
        sa.CheckConstraint(
            "lawful_basis IN ('consent', 'explicit_consent')", name=op.f("ck_consent_records_lawful_basis")
        ),
        sa.CheckConstraint("reliance IN ('advisory', 'strong', 'sole')", name=op.f("ck_consent_records_reliance")),
        sa.CheckConstraint("capture_steps >= 1", name=op.f("ck_consent_records_capture_steps")),
        sa.CheckConstraint("given_at_us <= recorded_at_us", name=op.f("ck_consent_records_given_at_us")),
        sa.CheckConstraint("length(capture_session_hash) = 64", name=op.f("ck_consent_records_capture_session_hash")),
        sa.CheckConstraint("length(subject_id) = 32", name=op.f("ck_consent_records_subject_id")),
        sa.CheckConstraint("retention_days >= 1", name=op.f("ck_consent_records_retention_days")),
        sa.CheckConstraint("valid_until_us > given_at_us", name=op.f("ck_consent_records_valid_until_us")),
        sa.ForeignKeyConstraint(
            ["notice_id", "notice_version", "notice_language", "notice_hash"],
            [
                "consent_notices.notice_id",
                "consent_notices.version",
                "consent_notices.language",
                "consent_notices.hash",
            ],
            name=op.f("fk_consent_records_consent_notices"),
        ),
        sa.ForeignKeyConstraint(
            ["supersedes"], ["consent_records.record_id"], name=op.f("fk_consent_records_consent_records")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_consent_records")),
        sa.UniqueConstraint("record_id", name=op.f("uq_consent_records_record_id")),
    )
    op.create_index(
        op.f("ix_consent_records_purpose_recipient"), "consent_records", ["purpose", "recipient"], unique=False
    )
    op.create_index(
        op.f("ix_consent_records_subject_id_purpose_recipient"),
        "consent_records",
        ["subject_id", "purpose", "recipient"],
        unique=False,
    )


def _make_consent_record_categories() -> None:
    op.create_table(
        "consent_record_categories",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("necessity", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "category IN ('credit_history', 'behaviour', 'ability', 'personal_information', 'social')",
            name=op.f("ck_consent_record_categories_category"),
        ),
        sa.CheckConstraint(
            "necessity IN ('required', 'optional')", name=op.f("ck_consent_record_categories_necessity")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["consent_records.record_id"], name=op.f("fk_consent_record_categories_consent_records")
        ),
        sa.PrimaryKeyConstraint("record_id", "category", name=op.f("pk_consent_record_categories")),
    )


def _make_consent_events() -> None:
    op.create_table(
        "consent_events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False, comment="when it took effect"),
        sa.Column("recorded_at_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_us", sa.BigInteger(), nullable=True, comment="null: the state grants nothing"),
        sa.Column("entity", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("event_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(state IN ('given', 'renewed')) = (valid_until_us IS NOT NULL)",
            name=op.f("ck_consent_events_validity_is_mandatory"),
        ),
        sa.CheckConstraint("entity IN ('member', 'controller', 'system')", name=op.f("ck_consent_events_entity")),
        sa.CheckConstraint(
            "state IN ('requested', 'refused', 'given', 'renewed', 'withdrawn', 'revoked', 'expired', 'invalidated')",
            name=op.f("ck_consent_events_state"),
        ),
        sa.CheckConstraint(
            "type IN ('expressed', 'explicit', 'automated_decision')", name=op.f("ck_consent_events_type")
        ),
        sa.CheckConstraint("time_us <= recorded_at_us", name=op.f("ck_consent_events_time_us")),
        sa.CheckConstraint(
            "valid_until_us IS NULL OR valid_until_us > time_us", name=op.f("ck_consent_events_valid_until_us")
        ),
        sa.ForeignKeyConstraint(
            ["record_id", "category"],
            ["consent_record_categories.record_id", "consent_record_categories.category"],
            name=op.f("fk_consent_events_consent_record_categories"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_consent_events")),
    )
    op.create_index(op.f("ix_consent_events_record_id"), "consent_events", ["record_id"], unique=False)
