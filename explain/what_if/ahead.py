"""What is imagined to happen to a member from now on until a day: rows that are never stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from benne.explain.what_if.history import Due, History, Row, Tables, as_table
from benne.features.events.tables import TABLES

__all__ = ["Ahead", "Payment"]

_RECORD: Final = "{number:032x}"  # no keyed id begins with so many zeros


class Payment(NamedTuple):
    """A payment of all that is still owed of a due."""

    due: Due
    moment: int


@dataclass
class Ahead:
    """The days ahead of a member, as a baseline makes them and actions change them.

    Parameters
    ----------
    history : History
        What is known; everything imagined lies after it.
    now : int
        From when on somebody can do something, at least the end of the history; microseconds since 1970-01-01 UTC.
    until : int
        The moment of looking; what happens then or later is not seen.
    visible : frozenset of str
        Tables that may be looked at and added to.
    payments : dict of str to Payment
        By due.
    reports : dict of str to list of dict
        Monthly reports to come, by account.
    flows : dict of str to pyarrow.Table
        ``payments``, ``incomes`` and ``balances`` to come.
    others : list of (str, dict)
        Rows of any table besides.
    """

    history: History
    now: int
    until: int
    visible: frozenset[str]
    payments: dict[str, Payment] = field(default_factory=dict)
    reports: dict[str, list[Row]] = field(default_factory=dict)
    flows: dict[str, pa.Table] = field(default_factory=dict)
    others: list[tuple[str, Row]] = field(default_factory=list)

    def copy(self) -> Ahead:
        """The same again, so that actions do not change the baseline."""
        reports = {account: [dict(row) for row in rows] for account, rows in self.reports.items()}
        return replace(
            self, payments=dict(self.payments), reports=reports, flows=dict(self.flows), others=list(self.others)
        )

    def pay(self, due: Due, moment: int) -> None:
        """Pay what is still owed of a due; an earlier payment of it stays."""
        planned = self.payments.get(due.due_id)
        if planned is None or moment < planned.moment:
            self.payments[due.due_id] = Payment(due, moment)

    def add(self, table: str, moment: int, **row: Any) -> None:
        """Let something else happen."""
        self.others.append((table, {"event_time": moment, **row}))

    def open_dues(self) -> Iterator[Due]:
        """Dues that are known and not settled, the earliest first."""
        return (due for due in self.history.dues if due.settled_at is None)

    def ahead_of(self, due: Due) -> bool:
        """Whether a due falls from now on and before the moment of looking."""
        return self.now < due.falls_at < self.until

    def tables(self) -> Tables:
        """Everything that happens before the moment of looking, in stored form; each is known as it happens."""
        rows: dict[str, list[Row]] = {}
        for table, row in self._plain():
            if row["event_time"] < self.until and table in self.visible:
                rows.setdefault(table, []).append(row)
        found = {name: as_table(name, self.history.subject_id, some) for name, some in rows.items()}
        for name, flow in self.flows.items():
            if flow.num_rows:
                found[name] = pa.concat_tables([flow, found[name]]) if name in found else flow
        return {name: _numbered(found[name]) for name in TABLES if name in found}

    def _plain(self) -> Iterator[tuple[str, Row]]:
        currency = self.history.currency
        for due, moment in self.payments.values():
            if due.rest:
                said = {"due_id": due.due_id, "obligation_id": due.obligation_id, "currency": due.currency or currency}
                yield "repayments", {"event_time": moment, "amount": due.rest, **said}
        for reports in self.reports.values():
            yield from (("account_status", row) for row in reports)
        yield from self.others


def _numbered(rows: pa.Table) -> pa.Table:
    """Oldest first, each known when it happens, with record ids of its own; nothing of it is a correction."""
    ordered = rows.take(pc.sort_indices(rows, sort_keys=[("event_time", "ascending")])).combine_chunks()
    ids = [_RECORD.format(number=number) for number in range(1, ordered.num_rows + 1)]
    own = {
        "record_id": pa.array(ids, pa.string()),
        "supersedes": pa.nulls(ordered.num_rows, pa.string()),
        "known_at": ordered.column("event_time"),
    }
    for name, values in own.items():
        ordered = ordered.set_column(ordered.schema.get_field_index(name), ordered.schema.field(name), values)
    return ordered
