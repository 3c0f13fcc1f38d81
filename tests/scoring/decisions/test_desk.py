"""Questions that arrive together are answered together, and none spoils another."""

from __future__ import annotations

import threading

import pytest

from benne.errors import FeatureValueError, ServiceBusy, StoreError
from benne.scoring.decisions.desk import Desk


class Office:
    """Squares numbers, remembers how many came at a time, and can be made to wait."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()

    def __call__(self, numbers):
        self.begun.set()
        assert self.open.wait(10)
        self.passes.append(list(numbers))
        if any(number < 0 for number in numbers):
            raise FeatureValueError("A number must not be negative, got one that is.")
        if any(number > 999 for number in numbers):
            raise StoreError("The store must answer, and does not.")
        return [number * number for number in numbers]


def test_each_gets_the_answer_to_its_own_question():
    with Desk(Office()) as desk:
        futures = [desk.ask(number) for number in range(200)]
        assert [future.result(10) for future in futures] == [number * number for number in range(200)]


def test_who_arrives_while_a_pass_runs_is_answered_by_the_next_one():
    office = Office()
    office.open.clear()
    with Desk(office, clerks=1) as desk:
        first = desk.ask(1)
        assert office.begun.wait(10)
        rest = [desk.ask(number) for number in range(2, 12)]
        office.open.set()
        assert first.result(10) == 1
        assert [future.result(10) for future in rest] == [number * number for number in range(2, 12)]
    assert office.passes == [[1], list(range(2, 12))]


def test_a_pass_is_no_larger_than_it_may_be():
    office = Office()
    office.open.clear()
    with Desk(office, clerks=1, most_at_once=4) as desk:
        futures = [desk.ask(number) for number in range(10)]
        office.open.set()
        for future in futures:
            future.result(10)
    assert max(map(len, office.passes)) <= 4


def test_what_is_wrong_with_one_question_is_told_to_its_own_caller_only():
    office = Office()
    office.open.clear()
    with Desk(office, clerks=1) as desk:
        futures = [desk.ask(number) for number in (1, 2, -3, 4)]
        office.open.set()
        assert [futures[k].result(10) for k in (0, 1, 3)] == [1, 4, 16]
        with pytest.raises(FeatureValueError, match="must not be negative"):
            futures[2].result(10)


def test_where_the_store_fails_nobody_is_asked_again_alone():
    office = Office()
    office.open.clear()
    with Desk(office, clerks=1) as desk:
        first = desk.ask(0)
        assert office.begun.wait(10)
        rest = [desk.ask(number) for number in (1, 1_000, 2)]
        office.open.set()
        first.result(10)
        for future in rest:
            with pytest.raises(StoreError, match="does not"):
                future.result(10)
    assert office.passes == [[0], [1, 1_000, 2]]


def test_beyond_what_may_wait_callers_are_sent_away_at_once():
    office = Office()
    office.open.clear()
    with Desk(office, clerks=1, most_waiting=3) as desk:
        first = desk.ask(1)
        assert office.begun.wait(10)
        waiting = [desk.ask(number) for number in (2, 3, 4)]
        assert desk.waiting == 3
        with pytest.raises(ServiceBusy, match="At most 3 may wait"):
            desk.ask(5)
        office.open.set()
        assert [future.result(10) for future in (first, *waiting)] == [1, 4, 9, 16]


def test_closing_answers_what_was_handed_in_and_refuses_what_comes_after():
    desk = Desk(Office())
    futures = [desk.ask(number) for number in range(50)]
    desk.close()
    assert all(future.done() for future in futures)
    with pytest.raises(ServiceBusy, match="got a closed one"):
        desk.ask(1)
    desk.close()


def test_a_question_taken_back_before_its_pass_is_not_answered():
    office = Office()
    office.open.clear()
    with Desk(office, clerks=1) as desk:
        desk.ask(1)
        assert office.begun.wait(10)
        taken_back = desk.ask(2)
        assert taken_back.cancel()
        office.open.set()
    assert office.passes == [[1]]
