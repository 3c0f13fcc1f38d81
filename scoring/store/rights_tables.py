"""The tables of members' rights: disputes, corrections, reviews, notices that are due, and the register of those sent.

What members say, and what they are told, lies in the vault; here are ids, states and times. Whose a case or a notice
is stands in one column that an erasure empties (``rights_cases``) or in a row that it deletes (``notice_members``), so
that counts and registers stay and lead to nobody. Words are checked where rows are made and not by the database.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, text

from benne.scoring.store.metadata import METADATA

__all__ = [
    "APPEND_ONLY_RIGHTS_TABLES",
    "correction_steps",
    "notice_deliveries",
    "notice_members",
    "notices",
    "rights_case_events",
    "rights_cases",
]

_SUBJECT: Final = 32  # characters
_ID: Final = 36

rights_cases = Table(
    "rights_cases",
    METADATA,
    Column("case_id", String(_ID), primary_key=True, comment="also of its payload and of its first audit record"),
    Column("kind", String(16), nullable=False, comment="dispute, correction, review, or a notice that is due"),
    Column("subject_id", String(_SUBJECT), nullable=True, comment="null: erased"),
    Column("decision_id", String(_ID), nullable=True, comment="what it is about; null: something else, or erased"),
    Column("topic", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False, comment="one more with every change"),
    Column("jurisdiction", String(16), nullable=False, comment="whose deadline it is"),
    Column("recipient", String(64), nullable=True),
    Column("policy_version", String(64), nullable=True),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("opened_by_role", String(16), nullable=False),
    Column("opened_by", String(64), nullable=True, comment="null: the member"),
    Column("handler", String(64), nullable=True, comment="who looks into it, or decided it"),
    Column("due_at_us", BigInteger, nullable=False),
    Column("extended_at_us", BigInteger, nullable=True),
    Column("escalated_at_us", BigInteger, nullable=True, comment="null: never overdue"),
    Column("ended_at_us", BigInteger, nullable=True, comment="null: something is left to do by the deadline"),
    Column("mark", String(16), nullable=True, comment="what recipients are told of it: disputed, or statement"),
    Column("statement_ref", String(_ID), nullable=True),
    Column("about_case", String(_ID), nullable=True, comment="the case it came of"),
    Column("result", String(_ID), nullable=True, comment="what came of it: a decision, or a notice"),
    Index(None, "subject_id", "kind"),
    Index(None, "decision_id"),
    Index("ix_rights_cases_open", "due_at_us", sqlite_where=text("ended_at_us IS NULL"),
          postgresql_where=text("ended_at_us IS NULL")),
    Index("ix_rights_cases_marked", "subject_id", sqlite_where=text("mark IS NOT NULL"),
          postgresql_where=text("mark IS NOT NULL")),
    CheckConstraint(f"subject_id IS NULL OR length(subject_id) = {_SUBJECT}", name="subject_id"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("mark IS NULL OR subject_id IS NOT NULL", name="mark"),
)  # fmt: skip

rights_case_events = Table(
    "rights_case_events",
    METADATA,
    Column("case_id", String(_ID), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("act", String(32), nullable=False, comment="what was done"),
    Column("at_us", BigInteger, nullable=False),
    Column("actor_role", String(16), nullable=False),
    Column("actor_id", String(64), nullable=True, comment="null: the member, or nobody"),
    CheckConstraint("version >= 1", name="version"),
)

correction_steps = Table(
    "correction_steps",
    METADATA,
    Column("case_id", String(_ID), ForeignKey("rights_cases.case_id"), primary_key=True),
    Column("step", String(64), primary_key=True),
    Column("done_at_us", BigInteger, nullable=False),
    Column("result", String(_ID), nullable=True, comment="the decision made anew; null: none"),
)

notices = Table(
    "notices",
    METADATA,
    Column("notice_id", String(_ID), primary_key=True, comment="also of its payload and its audit record"),
    Column("kind", String(32), nullable=False),
    Column("audience", String(16), nullable=False, comment="member or recipient"),
    Column("recipient", String(64), nullable=True, comment="whom it is to, or who acted"),
    Column("jurisdiction", String(16), nullable=False),
    Column("template_version", String(16), nullable=False),
    Column("template_hash", String(64), nullable=False, comment="SHA-256 of the template's texts"),
    Column("language", String(35), nullable=False, comment="BCP 47"),
    Column("content_digest", String(64), nullable=False, comment="of what was sent; keyed by the member's key"),
    Column("case_id", String(_ID), nullable=True, comment="null: it was due to nobody's case"),
    Column("basis", String(32), nullable=True, comment="of a disclosure that a law compelled"),
    Column("due_at_us", BigInteger, nullable=True, comment="null: no deadline"),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("issued_by_role", String(16), nullable=False),
    Column("issued_by", String(64), nullable=True, comment="null: at the member's own asking"),
    Column("shown_from_us", BigInteger, nullable=False, comment="later than issued: barred until then"),
    Index(None, "issued_at_us"),
    Index(None, "case_id"),
    CheckConstraint("length(content_digest) = 64 AND length(template_hash) = 64", name="content_digest"),
    CheckConstraint("shown_from_us >= issued_at_us", name="shown_from_us"),
)

notice_members = Table(
    "notice_members",
    METADATA,
    Column("notice_id", String(_ID), ForeignKey("notices.notice_id"), primary_key=True),
    Column("subject_id", String(_SUBJECT), nullable=False),
    Column("decision_id", String(_ID), nullable=True),
    Index(None, "subject_id"),
    Index(None, "decision_id"),
    CheckConstraint(f"length(subject_id) = {_SUBJECT}", name="subject_id"),
)

notice_deliveries = Table(
    "notice_deliveries",
    METADATA,
    Column("notice_id", String(_ID), ForeignKey("notices.notice_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String(16), nullable=False, comment="queued, delivered or failed"),
    Column("channel", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("by_role", String(16), nullable=False),
    Column("by_id", String(64), nullable=True, comment="null: the member"),
    CheckConstraint("number >= 1", name="number"),
)

APPEND_ONLY_RIGHTS_TABLES: Final = ("rights_case_events", "notices", "notice_deliveries")
