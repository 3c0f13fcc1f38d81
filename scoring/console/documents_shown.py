"""Documents about a model as pages show them: figures, tables and notes, whatever kind they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["LONGEST_TABLE", "DocumentShown", "TableShown", "document_shown", "plain"]

LONGEST_TABLE: Final = 200
"""Rows of a table on a page; the rest is in the file."""

_SHAPE: Final = frozenset({"format", "kind", "model", "made_at", "by", "measures", "tables", "notes"})
_FIGURE: Final = ("value", "low", "high", "n", "state", "note")
_MANY: Final = 10_000
_DEEPEST: Final = 8
_NOTHING: Final = "–"


@dataclass(frozen=True, slots=True)
class TableShown:
    """A table as cells of text.

    Attributes
    ----------
    name : str
    columns : list of str
    rows : list of list of str
    numeric : list of bool
        Whether a column holds numbers alone.
    left_out : int
        Rows that are in the file and not here.
    """

    name: str
    columns: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    left_out: int


@dataclass(frozen=True, slots=True)
class DocumentShown:
    """A document in parts.

    Attributes
    ----------
    measures : TableShown or None
    tables : list of TableShown
    facts : list of (str, str)
        What else it says in a word or a number.
    notes : list of str
    """

    measures: TableShown | None
    tables: list[TableShown]
    facts: list[tuple[str, str]]
    notes: list[str]


def document_shown(content: Mapping[str, Any]) -> DocumentShown:
    """A document's parts; what it says beside the common form is a fact, or a table where it is rows.

    Parameters
    ----------
    content : mapping
        As it was filed; a part of another form than agreed is left to the file.

    Examples
    --------
    >>> shown = document_shown({"measures": {}, "tables": {"bands": [{"band": "good", "n": 120}]}, "seed": 7})
    >>> shown.tables[0].rows, shown.facts
    ([['good', '120']], [('seed', '7')])
    """
    measures = [
        {"measure": name, **{key: figure.get(key) for key in _FIGURE}}
        for name, figure in _mapping(content.get("measures")).items()
        if isinstance(figure, Mapping)
    ]
    tables = [_table(name, rows) for name, rows in _mapping(content.get("tables")).items() if _is_rows(rows)]
    facts = []
    for name, value in content.items():
        if name in _SHAPE:
            continue
        if _is_rows(value):
            tables.append(_table(name, value))
        else:
            facts.append((name, plain(value)))
    notes = content.get("notes")
    told = [str(note) for note in notes] if isinstance(notes, list) else []
    return DocumentShown(_table("measures", measures) if measures else None, tables, facts, told)


def plain(value: Any, deep: int = _DEEPEST) -> str:
    """A value of JSON in a few characters; what lies deeper than so many levels is left to the file.

    Examples
    --------
    >>> plain(None), plain(0.123456), plain(12345), plain(["a", 1]), plain(1e-9), plain(True)
    ('–', '0.1235', '12,345', 'a, 1', '1e-09', 'yes')
    """
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= _MANY else str(value)
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < _MANY else f"{value:,.0f}"
    if not deep and isinstance(value, Mapping | list):
        return "…"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain(one, deep - 1)}" for key, one in value.items()) or _NOTHING
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(plain(one, deep - 1) for one in value) or _NOTHING
    return str(value)


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> TableShown:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    shown = rows[:LONGEST_TABLE]
    numeric = [all(_is_number(row.get(column)) for row in shown) for column in columns]
    cells = [[plain(row.get(column)) for column in columns] for row in shown]
    return TableShown(name, columns, cells, numeric, len(rows) - len(shown))


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
