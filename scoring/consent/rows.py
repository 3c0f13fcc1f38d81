"""Consent records to rows of the store and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.record import (
    SCHEMA_VERSION,
    Capture,
    ConsentEvent,
    ConsentRecord,
    ConsentRequest,
    ConsentTerms,
    NoticeRef,
)

__all__ = ["event_from_row", "notice_from_row", "record_from_row", "shared_columns"]

_SAME_NAME = (
    "purpose",
    "recipient",
    "controller",
    "retention_days",
    "storage_location",
    "withdrawal_method",
    "context",
    "collection_method",
    "jurisdiction",
    "lawful_basis",
    "consent_type",
    "reliance",
    "granularity",
)


def shared_columns(terms: ConsentTerms, capture: Capture) -> dict[str, Any]:
    """Columns that do not depend on the member."""
    return {
        **{name: getattr(terms, name) for name in _SAME_NAME},
        "schema_version": SCHEMA_VERSION,
        "purpose_class": terms.purpose_class,
        "notice_id": terms.notice.notice_id,
        "notice_version": terms.notice.version,
        "notice_language": terms.notice.language,
        "notice_hash": terms.notice.hash,
        "capture_channel": capture.channel,
        "capture_method": capture.method,
        "capture_steps": capture.steps,
        "capture_session_hash": capture.session_hash,
    }


def record_from_row(row: Mapping[str, Any], categories: Iterable[tuple[str, str]]) -> ConsentRecord:
    """Rebuild the record from its row and its (category, necessity) rows."""
    necessity: dict[str, Any] = dict(categories)
    terms = ConsentTerms(
        notice=notice_from_row(row),
        validity=timedelta(microseconds=row["valid_until_us"] - row["given_at_us"]),
        necessity=necessity,
        **{name: row[name] for name in _SAME_NAME},
    )
    capture = Capture(
        channel=row["capture_channel"],
        method=row["capture_method"],
        steps=row["capture_steps"],
        session_hash=row["capture_session_hash"],
    )
    return ConsentRecord(
        request=ConsentRequest(subject_id=row["subject_id"], terms=terms, capture=capture, categories=tuple(necessity)),
        given_at=from_microseconds(row["given_at_us"]),
        valid_until=from_microseconds(row["valid_until_us"]),
        recorded_at=from_microseconds(row["recorded_at_us"]),
        **{
            name: row[name]
            for name in (
                "record_id",
                "supersedes",
                "receipt_id",
                "signature",
                "prev_hash",
                "record_hash",
                "schema_version",
            )
        },
    )


def notice_from_row(row: Mapping[str, Any]) -> NoticeRef:
    """Which text a record's row names."""
    return NoticeRef(
        notice_id=row["notice_id"],
        version=row["notice_version"],
        language=row["notice_language"],
        hash=row["notice_hash"],
    )


def event_from_row(row: Mapping[str, Any]) -> ConsentEvent:
    """Rebuild one event from its row."""
    valid_until = row["valid_until_us"]
    return ConsentEvent(
        category=row["category"],
        time=from_microseconds(row["time_us"]),
        valid_until=None if valid_until is None else from_microseconds(valid_until),
        entity=row["entity"],
        type=row["type"],
        state=row["state"],
    )
