"""What may be written into the chain, and what the constructor refuses."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from benne.errors import AuditRecordError
from benne.scoring.audit.record import AuditEntry, AuditRecord
from benne.scoring.store.audit_tables import audit_records

HEX = "ab" * 32
LEAST = {
    "event_id": "event-1",
    "type": "model_promoted",
    "actor_id": "ops-3",
    "actor_role": "admin",
    "service": "registry",
    "policy_version": "2026-03",
}
WRONG = {
    "a type that is none": ({"type": "score_sold"}, "type must be one of score_decided, "),
    "a role that is none": ({"actor_role": "root"}, "actor_role must be one of member, "),
    "a purpose that is none": ({"purpose": "gossip"}, "purpose must be one of lending, "),
    "a consent state that is none": ({"consent_state": "assumed"}, "consent_state must be one of requested, "),
    "a decision that is none": ({"decision": "perhaps"}, "decision must be one of granted, denied, got another"),
    "a missing id": ({"event_id": None}, "event_id must be a name"),
    "an id longer than its column": ({"event_id": "x" * 37}, "event_id must be a name .* up to 36 characters"),
    "an address as an id": ({"actor_id": "anna@example.org"}, "actor_id must be a name .* never free text"),
    "free text": ({"outcome": "she was late twice"}, "outcome must be a name .* never free text"),
    "a line break": ({"outcome": "upheld\n"}, "outcome must be a name"),
    "a number as a name": ({"service": 7}, "service must be a name"),
    "a digest too short": ({"input_digest": "ab"}, "input_digest must be 64 hexadecimal digits"),
    "a digest in capitals": ({"output_digest": HEX.upper()}, "output_digest must be 64 hexadecimal digits"),
    "a raw id as subject": ({"subject_hmac": "anna", "key_domain": "shop"}, "subject_hmac must be 64 hexadecimal"),
    "a subject without key domain": ({"subject_hmac": HEX}, "subject_hmac and key_domain must go together"),
    "a key domain without subject": ({"key_domain": "shop"}, "subject_hmac and key_domain must go together"),
    "a purpose of another class": ({"purpose": "lending", "purpose_class": "member"}, "must be the purpose's own"),
    "a purpose without class": ({"purpose": "lending"}, "purpose_class must be the purpose's own"),
    "a class without purpose": ({"purpose_class": "credit"}, "purpose_class must be the purpose's own"),
    "a denial without reason": ({"decision": "denied"}, "deny_reason must be given exactly where"),
    "a reason without denial": ({"decision": "granted", "deny_reason": "x"}, "deny_reason must be given exactly"),
    "a batch without root": ({"type": "scores_batched"}, "merkle_root must be given exactly for scores_batched"),
    "a root without batch": ({"merkle_root": HEX}, "merkle_root must be given exactly for scores_batched"),
    "a member under a raw id": ({"actor_role": "member", "actor_id": "anna"}, "must be a subject hmac"),
    "a moment with fractions": ({"retention_until_us": 1.5}, "whole microseconds since 1970, got float"),
    "a moment before 1970": ({"retention_until_us": -1}, "whole microseconds since 1970"),
    "a truth value as a moment": ({"retention_until_us": True}, "whole microseconds since 1970, got bool"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_entry_that_is_not_as_it_must_be_is_refused(case):
    changes, message = WRONG[case]
    with pytest.raises(AuditRecordError, match=message):
        AuditEntry(**{**LEAST, **changes})


@pytest.mark.parametrize("case", WRONG)
def test_a_refusal_never_repeats_what_was_given(case):
    changes, _ = WRONG[case]
    with pytest.raises(AuditRecordError, match="must") as refused:
        AuditEntry(**{**LEAST, **changes})
    texts = {value for value in changes.values() if isinstance(value, str) and len(value) > 4}
    known = {"lending", "member", "credit", "denied", "granted", "scores_batched"}
    assert not [text for text in texts - known if text in str(refused.value)]


def test_the_least_entry_says_what_who_where_and_under_which_rules():
    entry = AuditEntry(**LEAST)
    given = {name for name, value in dataclasses.asdict(entry).items() if value is not None}
    assert given == set(LEAST)


def test_a_member_acts_under_a_keyed_id():
    entry = AuditEntry(**{**LEAST, "type": "report_given", "actor_role": "member", "actor_id": HEX})
    assert entry.actor_id == HEX


def test_an_entry_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        AuditEntry(**LEAST).decision = "granted"


def test_every_column_is_a_field_of_the_entry_or_given_by_the_chain():
    fields = {field.name for field in dataclasses.fields(AuditEntry)}
    by_the_chain = {"seq", "schema_version", "time_us", "prev_hash", "hash"}
    assert fields | by_the_chain == set(audit_records.columns.keys())
    assert not fields & by_the_chain


def test_a_record_says_its_time_in_utc():
    record = AuditRecord(entry=AuditEntry(**LEAST), seq=1, time_us=1_000_000, prev_hash="0" * 64, hash=HEX)
    assert record.time == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
