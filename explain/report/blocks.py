"""The parts a report is laid out in: words and pictures only, the same for HTML and PDF."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Block", "Document", "Items", "Paragraph", "Picture", "Section", "Table"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences; ``look`` is how much weight they have."""

    text: str
    look: Literal["plain", "strong", "note"] = "plain"
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[str, ...]
    kind: Literal["items"] = "items"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head.

    Parameters
    ----------
    head : tuple of str
    rows : tuple of tuple of str
    figures : int
        How many of the last columns are numbers.
    sums : bool
        Whether the last row is the sum of the others.
    widths : tuple of int
        Per cent of the page's width, in steps of five; empty where columns are as wide as they need.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: int = 0
    sums: bool = False
    widths: tuple[int, ...] = ()
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and what it shows in words; ``width`` is a share of the page's."""

    svg: str
    words: str
    width: float = 1.0
    kind: Literal["picture"] = "picture"


Block = Paragraph | Items | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what is below it; ``beside`` puts the first block beside the others."""

    key: str
    heading: str
    blocks: tuple[Block, ...]
    beside: bool = False
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Parameters
    ----------
    language : {'en', 'zh'}
    title, subtitle, issuer : str
    page : (str, str, str)
        What stands before a page's number, between it and the number of pages, and after that.
    sections : tuple of Section
    """

    language: str
    title: str
    subtitle: str
    issuer: str
    page: tuple[str, str, str]
    sections: tuple[Section, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
