"""The tables of the live side: notices, consent records and their events, and decisions.

Each of these is append-only; migrations add triggers that refuse UPDATE and DELETE. ``seq`` counts
from 1 without gaps and is the order of the hash chains. Times are int64 microseconds since
1970-01-01 UTC (columns ``*_us``). A subject id is the 32-hex keyed pseudonym, never a raw member id.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benne.features.categories import CATEGORIES
from benne.scoring.consent import vocabulary as words
from benne.scoring.store.access_tables import api_keys, recipients
from benne.scoring.store.audit_tables import audit_records
from benne.scoring.store.governance_tables import APPEND_ONLY_GOVERNANCE_TABLES
from benne.scoring.store.member_tables import APPEND_ONLY_MEMBER_TABLES
from benne.scoring.store.metadata import METADATA, VERSION_TABLE, one_of, sequence
from benne.scoring.store.rights_tables import APPEND_ONLY_RIGHTS_TABLES
from benne.scoring.store.service_tables import (
    APPEND_ONLY_SERVICE_TABLES,
    feature_layouts,
    idempotency_keys,
    model_promotions,
)

__all__ = [
    "APPEND_ONLY_TABLES",
    "METADATA",
    "VERSION_TABLE",
    "api_keys",
    "audit_records",
    "consent_events",
    "consent_notice_replacements",
    "consent_notices",
    "consent_record_categories",
    "consent_records",
    "decisions",
    "feature_layouts",
    "idempotency_keys",
    "model_promotions",
    "recipients",
]


def _purpose_has_its_class() -> CheckConstraint:
    by_class: dict[str, list[str]] = {}
    for purpose, purpose_class in words.PURPOSE_CLASSES.items():
        by_class.setdefault(purpose_class, []).append(purpose)
    cases = (
        f"(purpose_class = {c!r} AND purpose IN ({', '.join(map(repr, purposes))}))" for c, purposes in by_class.items()
    )
    return CheckConstraint(" OR ".join(cases), name="purpose")


consent_notices = Table(
    "consent_notices",
    METADATA,
    Column("notice_id", String(64), primary_key=True),
    Column("version", String(32), primary_key=True),
    Column("language", String(35), primary_key=True, comment="BCP 47"),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the text as UTF-8"),
    Column("text", Text, nullable=False, comment="exactly what was shown"),
    Column("jurisdiction", String(16), nullable=False),
    Column("registered_at_us", BigInteger, nullable=False),
    UniqueConstraint("notice_id", "version", "language", "hash"),
    one_of("jurisdiction", words.JURISDICTIONS),
    CheckConstraint("length(hash) = 64", name="hash"),
    CheckConstraint("length(text) > 0", name="text"),
)

consent_records = Table(
    "consent_records",
    METADATA,
    sequence(),
    Column("schema_version", Integer, nullable=False),
    Column("record_id", String(36), nullable=False, unique=True),
    Column("subject_id", String(32), nullable=False),
    Column("notice_id", String(64), nullable=False),
    Column("notice_version", String(32), nullable=False),
    Column("notice_language", String(35), nullable=False),
    Column("notice_hash", String(64), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("purpose_class", String(16), nullable=False),
    Column("consent_type", String(24), nullable=False),
    Column("controller", String(128), nullable=False),
    Column("recipient", String(64), nullable=False, comment="one per record: consent is unbundled"),
    Column("storage_location", String(64), nullable=False),
    Column("retention_days", Integer, nullable=False),
    Column("jurisdiction", String(16), nullable=False),
    Column("withdrawal_method", String(128), nullable=False),
    Column("lawful_basis", String(32), nullable=False),
    Column("collection_method", String(32), nullable=False),
    Column("context", String(64), nullable=False),
    Column("reliance", String(16), nullable=False),
    Column("granularity", String(16), nullable=False),
    Column("capture_channel", String(16), nullable=False),
    Column("capture_method", String(32), nullable=False),
    Column("capture_steps", Integer, nullable=False),
    Column("capture_session_hash", String(64), nullable=False),
    Column("given_at_us", BigInteger, nullable=False),
    Column("valid_until_us", BigInteger, nullable=False),
    Column("recorded_at_us", BigInteger, nullable=False),
    Column("supersedes", String(36), ForeignKey("consent_records.record_id"), nullable=True),
    Column("receipt_id", String(36), nullable=True, comment="null: no receipt was issued"),
    Column("prev_hash", String(64), nullable=False),
    Column("record_hash", String(64), nullable=False),
    Column("signature", Text, nullable=True, comment="over record_hash; null: not signed"),
    ForeignKeyConstraint(
        ["notice_id", "notice_version", "notice_language", "notice_hash"],
        [f"consent_notices.{name}" for name in ("notice_id", "version", "language", "hash")],
    ),
    Index(None, "subject_id", "purpose", "recipient"),
    Index(None, "purpose", "recipient"),
    CheckConstraint("length(subject_id) = 32", name="subject_id"),
    _purpose_has_its_class(),
    one_of("consent_type", words.CONSENT_TYPES),
    one_of("jurisdiction", words.JURISDICTIONS),
    one_of("lawful_basis", words.LAWFUL_BASES),
    one_of("collection_method", words.COLLECTION_METHODS),
    one_of("reliance", words.RELIANCES),
    one_of("granularity", words.GRANULARITIES),
    one_of("capture_channel", words.CAPTURE_CHANNELS),
    one_of("capture_method", words.CAPTURE_METHODS),
    CheckConstraint("capture_steps >= 1", name="capture_steps"),
    CheckConstraint("length(capture_session_hash) = 64", name="capture_session_hash"),
    CheckConstraint("retention_days >= 1", name="retention_days"),
    CheckConstraint("valid_until_us > given_at_us", name="valid_until_us"),
    CheckConstraint("given_at_us <= recorded_at_us", name="given_at_us"),
)

consent_record_categories = Table(
    "consent_record_categories",
    METADATA,
    Column("record_id", String(36), ForeignKey("consent_records.record_id"), primary_key=True),
    Column("category", String(32), primary_key=True),
    Column("necessity", String(16), nullable=False),
    one_of("category", CATEGORIES),
    one_of("necessity", words.NECESSITIES),
)

consent_events = Table(
    "consent_events",
    METADATA,
    sequence(),
    Column("record_id", String(36), nullable=False),
    Column("category", String(32), nullable=False),
    Column("time_us", BigInteger, nullable=False, comment="when it took effect"),
    Column("recorded_at_us", BigInteger, nullable=False),
    Column("valid_until_us", BigInteger, nullable=True, comment="null: the state grants nothing"),
    Column("entity", String(16), nullable=False),
    Column("type", String(24), nullable=False),
    Column("state", String(16), nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("event_hash", String(64), nullable=False),
    ForeignKeyConstraint(
        ["record_id", "category"],
        ["consent_record_categories.record_id", "consent_record_categories.category"],
    ),
    Index(None, "record_id"),
    Index(None, "valid_until_us"),
    one_of("entity", words.ENTITIES),
    one_of("type", words.CONSENT_TYPES),
    one_of("state", words.STATES),
    CheckConstraint("(state IN ('given', 'renewed')) = (valid_until_us IS NOT NULL)", name="validity_is_mandatory"),
    CheckConstraint("valid_until_us IS NULL OR valid_until_us > time_us", name="valid_until_us"),
    CheckConstraint("time_us <= recorded_at_us", name="time_us"),
)

consent_notice_replacements = Table(
    "consent_notice_replacements",
    METADATA,
    Column("notice_id", String(64), primary_key=True),
    Column("version", String(32), primary_key=True, comment="that nobody may be asked with any more"),
    Column("replaced_by", String(32), nullable=False),
    Column("changes", String(64), nullable=False, comment="what means something else now, comma-separated"),
    Column("replaced_at_us", BigInteger, nullable=False),
    CheckConstraint("version <> replaced_by", name="replaced_by"),
    CheckConstraint("length(changes) > 0", name="changes"),
)

decisions = Table(
    "decisions",
    METADATA,
    sequence(),
    Column("decision_id", String(36), nullable=False),
    Column("subject_id", String(32), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("as_of_us", BigInteger, nullable=True, comment="null: as of the decision's own time"),
    Column("purpose", String(32), nullable=True, comment="null: what was asked is no purpose of ours"),
    Column("recipient", String(64), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("reliance", String(16), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("deny_reason", String(64), nullable=True),
    Column("categories", String(128), nullable=False, comment="consented ones, comma-separated"),
    Column("about_decision", String(36), nullable=True, comment="the decision a later check refused"),
    UniqueConstraint("decision_id", "subject_id"),
    Index(None, "subject_id"),
    CheckConstraint("length(subject_id) = 32", name="subject_id"),
    one_of("purpose", words.PURPOSES),
    one_of("reliance", words.RELIANCES),
    one_of("decision", ("granted", "denied")),
    one_of("deny_reason", words.DENY_REASONS),
    CheckConstraint("(decision = 'denied') = (deny_reason IS NOT NULL)", name="denial_has_a_reason"),
)

APPEND_ONLY_TABLES: Final = (
    "consent_notices",
    "consent_notice_replacements",
    "consent_records",
    "consent_record_categories",
    "consent_events",
    "decisions",
    "audit_records",
    *APPEND_ONLY_MEMBER_TABLES,
    *APPEND_ONLY_SERVICE_TABLES,
    *APPEND_ONLY_RIGHTS_TABLES,
    *APPEND_ONLY_GOVERNANCE_TABLES,
)
