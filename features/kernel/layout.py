"""How event tables, derived streams and their columns are numbered for compiled code."""

from __future__ import annotations

from typing import Final

from benne.features.events.tables import TABLES

__all__ = ["DERIVED_COLUMNS", "MAXIMUM_COLUMNS", "STREAMS", "TABLE_COLUMNS", "codes", "column", "columns_of"]

_STREAM_KINDS = ("id", "money", "integer", "flag", "category", "time")

TABLE_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(c.name for c in table.columns if c.kind in _STREAM_KINDS) for name, table in TABLES.items()
}
"""Per event table, the columns of its own that the kernel reads, in the declared order."""

DERIVED_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "delinquency": ("days_past_due", "assessed", "kind", "on_time_streak"),
    "arrears": ("amount",),
    "settlements": ("lead_days", "kind"),
    "account_months": (*TABLE_COLUMNS["account_status"], "utilisation_bp", "previous_statement"),
    "running_contracts": ("change",),
    "listed_items": ("change", "open_change"),
    "verified_facts": ("change", "strong_change", "strength_change", "known_strength_change", "confirmed"),
    "contacts": ("change",),
}
"""Per derived stream, its columns; what makes it is declared in :mod:`benne.features.kernel.derived`."""

STREAMS: Final[dict[str, int]] = {name: k for k, name in enumerate([*TABLE_COLUMNS, *DERIVED_COLUMNS])}
"""The number of every stream."""

MAXIMUM_COLUMNS: Final = max(len(columns) for columns in [*TABLE_COLUMNS.values(), *DERIVED_COLUMNS.values()])


def columns_of(stream: str) -> tuple[str, ...]:
    """The columns of an event table or a derived stream."""
    return TABLE_COLUMNS[stream] if stream in TABLE_COLUMNS else DERIVED_COLUMNS[stream]


def column(stream: str, name: str) -> int:
    """The number of a stream's column.

    Raises
    ------
    KeyError
        If the stream has no such column.
    """
    names = columns_of(stream)
    if name not in names:
        raise KeyError(f"A column of {stream} must be one of {', '.join(names)}, got {name!r}.")
    return names.index(name)


def codes(table: str, name: str, *values: str) -> int:
    """The set of some values of a category, as bits: bit k stands for the k-th declared value."""
    known = TABLES[table].column(name).values
    return sum(1 << known.index(value) for value in values)
