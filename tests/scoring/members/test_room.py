"""One who asks for much at once is refused at once, and keeps nobody else's thread."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from benne.errors import ServiceBusy
from benne.scoring.members.room import Room


def held_by(room: Room, *members: str) -> tuple[list[threading.Thread], threading.Event]:
    """Threads that wait in a room for these members until they may go."""
    go_on, threads = threading.Event(), []
    for member in members:
        begun = threading.Event()

        def hold(member: str = member, begun: threading.Event = begun) -> None:
            begun.set()
            with room.turn(member):
                assert go_on.wait(10)

        threads.append(threading.Thread(target=hold))
        threads[-1].start()
        assert begun.wait(10)
    while room._inside.total() < len(members):
        assert all(thread.is_alive() for thread in threads)
    return threads, go_on


def test_of_one_member_few_are_let_in_and_others_still_are() -> None:
    room = Room()
    threads, go_on = held_by(room, "anna", "anna", "anna")
    with pytest.raises(ServiceBusy, match="too many wait already"), room.turn("anna"):
        pass
    waiting, also = held_by(room, "bert")
    go_on.set()
    also.set()
    for thread in [*threads, *waiting]:
        thread.join(10)
    with ExitStack() as inside:
        inside.enter_context(room.turn("anna"))
        inside.enter_context(room.turn("anna"))
    assert not room._inside


def test_whoever_comes_when_enough_wait_is_refused_at_once() -> None:
    room = Room()
    threads, go_on = held_by(room, *"abcdefgh")
    with pytest.raises(ServiceBusy, match="too many wait already"), room.turn("i"):
        pass
    go_on.set()
    for thread in threads:
        thread.join(10)
    with room.turn("i"):
        pass


def test_nobody_waits_for_ever_and_a_failure_gives_the_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benne.scoring.members.room._PATIENCE", 0.01)
    room = Room()
    threads, go_on = held_by(room, "a", "b")
    with pytest.raises(ServiceBusy, match="waited too long"), room.turn("c"):
        pass
    go_on.set()
    for thread in threads:
        thread.join(10)
    for _ in range(3):
        with pytest.raises(ValueError, match="spoilt"), room.turn("c"):
            raise ValueError("spoilt")
    assert not room._inside
