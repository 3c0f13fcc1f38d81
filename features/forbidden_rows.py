"""What no feature may be made of: rows that tell of a right exercised, of where somebody lives, or of what is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import ActivePeriods, Condition, DaysSinceFirst, Expression, Rows, Total
from benne.features.possible_values import column_kind, nodes

__all__ = ["FIVE_YEARS", "FORBIDDEN_ROWS", "forbidden_rows", "lineage"]

_RIGHT: Final = "exercising a right is no evidence"
_HOME: Final = "moving house is no evidence"

FORBIDDEN_ROWS: Final[tuple[tuple[str, dict[str, str], str], ...]] = (
    ("interactions", {"direction": "given", "kind": "report"}, _RIGHT),
    ("interactions", {"kind": "block"}, "nobody has examined why, and blocking somebody is a right"),
    ("verifications", {"field": "address", "event": "changed"}, _HOME),
    ("obligation_events", {"kind": "rent"}, _HOME),
    ("obligation_events", {"kind": "utility"}, _HOME),
    ("obligation_events", {"event": "written_off"}, "it never expires there, as a listed item does"),
)
"""Rows of a table that every selection must leave out, and why: then no difference of two can tell of them."""

_RAW: Final = {"adverse_items": "listed_items"}
"""Tables whose own rows are never read, and the stream that knows of notice, dispute and expiry."""

FIVE_YEARS: Final = 1826
"""Days for which a delay may be held against a member (Credit Reporting Regulation 2013, Art. 16 and 44).

Counted from the delay and not from its end, so that it never stays longer than the law allows.
"""

_DELAYS: Final = {"delinquency": "days_past_due", "settlements": "lead_days"}

_AGE: Final = ("members", "adult")

_STANDING: Final = {
    "listed_items": "that an item left the list is nobody's business any more",
    "verified_facts": "when a detail ceased to be verified may tell of a change of address",
    "running_contracts": "when a contract began or ended may tell of moving house",
}
"""Streams of which only what stands now may be read, and why."""

_NOT_BESIDE: Final = {"verified_facts": "verifications"}
"""Streams that may not be set against what they are made of: what is left over are changes, of address too."""


def lineage(expression: Expression) -> frozenset[tuple[str, str]]:
    """Every (table, column) that can bear on a value, through conditions and derived streams too."""
    found = set(expression.reads())
    for rows in expression.selections():
        if rows.stream in DERIVED:
            found |= {(table, column) for table, columns in DERIVED[rows.stream].reads.items() for column in columns}
        else:
            found |= {(rows.stream, condition.column) for condition in rows.conditions}
    return frozenset(found)


def forbidden_rows(expression: Expression) -> Iterator[str]:
    """Say of the rows that an expression is made of what is wrong with reading them."""
    found = [said for rows in expression.selections() for said in _chosen(rows)]
    found += [said for part in nodes(expression) for said in (*_history(part), *_home(part), *_expired(part))]
    yield from dict.fromkeys(found)
    if _AGE in lineage(expression):
        yield "it reads whether a member is adult: that decides who is scored, and age is no evidence. Drop it."
    for stream, source in _NOT_BESIDE.items():
        if expression.streams() >= {stream, source}:
            yield f"it sets {stream} against the {source} they are made of: {_STANDING[stream]}. Read one of them."


def _chosen(rows: Rows) -> Iterator[str]:
    if rows.stream in _RAW:
        yield (f"it reads raw {rows.stream}, to which neither notice, dispute nor expiry was applied. "
               f"Read {_RAW[rows.stream]}.")  # fmt: skip
    for table, values, why in FORBIDDEN_ROWS:
        if rows.stream == table and all(rows.may_hold(column, value) for column, value in values.items()):
            yield f"it reads {table} whose {_joined(values)}: {why}. Leave them out."
    if _unproven(rows):
        yield "it reads reports that may not have been upheld: an accusation is no evidence. Ask for a value of 1."
    for condition in rows.conditions:
        if column_kind(rows.stream, condition.column) == "id" and not condition.only_known:
            yield f"it picks out {condition.column} of {rows.stream}: with whom, or where, is no evidence. Drop it."


def _unproven(rows: Rows) -> bool:
    """Whether a report that was not upheld can be among these."""
    received = (
        rows.stream == "interactions" and rows.may_hold("direction", "received") and rows.may_hold("kind", "report")
    )
    return received and not any(condition.column == "value" and condition.low >= 1 for condition in rows.conditions)


def _history(part: Expression) -> Iterator[str]:
    rows = getattr(part, "rows", None)
    if isinstance(rows, Rows) and rows.stream in _STANDING and not (type(part) is Total and rows == Rows(rows.stream)):
        yield (f"it must take of {rows.stream} only what stands now, a Total without conditions or a window: "
               f"{_STANDING[rows.stream]}.")  # fmt: skip


def _home(part: Expression) -> Iterator[str]:
    """Since when rent is paid is since when somebody lives where they do; whether it is paid late is another matter."""
    if isinstance(part, DaysSinceFirst | ActivePeriods) and part.rows.stream in ("delinquency", "settlements"):
        kinds = TABLES["obligation_events"].column("kind").values
        if {kind for kind in kinds if part.rows.may_hold("kind", kind)} <= {"rent", "utility"}:
            yield "it tells since when rent or utilities are paid: since when somebody lives somewhere is no evidence."


def _expired(part: Expression) -> Iterator[str]:
    """A delay is adverse information, and that expires; of rows that say how late, those on time may be older."""
    for rows in part.selections() if isinstance(getattr(part, "rows", None), Rows) else ():
        tells = rows.stream in _DELAYS and (
            getattr(part, "column", None) == _DELAYS[rows.stream] or any(map(_of_delays, rows.conditions))
        )
        if tells and (rows.far_days is None or rows.far_days > FIVE_YEARS):
            yield f"it holds delays against members for more than five years. Give {rows.stream} {FIVE_YEARS} days."


def _of_delays(condition: Condition) -> bool:
    return (condition.column == "days_past_due" and condition.low >= 1) or (
        condition.column == "lead_days" and condition.high < 0
    )


def _joined(values: dict[str, str]) -> str:
    return " and ".join(f"{column} is {value}" for column, value in values.items())
