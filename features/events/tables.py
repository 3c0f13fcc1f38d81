"""The event tables: one table of columns each, readable at a glance.

Every table also carries the five columns of :data:`COMMON`. A column that a source lacks is
left out or null throughout; the features that need it are then absent by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["COMMON", "MAXIMUM_AMOUNT", "OUTCOMES", "TABLES", "Column", "EventTable"]

Kind = Literal["id", "time", "money", "integer", "flag", "category", "text"]

MAXIMUM_AMOUNT: Final = 2**40
"""Largest amount in minor units (about 1.1e12): keeps sums of squares exact in the kernel."""


@dataclass(frozen=True)
class Column:
    """One column of an event table.

    Parameters
    ----------
    name : str
    kind : {"id", "time", "money", "integer", "flag", "category", "text"}
        ``id`` becomes a keyed id on entry; ``time`` is a timezone-aware timestamp, kept as int64
        microseconds; ``money`` is int64 minor units; ``category`` one of ``values``.
    means : str
        What one value says.
    required : bool
        Whether the column must be there and hold no null.
    values : tuple of str
        The allowed values of a category.
    minimum, maximum : int or None
        Inclusive range of numbers.
    domain : str
        Of an id: which ids it may be joined with.
    """

    name: str
    kind: Kind
    means: str
    required: bool = False
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    domain: str = ""


@dataclass(frozen=True)
class EventTable:
    """One kind of event.

    Parameters
    ----------
    name : str
    row : str
        What one row is, and what its ``event_time`` means.
    columns : tuple of Column
        Beyond :data:`COMMON`.
    schedule : bool
        Whether rows may be known before they happen (an instalment falling due).
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    schedule: bool = False

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The common columns, then the table's own."""
        return COMMON + self.columns

    def column(self, name: str) -> Column:
        """Look a column up by name; ``KeyError`` where there is none."""
        return {c.name: c for c in self.all_columns}[name]


def _id(name: str, domain: str, means: str, *, required: bool = False) -> Column:
    return Column(name, "id", means, required=required, domain=domain)


def _choice(name: str, values: str, means: str, *, required: bool = False) -> Column:
    return Column(name, "category", means, required=required, values=tuple(values.split()))


def _money(name: str, means: str, *, required: bool = False, minimum: int = 0) -> Column:
    return Column(name, "money", means, required=required, minimum=minimum, maximum=MAXIMUM_AMOUNT)


COMMON: Final = (
    _id("record_id", "record", "this row, unique in its table", required=True),
    _id("supersedes", "record", "the row of the same member and table that this one corrects"),
    _id("member_id", "member", "whose event it is", required=True),
    Column("event_time", "time", "when it happened", required=True),
    Column("known_at", "time", "when the platform knew it; the ingest clock where left out, unseen before"),
    Column("source", "text", "the row of the sources table it came from"),
)

_CURRENCY: Final = Column("currency", "text", "ISO 4217 code; one currency in one load")

_OBLIGATION_KINDS = "loan credit_line instalment_plan card rent utility"
_FIELDS = "identity_document phone email address bank_account employer income_proof"

_DEFINITIONS: Final = (
    EventTable("members", "a member joining (when they joined)", (
        Column("adult", "flag", "attested to be 18 or older", required=True),
    )),
    EventTable("verifications", "a fact about a member verified, or lapsed (then)", (
        _choice("field", _FIELDS, "which fact", required=True),
        _choice("event", "verified lapsed changed", "what happened to it", required=True),
        _choice("method", "document registry code deposit manual", "how it was checked"),
        Column("strength", "integer", "1 self-declared with code … 3 against a register",
               minimum=1, maximum=3),
        Column("expires_at", "time", "until when the verification holds; null: no end"),
    )),
    EventTable("obligation_events", "a contract opened, changed or ended (then)", (
        _id("obligation_id", "obligation", "the contract", required=True),
        _choice("kind", _OBLIGATION_KINDS, "what kind of contract"),
        _choice("event", "opened limit_changed closed written_off", "what happened to it", required=True),
        _money("principal", "amount lent at opening"),
        _money("limit", "credit limit from now on"),
        _CURRENCY,
    )),
    EventTable("dues", "an amount falling due (due date)", (
        _id("due_id", "due", "the instalment or bill", required=True),
        _id("obligation_id", "obligation", "the contract", required=True),
        _money("amount_due", "what is owed on the due date", required=True, minimum=1),
        _CURRENCY,
    ), schedule=True),
    EventTable("repayments", "a payment against a due (paid)", (
        _id("due_id", "due", "the due it settles", required=True),
        _id("obligation_id", "obligation", "the contract"),
        _money("amount", "what was paid", required=True, minimum=1),
        _CURRENCY,
    )),
    EventTable("account_status", "a reported month of an obligation (end of the period)", (
        _id("obligation_id", "obligation", "the contract", required=True),
        Column("period_start", "time", "start of the reported period"),
        Column("months_past_due", "integer", "full months past due at the end: 0, 1 (30–59 days), 2 …",
               required=True, minimum=0, maximum=120),
        _choice("status", "open current revolving late closed written_off no_balance",
                "current: paid as agreed in full; revolving: minimum paid, balance carried;"
                " late: something overdue; no_balance: nothing owed that month", required=True),
        _money("balance", "owed at the end of the period", minimum=-MAXIMUM_AMOUNT),
        _money("statement_amount", "billed in the period", minimum=-MAXIMUM_AMOUNT),
        _money("amount_paid", "paid in the period"),
        _money("limit", "credit limit in the period"),
        _CURRENCY,
    )),
    EventTable("adverse_items", "a listed default, write-off or collection moving on (then)", (
        _id("item_id", "item", "the item", required=True),
        _choice("kind", "default write_off collection", "what is listed", required=True),
        _choice("event", "reported notified disputed upheld removed ended",
                "notified: the member was told beforehand; reported: listed; disputed: contested;"
                " upheld: confirmed after a dispute; removed: the dispute sustained or the listing withdrawn,"
                " invisible from then on; ended: the conduct ended (debt met), which starts the five-year expiry",
                required=True),
        Column("lawfully_public", "flag", "of a reported row: public by law, so that it needs no notice beforehand"),
        Column("expires_at", "time", "where the public source ends the listing itself; null: only the general expiry"),
    )),
    EventTable("payments", "money leaving or entering the platform account (then)", (
        _choice("direction", "in out", "entering or leaving", required=True),
        _choice("kind", "purchase bill transfer refund chargeback top_up cash interest fee",
                "what kind of movement"),
        _money("amount", "how much", required=True),
        _choice("status", "settled failed reversed",
                "how it ended; reversed: returned by the bank for want of cover, not at the payer's wish"),
        _id("counterparty_id", "counterparty", "with whom"),
        _CURRENCY,
    )),
    EventTable("balances", "a reading of an account or asset (then)", (
        _choice("kind", "account savings asset", "what was read", required=True),
        _money("amount", "the reading", required=True, minimum=-MAXIMUM_AMOUNT),
        _CURRENCY,
    )),
    EventTable("incomes", "income received (then)", (
        _choice("kind", "salary pension benefit self_employment transfer other", "what kind of income"),
        _money("amount", "how much", required=True),
        Column("regular", "flag", "recurring under a contract"),
        _CURRENCY,
    )),
    EventTable("interactions", "something between two members (then)", (
        _id("other_id", "member", "the other member", required=True),
        _choice("direction", "given received", "from this member, or to them", required=True),
        _choice("kind", "transfer rating endorsement report block settlement",
                "settlement: a disagreement ended amicably", required=True),
        Column("value", "integer", "of a rating: 1 (bad) … 5 (good); of a report: 1 upheld, 0 not",
               minimum=0, maximum=5),
    )),
)  # fmt: skip

TABLES: Final[dict[str, EventTable]] = {table.name: table for table in _DEFINITIONS}

OUTCOMES: Final = EventTable("outcomes", "the label of an observation (end of its outcome window)", (
    Column("as_of", "time", "the observation it labels", required=True),
    Column("bad", "flag", "whether the member became bad; null where censored"),
    Column("horizon_days", "integer", "length of the outcome window", required=True, minimum=1, maximum=3660),
    Column("censored", "flag", "whether the window had not ended", required=True),
    Column("score_influenced", "flag", "whether an earlier score had a hand in it; null where not known"),
))  # fmt: skip
"""Labels live outside :data:`TABLES`: no feature can read them."""
