"""Actions about what falls due: paying on time, catching up, bringing a contract or a listed default to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from benne.explain.what_if.action import Action, Limits
from benne.explain.what_if.ahead import Ahead
from benne.explain.what_if.history import Due, Row
from benne.features.kernel.calendar import DAY

__all__ = ["CompleteContracts", "PayInstalments", "PayOverdue", "SettleItems"]

_OFFERED: Final = 3
_LENT: Final = ("loan", "instalment_plan")


@dataclass(frozen=True)
class PayInstalments(Action):
    """Pay the next dues in full on their due date, or some days before; whoever pays earlier by habit still does."""

    name: ClassVar[str] = "pay_instalments"
    limits: ClassVar[dict[str, Limits]] = {"count": (1, 60), "days_ahead": (0, 30)}
    table: ClassVar[str] = "repayments"
    effort: ClassVar[int] = 1
    gaming: ClassVar = "low"

    count: int
    days_ahead: int = 0

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[PayInstalments]:
        coming = sum(ahead.ahead_of(due) for due in ahead.open_dues())
        if coming:
            yield cls(min(coming, _OFFERED))
        if coming > _OFFERED:
            yield cls(min(coming, 60))

    def carry_out(self, ahead: Ahead) -> None:
        coming = [due for due in ahead.open_dues() if ahead.ahead_of(due)]
        for due in coming[: self.count]:
            ahead.pay(due, max(due.falls_at - self.days_ahead * DAY, ahead.now))


@dataclass(frozen=True)
class PayOverdue(Action):
    """Pay everything that is overdue now, and keep accounts that are reported late settled from their next report."""

    name: ClassVar[str] = "pay_overdue"
    table: ClassVar[str] = "members"
    effort: ClassVar[int] = 2
    gaming: ClassVar = "low"

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[PayOverdue]:
        late = any(row["months_past_due"] or row["status"] == "late" for rows in ahead.reports.values() for row in rows)
        if late or any(due.falls_at <= ahead.now for due in ahead.open_dues()):
            yield cls()

    def carry_out(self, ahead: Ahead) -> None:
        for due in ahead.open_dues():
            if due.falls_at <= ahead.now:
                ahead.pay(due, ahead.now)
        for rows in ahead.reports.values():
            for row in rows:
                if row["months_past_due"] or row["status"] == "late":
                    settle(row, row["statement_amount"])


@dataclass(frozen=True)
class CompleteContracts(Action):
    """Pay loans and instalment plans that end before the day to their last instalment, and close them."""

    name: ClassVar[str] = "complete_contracts"
    table: ClassVar[str] = "obligation_events"
    effort: ClassVar[int] = 1
    gaming: ClassVar = "low"

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[CompleteContracts]:
        if any(True for _ in _ending(ahead)):
            yield cls()

    def carry_out(self, ahead: Ahead) -> None:
        for contract, kind, dues in list(_ending(ahead)):
            for due in dues:
                ahead.pay(due, max(due.falls_at, ahead.now))
            closed = max(ahead.payments[due.due_id].moment for due in dues)
            said = {"kind": kind, "event": "closed", "currency": ahead.history.currency}
            ahead.add("obligation_events", max(closed, ahead.now), obligation_id=contract, **said)


@dataclass(frozen=True)
class SettleItems(Action):
    """Settle every listed default or collection that is still open: the conduct ends, and five years begin."""

    name: ClassVar[str] = "settle_items"
    table: ClassVar[str] = "adverse_items"
    effort: ClassVar[int] = 4
    gaming: ClassVar = "low"

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[SettleItems]:
        if _open_items(ahead):
            yield cls()

    def carry_out(self, ahead: Ahead) -> None:
        for item, kind in _open_items(ahead).items():
            ahead.add("adverse_items", ahead.now, item_id=item, kind=kind, event="ended")


def settle(report: Row, owed: int | None) -> None:
    """A reported month as one that was paid in full."""
    report["months_past_due"] = 0
    report["status"] = "current"
    if report["balance"] is not None:
        report["balance"] = 0
    if owed is not None:
        report["amount_paid"] = max(report["amount_paid"] or 0, owed)


def _ending(ahead: Ahead) -> Iterator[tuple[str, str, list[Due]]]:
    """Running contracts whose last instalment falls before the day, with what is still to pay of them."""
    lent = {row["obligation_id"]: row["principal"] for row in ahead.history.rows("obligation_events")
            if row["event"] == "opened" and row["principal"] is not None}  # fmt: skip
    for contract, kind in ahead.history.running.items():
        every = [due for due in ahead.history.dues if due.obligation_id == contract]
        left = [due for due in every if due.settled_at is None]
        whole = kind in _LENT and contract in lent and sum(due.owed for due in every) >= lent[contract]
        if kind is not None and whole and left and left[-1].falls_at < ahead.until:
            yield contract, kind, left


def _open_items(ahead: Ahead) -> dict[str, str]:
    """Items that are listed and neither ended nor removed, each with its kind."""
    reported, over = {}, set()
    for row in ahead.history.rows("adverse_items"):
        if row["event"] == "reported":
            reported[row["item_id"]] = row["kind"]
        elif row["event"] in ("removed", "ended"):
            over.add(row["item_id"])
    return {item: kind for item, kind in reported.items() if item not in over}
