"""Many callers, one transaction: all of a group's records or none, each caller its own answer or its own error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from benne.errors import AuditError, AuditRecordError, AuditWriteError
from benne.scoring import open_store
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.consent.moments import to_microseconds

THREADS, SUBMISSIONS = 16, 200
PAYLOADS = "CREATE TABLE payloads (event_id VARCHAR(36) PRIMARY KEY, time_us BIGINT)"


class Served:
    """A chain, a table of payloads beside it, and a group commit over both."""

    def __init__(self, chain: Any, **options: Any) -> None:
        self.chain = chain
        chain.execute(PAYLOADS)
        self.group = GroupCommit(chain.store, **{"clock": chain.platform.clock, **options})

    def work(self, *, fails: bool = False, **changes: Any) -> Callable[[Any, int], Any]:
        """Keep a payload and its record, or the payload alone and then fail."""
        entry = self.chain.entry(**changes)

        def done(connection: Any, now_us: int) -> tuple[list[Any], str]:
            row = {"event_id": entry.event_id, "time_us": now_us}
            connection.execute(text("INSERT INTO payloads VALUES (:event_id, :time_us)"), row)
            if fails:
                raise LookupError("the member is unknown")
            return [entry], entry.event_id

        return done

    @contextmanager
    def held_back(self) -> Any:
        """While this lasts the writer is busy, so that whatever is handed in becomes one group."""
        begun, may_end = threading.Event(), threading.Event()

        def wait(connection: Any, now_us: int) -> Any:
            begun.set()
            assert may_end.wait(30)
            return self.work()(connection, now_us)

        held = self.group.submit_async(wait)
        assert begun.wait(30)
        yield
        may_end.set()
        held.result(30)

    def payloads(self) -> set[str]:
        return {row["event_id"] for row in self.chain.platform.rows("payloads")}

    def recorded(self) -> set[str]:
        return {row["event_id"] for row in self.chain.rows()}


@pytest.fixture
def served(chain):
    opened = Served(chain)
    yield opened
    opened.group.close()


def fail_at_commit(served: Served) -> Callable[[Any, int], Any]:
    """Work that the database takes, and whose transaction it then refuses to commit."""
    if served.chain.store.engine.dialect.name == "postgresql":
        served.chain.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; "
            "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON payloads DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW WHEN (NEW.event_id = 'refused') EXECUTE FUNCTION refuse()"
        )
        return served.work(event_id="refused")

    def done(connection: Any, now_us: int) -> Any:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("INSERT INTO consent_record_categories VALUES ('nobody', 'ability', 'required')")
        return served.work(event_id="refused")(connection, now_us)

    return done


def test_a_caller_gets_its_answer_and_its_records(served):
    committed = served.group.submit(served.work())
    assert committed.result == committed.records[0].entry.event_id
    assert committed.records[0].seq == 1
    assert served.recorded() == served.payloads() == {committed.result}


def test_work_and_its_record_have_one_moment(served):
    served.group.submit(served.work())
    (payload,) = served.chain.platform.rows("payloads")
    assert payload["time_us"] == served.chain.rows()[0]["time_us"] == to_microseconds(served.chain.platform.clock(), "")


def test_time_stands_still_where_the_clock_runs_backwards(served):
    before = served.group.submit(served.work()).records[0]
    served.chain.platform.clock.turn(-timedelta(hours=1))
    assert served.group.submit(served.work()).records[0].time == before.time


def test_work_may_record_several_entries(served):
    entries = [served.chain.entry() for _ in range(3)]
    records = served.group.submit(lambda *_: (entries, None)).records
    assert [(record.seq, record.entry) for record in records] == list(enumerate(entries, start=1))


def test_sixteen_threads_lose_nothing_and_leave_no_gap(served):
    def call(number: int) -> Any:
        try:
            return served.group.submit(served.work(fails=number % 10 == 9))
        except LookupError:
            return None

    with ThreadPoolExecutor(THREADS) as callers:
        answers = list(callers.map(call, range(THREADS * SUBMISSIONS)))
    kept = [answer for answer in answers if answer is not None]
    assert len(kept) == THREADS * SUBMISSIONS * 9 // 10
    rows = {row["seq"]: row for row in served.chain.rows()}
    assert set(rows) == set(range(1, len(kept) + 1))
    assert {answer.records[0].seq for answer in kept} == set(rows)
    assert all(rows[record.seq]["hash"] == record.hash for answer in kept for record in answer.records)
    assert served.payloads() == served.recorded() == {answer.result for answer in kept}
    assert served.chain.verify().records == len(kept)


def test_those_who_wait_share_one_transaction(served):
    begun = transactions_of(served.chain.store)
    with served.held_back():
        futures = [served.group.submit_async(served.work()) for _ in range(50)]
    assert [future.result(30).records[0].seq for future in futures] == list(range(2, 52))
    assert len(begun) == 2


def test_a_group_has_a_largest_size(chain):
    served = Served(chain, max_group=4)
    begun = transactions_of(chain.store)
    with served.held_back():
        futures = [served.group.submit_async(served.work()) for _ in range(10)]
    assert [future.result(30).records[0].seq for future in futures] == list(range(2, 12))
    assert len(begun) == 1 + 3
    served.group.close()


def transactions_of(store: Any) -> list[None]:
    """Grows by one at each transaction that writes."""
    begun: list[None] = []
    writing = store.write

    def write() -> Any:
        begun.append(None)
        return writing()

    store.write = write
    return begun


def test_one_unit_that_raises_harms_no_other_and_leaves_nothing(served):
    with served.held_back():
        first, failing, last = (
            served.group.submit_async(served.work(event_id=name, fails=name == "failing"))
            for name in ("first", "failing", "last")
        )
    with pytest.raises(LookupError, match="the member is unknown"):
        failing.result(30)
    assert [first.result().records[0].seq, last.result().records[0].seq] == [2, 3]
    assert served.payloads() == served.recorded() > {"first", "last"}
    assert "failing" not in served.recorded()
    assert served.chain.verify().records == 3


def test_an_event_recorded_before_is_refused_alone_and_without_its_row(served):
    served.group.submit(served.work(event_id="once"))
    with served.held_back():
        again = served.group.submit_async(lambda *_: ([served.chain.entry(event_id="once")], None))
        other = served.group.submit_async(served.work())
    with pytest.raises(AuditWriteError, match="must be such that the database takes it, got IntegrityError") as refused:
        again.result(30)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)
    assert other.result(30).records[0].seq == 3


def test_work_that_records_nothing_is_not_kept(served):
    def silent(connection: Any, now_us: int) -> Any:
        served.work()(connection, now_us)
        return [], None

    with pytest.raises(AuditRecordError, match=r"must record at least one entry, got none. No audit, no answer"):
        served.group.submit(silent)
    assert served.payloads() == set()


def test_work_that_gives_no_pair_is_not_kept(served):
    with pytest.raises(TypeError, match="cannot unpack"):
        served.group.submit(lambda *_: None)
    assert served.group.submit(served.work()).records[0].seq == 1


def test_a_commit_that_fails_is_an_error_for_everybody_and_keeps_nothing(served):
    refusing = fail_at_commit(served)
    with served.held_back():
        futures = [served.group.submit_async(work) for work in (served.work(), refusing, served.work())]
    before = served.recorded()
    for future in futures:
        with pytest.raises(AuditError, match="could not be; nothing was kept") as failed:
            future.result(30)
        assert isinstance(failed.value, AuditWriteError)
        assert failed.value.__context__ is None
    assert len({id(future.exception()) for future in futures}) == 3
    assert served.recorded() == served.payloads() == before
    assert len(before) == 1
    assert served.group.submit(served.work()).records[0].seq == 2
    assert served.chain.verify().intact


def test_work_that_ends_the_transaction_takes_the_group_with_it(served):
    def ends(connection: Any, now_us: int) -> Any:
        connection.exec_driver_sql("ROLLBACK")
        return [served.chain.entry()], None

    with served.held_back():
        futures = [served.group.submit_async(work) for work in (served.work(), ends, served.work())]
    for future in futures:
        with pytest.raises(AuditWriteError, match="nothing was kept"):
            future.result(30)
    assert len(served.recorded()) == 1
    assert served.group.submit(served.work()).records[0].seq == 2
    assert served.chain.verify().intact


def test_a_clock_that_fails_keeps_nothing(chain):
    served = Served(chain, clock=lambda: 1 / 0)
    with pytest.raises(AuditWriteError, match=r"nothing was kept. Got ZeroDivisionError"):
        served.group.submit(served.work())
    assert served.recorded() == served.payloads() == set()
    served.group.close()


def test_even_an_exit_in_work_leaves_nobody_waiting(served):
    def leaves(*_: Any) -> Any:
        raise SystemExit

    with pytest.raises(AuditWriteError, match=r"nothing was kept. Got SystemExit"):
        served.group.submit(leaves)
    assert served.group.submit(served.work()).records[0].seq == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_connection_lost_in_the_middle_keeps_nothing_of_the_group(served):
    def lost(connection: Any, now_us: int) -> Any:
        served.work()(connection, now_us)
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return [served.chain.entry()], None

    with served.held_back():
        futures = [served.group.submit_async(work) for work in (served.work(), lost, served.work())]
    for future in futures:
        with pytest.raises(AuditWriteError, match=r"nothing was kept. .*got OperationalError"):
            future.result(30)
    assert len(served.recorded()) == len(served.payloads()) == 1
    assert served.group.submit(served.work()).records[0].seq == 2


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_nor_does_work_that_overlooks_the_loss(served):
    def overlooks(connection: Any, now_us: int) -> Any:
        with pytest.raises(Exception, match="terminating connection"):
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return [served.chain.entry()], None

    with served.held_back():
        futures = [served.group.submit_async(work) for work in (served.work(), overlooks)]
    for future in futures:
        with pytest.raises(AuditWriteError, match="nothing was kept"):
            future.result(30)
    assert len(served.recorded()) == 1


def test_two_writers_share_one_chain(served):
    other = GroupCommit(open_store(served.chain.store.engine.url), clock=served.chain.platform.clock)
    with ThreadPoolExecutor(8) as callers:
        both = [served.group, other] * 100
        answers = list(callers.map(lambda group: group.submit(served.work()), both))
    other.close()
    other._store.close()
    assert sorted(answer.records[0].seq for answer in answers) == list(range(1, 201))
    assert served.chain.verify().records == 200


def test_closing_drains_what_was_handed_in_and_then_refuses(served):
    with served.held_back():
        futures = [served.group.submit_async(served.work()) for _ in range(20)]
        closing = threading.Thread(target=served.group.close)
        closing.start()
        while not served.group._closed:
            closing.join(0.01)
        with pytest.raises(AuditWriteError, match="must be open, got a closed one"):
            served.group.submit(served.work())
    closing.join(30)
    assert [future.result(0).records[0].seq for future in futures] == list(range(2, 22))
    served.group.close()
    assert len(served.recorded()) == 21


def test_leaving_its_block_closes_it(chain):
    with GroupCommit(chain.store, clock=chain.platform.clock) as group:
        assert group.submit(lambda *_: ([chain.entry()], None)).records[0].seq == 1
    with pytest.raises(AuditWriteError, match=r"must be open, got a closed one. Make a new one"):
        group.submit_async(lambda *_: ([chain.entry()], None))


def test_a_coroutine_can_wait_for_it(served):
    async def call_all() -> list[Any]:
        waiting = [asyncio.wrap_future(served.group.submit_async(served.work())) for _ in range(10)]
        return await asyncio.gather(*waiting)

    assert [answer.records[0].seq for answer in asyncio.run(call_all())] == list(range(1, 11))


def test_what_is_cancelled_before_its_turn_is_not_done(served):
    with served.held_back():
        cancelled, other = (served.group.submit_async(served.work()) for _ in range(2))
        assert cancelled.cancel()
    assert other.result(30).records[0].seq == 2
    with pytest.raises(CancelledError, match=r"^$"):
        cancelled.result(30)
    assert served.payloads() == served.recorded()
    assert len(served.recorded()) == 2


def test_a_group_all_of_which_is_cancelled_does_not_end_the_writer(served):
    with served.held_back():
        assert served.group.submit_async(served.work()).cancel()
    assert served.group.submit(served.work()).records[0].seq == 2


def test_work_that_hands_in_work_is_told_rather_than_left_waiting(served):
    def nested(*_: Any) -> Any:
        return served.group.submit(served.work())

    with pytest.raises(AuditWriteError, match="must be handed in from outside, got it from other work"):
        served.group.submit(nested)


def test_who_is_alone_does_not_wait_for_others(chain):
    with GroupCommit(chain.store, clock=chain.platform.clock, max_wait=timedelta(hours=1)) as group:
        for _ in range(3):
            group.submit_async(lambda *_: ([chain.entry()], None)).result(30)
    assert chain.verify().records == 3


def test_a_group_waits_no_longer_than_told(served):
    with served.held_back():
        futures = [served.group.submit_async(served.work()) for _ in range(8)]
    for future in futures:
        future.result(30)
    assert served.group.submit_async(served.work()).result(30).records[0].seq == 10  # the last group had eight
