"""What no feature may be made of: rows that tell of a right exercised, of where somebody lives, or of whom they met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import Expression, Rows
from benne.features.possible_values import column_kind

__all__ = ["FORBIDDEN_ROWS", "forbidden_rows", "lineage"]

FORBIDDEN_ROWS: Final[tuple[tuple[str, dict[str, str], str], ...]] = (
    ("adverse_items", {"event": "disputed"}, "exercising a right is no evidence"),
    ("adverse_items", {"event": "upheld"}, "it only tells of a dispute, and exercising a right is no evidence"),
    ("adverse_items", {"event": "removed"}, "it only tells of a dispute, and exercising a right is no evidence"),
    ("verifications", {"field": "address", "event": "changed"}, "changes of address are no evidence"),
)
"""Rows of a table that must be left out, and why."""

_SINGLED_OUT: Final[tuple[tuple[str, dict[str, tuple[str, ...]], str], ...]] = (
    ("verifications", {"field": ("address",)}, "where somebody lives, and since when, is no evidence"),
    ("interactions", {"direction": ("given",), "kind": ("report", "block")}, "exercising a right is no evidence"),
)  # rows of which a feature may not be made alone

_ALIKE: Final = (("incomes", "kind", ("salary", "pension", "benefit")),)


def lineage(expression: Expression) -> frozenset[tuple[str, str]]:
    """Every (table, column) that can bear on a value, through conditions and derived streams too."""
    found = set(expression.reads())
    for rows in expression.selections():
        if rows.stream in DERIVED:
            found |= {(table, column) for table, columns in DERIVED[rows.stream].reads.items() for column in columns}
        else:
            found |= {(rows.stream, condition.column) for condition in rows.conditions}
    return frozenset(found)


def forbidden_rows(rows: Rows) -> Iterator[str]:
    """Say of rows of a stream what is wrong with choosing them.

    Income from public assistance, a pension or work counts alike: 15 U.S.C. 1691(a), 12 CFR 1002.6(b)(5).
    """
    for table, values, why in FORBIDDEN_ROWS:
        if rows.stream == table and all(rows.may_hold(column, value) for column, value in values.items()):
            yield f"it reads {table} whose {_joined(values)}: {why}. Leave them out."
    for table, sets, why in _SINGLED_OUT:
        if rows.stream == table and all(set(_held(rows, column)) <= set(values) for column, values in sets.items()):
            only = _joined({column: " or ".join(values) for column, values in sets.items()})
            yield f"it reads only {table} whose {only}: {why}. Drop it."
    for table, column, alike in _ALIKE:
        if rows.stream == table and len({rows.may_hold(column, value) for value in alike}) > 1:
            yield f"it sets {table} apart by {column}: {', '.join(alike)} must count alike. Take them together."
    for condition in rows.conditions:
        if column_kind(rows.stream, condition.column) == "id" and not condition.only_known:
            yield f"it picks out {condition.column} of {rows.stream}: with whom, or where, is no evidence. Drop it."


def _held(rows: Rows, column: str) -> list[str]:
    """The categories that rows of an event table may hold."""
    return [value for value in TABLES[rows.stream].column(column).values if rows.may_hold(column, value)]


def _joined(values: dict[str, str]) -> str:
    return " and ".join(f"{column} is {value}" for column, value in values.items())
