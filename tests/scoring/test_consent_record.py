"""What may be written down as consent, and what may not, three times over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from benne.errors import ConsentRecordError
from benne.scoring import Capture, Notice
from benne.scoring.consent import vocabulary as words


@pytest.mark.parametrize("method", sorted(words.REFUSED_CAPTURES))
def test_the_pre_ticked_box_of_january_2018_cannot_be_recorded(platform, method):
    assert method not in get_args(words.CaptureMethod)
    with pytest.raises(ConsentRecordError, match=f"act of the member .* got {method}"):
        replace(platform.capture, method=method)
    _refused_by_the_database(platform, "consent_records", "capture_method", method)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("valid_until_us", None),
        ("valid_until_us", 0),
        ("capture_method", ""),
        ("purpose", "dating_profile"),
        ("purpose_class", "training"),
        ("capture_steps", 0),
        ("subject_id", "anna@example.org"),
        ("notice_hash", "0" * 64),
        ("reliance", "blind"),
        ("given_at_us", 2**62),
    ],
)
def test_the_database_itself_refuses_a_wrong_record(platform, column, value):
    _refused_by_the_database(platform, "consent_records", column, value)


def test_the_database_itself_refuses_consent_without_validity(platform):
    _refused_by_the_database(platform, "consent_events", "valid_until_us", None)
    _refused_by_the_database(platform, "consent_events", "category", "religion")


def _refused_by_the_database(platform, table, column, value):
    if not platform.rows(table):
        platform.grant(1)
    row = {**platform.rows(table)[0], "seq": 999, column: value}
    if table == "consent_records" and column != "record_id":
        row["record_id"] = "another"
    insert = text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})")
    fine = {**row, column: platform.rows(table)[0][column]}
    engine = platform.store.engine
    with pytest.raises(DBAPIError, match=r"constraint|too long"), engine.begin() as connection:
        connection.execute(insert, row)
    with engine.connect() as connection:
        connection.execute(insert, fine)
        connection.rollback()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("purpose", "dating_profile", "no purpose outside credit-like uses"),
        ("recipient", "Shop & Sons", "short name"),
        ("controller", " ", "state their controller"),
        ("validity", timedelta(0), "longer than nothing"),
        ("retention_days", 0, "at least one day"),
        ("jurisdiction", "moon", "must be one of cn, eu, us, default"),
        ("necessity", {"religion": "optional"}, "A category must be one of"),
    ],
)
def test_terms_outside_their_sets_are_refused(platform, field, value, message):
    with pytest.raises(ConsentRecordError, match=message):
        replace(platform.terms, **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("subject_id", "anna@example.org", "32 hexadecimal digits"),
        ("categories", (), "at least one category"),
        ("categories", ("ability", "ability"), "each category once"),
        ("categories", ("religion",), "must be one of credit_history"),
        ("minor", True, "must be an adult's"),
    ],
)
def test_requests_outside_their_sets_are_refused(platform, field, value, message):
    with pytest.raises(ConsentRecordError, match=message) as refusal:
        replace(platform.request(1), **{field: value})
    assert "anna" not in str(refusal.value)


def test_a_subject_id_is_in_no_repr(platform):
    assert platform.member(7) not in repr(platform.request(7))
    assert platform.member(7) not in repr(platform.ledger.grant(platform.request(7)))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("steps", 0, "whole number from 1"),
        ("steps", True, "whole number from 1"),
        ("session_hash", "short", "64 hexadecimal digits"),
        ("channel", "telepathy", "capture channel must be one of"),
    ],
)
def test_a_capture_needs_its_evidence(field, value, message):
    good = Capture(channel="web", method="button_pressed", steps=1, session_hash="0" * 64)
    with pytest.raises(ConsentRecordError, match=message):
        replace(good, **{field: value})


def test_a_notice_is_known_by_the_hash_of_its_text():
    notice = Notice(notice_id="n", version="1", language="en", text="abc")
    assert notice.ref.hash == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ConsentRecordError, match="text must be given"):
        replace(notice, text=" ")


def test_history_and_ability_are_required_unless_the_terms_say_otherwise(platform):
    assert [platform.terms.necessity_of(c) for c in ("ability", "social")] == ["required", "optional"]
    assert replace(platform.terms, necessity={"social": "required"}).necessity_of("social") == "required"


def test_every_purpose_has_a_class():
    assert set(words.PURPOSE_CLASSES) == set(get_args(words.Purpose))
    assert set(words.PURPOSE_CLASSES.values()) == set(get_args(words.PurposeClass))
