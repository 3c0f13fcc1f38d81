"""Histories written down by hand: one member, days counted from a first day, amounts in minor units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from benne.explain.what_if import History
from benne.explain.what_if.history import as_table
from benne.features.events.digest import first_known
from benne.features.events.moments import microseconds

SUBJECT = "a" * 32
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = frozenset({
    "members", "verifications", "obligation_events", "dues", "repayments", "account_status", "adverse_items",
    "payments", "balances", "incomes",
})  # fmt: skip


def day(number: float) -> int:
    """Microseconds of so many days after the first one."""
    return microseconds(FIRST + timedelta(days=number))


def row(happened: float, known: float | None = None, **columns: Any) -> dict[str, Any]:
    return {"event_time": day(happened), "known_at": day(happened if known is None else known), **columns}


def due(name: str, falls: float, amount: int = 100, known: float = 0, contract: str = "c") -> dict[str, Any]:
    return row(falls, known, due_id=name, obligation_id=contract, amount_due=amount)


def paid(name: str, at: float, amount: int = 100) -> dict[str, Any]:
    return row(at, due_id=name, amount=amount)


def history(until: float, **tables: list[dict[str, Any]]) -> History:
    """A member who joined on the first day; rows are numbered where they have no record id."""
    tables = {"members": [row(0, adult=True)], **tables}
    stored = {}
    for name, rows in tables.items():
        numbered = [{"record_id": f"{number:032x}", **one} for number, one in enumerate(rows, start=1)]
        stored[name] = as_table(name, SUBJECT, numbered)
    since = {(name, column): first for name, rows in stored.items() for column, first in first_known(rows).items()}
    return History(SUBJECT, stored, since, day(until))
