"""Master keys are changed under the eyes of everybody who reads and writes, and no member's key is lost."""

from __future__ import annotations

import threading

import pytest

from benne.errors import KeyRingError
from benne.scoring.erasure.forgetting import destroy_key
from benne.scoring.store.payloads import NewPayload
from benne.scoring.store.rotation import retire, rewrap_all

SUBJECTS = [f"{n:032x}" for n in range(25)]


@pytest.fixture
def store(platform, vault):
    with platform.store.write() as connection:
        vault.put_many(connection, [NewPayload(f"p-{s}", s, "decision", s.encode()) for s in SUBJECTS], 7)
    return platform.store


def all_open(store, vault):
    with store.read() as connection:
        return all(vault.get(connection, f"p-{s}").content == s.encode() for s in SUBJECTS)


def test_every_key_moves_under_the_new_master_key_and_the_old_one_goes(store, platform, vault, ring):
    old, told = ring.current, []
    before = {row["wrapped_key"] for row in platform.rows("members")}
    new = ring.rotate(now_us=9)
    assert rewrap_all(store, vault, batch=10, progress=told.append) == 25
    assert told == [10, 20, 25]
    assert {row["master_key_id"] for row in platform.rows("members")} == {new}
    assert before.isdisjoint(row["wrapped_key"] for row in platform.rows("members"))
    with store.write() as connection:
        retire(connection, vault, ring, old)
    assert list(ring.master_keys) == [new]
    assert all_open(store, vault)
    assert rewrap_all(store, vault) == 0


def test_one_that_was_interrupted_is_taken_up_where_it_was(store, vault, ring):
    old = ring.current
    ring.rotate(now_us=9)
    with store.write() as connection:
        assert vault.rewrap(connection, 10) == 10
    with pytest.raises(ZeroDivisionError, match="by zero"):
        rewrap_and_fail(store, vault)
    with store.write() as connection:
        assert vault.wrapped_under(connection, old) == 15
        with pytest.raises(KeyRingError, match=r"got 15 keys\. Rewrap them first"):
            retire(connection, vault, ring, old)
    assert all_open(store, vault)
    ring.rotate(now_us=10)
    assert rewrap_all(store, vault, batch=10) == 25, "whichever of the older ones they are under"
    assert all_open(store, vault)


def rewrap_and_fail(store, vault):
    with store.write() as connection:
        assert vault.rewrap(connection, 10) == 10
        1 / 0  # noqa: B018 - the power cut


def test_an_erased_member_has_nothing_to_move(store, vault, ring):
    with store.write() as connection:
        destroy_key(connection, SUBJECTS[0], 8)
    ring.rotate(now_us=9)
    assert rewrap_all(store, vault) == 24


def test_a_service_that_keeps_writing_loses_no_key_while_keys_are_rotated_and_retired(store, vault, ring):
    stop, written, failures = threading.Event(), [], []

    def serve() -> None:
        try:
            for number in range(10_000):
                if stop.is_set():
                    return
                subject_id = f"{1_000 + number:032x}"
                with store.write() as connection:
                    vault.put(connection, NewPayload(f"s-{number}", subject_id, "decision", b"612"), 8)
                written.append(f"s-{number}")
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    serving = threading.Thread(target=serve)
    serving.start()
    for now_us in range(5):
        old = ring.current
        ring.rotate(now_us=now_us)
        while True:
            rewrap_all(store, vault, batch=50)
            with store.write() as connection:
                if not vault.wrapped_under(connection, old):
                    retire(connection, vault, ring, old)
                    break
    stop.set()
    serving.join()
    assert failures == []
    assert written
    with store.read() as connection:
        assert all(vault.get(connection, ref).content == b"612" for ref in written)
    assert all_open(store, vault)
