"""Any document about a model, as a page and as Markdown: its warnings, its sections, its tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from benne.experiments.report.page import environment

__all__ = [
    "Shown",
    "ShownTable",
    "document_markdown",
    "document_page",
    "markdown_table",
    "plain_markdown",
    "shown_table",
]

_DIGITS: Final = 4
_WORDS: Final = 24
"""Characters from which on a cell is read as a sentence and not as a figure."""


@dataclass(frozen=True)
class Shown:
    """A cell as people read it.

    Parameters
    ----------
    text : str
    small : str
        Its interval, where it has one.
    words : bool
        Whether it is text rather than a figure.
    """

    text: str
    small: str = ""
    words: bool = False


@dataclass(frozen=True)
class ShownTable:
    """A table as people read it: ends of intervals are with their figure, and are no columns."""

    caption: str
    heads: tuple[dict[str, Any], ...]
    rows: tuple[tuple[Shown, ...], ...]


def document_page(
    document: Mapping[str, Any], *, title: str, lead: str = "", figures: Mapping[str, str] | None = None
) -> str:
    """A document about a model as one HTML file that needs nothing else.

    Parameters
    ----------
    document : mapping
        With ``model``, ``made_at``, ``by``, ``tables``, ``notes``; perhaps ``sections`` that put its tables in order.
    title, lead : str
    figures : mapping of str to str, optional
        Drawings (``<svg>``) made here, by their caption.
    """
    template = environment().get_template("about_model.html.j2")
    drawn = {name: Markup(svg) for name, svg in (figures or {}).items()}  # noqa: S704
    return str(
        template.render(
            title=title, lead=lead, model=document["model"], made_at=str(document["made_at"])[:10],
            by=document["by"], warnings=[*document["notes"], *_missing(document)], figures=drawn,
            sections=[one | {"tables": _tables(document, one)} for one in _sections(document)],
        )
    )  # fmt: skip


def document_markdown(document: Mapping[str, Any], *, title: str) -> str:
    """The same document in Markdown, as a model registry shows it."""
    lines = [f"# {title}", "", f"{document['model']['model_id']}, made {str(document['made_at'])[:10]} by "
             f"{document['by']}.", ""]  # fmt: skip
    lines += [f"> {plain_markdown(note)}\n" for note in [*document["notes"], *_missing(document)]]
    for section in _sections(document):
        lines += [f"## {section['title']}", "", *(f"{plain_markdown(line)}\n" for line in section["text"])]
        for table in _tables(document, section):
            lines += [*markdown_table(table), ""]
    return "\n".join(lines)


def shown_table(name: str, rows: Sequence[Mapping[str, Any]]) -> ShownTable:
    """Rows of one table for people.

    Examples
    --------
    >>> table = shown_table("t", [{"model": "ours", "auc": 0.81234, "auc_low": 0.8, "auc_high": 0.82, "n": 1200}])
    >>> [cell.text for cell in table.rows[0]], table.rows[0][1].small
    (['ours', '0.8123', '1,200'], '0.8000 to 0.8200')
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    ends = {column: _ends_of(column, columns) for column in columns}
    hidden = {end for pair in ends.values() for end in pair}
    kept = [column for column in columns if column not in hidden]
    cells = tuple(tuple(_cell(row, column, ends[column]) for column in kept) for row in rows)
    heads = tuple({"name": _head(column), "text": any(row[k].words for row in cells)} for k, column in enumerate(kept))
    return ShownTable(name.partition(".")[2].replace("_", " "), heads, cells)


def _missing(document: Mapping[str, Any]) -> list[str]:
    missing = document.get("missing")
    return [f"Missing: {'; '.join(missing)}."] if missing else []


def _sections(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "sections" in document:
        return [dict(one) for one in document["sections"]]
    return [
        {"key": name, "title": _head(name).capitalize(), "text": [], "tables": [name]} for name in document["tables"]
    ]


def _tables(document: Mapping[str, Any], section: Mapping[str, Any]) -> list[ShownTable]:
    return [shown_table(name, document["tables"][name]) for name in section["tables"] if document["tables"][name]]


def _ends_of(column: str, columns: Sequence[str]) -> tuple[str, ...]:
    pair = ("low", "high") if column == "value" else (f"{column}_low", f"{column}_high")
    return pair if set(pair) <= set(columns) else ()


def _cell(row: Mapping[str, Any], column: str, ends: tuple[str, ...]) -> Shown:
    value = row.get(column)
    around = [row.get(end) for end in ends]
    small = f"{_text(around[0])} to {_text(around[1])}" if around and None not in around else ""
    return Shown(_text(value), small, isinstance(value, str) and len(value) > _WORDS)


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.{_DIGITS}f}".replace("-", "−") if math.isfinite(value) else "–"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _head(column: str) -> str:
    return column.replace("_", " ").replace(".", ": ")


def markdown_table(table: ShownTable) -> list[str]:
    """A table in Markdown, line by line."""
    heads = " | ".join(plain_markdown(str(head["name"])) for head in table.heads)
    lines = [f"| {heads} |", "|" + "---|" * len(table.heads)]
    for row in table.rows:
        told = (f"{cell.text} ({cell.small})" if cell.small else cell.text for cell in row)
        lines.append(f"| {' | '.join(plain_markdown(one) for one in told)} |")
    return lines


def plain_markdown(text: str) -> str:
    """What would end a cell, or begin something in Markdown or HTML, is written so that it does not."""
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")
