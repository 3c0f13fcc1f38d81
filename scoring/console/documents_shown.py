"""Documents about a model as pages show them: figures, tables and notes, whatever kind they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["LONGEST_TABLE", "DocumentShown", "SectionShown", "TableShown", "document_shown", "plain"]

LONGEST_TABLE: Final = 200
"""Rows of a table on a page; the rest is in the file."""

_SHAPE: Final = frozenset({"format", "kind", "model", "made_at", "by", "measures", "tables", "notes", "sections"})
_FIGURE: Final = ("value", "low", "high", "n", "state", "note")
_FIRST: Final = (
    "what", "use", "at", "by", "attribute", "attack", "period", "rows of", "where from", "feature", "features",
    "category", "group", "figure", "model", "band", "decile", "pattern", "move", "cutoff", "who", "way",
    "finding", "verdict",
)  # fmt: skip
"""Columns that say what a line is of; filing sorts a table's columns by name, which hides them in the middle."""
_LAST: Final = ("state", "note", "why", "rationale")
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
        An interval stands under its figure, on a line of its own.
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
class SectionShown:
    """What belongs together: a title, what the tables mean, and the tables.

    Attributes
    ----------
    title : str
    text : list of str
    tables : list of TableShown
    """

    title: str
    text: list[str]
    tables: list[TableShown]


@dataclass(frozen=True, slots=True)
class DocumentShown:
    """A document in parts.

    Attributes
    ----------
    measures : TableShown or None
    sections : list of SectionShown
        In the document's own order where it has one; then what it does not name, a table each.
    facts : list of (str, str)
        What else it says in a word or a number.
    notes : list of str
    """

    measures: TableShown | None
    sections: list[SectionShown]
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
    >>> shown.sections[0].title, shown.sections[0].tables[0].rows, shown.facts
    ('bands', [['good', '120']], [('seed', '7')])
    """
    measures = [
        {"measure": name, **{key: figure.get(key) for key in _FIGURE}}
        for name, figure in _mapping(content.get("measures")).items()
        if isinstance(figure, Mapping)
    ]
    tables = {name: _table(name, rows) for name, rows in _mapping(content.get("tables")).items() if _is_rows(rows)}
    sections = _sections(content.get("sections"), tables)
    facts = []
    for name, value in content.items():
        if name in _SHAPE:
            continue
        if _is_rows(value):
            sections.append(_alone(_table(name, value)))
        else:
            facts.append((name, plain(value)))
    notes = content.get("notes")
    told = [str(note) for note in notes] if isinstance(notes, list) else []
    return DocumentShown(_table("measures", measures) if measures else None, sections, facts, told)


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


def _sections(named: Any, tables: Mapping[str, TableShown]) -> list[SectionShown]:
    left, found = dict(tables), []
    for one in named if _is_rows(named) else ():
        names, text = ([str(part) for part in one[key]] if isinstance(one.get(key), list) else []
                       for key in ("tables", "text"))  # fmt: skip
        its = [left.pop(name) for name in names if name in left]
        if its or text:
            found.append(SectionShown(plain(one.get("title")), text, its))
    return found + [_alone(table) for table in left.values()]


def _alone(table: TableShown) -> SectionShown:
    return SectionShown(table.name.replace("_", " ").replace(".", ": "), [], [table])


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> TableShown:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    shown = rows[:LONGEST_TABLE]
    numbers = {column: all(_is_number(row.get(column)) for row in shown) for column in columns}
    ends = {column: _ends_of(column, numbers) for column in columns}
    folded = {end for pair in ends.values() for end in pair}
    kept = sorted((one for one in columns if one not in folded), key=lambda one: _place(one, numbers[one]))
    cells = [[_cell(row, column, ends[column]) for column in kept] for row in shown]
    return TableShown(name, kept, cells, [numbers[column] for column in kept], len(rows) - len(shown))


def _place(column: str, numeric: bool) -> tuple[int, int]:
    if column in _FIRST:
        return (0, _FIRST.index(column))
    return (3, _LAST.index(column)) if column in _LAST else (2 if numeric else 1, 0)


def _ends_of(column: str, numbers: Mapping[str, bool]) -> tuple[str, ...]:
    pair = ("low", "high") if column == "value" else (f"{column}_low", f"{column}_high")
    return pair if all(numbers.get(end, False) for end in pair) else ()


def _cell(row: Mapping[str, Any], column: str, ends: tuple[str, ...]) -> str:
    around = [row.get(end) for end in ends]
    interval = f"\n({plain(around[0])} … {plain(around[1])})" if around and None not in around else ""
    return plain(row.get(column)) + interval


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
