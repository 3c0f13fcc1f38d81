"""What is known about one member until a moment: their event tables, and a few things read off them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from benne.errors import WhatIfNotPossible
from benne.features.engines.event_store import StoredMember
from benne.features.engines.member_rows import loaded_from
from benne.features.events.digest import first_known
from benne.features.events.events import Events, KnownSince
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema
from benne.features.kernel.calendar import DAY
from benne.features.plan import Plan

__all__ = ["Due", "History", "Row", "Tables", "as_table", "visible_tables"]

Row = dict[str, Any]
Tables = Mapping[str, pa.Table]

_NOBODY: Final = "A member must have events to imagine more, got one without. Load their events, or ask another member."


@dataclass(frozen=True)
class Due:
    """An instalment or bill, and what became of it so far.

    Parameters
    ----------
    due_id, obligation_id : str
        Keyed.
    falls_at : int
        Microseconds since 1970-01-01 UTC.
    owed, paid : int
        Minor units.
    settled_at : int or None
        When it had been paid in full; None where it has not.
    currency : str or None
    """

    due_id: str
    obligation_id: str
    falls_at: int
    owed: int
    paid: int
    settled_at: int | None
    currency: str | None

    @property
    def rest(self) -> int:
        """What is still owed, in minor units."""
        return max(self.owed - self.paid, 0)


@dataclass(frozen=True, repr=False)
class History:
    """One member's events until a moment.

    Parameters
    ----------
    subject_id : str
    tables : mapping of str to pyarrow.Table
        In their stored form, as :meth:`benne.features.engines.event_store.EventStore.rows` gives them.
    known_since : mapping of (str, str) to int
        As in :class:`benne.features.events.events.Events`.
    until : int
        Everything known before this moment is here, and nothing else; microseconds since 1970-01-01 UTC.
    """

    subject_id: str
    tables: Tables
    known_since: KnownSince
    until: int
    _rows: dict[str, list[Row]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, events: Events, subject_id: str, until: int) -> History:
        """One member of a load.

        Parameters
        ----------
        events : Events
        subject_id : str
        until : int
            The ingest clock: nothing in the load may have become known later. Microseconds since 1970-01-01 UTC.

        Raises
        ------
        WhatIfNotPossible
            If nothing is known of the member, or something became known later than that.
        """
        found = {}
        for name in events.tables:
            table = events.read(name)
            own = table.filter(pc.equal(table.column("subject_id"), subject_id))
            if own.num_rows:
                found[name] = own.combine_chunks()
        if not found:
            raise WhatIfNotPossible(_NOBODY)
        if max(pc.max(own.column("known_at")).as_py() for own in found.values()) >= until:
            raise WhatIfNotPossible(
                "A history must end after everything in it was known, got an earlier moment. Give the ingest clock."
            )
        return cls(subject_id, found, events.known_since, until)

    @property
    def member(self) -> StoredMember:
        """As the online engine reads it."""
        return StoredMember(loaded_from(self.tables), self.until, self.known_since)

    def only(self, tables: Collection[str]) -> History:
        """Without the rows of other tables; who the member is (``members``) always stays."""
        kept = {name: table for name, table in self.tables.items() if name in tables or name == "members"}
        return History(self.subject_id, kept, self.known_since, self.until)

    def grown(self, new: Tables, until: int) -> History:
        """With more rows that become known until a later moment, as appending them to a store would leave it."""
        tables = dict(self.tables)
        since = dict(self.known_since)
        for name, rows in new.items():
            before = tables.get(name)
            tables[name] = rows if before is None else pa.concat_tables([before, rows]).combine_chunks()
            for column, first in first_known(rows).items():
                since.setdefault((name, column), first)
        known_since = self.known_since if len(since) == len(self.known_since) else since
        return History(self.subject_id, tables, known_since, until)

    def standing(self, table: str) -> pa.Table | None:
        """The rows of a table that nothing corrects; None where there is none."""
        rows = self.tables.get(table)
        if rows is None:
            return None
        corrected = rows.column("supersedes").drop_null()
        if not len(corrected):
            return rows
        return rows.filter(pc.invert(pc.is_in(rows.column("record_id"), value_set=corrected.combine_chunks())))

    def rows(self, table: str) -> list[Row]:
        """The same as plain rows, oldest first."""
        if table not in self._rows:
            standing = self.standing(table)
            plain = [] if standing is None else standing.to_pylist()
            self._rows[table] = sorted(plain, key=lambda row: int(row["event_time"]))
        return self._rows[table]

    @cached_property
    def dues(self) -> tuple[Due, ...]:
        """Every due that is known, the earliest first."""
        paid: dict[str, list[tuple[int, int]]] = {}
        for row in self.rows("repayments"):
            paid.setdefault(row["due_id"], []).append((row["event_time"], row["amount"]))
        return tuple(_due(row, paid.get(row["due_id"], [])) for row in self.rows("dues"))

    @cached_property
    def running(self) -> dict[str, str | None]:
        """Contracts that are open, each with its kind."""
        found: dict[str, str | None] = {}
        for row in self.rows("obligation_events"):
            if row["event"] == "opened":
                found[row["obligation_id"]] = row["kind"]
            elif row["event"] in ("closed", "written_off"):
                found.pop(row["obligation_id"], None)
        return found

    @cached_property
    def reporting(self) -> dict[str, Row]:
        """Accounts that still report, each with its last reported month."""
        last: dict[str, Row] = {row["obligation_id"]: row for row in self.rows("account_status")}
        ended = {row["obligation_id"] for row in self.rows("obligation_events") if row["event"] != "opened"
                 and row["event"] != "limit_changed"}  # fmt: skip
        return {
            account: row
            for account, row in last.items()
            if row["event_time"] >= self.until - _STILL_REPORTS * DAY
            and row["status"] not in ("closed", "written_off")
            and account not in ended
        }

    @cached_property
    def spent_monthly(self) -> int:
        """What went out a month over the last half-year, in minor units; 0 where nothing did."""
        rows = self.standing("payments")
        if rows is None:
            return 0
        recent = pc.greater_equal(rows.column("event_time"), self.until - 180 * DAY)
        failed = pc.fill_null(pc.equal(rows.column("status"), "failed"), False)
        out = pc.and_(pc.equal(rows.column("direction"), "out"), pc.invert(failed))
        total = pc.sum(rows.filter(pc.and_(recent, out)).column("amount")).as_py()
        return int(total or 0) // 6

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Subject ids of the members in this one's interactions."""
        rows = self.tables.get("interactions")
        return () if rows is None else tuple(sorted(set(rows.column("other_id").to_pylist())))

    @cached_property
    def currency(self) -> str | None:
        """The one currency of the member's amounts, where a row names it."""
        for table in self.tables.values():
            if "currency" in table.column_names and table.column("currency").null_count < table.num_rows:
                return str(table.column("currency").drop_null()[0].as_py())
        return None


_STILL_REPORTS: Final = 62
"""Days since its last report in which an account counts as one that goes on reporting."""


def _due(row: Row, payments: list[tuple[int, int]]) -> Due:
    total, settled = 0, None
    for moment, amount in payments:
        total += amount
        if settled is None and total >= row["amount_due"]:
            settled = moment
    owed, falls_at = row["amount_due"], row["event_time"]
    return Due(row["due_id"], row["obligation_id"], falls_at, owed, total, settled, row["currency"])


def as_table(name: str, subject_id: str, rows: list[Row]) -> pa.Table:
    """Plain rows as a stored table; what a row does not say is null."""
    schema = stored_schema(TABLES[name])
    columns = {
        title: [subject_id] * len(rows) if title == "subject_id" else [row.get(title) for row in rows]
        for title in schema.names
    }
    return pa.Table.from_pydict(columns, schema=schema)


def visible_tables(plan: Plan, categories: Collection[str]) -> frozenset[str]:
    """Tables that some feature of these categories reads; no other is looked at."""
    return frozenset[str]().union(*(part.tables for part in plan.parts if part.category in categories))
