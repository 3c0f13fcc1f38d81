"""A consent as members, staff and commands are shown it."""

from __future__ import annotations

from typing import Any

from benne.scoring.consent.record import ConsentEvent, ConsentRecord

__all__ = ["consent_as_dict"]


def consent_as_dict(record: ConsentRecord, events: tuple[ConsentEvent, ...]) -> dict[str, Any]:
    """A consent and what became of it, as plain values."""
    terms = record.request.terms
    return {
        "record_id": record.record_id,
        "receipt_id": record.receipt_id,
        "purpose": terms.purpose,
        "recipient": terms.recipient,
        "granularity": terms.granularity,
        "reliance": terms.reliance,
        "jurisdiction": terms.jurisdiction,
        "notice": {"id": terms.notice.notice_id, "version": terms.notice.version, "hash": terms.notice.hash},
        "given_at": record.given_at.isoformat(),
        "valid_until": record.valid_until.isoformat(),
        "categories": sorted(record.request.categories),
        "events": [{"time": e.time.isoformat(), "category": e.category, "state": e.state} for e in events],
    }
