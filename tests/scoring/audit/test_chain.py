"""Appending and verifying: hashes anybody can compute, places without gaps, all or nothing."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest

from benne.errors import AnchorError, StoreError
from benne.scoring.audit.chain import START, Head, append, head
from benne.scoring.audit.record import AuditEntry

FIRST = AuditEntry(
    event_id="event-1", type="model_promoted", actor_id="ops-3", actor_role="admin", service="registry",
    policy_version="2026-03", model_id="benne/7",
)  # fmt: skip
FIRST_HASHED = (
    b"benne audit record\n"
    b'[1,1,1772366400000000,"event-1","model_promoted","ops-3","admin",null,null,"registry",null,null,null,null,null,'
    b'"2026-03",null,null,"benne/7",null,null,null,null,null,null,null,null,null,null,'
    b'"0000000000000000000000000000000000000000000000000000000000000000"]'
)


def test_a_hash_can_be_computed_by_hand(chain, minutes):
    with chain.store.write() as connection:
        (record,) = append(connection, [FIRST], now_us=minutes(0))
    assert record.hash == hashlib.sha256(FIRST_HASHED).hexdigest()
    assert record.hash == "7f0df3423e7ed5d440fce967f0c8585b91c7022bd9a641e4b1a0e5554b26ce3d"
    assert chain.rows()[0]["hash"] == record.hash


def test_an_empty_chain_verifies_and_ends_before_the_first_record(chain):
    report = chain.verify()
    assert (report.intact, report.records, report.head) == (True, 0, START)
    with chain.store.read() as connection:
        assert head(connection) == START


def test_records_follow_one_another_without_gaps(chain):
    first, second, third = (chain.append()[0] for _ in range(3))
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert (first.prev_hash, second.prev_hash, third.prev_hash) == ("0" * 64, first.hash, second.hash)
    with chain.store.read() as connection:
        assert head(connection) == Head(3, third.hash, third.time_us)


def test_many_at_once_are_chained_as_one_by_one(chain):
    records = chain.append(5)
    assert [record.prev_hash for record in records[1:]] == [record.hash for record in records[:-1]]
    assert chain.verify().records == 5


def test_what_is_returned_is_what_is_stored(chain):
    (record,) = chain.append()
    row = chain.rows()[0]
    assert (row["seq"], row["time_us"], row["prev_hash"], row["hash"]) == (
        record.seq, record.time_us, record.prev_hash, record.hash,
    )  # fmt: skip
    assert all(row[name] == getattr(record.entry, name) for name in AuditEntry.__dataclass_fields__)


def test_nothing_to_append_changes_nothing(chain):
    assert chain.append(0) == ()
    assert chain.rows() == []


def test_time_stands_still_where_the_clock_runs_backwards(chain, minutes):
    chain.append(now_us=minutes(5))
    (record,) = chain.append(now_us=minutes(3))
    assert record.time_us == minutes(5)


def test_a_record_is_kept_with_what_it_records_or_neither_is(chain):
    chain.append()
    with pytest.raises(ZeroDivisionError, match="zero"):
        _append_and_fail(chain)
    assert chain.verify().records == 1


def _append_and_fail(chain):
    with chain.store.write() as connection:
        assert append(connection, [chain.entry()], now_us=0)[0].seq == 2
        1 / 0  # noqa: B018 - the power cut


def test_an_event_is_recorded_once(chain):
    chain.append()
    with pytest.raises(StoreError, match="got IntegrityError"), chain.store.write() as connection:
        append(connection, [chain.entry(event_id="event-1")], now_us=0)
    assert chain.verify().records == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("subject_hmac", "'anna'"),
        ("key_domain", "NULL"),
        ("purpose_class", "NULL"),
        ("deny_reason", "'consent-required'"),
        ("decision", "'denied'"),
        ("output_digest", "'650'"),
        ("hash", "''"),
        ("seq", "0"),
    ],
)
def test_the_database_itself_refuses_what_contradicts_itself(chain, column, value):
    chain.append()
    others = {"seq": "2", "event_id": "'event-2'", column: value}
    names = list(chain.rows()[0])
    selected = ", ".join(others.get(name, name) for name in names)
    with pytest.raises(StoreError, match="got IntegrityError"), chain.store.write() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO audit_records ({', '.join(names)}) SELECT {selected} FROM audit_records"
        )


def test_verifying_goes_on_from_a_known_record(chain):
    records = chain.append(6)
    known = Head(4, records[3].hash, 0)
    report = chain.verify(since=known)
    assert (report.intact, report.records, report.head.seq) == (True, 2, 6)


def test_verifying_from_a_record_that_is_not_there_finds_it_gone(chain):
    records = chain.append(2)
    for missing in (Head(3, "ab" * 32, 0), Head(2, "ab" * 32, 0), Head(2, records[0].hash, 0)):
        report = chain.verify(since=missing)
        assert (report.intact, report.broken_at) == (False, missing.seq)
        assert report.why == "it is not the record that was there"


def test_anchors_tell_how_far_they_reach(chain):
    records = chain.append(5)
    report = chain.verify([records[0], records[2], records[2]])
    assert (report.intact, report.records, report.anchored_up_to) == (True, 5, 3)


def test_an_anchor_of_the_empty_chain_holds_for_every_chain(chain):
    chain.append(2)
    assert chain.verify([START]).intact
    false_start = chain.verify([Head(0, "ab" * 32, 0)])
    assert (false_start.intact, false_start.broken_at) == (False, 0)


def test_anchors_in_another_order_are_refused(chain):
    records = chain.append(3)
    with pytest.raises(AnchorError, match="in the order of their records"):
        chain.verify([records[2], records[1]])


def test_progress_is_told_every_two_thousand_records(chain):
    chain.append(4_500)
    told: list[int] = []
    assert chain.verify(progress=told.append).records == 4_500
    assert told == [2_000, 4_000]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_verifying_holds_a_stretch_in_memory_and_not_the_chain(chain):
    for _ in range(6):
        chain.append(5_000)
    tracemalloc.start()
    assert chain.verify().records == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000  # bytes; all rows at once take over 80 MB


def test_a_record_of_a_later_version_is_not_called_whole(chain, rehashed):
    chain.append(3)
    later = [{**row, "schema_version": 2 if row["seq"] == 2 else 1} for row in chain.rows()]
    chain.replace_by(rehashed(later))
    report = chain.verify()
    assert (report.broken_at, report.why) == (2, "its version is not one that this Benne knows")
