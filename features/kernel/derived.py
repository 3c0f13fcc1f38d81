"""Streams made from event tables, so that builders read one thing whatever the source reports.

A derived event at time t depends only on events up to t. That is what lets a prefix of a
derived stream be the stream derived from a prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benne.features.events.tables import TABLES
from benne.features.kernel.stream import Integers, Stream, Values
from benne.features.kernel.windows import DAY

__all__ = ["DERIVED", "Clause", "Derivation"]

Clause = frozenset[tuple[str, str]]
"""Alternatives: (table, column) pairs of which one must be there."""

MILESTONES = (1, 30, 60, 90)
"""Days past due at which an unsettled amount becomes an event."""

_MAXIMUM_USE = 100_000  # ten times the limit, in basis points


@dataclass(frozen=True)
class Derivation:
    """How a derived stream is made.

    Parameters
    ----------
    tables : tuple of str
        The event tables it is made from.
    needs : mapping of str to frozenset of Clause
        Per column, what must be present for it to say anything.
    build : callable
        From the partition's streams to the derived one.
    """

    tables: tuple[str, ...]
    needs: Mapping[str, frozenset[Clause]]
    build: Callable[[Mapping[str, Stream]], Stream]


def _either(*pairs: tuple[str, str]) -> frozenset[Clause]:
    return frozenset({frozenset(pairs)})


def _all(*pairs: tuple[str, str]) -> frozenset[Clause]:
    return frozenset(frozenset({pair}) for pair in pairs)


def delinquency(streams: Mapping[str, Stream]) -> Stream:
    """Everything that was assessed as paid on time or late.

    One event for each due the day after it falls due (``assessed``), and again when it is
    still unsettled 30, 60 and 90 days past due; one for each reported month in which something
    was owed. ``days_past_due`` is 0 on time, otherwise the lower bound of the days late.
    """
    parts = [_from_dues(streams), _from_reports(streams)]
    return _concatenate([part for part in parts if part is not None])


def arrears(streams: Mapping[str, Stream]) -> Stream:
    """What is overdue: ``amount`` rises the day after an unsettled due and falls as it is paid."""
    dues, paid = streams["dues"], streams["repayments"]
    settled = _Settlement(dues, paid)
    owed, deadline, amount = dues.columns["amount_due"].data, dues.time + DAY, paid.columns["amount"].data
    late = np.flatnonzero(settled.due >= 0)
    late = late[paid.time[late] > deadline[settled.due[late]]]
    open_before = np.maximum(owed[settled.due[late]] - (settled.running[late] - amount[late]), 0)
    rise = np.maximum(owed - settled.paid_by(deadline), 0)
    fall = np.minimum(amount[late], open_before)
    change = np.concatenate([rise, -fall])
    return Stream.of(
        np.concatenate([dues.subject, paid.subject[late]]),
        np.concatenate([deadline, paid.time[late]]),
        {"amount": Values(change, np.ones(len(change), dtype=bool))},
    )


def account_months(streams: Mapping[str, Stream]) -> Stream:
    """Reported months with what was used of the limit and what the previous month had billed.

    ``utilisation_bp`` is the statement (or else the balance) over the limit in basis points,
    within ±100,000; ``previous_statement`` is the same obligation's month before.
    """
    months = streams["account_status"]
    statement, balance = months.columns["statement_amount"], months.columns["balance"]
    used = np.where(statement.known, statement.data, balance.data)
    limit = months.columns["limit"]
    known = (statement.known | balance.known) & limit.known & (limit.data > 0)
    share = np.clip(used * 10_000 // np.where(known, limit.data, 1), -_MAXIMUM_USE, _MAXIMUM_USE)
    columns = dict(months.columns)
    columns["utilisation_bp"] = Values(np.where(known, share, 0), known)
    columns["previous_statement"] = _previous(months, statement)
    return Stream(months.subject, months.time, months.known_at, months.superseded_at, columns)


def running_contracts(streams: Mapping[str, Stream]) -> Stream:
    """``change`` is +1 as a contract opens and -1 as a running one closes or is written off."""
    return _standing(
        streams["obligation_events"],
        "obligation_id",
        _codes("obligation_events", "event", "opened"),
        _codes("obligation_events", "event", "closed", "written_off"),
    )


def listed_items(streams: Mapping[str, Stream]) -> Stream:
    """``change`` is +1 as an adverse item is reported and -1 as a listed one is removed or ends."""
    return _standing(
        streams["adverse_items"],
        "item_id",
        _codes("adverse_items", "event", "reported"),
        _codes("adverse_items", "event", "removed", "ended"),
    )


def _standing(events: Stream, thing: str, begins: list[int], ends: list[int]) -> Stream:
    """Count what stands: a second ending of the same thing, or one without a beginning, changes nothing."""
    code = events.columns["event"].data
    events = events.take(np.isin(code, begins + ends))
    ended, things = np.isin(events.columns["event"].data, ends), events.columns[thing].data
    order = np.lexsort((ended, events.time, things, events.subject))
    stands = (~ended[order]).astype(np.int64)
    first = (np.diff(things[order], prepend=-1) != 0) | (np.diff(events.subject[order], prepend=-1) != 0)
    before = np.where(first, 0, np.concatenate([[0], stands[:-1]])[: len(stands)])
    change = Values(stands - before, np.ones(len(stands), dtype=bool))
    return Stream.of(events.subject[order], events.time[order], {"change": change})


def _codes(table: str, column: str, *values: str) -> list[int]:
    known = TABLES[table].column(column).values
    return [known.index(value) for value in values]


def _from_dues(streams: Mapping[str, Stream]) -> Stream | None:
    # Without repayments an unpaid due is not known to be unpaid.
    if "dues" not in streams or "repayments" not in streams:
        return None
    dues = streams["dues"]
    settled = _Settlement(dues, streams["repayments"])
    parts = []
    for milestone in MILESTONES:
        moment = dues.time + milestone * DAY
        open_ = settled.paid_by(moment) < dues.columns["amount_due"].data
        first = milestone == MILESTONES[0]
        keep = open_ | first
        late = np.where(open_, milestone, 0)[keep]
        parts.append(_assessment(dues.subject[keep], moment[keep], late, assessed=first))
    return _concatenate(parts)


def _from_reports(streams: Mapping[str, Stream]) -> Stream | None:
    if "account_status" not in streams:
        return None
    months = streams["account_status"]
    past_due, status = months.columns["months_past_due"].data, months.columns["status"]
    owed = ~np.isin(status.data, _codes("account_status", "status", "no_balance", "closed"))
    reported_late = np.isin(status.data, _codes("account_status", "status", "late"))
    late = np.maximum(30 * past_due, reported_late.astype(np.int64))
    return _assessment(months.subject[owed], months.time[owed], late[owed], assessed=True)


def _assessment(subject: Integers, time: Integers, late: Integers, *, assessed: bool) -> Stream:
    known = np.ones(len(time), dtype=bool)
    columns = {
        "days_past_due": Values(late.astype(np.int64), known),
        "assessed": Values(np.full(len(time), int(assessed)), known),
    }
    return Stream.of(subject, time, columns)


def _concatenate(parts: list[Stream]) -> Stream:
    empty = np.empty(0, dtype=np.int64)
    if not parts:
        return _assessment(empty, empty, empty, assessed=True)
    columns = {
        name: Values(
            np.concatenate([p.columns[name].data for p in parts]),
            np.concatenate([p.columns[name].known for p in parts]),
        )
        for name in parts[0].columns
    }
    return Stream.of(np.concatenate([p.subject for p in parts]), np.concatenate([p.time for p in parts]), columns)


class _Settlement:
    """Which due each repayment settles, and what the due had been paid by then."""

    def __init__(self, dues: Stream, paid: Stream) -> None:
        self._paid, self._dues = paid, len(dues)
        order = np.lexsort((dues.columns["due_id"].data, dues.subject))
        row = _find(dues, order, paid)
        self.due = np.where(row >= 0, order[np.maximum(row, 0)], -1) if len(order) else row
        self.running = self._running()

    def paid_by(self, moment: Integers) -> Integers:
        """What each due had been paid up to and including a moment of its own."""
        rows = np.flatnonzero(self.due >= 0)
        rows = rows[self._paid.time[rows] <= moment[self.due[rows]]]
        paid = np.zeros(self._dues, dtype=np.int64)
        np.add.at(paid, self.due[rows], self._paid.columns["amount"].data[rows])
        return paid

    def _running(self) -> Integers:
        by_due = np.lexsort((self._paid.time, self.due))
        amounts = self._paid.columns["amount"].data[by_due]
        running = np.cumsum(amounts)
        first = np.flatnonzero(np.diff(self.due[by_due], prepend=-2))
        before = np.repeat(running[first] - amounts[first], np.diff(np.append(first, len(running))))
        out = np.empty(len(running), dtype=np.int64)
        out[by_due] = running - before
        return out


def _find(dues: Stream, order: Integers, paid: Stream) -> Integers:
    """Place in ``order`` of the due each repayment names; -1 where it is not there."""
    if not len(dues):
        return np.full(len(paid), -1, dtype=np.int64)
    named, wanted = dues.columns["due_id"].data[order], paid.columns["due_id"].data
    width = int(max(named.max(), wanted.max(initial=0))) + 1
    keys, sought = dues.subject[order] * width + named, paid.subject * width + wanted
    row = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return np.where(keys[row] == sought, row, -1)


def _previous(months: Stream, values: Values) -> Values:
    obligation = months.columns["obligation_id"].data
    order = np.lexsort((np.arange(len(months)), obligation, months.subject))
    same = (obligation[order[1:]] == obligation[order[:-1]]) & (months.subject[order[1:]] == months.subject[order[:-1]])
    data, known = np.zeros(len(months), dtype=np.int64), np.zeros(len(months), dtype=bool)
    data[order[1:][same]] = values.data[order[:-1][same]]
    known[order[1:][same]] = values.known[order[:-1][same]]
    return Values(data, known)


_DUES_OR_REPORTS = _either(("repayments", "amount"), ("account_status", "months_past_due"))
_USE = frozenset({
    frozenset({("account_status", "statement_amount"), ("account_status", "balance")}),
    frozenset({("account_status", "limit")}),
})  # fmt: skip

DERIVED: dict[str, Derivation] = {
    "delinquency": Derivation(
        ("dues", "repayments", "account_status"),
        {"days_past_due": _DUES_OR_REPORTS, "assessed": _DUES_OR_REPORTS},
        delinquency,
    ),
    "arrears": Derivation(
        ("dues", "repayments"), {"amount": _all(("dues", "amount_due"), ("repayments", "amount"))}, arrears
    ),
    "running_contracts": Derivation(
        ("obligation_events",), {"change": _all(("obligation_events", "event"))}, running_contracts
    ),
    "listed_items": Derivation(("adverse_items",), {"change": _all(("adverse_items", "event"))}, listed_items),
    "account_months": Derivation(
        ("account_status",),
        {"utilisation_bp": _USE, "previous_statement": _all(("account_status", "statement_amount"))},
        account_months,
    ),
}
