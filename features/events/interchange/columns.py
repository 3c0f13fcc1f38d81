"""The tables of the interchange format, version 1.0: what is in each file, column by column.

These are the promise to other institutions and change only with :data:`VERSION`. They are
declared apart from Benne's own event tables, which may grow; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from benne.features.events.tables import MAXIMUM_AMOUNT, Column

__all__ = [
    "FORMAT",
    "LEGAL_BASES",
    "PATTERNS",
    "QUALITIES",
    "RECORDS",
    "VERSION",
    "WIRE_TABLES",
    "WITHDRAWALS",
    "WireTable",
    "wire_schema",
]

FORMAT: Final = "benne-interchange"
VERSION: Final = "1.0"

LEGAL_BASES: Final = (
    "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest",
)  # fmt: skip
QUALITIES: Final = ("recorded", "reported", "declared", "estimated")

PATTERNS: Final[dict[str, tuple[str, str]]] = {
    "institution": ("^[a-z][a-z0-9-]{1,39}$", "be an institution id such as inst-a"),
    "member": ("^[0-9a-f]{32}$", "be 32 hexadecimal digits"),
    "record": ("^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$", "be 1 to 64 letters, digits, dots, dashes or underscores"),
}
"""What an id of a domain looks like. Nothing that a spreadsheet takes for a formula, no comma, no line end."""

_TYPES: Final = {"time": pa.timestamp("us", "UTC"), "money": pa.int64(), "integer": pa.int64(), "flag": pa.bool_()}


@dataclass(frozen=True)
class WireTable:
    """One table of a package.

    Parameters
    ----------
    name : str
    row : str
        What one row is, and what its ``event_time`` means.
    columns : tuple of Column
        All of them; every one is in the file, also where it is null throughout.
    schedule : bool
        Whether rows may be known before they happen.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    schedule: bool = False

    @property
    def names(self) -> list[str]:
        """The columns' names in their order."""
        return [c.name for c in self.columns]

    @property
    def content(self) -> list[Column]:
        """What the table adds to the columns all tables of records share."""
        shared = {c.name for c in _PROVENANCE}
        return [c for c in self.columns if c.name not in shared]

    def has(self, name: str) -> bool:
        """Whether the table has the column."""
        return name in self.names


def wire_schema(table: WireTable) -> pa.Schema:
    """The Arrow schema of a table as Parquet."""
    return pa.schema([(c.name, _TYPES.get(c.kind, pa.string())) for c in table.columns])


def _id(name: str, domain: str, means: str, *, required: bool = True) -> Column:
    return Column(name, "id", means, required=required, domain=domain)


def _choice(name: str, values: tuple[str, ...] | str, means: str, *, required: bool = True) -> Column:
    allowed = tuple(values.split()) if isinstance(values, str) else values
    return Column(name, "category", means, required=required, values=allowed)


def _money(name: str, means: str, *, required: bool = False, minimum: int = 0) -> Column:
    return Column(name, "money", means, required=required, minimum=minimum, maximum=MAXIMUM_AMOUNT)


_SOURCE: Final = _id("source", "institution", "the institution that sends the row, as in the manifest")
_MEMBER: Final = _id("member_ref", "member", "whose row it is: the keyed identifier both institutions know")

_PROVENANCE: Final = (
    _SOURCE,
    _id("source_record_id", "record", "this row at its source, unique in its table for ever"),
    _id("supersedes", "record", "source_record_id of the row that this one corrects", required=False),
    _MEMBER,
    Column("event_time", "time", "when it happened, see the table", required=True),
    Column("collected_at", "time", "when the source came to know it", required=True),
    _choice("legal_basis", LEGAL_BASES, "on which basis the source holds and shares the row"),
    _choice("quality", QUALITIES,
            "recorded: booked by the source's own systems; reported: told to it by somebody else;"
            " declared: told to it by the member; estimated: none of these"),
)  # fmt: skip

_CURRENCY: Final = Column("currency", "text", "ISO 4217 code of the amounts, as in the manifest", required=True)
_OBLIGATION: Final = _id("obligation_id", "record", "the contract, at its source")

WITHDRAWALS: Final = WireTable("withdrawals", "a member whose rows may no longer be shared", (
    _SOURCE, _MEMBER, Column("withdrawn_at", "time", "no later than when consent was found to have ended",
                             required=True),
))  # fmt: skip

_DEFINITIONS: Final = (
    WireTable("obligation_events", "a contract opened, changed or ended (then)", (
        *_PROVENANCE, _OBLIGATION,
        _choice("kind", "loan credit_line instalment_plan card rent utility", "what kind of contract", required=False),
        _choice("event", "opened limit_changed closed written_off", "what happened to it"),
        _money("principal", "amount lent at opening"),
        _money("limit", "credit limit from now on"),
        _CURRENCY,
    )),
    WireTable("dues", "an amount falling due (due date)", (
        *_PROVENANCE,
        _id("due_id", "record", "the instalment or bill, at its source; kept in a correction"), _OBLIGATION,
        _money("amount_due", "what is owed on the due date", required=True, minimum=1),
        _CURRENCY,
    ), schedule=True),
    WireTable("repayments", "a payment against a due (paid)", (
        *_PROVENANCE,
        _id("due_id", "record", "the due it settles, of the same member and source"),
        _id("obligation_id", "record", "the contract, at its source", required=False),
        _money("amount", "what was paid", required=True, minimum=1),
        _CURRENCY,
    )),
    WireTable("account_status", "a reported month of an obligation (end of the period)", (
        *_PROVENANCE, _OBLIGATION,
        Column("period_start", "time", "start of the reported period"),
        Column("months_past_due", "integer", "full months past due at the end: 0, 1 (30–59 days), 2 …",
               required=True, minimum=0, maximum=120),
        _choice("status", "open current revolving late closed written_off no_balance",
                "current: paid as agreed in full; revolving: minimum paid, balance carried;"
                " late: something overdue; no_balance: nothing owed that month"),
        _money("balance", "owed at the end of the period", minimum=-MAXIMUM_AMOUNT),
        _money("statement_amount", "billed in the period", minimum=-MAXIMUM_AMOUNT),
        _money("amount_paid", "paid in the period"),
        _money("limit", "credit limit in the period"),
        _CURRENCY,
    )),
    WireTable("adverse_items", "a listed default, write-off or collection moving on (then)", (
        *_PROVENANCE,
        _id("item_id", "record", "the item, at its source"),
        _choice("kind", "default write_off collection", "what is listed"),
        _choice("event", "reported notified disputed upheld removed ended",
                "notified: the member was told beforehand; reported: listed; disputed: contested;"
                " upheld: confirmed after a dispute; removed: the dispute sustained or the listing withdrawn;"
                " ended: the debt met"),
        Column("lawfully_public", "flag", "of a reported row: public by law, so that it needs no notice beforehand"),
        Column("expires_at", "time", "where the public source ends the listing itself"),
    )),
    WITHDRAWALS,
)  # fmt: skip

WIRE_TABLES: Final[dict[str, WireTable]] = {table.name: table for table in _DEFINITIONS}

RECORDS: Final[tuple[str, ...]] = tuple(name for name in WIRE_TABLES if name != WITHDRAWALS.name)
"""The tables whose rows become events at the importer."""
