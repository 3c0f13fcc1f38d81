from __future__ import annotations

import pytest

from benne.features.events.views import connect, create_view
from benne.features.quality.duplicates import count_duplicates


@pytest.fixture
def counted(events):
    """Counts the duplicates of payments given as columns, in parts of two rows."""

    def run(rows_at_once=2, **columns):
        rows = len(columns["subject_id"])
        paid = {"event_time": [1] * rows, "direction": ["out"] * rows, "amount": [5] * rows} | columns
        store = events(members={"subject_id": ["a"], "event_time": [0], "adult": [True]}, payments=paid)
        with connect() as connection:
            create_view(connection, "payments", store.sources["payments"])
            return count_duplicates(connection, "payments", rows, rows_at_once)

    return run


def test_three_alike_are_two_too_many(counted):
    found = counted(subject_id=["a", "a", "a", "b"], amount=[5, 5, 5, 5])
    assert (found.rows, found.members) == (2, 1)


@pytest.mark.parametrize("differs", [
    {"amount": [5, 6]}, {"event_time": [1, 2]}, {"subject_id": ["a", "b"]}, {"kind": ["bill", None]},
    {"counterparty_id": ["x", "y"]},
])  # fmt: skip
def test_rows_that_differ_in_content_are_no_duplicates(counted, differs):
    assert counted(**({"subject_id": ["a", "a"]} | differs)).rows == 0


def test_two_nulls_are_alike(counted):
    assert counted(subject_id=["a", "a"], kind=[None, None]).rows == 1


def test_the_source_that_sent_it_later_sent_it_again(counted):
    found = counted(subject_id=["a"] * 3, source=["bank", "shop", "bank"], known_at=[7, 3, 9])
    assert found.by_source == {"bank": (2, 1)}


def test_a_row_without_a_source_is_counted_too(counted):
    assert counted(subject_id=["a", "a"], source=[None, None]).by_source == {"": (1, 1)}


def test_a_correction_that_repeats_what_it_corrects_is_no_duplicate(counted):
    found = counted(subject_id=["a", "a"], record_id=["r1", "r2"], supersedes=[None, "r1"])
    assert found.rows == 0


def test_a_second_copy_of_a_corrected_row_stands_alone(counted):
    found = counted(subject_id=["a"] * 3, record_id=["r1", "r2", "r3"], supersedes=[None, "r1", None], amount=[5, 6, 5])
    assert found.rows == 0


@pytest.mark.parametrize("rows_at_once", [1, 3, 1000])
def test_the_count_does_not_depend_on_the_parts(counted, rows_at_once):
    members = [f"m{i % 7}" for i in range(40)]
    found = counted(rows_at_once, subject_id=members, source=["bank", "shop"] * 20)
    assert (found.rows, found.members) == (33, 7)
    assert sum(rows for rows, _ in found.by_source.values()) == 33
