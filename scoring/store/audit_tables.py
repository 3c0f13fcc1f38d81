"""The table of the audit chain; append-only, and without anything that says who a member is.

``seq`` counts from 1 without gaps and is the order of the chain. A subject is a keyed hash in a named key
domain; what was read and answered is there as digests, and as a reference to a payload that is encrypted
under the member's own key and goes with it. Which words the other columns may hold is said in
:mod:`benne.scoring.audit.vocabulary`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, Table, text

from benne.scoring.store.metadata import METADATA, sequence

__all__ = ["DIGEST_COLUMNS", "audit_records"]

_SHA256: Final = 64  # characters

DIGEST_COLUMNS: Final = (
    "subject_hmac",
    "config_hash",
    "input_digest",
    "output_digest",
    "reasons_digest",
    "merkle_root",
)
"""Columns that hold 64 hexadecimal digits, or null."""


_ABOUT_NOBODY: Final = text("subject_hmac IS NULL")


def _has_length(column: str) -> CheckConstraint:
    return CheckConstraint(f"length({column}) = {_SHA256}", name=column)


audit_records = Table(
    "audit_records",
    METADATA,
    sequence(),
    Column("schema_version", Integer, nullable=False, comment="of what hash covers and how"),
    Column("time_us", BigInteger, nullable=False),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("type", String(32), nullable=False),
    Column("actor_id", String(64), nullable=False, comment="a member's is a subject hmac"),
    Column("actor_role", String(16), nullable=False),
    Column("subject_hmac", String(_SHA256), nullable=True, comment="null: about nobody, or about many"),
    Column("key_domain", String(64), nullable=True, comment="whose key made subject_hmac"),
    Column("service", String(64), nullable=False),
    Column("purpose", String(32), nullable=True, comment="null: none, or no purpose of ours"),
    Column("purpose_class", String(16), nullable=True),
    Column("context", String(64), nullable=True),
    Column("consent_id", String(36), nullable=True),
    Column("consent_state", String(16), nullable=True),
    Column("policy_version", String(64), nullable=False),
    Column("decision", String(16), nullable=True, comment="null: nothing was asked for"),
    Column("deny_reason", String(64), nullable=True),
    Column("model_id", String(128), nullable=True),
    Column("config_hash", String(_SHA256), nullable=True),
    Column("input_digest", String(_SHA256), nullable=True),
    Column("output_digest", String(_SHA256), nullable=True),
    Column("reasons_digest", String(_SHA256), nullable=True),
    Column("reviewer", String(64), nullable=True),
    Column("outcome", String(64), nullable=True),
    Column("retention_until_us", BigInteger, nullable=True, comment="of the payload; null: there is none"),
    Column("payload_ref", String(128), nullable=True),
    Column("merkle_root", String(_SHA256), nullable=True, comment="of a chunk of decisions"),
    Column("about_event", String(36), nullable=True, comment="the event that this one follows up"),
    Column("prev_hash", String(_SHA256), nullable=False),
    Column("hash", String(_SHA256), nullable=False),
    Index(None, "subject_hmac"),
    # What is about nobody is looked up by its kind, such as promotions: few among many that are about members.
    Index(
        "ix_audit_records_about_nobody",
        "type",
        "deny_reason",
        sqlite_where=_ABOUT_NOBODY,
        postgresql_where=_ABOUT_NOBODY,
    ),
    CheckConstraint("seq >= 1", name="seq"),
    *(_has_length(column) for column in (*DIGEST_COLUMNS, "prev_hash", "hash")),
    CheckConstraint("(subject_hmac IS NULL) = (key_domain IS NULL)", name="subject_has_a_key_domain"),
    CheckConstraint("(purpose IS NULL) = (purpose_class IS NULL)", name="purpose_has_its_class"),
    CheckConstraint("(coalesce(decision, '') = 'denied') = (deny_reason IS NOT NULL)", name="denial_has_a_reason"),
)
