"""Actions about the account: a reserve, cover for payments, spending, and income or savings that are not recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc

from benne.explain.what_if.action import AMOUNTS, Action, Limits
from benne.explain.what_if.ahead import Ahead
from benne.features.kernel.calendar import DAY

__all__ = ["KeepCovered", "KeepReserve", "RecordIncome", "RecordSavings", "SpendLess"]

_MONTH: Final = 30 * DAY
_AT_WILL: Final = ("purchase", "transfer", "cash")
_UNCOVERED: Final = ("failed", "reversed")


@dataclass(frozen=True)
class KeepReserve(Action):
    """Let no reading of the account be below an amount from now on."""

    name: ClassVar[str] = "keep_reserve"
    limits: ClassVar[dict[str, Limits]] = {"amount": AMOUNTS}
    table: ClassVar[str] = "balances"
    effort: ClassVar[int] = 4
    gaming: ClassVar = "medium"

    amount: int

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[KeepReserve]:
        """Of one and of three months' spending, where the account holds less."""
        spending, lowest = ahead.history.spent_monthly, _lowest_ahead(ahead)
        if lowest is not None and spending > 0:
            yield from (cls(months * spending) for months in (1, 3) if lowest < months * spending)

    def applies(self, ahead: Ahead) -> bool:
        """Where an account is read at all, and holds less."""
        lowest = _lowest_ahead(ahead)
        return lowest is not None and lowest < self.amount

    def carry_out(self, ahead: Ahead) -> None:
        flow = ahead.flows.get("balances")
        if flow is not None:
            low = pc.and_(pc.equal(flow.column("kind"), "account"), pc.less(flow.column("amount"), self.amount))
            ahead.flows["balances"] = _with(flow, "amount", pc.if_else(low, self.amount, flow.column("amount")))
        if _readings(ahead)[-1] < self.amount:
            ahead.add("balances", ahead.now, kind="account", amount=self.amount, currency=ahead.history.currency)


@dataclass(frozen=True)
class KeepCovered(Action):
    """Keep enough on the account: no payment fails for want of cover, no penalty fee, no reading below zero."""

    name: ClassVar[str] = "keep_covered"
    table: ClassVar[str] = "members"
    effort: ClassVar[int] = 2
    gaming: ClassVar = "low"

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[KeepCovered]:
        payments, balances = ahead.flows.get("payments"), ahead.flows.get("balances")
        missed = payments is not None and (_any(_bounced(payments)) or _any(_fees(payments)))
        if missed or (balances is not None and _any(_below_zero(balances))):
            yield cls()

    def carry_out(self, ahead: Ahead) -> None:
        payments, balances = ahead.flows.get("payments"), ahead.flows.get("balances")
        if payments is not None:
            status = pc.if_else(_bounced(payments), "settled", payments.column("status"))
            ahead.flows["payments"] = _with(payments, "status", status).filter(pc.invert(_fees(payments)))
        if balances is not None:
            amount = pc.if_else(_below_zero(balances), 0, balances.column("amount"))
            ahead.flows["balances"] = _with(balances, "amount", amount)


@dataclass(frozen=True)
class SpendLess(Action):
    """Spend some per cent less on purchases, transfers and in cash than by habit."""

    name: ClassVar[str] = "spend_less"
    limits: ClassVar[dict[str, Limits]] = {"percent": (1, 100)}
    table: ClassVar[str] = "payments"
    effort: ClassVar[int] = 3
    gaming: ClassVar = "low"

    percent: int

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[SpendLess]:
        flow = ahead.flows.get("payments")
        if flow is not None and _any(_spent_at_will(flow)):
            yield cls(20)

    def carry_out(self, ahead: Ahead) -> None:
        flow = ahead.flows["payments"]
        less = pc.divide(pc.multiply(flow.column("amount"), 100 - self.percent), 100)
        amount = pc.if_else(_spent_at_will(flow), less, flow.column("amount"))
        ahead.flows["payments"] = _with(flow, "amount", amount)


@dataclass(frozen=True)
class RecordIncome(Action):
    """Let an income that is not recorded yet be seen: so much every 30 days from now on."""

    name: ClassVar[str] = "record_income"
    limits: ClassVar[dict[str, Limits]] = {"monthly": AMOUNTS, "regular": (False, True)}
    table: ClassVar[str] = "incomes"
    effort: ClassVar[int] = 1
    gaming: ClassVar = "medium"
    alone: ClassVar[bool] = False

    monthly: int
    regular: bool = True

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[RecordIncome]:
        if "incomes" in ahead.visible:
            yield cls(max(ahead.history.spent_monthly // 2, 1))

    def carry_out(self, ahead: Ahead) -> None:
        said = {"kind": "other", "amount": self.monthly, "regular": self.regular, "currency": ahead.history.currency}
        for moment in range(ahead.now, ahead.until, _MONTH):
            ahead.add("incomes", moment, **said)


@dataclass(frozen=True)
class RecordSavings(Action):
    """Let savings that are not recorded yet be seen."""

    name: ClassVar[str] = "record_savings"
    limits: ClassVar[dict[str, Limits]] = {"amount": AMOUNTS}
    table: ClassVar[str] = "balances"
    effort: ClassVar[int] = 1
    gaming: ClassVar = "medium"
    alone: ClassVar[bool] = False

    amount: int

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[RecordSavings]:
        if "balances" in ahead.visible:
            yield cls(max(3 * ahead.history.spent_monthly, 1))

    def carry_out(self, ahead: Ahead) -> None:
        flow = ahead.flows.get("balances")
        if flow is not None:  # what is read later of the same savings is no less
            low = pc.and_(pc.equal(flow.column("kind"), "savings"), pc.less(flow.column("amount"), self.amount))
            ahead.flows["balances"] = _with(flow, "amount", pc.if_else(low, self.amount, flow.column("amount")))
        ahead.add("balances", ahead.now, kind="savings", amount=self.amount, currency=ahead.history.currency)


def _readings(ahead: Ahead) -> list[int]:
    """Every known reading of the account, the oldest first."""
    return [row["amount"] for row in ahead.history.rows("balances") if row["kind"] == "account"]


def _lowest_ahead(ahead: Ahead) -> int | None:
    """The least that the account holds from the last known reading on; None where it is not read."""
    known, flow = _readings(ahead), ahead.flows.get("balances")
    if not known:
        return None
    coming = [] if flow is None else flow.filter(pc.equal(flow.column("kind"), "account")).column("amount").to_pylist()
    lowest: int = min([known[-1], *coming])
    return lowest


def _spent_at_will(flow: pa.Table) -> pa.ChunkedArray:
    kind = flow.column("kind")
    return _known(pc.and_(pc.equal(flow.column("direction"), "out"), pc.is_in(kind, value_set=pa.array(_AT_WILL))))


def _bounced(flow: pa.Table) -> pa.ChunkedArray:
    status = flow.column("status")
    uncovered = pc.is_in(status, value_set=pa.array(_UNCOVERED))
    return _known(pc.and_(pc.equal(flow.column("direction"), "out"), uncovered))


def _fees(flow: pa.Table) -> pa.ChunkedArray:
    return _known(pc.equal(flow.column("kind"), "fee"))


def _below_zero(flow: pa.Table) -> pa.ChunkedArray:
    return _known(pc.and_(pc.equal(flow.column("kind"), "account"), pc.less(flow.column("amount"), 0)))


def _known(flags: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(flags, False)


def _any(flags: pa.ChunkedArray) -> bool:
    return bool(pc.any(flags).as_py())


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), values)
