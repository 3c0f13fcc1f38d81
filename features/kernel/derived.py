"""Streams made from event tables, so that builders read one thing whatever the source reports.

A derived event at time t depends only on rows up to t. That is what lets observations of one
member share a stream: each sees of it what its own rows would have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benne.features.kernel.layout import TABLE_COLUMNS

__all__ = ["DERIVED", "Clause", "Derivation"]

Clause = frozenset[tuple[str, str]]
"""Alternatives: (table, column) pairs of which one must be there."""


@dataclass(frozen=True)
class Derivation:
    """What a derived stream is made from; how is in :mod:`benne.features.kernel.delinquency` and
    :mod:`benne.features.kernel.standing`.

    Parameters
    ----------
    means : str
        What one of its events is.
    reads : mapping of str to tuple of str
        The columns of event tables it is made from.
    needs : frozenset of Clause
        What must be present for the stream to say anything.
    columns : mapping of str to frozenset of Clause
        What a column needs beyond that.
    categories : mapping of str to (str, str)
        Which table's category a column holds.
    never_null : frozenset of str
        Columns that every event fills.
    """

    means: str
    reads: Mapping[str, tuple[str, ...]]
    needs: frozenset[Clause]
    columns: Mapping[str, frozenset[Clause]] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    never_null: frozenset[str] = frozenset()

    @property
    def tables(self) -> tuple[str, ...]:
        """The event tables it is made from, the main one first."""
        return tuple(self.reads)


def _all(*pairs: str) -> frozenset[Clause]:
    """Each of these ``table.column`` must be there; ``a.b or c.d`` leaves the choice."""
    return frozenset(frozenset((one.split(".")[0], one.split(".")[1]) for one in pair.split(" or ")) for pair in pairs)


_DUES = {"dues": ("due_id", "obligation_id", "amount_due"), "repayments": ("due_id", "amount")}
_KINDS = {"obligation_events": ("obligation_id", "kind", "event")}
_KIND = {"kind": _all("obligation_events.kind", "dues.obligation_id or account_status.obligation_id")}

DERIVED: dict[str, Derivation] = {
    "delinquency": Derivation(
        "something assessed as paid on time or late: each due the day after it falls due, and again when still"
        " unsettled 30, 60 and 90 days past due; each reported month in which something was owed",
        {**_DUES, "account_status": ("obligation_id", "months_past_due", "status"), **_KINDS},
        _all("repayments.amount or account_status.months_past_due"),
        _KIND, {"kind": ("obligation_events", "kind")}, frozenset({"days_past_due", "assessed", "on_time_streak"}),
    ),
    "arrears": Derivation(
        "what is overdue changing: it rises the day after an unsettled due and falls as it is paid",
        _DUES, _all("dues.amount_due", "repayments.amount"), never_null=frozenset({"amount"}),
    ),
    "settlements": Derivation(
        "a due paid in full, at the due date or when it was paid, whichever is later",
        {**_DUES, **_KINDS}, _all("dues.amount_due", "repayments.amount"),
        _KIND, {"kind": ("obligation_events", "kind")}, frozenset({"lead_days"}),
    ),
    "account_months": Derivation(
        "a reported month with what was used of the limit (basis points) and what the month before had billed",
        {"account_status": TABLE_COLUMNS["account_status"]}, _all("account_status.event_time"),
        {"utilisation_bp": _all("account_status.statement_amount or account_status.balance", "account_status.limit"),
         "previous_statement": _all("account_status.statement_amount")},
        {"status": ("account_status", "status")},
    ),
    "running_contracts": Derivation(
        "a contract beginning to run (+1), or a running one closing or being written off (-1)",
        {"obligation_events": ("obligation_id", "event")}, _all("obligation_events.event"),
        never_null=frozenset({"change"}),
    ),
    "listed_items": Derivation(
        "an adverse item entering (+1) or leaving (-1) what may be seen: after notice until a sustained dispute,"
        " the end its public source sets, or five years after the conduct ended",
        {"adverse_items": ("item_id", "event", "lawfully_public", "expires_at")}, _all("adverse_items.event"),
        never_null=frozenset({"change", "open_change"}),
    ),
    "verified_facts": Derivation(
        "a fact becoming verified (+1), or ceasing to be: lapsed, changed or past its expiry (-1)",
        {"verifications": ("field", "event", "strength", "expires_at")}, _all("verifications.event"),
        {"strong_change": _all("verifications.strength"), "strength_change": _all("verifications.strength"),
         "known_strength_change": _all("verifications.strength")},
        never_null=frozenset({"change", "strong_change", "strength_change", "known_strength_change", "confirmed"}),
    ),
    "contacts": Derivation(
        "another member becoming a contact of long standing: dealings both ways, the first 180 days back",
        {"interactions": ("other_id", "direction", "kind")}, _all("interactions.direction", "interactions.kind"),
        never_null=frozenset({"change"}),
    ),
}  # fmt: skip
