"""The tables of what is known about members, of its end, and of what the law keeps.

Nothing in ``members`` and ``member_payloads`` can be read without a master key, which is not in the
database. Those two change: keys are destroyed and ciphertexts deleted. The others are append-only. The
kinds of payload and the grounds of a hold are checked where rows are made and not by the database: a table
that may never be rewritten must not have to be rewritten because a word was added.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from benne.scoring.store.metadata import METADATA

__all__ = [
    "APPEND_ONLY_MEMBER_TABLES",
    "erased_payloads",
    "erasure_steps",
    "erasures",
    "legal_hold_ends",
    "legal_holds",
    "member_payloads",
    "members",
]

_SUBJECT: Final = 32  # characters
_ID: Final = 36


def _has_the_length_of_a_subject_id() -> CheckConstraint:
    return CheckConstraint(f"length(subject_id) = {_SUBJECT}", name="subject_id")


members = Table(
    "members",
    METADATA,
    Column("subject_id", String(_SUBJECT), primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=True, comment="under a master key; null: destroyed"),
    Column("master_key_id", String(_ID), nullable=True),
    Column("created_at_us", BigInteger, nullable=False),
    Column("erased_at_us", BigInteger, nullable=True, comment="null: not erased"),
    Index(None, "master_key_id"),
    _has_the_length_of_a_subject_id(),
    CheckConstraint("(wrapped_key IS NULL) = (erased_at_us IS NOT NULL)", name="erased_has_no_key"),
    CheckConstraint("(wrapped_key IS NULL) = (master_key_id IS NULL)", name="key_has_its_master"),
)

member_payloads = Table(
    "member_payloads",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="in the order of writing"),
    Column("payload_ref", String(_ID), nullable=False, unique=True),
    Column("subject_id", String(_SUBJECT), ForeignKey("members.subject_id"), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("retention_until_us", BigInteger, nullable=True, comment="null: for as long as the member"),
    Column("ciphertext", LargeBinary, nullable=False),
    Index(None, "subject_id", "kind", "seq"),
    Index(None, "retention_until_us"),
)

erased_payloads = Table(
    "erased_payloads",
    METADATA,
    Column("payload_ref", String(_ID), primary_key=True, comment="and not whose it was"),
    CheckConstraint("length(payload_ref) > 0", name="payload_ref"),
)

erasures = Table(
    "erasures",
    METADATA,
    Column("erasure_id", String(_ID), primary_key=True, comment="of the audit record of its request"),
    Column("subject_id", String(_SUBJECT), nullable=False),
    Column("requested_at_us", BigInteger, nullable=False),
    Column("parts", String(256), nullable=False, comment="what else to erase from, comma-separated"),
    Index(None, "subject_id"),
    _has_the_length_of_a_subject_id(),
)

erasure_steps = Table(
    "erasure_steps",
    METADATA,
    Column("erasure_id", String(_ID), ForeignKey("erasures.erasure_id"), primary_key=True),
    Column("step", String(64), primary_key=True),
    Column("done_at_us", BigInteger, nullable=False),
    CheckConstraint("length(step) > 0", name="step"),
)

legal_holds = Table(
    "legal_holds",
    METADATA,
    Column("hold_id", String(_ID), primary_key=True),
    Column("subject_id", String(_SUBJECT), nullable=False),
    Column("ground", String(32), nullable=False),
    Column("reference", String(64), nullable=False, comment="of the case or order"),
    Column("placed_at_us", BigInteger, nullable=False),
    Column("placed_by", String(64), nullable=False),
    Index(None, "subject_id"),
    _has_the_length_of_a_subject_id(),
)

legal_hold_ends = Table(
    "legal_hold_ends",
    METADATA,
    Column("hold_id", String(_ID), ForeignKey("legal_holds.hold_id"), primary_key=True),
    Column("lifted_at_us", BigInteger, nullable=False),
    Column("lifted_by", String(64), nullable=False),
    CheckConstraint("length(lifted_by) > 0", name="lifted_by"),
)

APPEND_ONLY_MEMBER_TABLES: Final = ("erased_payloads", "erasures", "erasure_steps", "legal_holds", "legal_hold_ends")
