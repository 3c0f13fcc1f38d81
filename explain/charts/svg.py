"""SVG as text: elements with escaped attributes and text, without scripts, styles or links.

Everything is said by presentation attributes, so that a page whose policy forbids inline styles shows it as well.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import Final

__all__ = ["clean", "drawing", "element", "label", "limit_line", "number", "shortened", "width_of"]

_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACE: Final = "http://www.w3.org/2000/svg"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")


def clean(text: object) -> str:
    """Text as XML can hold it: what it has no place for is a replacement character.

    Examples
    --------
    >>> clean("a" + chr(0) + "b") == "a" + chr(0xFFFD) + "b"
    True
    """
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(text))


def number(value: float) -> str:
    """A coordinate, to a hundredth.

    Examples
    --------
    >>> number(12.3456), number(3.0), number(-0.001)
    ('12.35', '3', '0')
    """
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def element(name: str, /, *children: str, **attributes: object) -> str:
    """An element; children are markup already, attributes are not.

    Examples
    --------
    >>> element("rect", x=1.5, stroke_width=2)
    '<rect x="1.5" stroke-width="2"/>'
    >>> element("text", clean("<b>"), style="color: red")
    Traceback (most recent call last):
    ...
    ValueError: A chart must be drawn with presentation attributes, got style. Use fill, stroke and their like.
    """
    if "style" in attributes:
        raise ValueError(
            "A chart must be drawn with presentation attributes, got style. Use fill, stroke and their like."
        )
    given = "".join(
        f' {key.replace("_", "-")}="{escape(clean(number(v) if isinstance(v, float) else v))}"'
        for key, v in attributes.items()
    )
    inside = "".join(children)
    return f"<{name}{given}>{inside}</{name}>" if inside else f"<{name}{given}/>"


def label(text: object, x: float, y: float, **attributes: object) -> str:
    """A piece of text, escaped."""
    return element("text", escape(clean(text), quote=False), x=float(x), y=float(y), **attributes)


def limit_line(x: tuple[float, float], y: tuple[float, float], colour: str) -> str:
    """A limit as a dashed line, from one end to the other.

    Examples
    --------
    >>> limit_line((0.0, 0.0), (16.0, 40.0), "#666666")
    '<line x1="0" x2="0" y1="16" y2="40" stroke="#666666" stroke-width="1" stroke-dasharray="4 3"/>'
    """
    return element("line", x1=x[0], x2=x[1], y1=y[0], y2=y[1], stroke=colour, stroke_width=1.0, stroke_dasharray="4 3")


def drawing(size: tuple[int, int], title: str, description: str, *parts: str, name: str) -> str:
    """A whole picture, which says in words what it shows.

    Parameters
    ----------
    size : (int, int)
        Width and height in units of its own; it grows and shrinks to its place.
    title, description : str
        For whoever does not see it.
    *parts : str
        Markup.
    name : str
        Lower case; of the ids by which the words are found, so unique on a page.

    Raises
    ------
    ValueError
        If the name is none.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError("A chart's name must be lower-case letters, digits and hyphens, got another. Choose one.")
    width, height = size
    words = (
        element("title", escape(clean(title), quote=False), id=f"{name}-title"),
        element("desc", escape(clean(description), quote=False), id=f"{name}-desc"),
    )
    return element(
        "svg", *words, *parts, xmlns=_NAMESPACE, viewBox=f"0 0 {width} {height}", role="img",
        aria_labelledby=f"{name}-title {name}-desc", **{"class": "chart"},
    )  # fmt: skip


def width_of(text: str) -> float:
    """How wide text is about, in widths of its font's size: wide characters count twice."""
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WF" else 0.53 for sign in text)


def shortened(text: object, ems: float) -> str:
    """Text that fits into a width in ems; what does not ends in an ellipsis.

    Examples
    --------
    >>> shortened("Payments made on time", 6.0)
    'Payments…'
    """
    told = " ".join(clean(text).split())
    if width_of(told) <= ems:
        return told
    while told and width_of(told) > ems - 0.7:
        told = told[:-1]
    return told.rstrip() + "…"
