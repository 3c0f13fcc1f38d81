"""Actions about accounts that report every month: what is used of the limit, and what is paid of the statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from benne.explain.what_if.action import Action, Limits
from benne.explain.what_if.ahead import Ahead
from benne.explain.what_if.history import Row
from benne.explain.what_if.paying import settle

__all__ = ["LowerUtilisation", "PayStatements"]

_MONTHS: Final[Limits] = (1, 12)
_OFFERED_PERCENT: Final = (30, 10)


@dataclass(frozen=True)
class LowerUtilisation(Action):
    """Bring what is used of each limit to at most so many per cent, and keep it there for some reported months."""

    name: ClassVar[str] = "lower_utilisation"
    limits: ClassVar[dict[str, Limits]] = {"percent": (0, 99), "months": _MONTHS}
    table: ClassVar[str] = "account_status"
    effort: ClassVar[int] = 3
    gaming: ClassVar = "medium"

    percent: int
    months: int = 1

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[LowerUtilisation]:
        for percent in _OFFERED_PERCENT:
            if any(_used(row) > percent for rows in ahead.reports.values() for row in rows):
                yield cls(percent, _months(ahead))

    def applies(self, ahead: Ahead) -> bool:
        return any(_used(row) > self.percent for rows in ahead.reports.values() for row in rows)

    def carry_out(self, ahead: Ahead) -> None:
        for account, rows in ahead.reports.items():
            before = ahead.history.reporting[account]
            for row in rows[: self.months]:
                if _used(row) > self.percent:
                    _bring_down(row, before, row["limit"] * self.percent // 100)
                before = row


@dataclass(frozen=True)
class PayStatements(Action):
    """Pay every statement in full for some reported months."""

    name: ClassVar[str] = "pay_statements"
    limits: ClassVar[dict[str, Limits]] = {"months": _MONTHS}
    table: ClassVar[str] = "account_status"
    effort: ClassVar[int] = 3
    gaming: ClassVar = "low"

    months: int

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[PayStatements]:
        carried = any(row["status"] in ("revolving", "late") for rows in ahead.reports.values() for row in rows)
        if carried:
            yield cls(_months(ahead))

    def carry_out(self, ahead: Ahead) -> None:
        for account, rows in ahead.reports.items():
            before = ahead.history.reporting[account]["statement_amount"]
            for row in rows[: self.months]:
                if row["status"] in ("revolving", "late", "open"):
                    billed = [amount for amount in (before, row["statement_amount"]) if amount is not None]
                    settle(row, max(billed, default=None))
                before = row["statement_amount"]


def _months(ahead: Ahead) -> int:
    return min(max((len(rows) for rows in ahead.reports.values()), default=1), 12)


def _used(row: Row) -> float:
    """Per cent of the limit in use, as the features read it; below any mark where that is not known."""
    amount = row["balance"] if row["statement_amount"] is None else row["statement_amount"]
    limit = row["limit"]
    return -1.0 if amount is None or not limit or limit <= 0 else 100.0 * amount / limit


def _bring_down(row: Row, before: Row, most: int) -> None:
    """A reported month with less in use; what was owed above that has been paid in it."""
    owed = before["balance"] if before["statement_amount"] is None else before["statement_amount"]
    for name in ("statement_amount", "balance"):
        if row[name] is not None:
            row[name] = min(row[name], most)
    if row["amount_paid"] is not None and owed is not None:
        row["amount_paid"] = max(min(row["amount_paid"], owed), owed - most, 0)
