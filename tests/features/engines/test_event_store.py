"""Readers while somebody appends: each sees one state of the store, whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from benne.features import ConsentMask
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import OnlineFeatures
from benne.features.events.moments import moment_of
from benne.features.kernel.layout import STREAMS

APPENDS = 6
DAY = 86_400_000_000
MEMBERS = ("person-91-0", "person-91-1")


def _appending(store: EventStore, row: Any, frames: Any, key: Any, clock: datetime) -> Callable[[], None]:
    """Every day two members pay once and earn twice."""

    def appends() -> None:
        for day in range(1, APPENDS + 1):
            at = 1096 + day - 0.5
            paid = [row(m, at, direction="out", amount=5, currency="EUR") for m in MEMBERS]
            earned = [row(m, at, kind="salary", amount=9, currency="EUR") for m in MEMBERS for _ in range(2)]
            raw = frames({"payments": paid, "incomes": earned})
            store.append(raw, key=key, ingested_at=clock + timedelta(days=day))

    return appends


def _read_meanwhile(work: Callable[[], None], read: Callable[[], None]) -> int:
    """Read over and over in two threads while the work is done; how many times."""
    done, times, problems = threading.Event(), [], list[BaseException]()

    def reading() -> None:
        try:
            while not done.is_set():
                read()
                times.append(1)
        except BaseException as problem:  # noqa: BLE001 - told to the test
            problems.append(problem)

    readers = [threading.Thread(target=reading) for _ in range(2)]
    for one in readers:
        one.start()
    try:
        work()
    finally:
        done.set()
        for one in readers:
            one.join()
    assert not problems, problems[0]
    return len(times)


def test_a_reader_sees_an_append_whole_or_not_at_all(
    store: EventStore, row: Any, frames: Any, key: Any, clock: datetime
) -> None:
    subject, begin = key.subject_ids(MEMBERS[:1])[0], store.watermark
    tables = ("payments", "incomes")
    seen: set[int] = set()

    def counted() -> tuple[int, list[int]]:
        found = store.member(subject)
        assert found.loaded is not None
        part = found.loaded.partition
        return found.watermark, [int(part.last[STREAMS[t], 0] - part.first[STREAMS[t], 0]) for t in tables]

    _, (payments, incomes) = counted()

    def read() -> None:
        watermark, rows = counted()
        version = (watermark - begin) // DAY
        assert rows == [payments + version, incomes + 2 * version], "watermark and tables are of one version"
        seen.add(version)
        stored = store.rows(subject)  # read later, and so of a later version perhaps, but of one
        paid, earned = (stored[table].num_rows if table in stored else 0 for table in tables)
        assert earned - incomes == 2 * (paid - payments)

    assert _read_meanwhile(_appending(store, row, frames, key, clock), read) > APPENDS
    assert len(seen) > 2, "some were read in between"
    read()
    assert max(seen) == APPENDS


def test_features_of_a_moment_stay_the_same_bits_while_others_and_the_member_are_appended(
    store: EventStore, row: Any, frames: Any, key: Any, clock: datetime, everything: ConsentMask
) -> None:
    online = OnlineFeatures(store)
    asked = key.subject_ids([*MEMBERS, "person-91-2"])
    before = {s: online.compute(s, clock, consents=everything).values.tobytes() for s in asked}

    def read() -> None:
        for subject, values in before.items():
            assert online.compute(subject, clock, consents=everything).values.tobytes() == values

    assert _read_meanwhile(_appending(store, row, frames, key, clock), read) > APPENDS


def test_features_of_the_newest_moment_are_those_of_one_version(
    store: EventStore, row: Any, frames: Any, key: Any, clock: datetime, everything: ConsentMask
) -> None:
    online, subject = OnlineFeatures(store), key.subject_ids(MEMBERS[:1])[0]
    seen: dict[datetime, set[bytes]] = {}

    def read() -> None:
        as_of = moment_of(store.watermark - 1)
        values = online.compute(subject, as_of, consents=everything).values.tobytes()
        seen.setdefault(as_of, set()).add(values)

    _read_meanwhile(_appending(store, row, frames, key, clock), read)
    assert len(seen) > 2
    for as_of, found in seen.items():
        assert found == {online.compute(subject, as_of, consents=everything).values.tobytes()}


def test_reading_needs_no_lock(store: EventStore, key: Any) -> None:
    subject = key.subject_ids(MEMBERS[:1])[0]
    with store._database.writing() as writing:
        writing.exec_driver_sql("update event_store set watermark = watermark + 1")
        before = store.watermark, store.rows(subject)["members"].num_rows
    assert store.watermark == before[0] + 1


def test_a_wiped_store_is_the_same_store(store: EventStore, key: Any) -> None:
    subject = key.subject_ids(MEMBERS[:1])[0]
    rows = store.rows(subject)
    assert store.wipe()
    assert store.rows(subject) == rows
