"""What stands at a moment: running contracts, listed items, verified facts, contacts of long standing."""

from __future__ import annotations

from typing import Final

import numpy as np

from benne.features.events.tables import TABLES
from benne.features.kernel.calendar import DAY, years_later
from benne.features.kernel.compiled import compiled
from benne.features.kernel.layout import STREAMS, codes, column
from benne.features.kernel.stream import NEVER, NULL, Integers
from benne.features.kernel.workspace import Workspace, sort_stream

__all__ = [
    "EXPIRY_YEARS", "LONG_STANDING_DAYS", "derive_contacts", "derive_listed_items", "derive_running_contracts",
    "derive_verified_facts",
]  # fmt: skip

EXPIRY_YEARS: Final = 5
"""Years after the conduct ended at which an adverse item goes (Credit Reporting Regulation 2013, Art. 16)."""

LONG_STANDING_DAYS: Final = 180
"""Days since the first dealing after which a contact is of long standing."""

_CONTRACTS, _RUNNING = STREAMS["obligation_events"], STREAMS["running_contracts"]
_CONTRACT, _EVENT = (column("obligation_events", name) for name in ("obligation_id", "event"))
_OPENED, _ENDED = (codes("obligation_events", "event", *names) for names in (("opened",), ("closed", "written_off")))

_ITEMS, _LISTED = STREAMS["adverse_items"], STREAMS["listed_items"]
_ITEM, _STEP, _PUBLIC, _EXPIRES = (
    column("adverse_items", name) for name in ("item_id", "event", "lawfully_public", "expires_at")
)
_REPORTED, _NOTIFIED, _REMOVED, _OVER = (
    codes("adverse_items", "event", name) for name in ("reported", "notified", "removed", "ended")
)

_FACTS, _VERIFIED = STREAMS["verifications"], STREAMS["verified_facts"]
_FIELD, _CHANGE, _STRENGTH, _UNTIL = (
    column("verifications", name) for name in ("field", "event", "strength", "expires_at")
)
_CHECKED = codes("verifications", "event", "verified")
_FIELDS: Final = len(TABLES["verifications"].column("field").values)
_STRONG: Final = 3

_DEALINGS, _CONTACTS = STREAMS["interactions"], STREAMS["contacts"]
_OTHER, _DIRECTION, _DEALING = (column("interactions", name) for name in ("other_id", "direction", "kind"))
_COMPLAINTS = codes("interactions", "kind", "report", "block")


@compiled
def derive_running_contracts(work: Workspace) -> None:
    """Count what runs: a second ending, or one without a beginning, changes nothing; opening goes before ending."""
    first, count, i = work.start[_CONTRACTS], work.size[_CONTRACTS], 0
    while i < count:
        same = i
        while same < count and work.time[first + same] == work.time[first + i]:
            same += 1
        for wanted in (_OPENED, _ENDED):
            for row in range(first + i, first + same):
                if (1 << work.cells[_EVENT, row]) & wanted:
                    _run(work, work.cells[_CONTRACT, row], work.time[row], wanted == _OPENED)
        i = same
    for row in range(first, first + count):
        work.place[work.cells[_CONTRACT, row]] = -1


@compiled
def _run(work: Workspace, contract: int, moment: int, runs: bool) -> None:
    if runs == (work.place[contract] < 0):
        work.place[contract] = 1 if runs else -1
        at = work.start[_RUNNING] + work.size[_RUNNING]
        work.time[at], work.cells[0, at] = moment, 1 if runs else -1
        work.size[_RUNNING] += 1


@compiled
def derive_listed_items(work: Workspace) -> None:
    """When each item enters and leaves what may be seen; ``open_change`` counts those whose conduct goes on.

    An item is seen from its listing on, but not before its notice unless it is lawfully public;
    until it is removed, its public source ends it, or the last day of the fifth year after the
    conduct ended is over.
    """
    first, count = work.start[_ITEMS], work.size[_ITEMS]
    number, items = _numbered(work, first, count, _ITEM)
    moments = np.full((4, items), NEVER, dtype=np.int64)  # seen as listed, told, removed, over
    until = np.full(items, NEVER, dtype=np.int64)
    for i in range(count):
        row, item, moment = first + i, number[i], work.time[first + i]
        step = 1 << work.cells[_STEP, row]
        if step & _REPORTED:
            if moments[0, item] == NEVER and work.cells[_EXPIRES, row] != NULL:
                until[item] = work.cells[_EXPIRES, row]  # of the first listing: a later one is not yet known then
            moments[0, item] = min(moments[0, item], moment)
            if work.cells[_PUBLIC, row] == 1:
                moments[1, item] = min(moments[1, item], moment)
        elif step & _NOTIFIED:
            moments[1, item] = min(moments[1, item], moment)
        elif step & _REMOVED:
            moments[2, item] = min(moments[2, item], moment)
        elif step & _OVER:
            moments[3, item] = min(moments[3, item], moment)
    for item in range(items):
        _list(work, moments[:, item], until[item])
    sort_stream(work, _LISTED, 2)


@compiled
def _list(work: Workspace, moments: Integers, until: int) -> None:
    listed, removed, over = max(moments[0], moments[1]), moments[2], moments[3]
    if listed == NEVER:
        return
    expiry = years_later(over, EXPIRY_YEARS) + DAY - 1 if over != NEVER else NEVER
    gone = min(removed, until, expiry)
    if gone <= listed:
        return
    _item(work, listed, 1, 1 if over > listed else 0)
    if listed < over < gone:
        _item(work, over, 0, -1)
    if gone != NEVER:
        _item(work, gone, -1, -1 if over >= gone else 0)


@compiled
def _item(work: Workspace, moment: int, change: int, open_change: int) -> None:
    at = work.start[_LISTED] + work.size[_LISTED]
    work.time[at], work.cells[0, at], work.cells[1, at] = moment, change, open_change
    work.size[_LISTED] += 1


@compiled
def derive_verified_facts(work: Workspace) -> None:
    """When each kind of fact becomes verified and ceases to be; ``confirmed`` says that it was verified before."""
    first, count = work.start[_FACTS], work.size[_FACTS]
    until, strength = np.zeros(_FIELDS, dtype=np.int64), np.full(_FIELDS, NULL, dtype=np.int64)
    stands = np.zeros(_FIELDS, dtype=np.bool_)
    for row in range(first, first + count):
        moment, field = work.time[row], work.cells[_FIELD, row]
        if stands[field] and until[field] <= moment:
            _fact(work, until[field], -1, strength[field], 0)
            stands[field] = False
        verified = ((1 << work.cells[_CHANGE, row]) & _CHECKED) != 0
        before = stands[field]
        if before:
            _fact(work, moment, -1, strength[field], 0)
        stands[field] = verified
        if verified:
            strength[field] = work.cells[_STRENGTH, row]
            until[field] = NEVER if work.cells[_UNTIL, row] == NULL else work.cells[_UNTIL, row]
            _fact(work, moment, 1, strength[field], 1 if before else 0)
    for field in range(_FIELDS):
        if stands[field] and until[field] != NEVER:
            _fact(work, until[field], -1, strength[field], 0)
    sort_stream(work, _VERIFIED, 5)


@compiled
def _fact(work: Workspace, moment: int, change: int, strength: int, confirmed: int) -> None:
    at = work.start[_VERIFIED] + work.size[_VERIFIED]
    known = strength != NULL
    work.time[at] = moment
    work.cells[0, at] = change
    work.cells[1, at] = change if known and strength >= _STRONG else 0
    work.cells[2, at] = change * strength if known else 0
    work.cells[3, at] = change if known else 0
    work.cells[4, at] = confirmed
    work.size[_VERIFIED] += 1


@compiled
def derive_contacts(work: Workspace) -> None:
    """When another member becomes a contact of long standing: dealings both ways, and 180 days since the first.

    A report or a block is no dealing.
    """
    first, count = work.start[_DEALINGS], work.size[_DEALINGS]
    number, others = _numbered(work, first, count, _OTHER)
    begun = np.full((2, others), NEVER, dtype=np.int64)
    for i in range(count):
        if not (1 << work.cells[_DEALING, first + i]) & _COMPLAINTS:
            way = work.cells[_DIRECTION, first + i]
            begun[way, number[i]] = min(begun[way, number[i]], work.time[first + i])
    for other in range(others):
        both = max(begun[0, other], begun[1, other])
        if both != NEVER:
            at = work.start[_CONTACTS] + work.size[_CONTACTS]
            long = min(begun[0, other], begun[1, other]) + LONG_STANDING_DAYS * DAY
            work.time[at], work.cells[0, at] = max(both, long), 1
            work.size[_CONTACTS] += 1
    sort_stream(work, _CONTACTS, 1)


@compiled
def _numbered(work: Workspace, first: int, count: int, column_: int) -> tuple[Integers, int]:
    """Number the ids of a column from 0, in order of appearance."""
    number, found = np.empty(count, dtype=np.int64), 0
    for i in range(count):
        code = work.cells[column_, first + i]
        if work.place[code] < 0:
            work.place[code] = found
            found += 1
        number[i] = work.place[code]
    for i in range(count):
        work.place[work.cells[column_, first + i]] = -1
    return number, found
