"""From dues, repayments and reported months to what was paid on time, what late, and what is overdue."""

from __future__ import annotations

from typing import Final

import numpy as np

from benne.features.kernel.calendar import DAY
from benne.features.kernel.compiled import compiled
from benne.features.kernel.layout import STREAMS, codes, column
from benne.features.kernel.stream import NULL, Integers
from benne.features.kernel.workspace import Workspace, sort_stream

__all__ = ["MILESTONES", "derive_account_months", "derive_arrears", "derive_delinquency", "derive_settlements"]

MILESTONES: Final = (1, 30, 60, 90)
"""Days past due at which an unsettled amount becomes an event."""

_MAXIMUM_USE: Final = 100_000  # ten times the limit, in basis points

_DUES, _REPAYMENTS = STREAMS["dues"], STREAMS["repayments"]
_STATUS, _CONTRACTS = STREAMS["account_status"], STREAMS["obligation_events"]
_DELINQUENCY, _ARREARS, _SETTLEMENTS = (STREAMS[name] for name in ("delinquency", "arrears", "settlements"))
_MONTHS = STREAMS["account_months"]

_DUE, _DUE_OBLIGATION, _OWED = (column("dues", name) for name in ("due_id", "obligation_id", "amount_due"))
_PAID_DUE, _PAID = (column("repayments", name) for name in ("due_id", "amount"))
_OBLIGATION, _PAST_DUE, _STATE = (
    column("account_status", name) for name in ("obligation_id", "months_past_due", "status")
)
_STATEMENT, _BALANCE, _LIMIT = (column("account_status", name) for name in ("statement_amount", "balance", "limit"))
_CONTRACT, _KIND, _EVENT = (column("obligation_events", name) for name in ("obligation_id", "kind", "event"))
_OPENED = codes("obligation_events", "event", "opened")
_NOTHING_OWED = codes("account_status", "status", "no_balance", "closed")
_LATE = codes("account_status", "status", "late")
_STATUS_COLUMNS = column("account_months", "utilisation_bp")


@compiled
def derive_delinquency(work: Workspace, payments_known: bool) -> None:
    """One event for each assessment; ``days_past_due`` is 0 on time, otherwise the lower bound of days late."""
    # While the source knows of nobody's repayment, an unpaid due is not known to be unpaid.
    if payments_known:
        _assess_dues(work)
    _assess_months(work)
    sort_stream(work, _DELINQUENCY, 3)
    start, run = work.start[_DELINQUENCY], 0
    for i in range(start, start + work.size[_DELINQUENCY]):
        on_time = work.cells[0, i] == 0
        run = run + 1 if on_time and work.cells[1, i] else (run if on_time else 0)
        work.cells[3, i] = run


@compiled
def _assess_dues(work: Workspace) -> None:
    first, count = work.start[_DUES], work.size[_DUES]
    settles = _settled_due(work)
    paid = np.zeros((4, count), dtype=np.int64)
    for r in range(work.size[_REPAYMENTS]):
        if settles[r] >= 0:
            row = work.start[_REPAYMENTS] + r
            for m in range(4):
                if work.time[row] <= work.time[first + settles[r]] + MILESTONES[m] * DAY:
                    paid[m, settles[r]] += work.cells[_PAID, row]
    kinds = _kinds_of(work, _DUES, _DUE_OBLIGATION)
    for d in range(count):
        for m in range(4):
            unpaid = paid[m, d] < work.cells[_OWED, first + d]
            if unpaid or m == 0:
                moment = work.time[first + d] + MILESTONES[m] * DAY
                _assessment(work, moment, MILESTONES[m] if unpaid else 0, 1 if m == 0 else 0, kinds[d])


@compiled
def _assess_months(work: Workspace) -> None:
    first = work.start[_STATUS]
    kinds = _kinds_of(work, _STATUS, _OBLIGATION)
    for s in range(work.size[_STATUS]):
        state = 1 << work.cells[_STATE, first + s]
        if not state & _NOTHING_OWED:
            late = max(30 * work.cells[_PAST_DUE, first + s], 1 if state & _LATE else 0)
            _assessment(work, work.time[first + s], late, 1, kinds[s])


@compiled
def _assessment(work: Workspace, moment: int, late: int, assessed: int, kind: int) -> None:
    at = work.start[_DELINQUENCY] + work.size[_DELINQUENCY]
    work.time[at] = moment
    work.cells[0, at], work.cells[1, at], work.cells[2, at] = late, assessed, kind
    work.size[_DELINQUENCY] += 1


@compiled
def derive_arrears(work: Workspace) -> None:
    """``amount`` rises by what is unpaid the day after a due and falls by what is paid of it later."""
    first, count = work.start[_DUES], work.size[_DUES]
    settles, running = _settled_due(work), np.zeros(count, dtype=np.int64)
    for r in range(work.size[_REPAYMENTS]):
        due, row = settles[r], work.start[_REPAYMENTS] + r
        if due >= 0:
            owed, paid = work.cells[_OWED, first + due], work.cells[_PAID, row]
            if work.time[row] > work.time[first + due] + DAY:
                _change(work, _ARREARS, work.time[row], -min(paid, max(owed - running[due], 0)))
            running[due] += paid
    running[:] = 0
    for r in range(work.size[_REPAYMENTS]):
        due, row = settles[r], work.start[_REPAYMENTS] + r
        if due >= 0 and work.time[row] <= work.time[first + due] + DAY:
            running[due] += work.cells[_PAID, row]
    for d in range(count):
        rise = max(work.cells[_OWED, first + d] - running[d], 0)
        _change(work, _ARREARS, work.time[first + d] + DAY, rise)
    sort_stream(work, _ARREARS, 1)


@compiled
def _change(work: Workspace, stream: int, moment: int, amount: int) -> None:
    at = work.start[stream] + work.size[stream]
    work.time[at], work.cells[0, at] = moment, amount
    work.size[stream] += 1


@compiled
def derive_settlements(work: Workspace) -> None:
    """One event for each due paid in full; ``lead_days`` are whole days before the due date, negative after it."""
    first, count = work.start[_DUES], work.size[_DUES]
    settles, running = _settled_due(work), np.zeros(count, dtype=np.int64)
    kinds = _kinds_of(work, _DUES, _DUE_OBLIGATION)
    for r in range(work.size[_REPAYMENTS]):
        due, row = settles[r], work.start[_REPAYMENTS] + r
        if due >= 0:
            owed, before = work.cells[_OWED, first + due], running[due]
            running[due] += work.cells[_PAID, row]
            if before < owed <= running[due]:
                at = work.start[_SETTLEMENTS] + work.size[_SETTLEMENTS]
                work.time[at] = max(work.time[row], work.time[first + due])
                work.cells[0, at] = (work.time[first + due] - work.time[row]) // DAY
                work.cells[1, at] = kinds[due]
                work.size[_SETTLEMENTS] += 1
    sort_stream(work, _SETTLEMENTS, 2)


@compiled
def derive_account_months(work: Workspace) -> None:
    """The reported months with the use of the limit, and the same obligation's month before."""
    first, count, to = work.start[_STATUS], work.size[_STATUS], work.start[_MONTHS]
    for i in range(count):
        work.time[to + i] = work.time[first + i]
        for c in range(_STATUS_COLUMNS):
            work.cells[c, to + i] = work.cells[c, first + i]
        work.cells[_STATUS_COLUMNS, to + i] = _use(work, first + i)
        before = work.place[work.cells[_OBLIGATION, first + i]]
        work.cells[_STATUS_COLUMNS + 1, to + i] = work.cells[_STATEMENT, before] if before >= 0 else NULL
        work.place[work.cells[_OBLIGATION, first + i]] = first + i
    for i in range(count):
        work.place[work.cells[_OBLIGATION, first + i]] = -1
    work.size[_MONTHS] = count


@compiled
def _use(work: Workspace, row: int) -> int:
    """Statement (or else balance) over the limit in basis points, within ten limits either way."""
    limit, used = work.cells[_LIMIT, row], work.cells[_STATEMENT, row]
    if used == NULL:
        used = work.cells[_BALANCE, row]
    if used == NULL or limit == NULL or limit <= 0:
        return NULL
    return min(max(used * 10_000 // limit, -_MAXIMUM_USE), _MAXIMUM_USE)


@compiled
def _settled_due(work: Workspace) -> Integers:
    """Per repayment, the first due of the id it names, as its place among the dues; -1 where it is not there."""
    first, count = work.start[_DUES], work.size[_DUES]
    for d in range(count - 1, -1, -1):
        work.place[work.cells[_DUE, first + d]] = d
    found = np.empty(work.size[_REPAYMENTS], dtype=np.int64)
    for r in range(work.size[_REPAYMENTS]):
        found[r] = work.place[work.cells[_PAID_DUE, work.start[_REPAYMENTS] + r]]
    for d in range(count):
        work.place[work.cells[_DUE, first + d]] = -1
    return found


@compiled
def _kinds_of(work: Workspace, stream: int, obligation: int) -> Integers:
    """Per row of a stream, the kind its contract was opened as, if it was by then; else null."""
    first = work.start[_CONTRACTS]
    for c in range(work.size[_CONTRACTS] - 1, -1, -1):
        if (1 << work.cells[_EVENT, first + c]) & _OPENED:
            work.place[work.cells[_CONTRACT, first + c]] = first + c
    kinds = np.full(work.size[stream], NULL, dtype=np.int64)
    for i in range(work.size[stream]):
        row = work.start[stream] + i
        opened = work.place[work.cells[obligation, row]]
        if opened >= 0 and work.time[opened] <= work.time[row]:
            kinds[i] = work.cells[_KIND, opened]
    for c in range(work.size[_CONTRACTS]):
        work.place[work.cells[_CONTRACT, first + c]] = -1
    return kinds
