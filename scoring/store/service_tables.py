"""Tables of the running service: which model serves, what feature vectors consist of, which requests came twice.

Nothing in them is about a member. ``model_promotions`` and ``feature_layouts`` are append-only; a request that may
come twice is remembered for a day or so, and what was answered lies in the member's vault.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Table, Text

from benne.scoring.store.metadata import METADATA, sequence

__all__ = ["APPEND_ONLY_SERVICE_TABLES", "feature_layouts", "idempotency_keys", "model_promotions"]

model_promotions = Table(
    "model_promotions",
    METADATA,
    sequence(),
    Column("model_id", String(128), nullable=False),
    Column("config_hash", String(64), nullable=False, comment="SHA-256 of the manifest"),
    Column("promoted_at_us", BigInteger, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("validation_id", String(36), nullable=True, comment="the verdict that it rests on"),
    Column("undoes", BigInteger, nullable=True, comment="the promotion that it takes back"),
    CheckConstraint("length(config_hash) = 64", name="config_hash"),
)

feature_layouts = Table(
    "feature_layouts",
    METADATA,
    Column("layout_id", String(64), primary_key=True, comment="SHA-256 of names"),
    Column("names", Text, nullable=False, comment="JSON array, in the order of the vectors"),
    CheckConstraint("length(layout_id) = 64", name="layout_id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    METADATA,
    Column("key_hash", String(64), primary_key=True, comment="keyed hash of caller, route and key"),
    Column("request_hash", String(64), nullable=False, comment="keyed"),
    Column("result", String(200), nullable=False, comment="ids of what came of it"),
    Column("created_at_us", BigInteger, nullable=False),
    Index(None, "created_at_us"),
)

APPEND_ONLY_SERVICE_TABLES: Final = ("model_promotions", "feature_layouts")
