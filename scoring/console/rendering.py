"""Templates: everything that goes into a page is escaped, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from benne.scoring.consent.moments import from_microseconds
from benne.scoring.console.assets import address_of
from benne.scoring.console.documents_shown import plain

__all__ = ["Pages"]

_PARAGRAPH: Final = re.compile(r"\n(?![a-z])")  # a line that begins in the middle of a sentence goes on with it
_SHORT: Final = 8  # characters of an id that is only to be recognised


class Pages:
    """Renders the console's templates.

    Parameters
    ----------
    clock : callable returning datetime
        For how much time is left.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._environment = Environment(
            loader=PackageLoader("benne.scoring.console", "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._environment.globals |= {"asset": address_of, "now": clock, "plain": plain}
        self._environment.filters |= {
            "day": _day, "moment": _moment, "as_date": _as_date, "left": self._left, "is_over": self._is_over,
            "plain_moment": _plain_moment, "paragraphs": _PARAGRAPH.split,
            "short": lambda one: str(one)[:_SHORT], "drawing": _drawing, "whole": lambda number: f"{number:,.0f}",
        }  # fmt: skip

    def render(self, template: str, values: Mapping[str, Any], block: str | None = None) -> str:
        """A page; of one that htmx asked for, the block of the element's name, if it has such a one."""
        found = self._environment.get_template(f"{template}.html.j2")
        name = (block or "").replace("-", "_")
        if name in found.blocks:
            return "".join(found.blocks[name](found.new_context(dict(values))))
        return found.render(values)

    def _is_over(self, until_us: int) -> bool:
        return until_us / 1e6 < self._clock().timestamp()

    def _left(self, until_us: int) -> int:
        """Whole days that are left, rounded up; below zero once it is over."""
        seconds = until_us / 1e6 - self._clock().timestamp()
        return -int(-seconds // 86_400)


def _as_date(moment: Any) -> date:
    if isinstance(moment, str):
        return datetime.fromisoformat(moment)
    if isinstance(moment, date):
        return moment
    return from_microseconds(int(moment))


@pass_context
def _day(context: Context, moment: Any) -> Markup:
    """A day as a reader of the page's language writes it, with the exact one beside it for machines."""
    found = _as_date(moment)
    return Markup('<time datetime="{}">{}</time>').format(found.isoformat(), context["texts"].day(found))


@pass_context
def _moment(context: Context, moment: Any) -> Markup:
    """A day and its time, in UTC."""
    found = _as_date(moment)
    if not isinstance(found, datetime):
        return _day(context, found)
    found = found.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(found.isoformat(), _plain_moment(context, found))


@pass_context
def _plain_moment(context: Context, moment: datetime) -> str:
    """A day and its time, in UTC, to put into a sentence."""
    return f"{context['texts'].day(moment)}, {moment.astimezone(UTC):%H:%M} UTC"


def _drawing(svg: str) -> Markup:
    """A picture drawn by :mod:`benne.explain.charts`, which escapes what it is given."""
    return Markup(svg)  # noqa: S704 - drawn here, from numbers and the catalogue's words
