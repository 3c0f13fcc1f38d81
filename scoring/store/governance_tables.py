"""The tables of governance: gates declared, models validated, roll-outs, documents about models, counts, alerts.

Nothing in them is about a member: counts are sums over many, and nothing is kept of whom they are of. All are
append-only but ``live_counts``, to which running services add.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Float, Index, Integer, String, Table, Text

from benne.scoring.store.metadata import METADATA, sequence

__all__ = [
    "APPEND_ONLY_GOVERNANCE_TABLES",
    "declared_gates",
    "live_counts",
    "model_documents",
    "model_rollouts",
    "model_validations",
    "monitoring_alerts",
]

_NAME: Final = 64  # characters of whoever did it
_MODEL: Final = 128
_SHA256: Final = 64

declared_gates = Table(
    "declared_gates",
    METADATA,
    sequence(),
    Column("version", String(64), nullable=False, unique=True, comment="as the file names itself"),
    Column("event_id", String(36), nullable=False, comment="its audit record"),
    Column("gates_hash", String(_SHA256), nullable=False, comment="SHA-256 of content"),
    Column("content", Text, nullable=False, comment="the file as it was declared"),
    Column("approver", String(_NAME), nullable=False),
    Column("declared_at_us", BigInteger, nullable=False),
    CheckConstraint("length(gates_hash) = 64", name="gates_hash"),
)

model_validations = Table(
    "model_validations",
    METADATA,
    sequence(),
    Column("validation_id", String(36), nullable=False, unique=True, comment="also of its audit record"),
    Column("model_id", String(_MODEL), nullable=False),
    Column("config_hash", String(_SHA256), nullable=False, comment="SHA-256 of the model's manifest"),
    Column("run_id", String(_NAME), nullable=True, comment="of the training; null: it was not tracked"),
    Column("gates_version", String(64), nullable=False),
    Column("gates_hash", String(_SHA256), nullable=False),
    Column("author", String(_NAME), nullable=False),
    Column("validator", String(_NAME), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("verdict_hash", String(_SHA256), nullable=False, comment="SHA-256 of verdict"),
    Column("verdict", Text, nullable=False, comment="JSON"),
    Column("validated_at_us", BigInteger, nullable=False),
    Index(None, "config_hash"),
    CheckConstraint("length(config_hash) = 64", name="config_hash"),
    CheckConstraint("length(gates_hash) = 64", name="gates_hash"),
    CheckConstraint("length(verdict_hash) = 64", name="verdict_hash"),
    CheckConstraint("author <> validator", name="independent"),
)

model_documents = Table(
    "model_documents",
    METADATA,
    sequence(),
    Column("document_id", String(36), nullable=False, unique=True, comment="also of its audit record"),
    Column("model_id", String(_MODEL), nullable=False),
    Column("config_hash", String(_SHA256), nullable=False),
    Column("kind", String(32), nullable=False, comment="card, fairness, gaming, monitoring, comparison, categories"),
    Column("content_hash", String(_SHA256), nullable=False, comment="SHA-256 of content"),
    Column("content", Text, nullable=False, comment="JSON"),
    Column("filed_at_us", BigInteger, nullable=False),
    Column("filed_by", String(_NAME), nullable=False),
    Index(None, "config_hash", "kind"),
    CheckConstraint("length(config_hash) = 64", name="config_hash"),
    CheckConstraint("length(content_hash) = 64", name="content_hash"),
)

model_rollouts = Table(
    "model_rollouts",
    METADATA,
    sequence(),
    Column("rollout_id", String(36), nullable=False, comment="the same from shadow to end"),
    Column("state", String(16), nullable=False, comment="shadow, staged or ended"),
    Column("model_id", String(_MODEL), nullable=False, comment="the challenger"),
    Column("config_hash", String(_SHA256), nullable=False),
    Column("share_basis_points", Integer, nullable=False, comment="of members whom the challenger serves"),
    Column("salt", String(32), nullable=False, comment="with it members are told apart; the same throughout"),
    Column("promotion_seq", BigInteger, nullable=False, comment="the champion's; another promotion ends it"),
    Column("reason", String(64), nullable=True, comment="why it ended, in a word"),
    Column("changed_at_us", BigInteger, nullable=False),
    Column("actor_id", String(_NAME), nullable=False),
    Column("compared", Integer, nullable=True, comment="answers in the shadow when it was staged, in whole tens"),
    Column("least_compared", Integer, nullable=True, comment="asked for by whoever staged it"),
    CheckConstraint("length(config_hash) = 64", name="config_hash"),
    CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name="share_basis_points"),
    CheckConstraint("state IN ('shadow', 'staged', 'ended')", name="state"),
    CheckConstraint("state = 'staged' OR share_basis_points = 0", name="only_staged_serves"),
)

live_counts = Table(
    "live_counts",
    METADATA,
    Column("scope", String(_MODEL), primary_key=True, comment="a model's id, or a roll-out's"),
    Column("day", Integer, primary_key=True, comment="since 1970-01-01 UTC"),
    Column("name", String(160), primary_key=True, comment="of what is counted"),
    Column("cell", Integer, primary_key=True, comment="which bin of it"),
    Column("n", BigInteger, nullable=False, comment="how many"),
    Column("amount", Float(53), nullable=False, comment="their sum, where what is counted has a size"),
)

monitoring_alerts = Table(
    "monitoring_alerts",
    METADATA,
    sequence(),
    Column("alert_id", String(36), nullable=False, unique=True),
    Column("model_id", String(_MODEL), nullable=False),
    Column("name", String(160), nullable=False, comment="of the check"),
    Column("severity", String(16), nullable=False),
    Column("value", Float(53), nullable=True),
    Column("threshold", Float(53), nullable=True),
    Column("message", Text, nullable=False),
    Column("raised_at_us", BigInteger, nullable=False),
    CheckConstraint("severity IN ('warning', 'alarm')", name="severity"),
)

APPEND_ONLY_GOVERNANCE_TABLES: Final = (
    "declared_gates",
    "model_validations",
    "model_documents",
    "model_rollouts",
    "monitoring_alerts",
)
