"""What builders may say, and what it needs."""

from __future__ import annotations

import pytest

from benne.errors import RegistrationError
from benne.features.kernel.expressions import Count, Largest, Ratio, Total, stream
from benne.features.kernel.program import tables_of


def test_a_stream_must_exist() -> None:
    with pytest.raises(KeyError, match="A stream must be an event table or one of delinquency"):
        stream("horoscopes")


def test_rows_must_be_chosen_by_a_value_there_is() -> None:
    with pytest.raises(
        RegistrationError, match="payments must be chosen by status among settled, failed, reversed, got bounced"
    ):
        stream("payments").where(status="bounced")


def test_an_expression_says_which_tables_and_columns_it_needs() -> None:
    share = Ratio(Count(stream("payments").where(status="failed").within(30)), Total(stream("incomes"), "amount"))
    assert tables_of(share) == {"payments", "incomes"}
    assert share.reads() == {
        ("payments", "event_time"), ("payments", "status"), ("incomes", "event_time"), ("incomes", "amount"),
    }  # fmt: skip
    assert not share.looks_ahead()
    assert Total(stream("dues").between(-30, 0), "amount_due").looks_ahead()


def test_a_column_only_excluded_by_is_not_needed() -> None:
    assert Count(stream("payments").excluding(status="failed")).reads() == {("payments", "event_time")}


def test_two_aggregates_of_the_same_rows_are_different_expressions() -> None:
    rows = stream("balances")
    assert Total(rows, "amount") != Largest(rows, "amount")
    assert Total(rows, "amount") == Total(stream("balances"), "amount")


def test_rows_know_whether_they_may_hold_a_value() -> None:
    items = stream("adverse_items")
    assert items.may_hold("event", "disputed")
    assert items.where(event=("reported", "disputed")).may_hold("event", "disputed")
    assert not items.where(event="reported").may_hold("event", "disputed")
    assert not items.excluding(event="disputed").may_hold("event", "disputed")
