"""The tables of who may ask: recipients and their purposes, and keys of access.

A key's secret is not in here, only a salted hash of it. Rows change in one way each: a recipient is retired or
its purposes are set anew, a key is revoked, or goes with the member it belongs to.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table

from benne.scoring.consent import vocabulary as words
from benne.scoring.store.metadata import METADATA, one_of

__all__ = ["ROLES", "api_keys", "recipients"]

ROLES: Final = ("recipient", "member", "compliance", "data_scientist", "admin")
"""Roles of somebody who asks; ``system`` asks nobody."""

recipients = Table(
    "recipients",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("contact", String(200), nullable=False, comment="of the controller who is answerable"),
    Column("purposes", String(256), nullable=False, comment="comma-separated"),
    Column("jurisdiction", String(16), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("retired_at_us", BigInteger, nullable=True, comment="null: served"),
    one_of("jurisdiction", words.JURISDICTIONS),
    CheckConstraint("retired_at_us IS NULL OR retired_at_us >= created_at_us", name="retired_at_us"),
)

api_keys = Table(
    "api_keys",
    METADATA,
    Column("key_id", String(16), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("recipient", String(64), ForeignKey("recipients.name"), nullable=True),
    Column("subject_id", String(32), nullable=True),
    Column("salt", String(32), nullable=False),
    Column("secret_hash", String(64), nullable=False, comment="SHA-256 of salt and secret"),
    Column("created_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=True, comment="null: never"),
    Column("revoked_at_us", BigInteger, nullable=True, comment="null: not revoked"),
    Index(None, "subject_id"),
    one_of("role", ROLES),
    CheckConstraint("(role = 'recipient') = (recipient IS NOT NULL)", name="recipient"),
    CheckConstraint("(role = 'member') = (subject_id IS NOT NULL)", name="subject_id"),
    CheckConstraint("length(secret_hash) = 64 AND length(salt) = 32", name="secret_hash"),
    CheckConstraint("expires_at_us IS NULL OR expires_at_us > created_at_us", name="expires_at_us"),
)
