"""The baseline does what it declares: dues by habit, accounts as last reported, money month after month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from benne.explain.texts import LANGUAGES, texts_of
from benne.explain.what_if.baseline import HABIT, Habit, baseline, habit_of, months_later
from benne.explain.what_if.wording import habit_in_words
from benne.features.events.moments import microseconds
from tests.explain.what_if.by_hand import EVERY, day, due, history, paid, row

DAY = timedelta(days=1)


def times(ahead, table):
    rows = ahead.tables().get(table)
    return [] if rows is None else [(one - day(0)) / (86_400 * 1e6) for one in rows.column("event_time").to_pylist()]


def test_the_habit_is_the_middle_of_the_last_settled_dues():
    dues = [due("a", 10), due("b", 20), due("c", 30)]
    known = history(40, dues=dues, repayments=[paid("a", 11), paid("b", 23), paid("c", 40 - 0.5)])
    assert habit_of(known) == Habit(pays=True, delay=3 * DAY, of=3)


def test_only_the_last_dozen_settled_dues_count():
    early = [due(f"early{n}", n) for n in range(20)]
    late = [due(f"late{n}", 30 + n) for n in range(HABIT)]
    payments = [paid(f"early{n}", n - 0.0) for n in range(20)] + [paid(f"late{n}", 35 + n) for n in range(HABIT)]
    assert habit_of(history(60, dues=early + late, repayments=payments)).delay == 5 * DAY


def test_a_due_ahead_is_paid_in_full_by_habit_and_a_part_payment_leaves_the_rest():
    dues = [due("a", 10), due("next", 45), due("part", 50, 300), due("far", 99)]
    known = history(40, dues=dues, repayments=[paid("a", 13), paid("part", 39, 120)])
    ahead = baseline(known, day(40), day(70), EVERY)
    assert times(ahead, "repayments") == [48, 53]
    assert ahead.tables()["repayments"].column("amount").to_pylist() == [100, 180]
    assert ahead.tables()["repayments"].column("known_at").to_pylist() == [day(48), day(53)]


def test_what_is_overdue_beyond_the_habit_stays_unpaid_and_within_it_is_paid_by_habit():
    dues = [due("a", 10), due("beyond", 30), due("within", 38)]
    ahead = baseline(history(40, dues=dues, repayments=[paid("a", 13)]), day(40), day(60), EVERY)
    assert times(ahead, "repayments") == [41]
    assert ahead.tables()["repayments"].column("due_id").to_pylist() == ["within"]


def test_who_pays_ahead_by_habit_does_not_pay_before_today():
    dues = [due("a", 20), due("next", 43)]
    ahead = baseline(history(40, dues=dues, repayments=[paid("a", 12)]), day(40), day(60), EVERY)
    assert times(ahead, "repayments") == [40]


def test_whoever_left_more_than_half_unpaid_pays_none():
    dues = [due("a", 1), due("b", 2), due("c", 3), due("next", 45)]
    left = history(40, dues=dues, repayments=[paid("a", 1)])
    assert not habit_of(left).pays
    assert times(baseline(left, day(40), day(60), EVERY), "repayments") == []
    half = history(40, dues=dues[:2] + dues[3:], repayments=[paid("a", 1)])
    assert habit_of(half).pays


def test_a_member_without_settled_dues_pays_on_the_day():
    ahead = baseline(history(40, dues=[due("next", 45)]), day(40), day(60), EVERY)
    assert times(ahead, "repayments") == [45]


@pytest.mark.parametrize(("start", "months", "expected"), [
    ((2026, 1, 31), 1, (2026, 2, 28)), ((2027, 12, 31), 2, (2028, 2, 29)), ((2026, 11, 5), 14, (2028, 1, 5)),
])  # fmt: skip
def test_a_month_from_the_31st_ends_with_the_next_month(start, months, expected):
    moment = microseconds(datetime(*start, 6, tzinfo=UTC))
    assert months_later(moment, months) == microseconds(datetime(*expected, 6, tzinfo=UTC))


def report(at, **said):
    usual = {"obligation_id": "card", "period_start": day(at - 30), "months_past_due": 0, "status": "revolving",
             "statement_amount": 500, "balance": 400, "amount_paid": 100, "limit": 1_000}  # fmt: skip
    return row(at, **(usual | said))


def test_an_account_goes_on_reporting_what_it_last_reported():
    known = history(60, account_status=[report(0, statement_amount=9), report(31), report(31, obligation_id="old")],
                    obligation_events=[row(40, obligation_id="old", event="closed")])  # fmt: skip
    ahead = baseline(known, day(60), day(125), EVERY)
    rows = ahead.tables()["account_status"]
    assert times(ahead, "account_status") == [90, 120]  # from 1 February: 1 April and 1 May; 1 March is past
    assert set(rows.column("statement_amount").to_pylist()) == {500}
    assert rows.column("period_start").to_pylist() == [day(60), day(91)]


def test_an_account_that_has_not_reported_for_two_months_reports_no_more():
    assert times(baseline(history(95, account_status=[report(31)]), day(95), day(125), EVERY), "account_status") == []


def test_money_of_the_last_months_comes_again_at_the_same_distance_and_corrected_rows_do_not():
    payments = [
        row(5, direction="out", amount=1), row(70, direction="out", amount=2),
        row(80, direction="in", amount=3, record_id="f" * 32),
        row(80, 85, direction="in", amount=4, supersedes="f" * 32),
    ]  # fmt: skip
    known = history(90, payments=payments)
    # 20 days ahead: one month comes again, of which the first 20 days are seen.
    near = baseline(known, day(90), day(110), EVERY)
    assert list(zip(times(near, "payments"), near.tables()["payments"].column("amount").to_pylist(), strict=True)) == [
        (100, 2),
    ]
    # 75 days ahead: the last two months (the history has no three whole ones), and half of them once more.
    far = baseline(known, day(90), day(165), EVERY)
    assert list(zip(times(far, "payments"), far.tables()["payments"].column("amount").to_pylist(), strict=True)) == [
        (130, 2), (140, 4),
    ]  # fmt: skip
    assert far.tables()["payments"].column("supersedes").null_count == 2


def test_nothing_is_made_up_of_what_may_not_be_looked_at():
    known = history(90, payments=[row(80, direction="out", amount=1)], incomes=[row(70, amount=5)])
    assert set(baseline(known, day(90), day(120), frozenset({"incomes"})).tables()) == {"incomes"}


@pytest.mark.parametrize(("habit", "key", "days"), [
    (Habit(True, timedelta(days=2.6), 9), "late", 3), (Habit(True, timedelta(days=-4), 9), "early", 4),
    (Habit(True, timedelta(hours=11), 9), "on_time", 0), (Habit(False, 9 * DAY, 9), "unpaid", 0),
])  # fmt: skip
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_habit_is_said_in_words(habit: Habit, key: str, days: int, language: str):
    texts = texts_of(language)
    assert habit_in_words(habit, texts) == texts.say(f"what_if.habit_{key}", days=days)
