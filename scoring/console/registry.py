"""Pages and where one gets to from everywhere: other modules add theirs by listing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

    from benne.scoring.console.visit import Visit

__all__ = ["Entry", "Page"]


@dataclass(frozen=True)
class Page:
    """One page or form.

    Parameters
    ----------
    method, path : str
    view : callable
        Takes a :class:`~benne.scoring.console.visit.Visit`, gives a response.
    again : callable, optional
        Shows the form again, where something in it was refused.
    entry : str, optional
        Key of its text in the navigation; pages without one are reached from others.
    """

    method: str
    path: str
    view: Callable[[Visit], Response]
    again: Callable[[Visit], Response] | None = None
    entry: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation."""

    path: str
    text: str
    current: bool
