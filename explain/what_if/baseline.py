"""What happens if a member goes on as is their habit: declared, deterministic, and the same with and without an action.

* **Dues** that are known by now are paid in full as late or early as the member's middle one of the last
  :data:`HABIT` settled dues was. Whoever left more than half of the last :data:`HABIT` dues unpaid for 30 days pays
  none. What is overdue for longer than the habit stays unpaid. No due is made up.
* **Accounts** that report go on reporting every month what they last reported.
* **Incomes, payments and readings of balances** of the last one to three months come again, month after month of 30
  days, at the same distance: neither a rise nor a fall is made up.
* **Nothing else** happens: nothing is verified, opened, closed, listed, or dealt with anybody. What is due to run out
  by then (a verification, a window, a listing) does so by itself.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median_low
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from benne.explain.what_if.ahead import Ahead
from benne.explain.what_if.history import Due, History, Row
from benne.features.events.moments import microseconds, moment_of
from benne.features.kernel.calendar import DAY

__all__ = ["HABIT", "Habit", "baseline", "habit_of", "months_later"]

HABIT: Final = 12
"""How many dues a habit is read off."""

_MONTH: Final = 30 * DAY
_MOST_MONTHS: Final = 3
_UNPAID_FOR: Final = 30 * DAY
_FLOWS: Final = ("payments", "incomes", "balances")


@dataclass(frozen=True)
class Habit:
    """How a member pays what falls due.

    Parameters
    ----------
    pays : bool
    delay : timedelta
        From the due date to the payment; negative where paid ahead, zero where nothing was settled yet.
    of : int
        How many settled dues it was read off.
    """

    pays: bool
    delay: timedelta
    of: int


def habit_of(history: History) -> Habit:
    """A member's habit of paying.

    Parameters
    ----------
    history : History
    """
    settled = sorted((due.settled_at, due.falls_at) for due in history.dues if due.settled_at is not None)[-HABIT:]
    ripe = [due for due in history.dues if due.falls_at <= history.until - _UNPAID_FOR][-HABIT:]
    unpaid = sum(due.settled_at is None for due in ripe)
    delay = median_low([paid - falls for paid, falls in settled]) if settled else 0
    return Habit(2 * unpaid <= len(ripe), timedelta(microseconds=delay), len(settled))


def baseline(history: History, now: int, until: int, visible: frozenset[str]) -> Ahead:
    """The days ahead of a member who goes on as is their habit.

    Parameters
    ----------
    history : History
    now, until : int
        Microseconds since 1970-01-01 UTC; ``now`` is at least the end of the history, and ``until`` later.
    visible : frozenset of str
        Tables that may be looked at.
    """
    ahead = Ahead(history.only(visible), max(now, history.until), until, visible | {"members"})
    habit = habit_of(ahead.history)
    for due in ahead.open_dues():
        moment = _paid_at(due, habit, history.until)
        if moment is not None:
            ahead.pay(due, moment)
    for account, last in ahead.history.reporting.items():
        ahead.reports[account] = list(_reports(last, ahead))
    length = _repeated_months(ahead.history, until) * _MONTH
    for name in _FLOWS:
        again = _again(ahead.history, name, length, until)
        if again is not None:
            ahead.flows[name] = again
    return ahead


def months_later(moment: int, months: int) -> int:
    """The same time of the same day some calendar months on, or of the month's last day; microseconds, UTC."""
    start = moment_of(moment)
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return microseconds(start.replace(year=year, month=month + 1, day=day))


def _paid_at(due: Due, habit: Habit, start: int) -> int | None:
    if not habit.pays:
        return None
    moment = due.falls_at + habit.delay // timedelta(microseconds=1)
    if moment >= start:
        return moment
    return start if due.falls_at >= start else None  # overdue beyond the habit: nothing says when


def _reports(last: Row, ahead: Ahead) -> Iterator[Row]:
    """The last report again for every month to come."""
    for months in range(1, 2 + (ahead.until - last["event_time"]) // (28 * DAY)):
        moment = months_later(last["event_time"], months)
        if ahead.history.until <= moment < ahead.until:
            began = last["period_start"]
            yield {**last, "event_time": moment, "period_start": None if began is None else months_later(began, months)}


def _repeated_months(history: History, until: int) -> int:
    """How many months come again: as many as lie ahead, at most three, and no more than the history has."""
    begins = [pc.min(table.column("event_time")).as_py() for name in _FLOWS
              if (table := history.standing(name)) is not None]  # fmt: skip
    known = (history.until - min(begins, default=history.until)) // _MONTH
    return max(min(-(-(until - history.until) // _MONTH), _MOST_MONTHS, known), 1)


def _again(history: History, name: str, length: int, until: int) -> pa.Table | None:
    rows = history.standing(name)
    if rows is None:
        return None
    happened = rows.column("event_time")
    last = rows.filter(pc.greater_equal(happened, history.until - length))
    parts = []
    for times in range(1, 1 - (history.until - until) // length):
        shifted = pc.add(last.column("event_time"), times * length)
        place = last.schema.get_field_index("event_time")
        part = last.set_column(place, last.schema.field("event_time"), shifted)
        parts.append(part.filter(pc.less(shifted, until)))
    return pa.concat_tables(parts).combine_chunks() if parts else None
